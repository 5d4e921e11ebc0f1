using System.Globalization;
using Calico.Bgp.Net;

namespace Calico.Bgp.Control.Bird;

/// <summary>
/// Cuts a command into tokens. One difference from BIRD, whose names have no dashes, dots or colons unless quoted: a name that
/// something configured has is taken whole, so <c>show protocols tor-1</c> works without quotes.
/// </summary>
internal ref struct Lexer
{
    /// <summary>Names longer than this are refused, as BIRD does.</summary>
    private const int LongestName = 64;

    private static readonly string[] LongSigns = ["[=", "=]", "..", "!=", "!~", "<=", ">=", "&&", "||"];
    private const string ShortSigns = "()[]{}.,;:/+-*?<>=~!&|";

    private readonly ReadOnlySpan<char> line;
    private readonly Symbols symbols;
    private int at, start;

    private Lexer(ReadOnlySpan<char> line, Symbols symbols)
    {
        this.line = line;
        this.symbols = symbols;
    }

    /// <summary>Ends with one of the kinds <see cref="TokenKind.End"/> and <see cref="TokenKind.Bad"/>.</summary>
    public static List<Token> Cut(string line, Symbols symbols)
    {
        var lexer = new Lexer(line, symbols);
        List<Token> tokens = [];
        do
        {
            lexer.SkipSpace();
            tokens.Add(lexer.Next() with { Start = lexer.start });
        }
        while (tokens[^1].Kind is not (TokenKind.End or TokenKind.Bad));
        return tokens;
    }

    private void SkipSpace()
    {
        while (at < line.Length && char.IsWhiteSpace(line[at])) at++;
        start = at;
    }

    private Token Next()
    {
        if (at == line.Length || line[at] == '#') return Token.End;
        var first = line[at];
        if (first == '"') return Text();
        if (first == '\'') return Quoted();
        if (TryAddress(out var address)) return address;
        if (char.IsAsciiDigit(first)) return Number();
        if (IsNameStart(first)) return Word();
        return Sign();
    }

    private Token Text()
    {
        var length = line[(at + 1)..].IndexOf('"');
        if (length < 0) return new(TokenKind.Bad, "Unterminated string");
        var text = line.Slice(at + 1, length).ToString();
        at += length + 2;
        return new(TokenKind.Text, text);
    }

    private Token Quoted()
    {
        var length = line[(at + 1)..].IndexOf('\'');
        if (length <= 0 || line.Slice(at + 1, length).ContainsAny(" \t")) return new(TokenKind.Bad, "Unknown character");
        var name = line.Slice(at + 1, length).ToString();
        at += length + 2;
        return name.Length > LongestName ? new(TokenKind.Bad, "Symbol too long") : new(TokenKind.Quoted, name);
    }

    /// <summary>Anything with two colons or three dots in it that reads as an address.</summary>
    private bool TryAddress(out Token token)
    {
        var length = 0;
        var colons = 0;
        for (; at + length < line.Length; length++)
        {
            var c = line[at + length];
            if (c == ':') colons++;
            else if (c == '.' && at + length + 1 < line.Length && line[at + length + 1] == '.') break;
            else if (!char.IsAsciiHexDigit(c) && c != '.') break;
        }
        token = default;
        if (colons < 2 && (length < 7 || !char.IsAsciiDigit(line[at]))) return false;
        if (!ParseAddress(ref length, out var address)) return false;
        at += length;
        token = new(TokenKind.Address, address.ToString(), 0, address);
        return true;
    }

    /// <summary>A method may follow an address: <c>192.0.2.1.mask(8)</c> and <c>1.2.3.4.</c> end before the dot.</summary>
    private readonly bool ParseAddress(ref int length, out Address address)
    {
        var text = line.Slice(at, length);
        if (Address.TryParse(text, out address)) return true;
        length = text.LastIndexOf('.');
        return length > 0 && Address.TryParse(text[..length], out address);
    }

    private Token Number()
    {
        var hex = line[at..].StartsWith("0x", StringComparison.Ordinal);
        var start = at + (hex ? 2 : 0);
        var end = start;
        while (end < line.Length && (hex ? char.IsAsciiHexDigit(line[end]) : char.IsAsciiDigit(line[end]))) end++;
        var style = hex ? NumberStyles.AllowHexSpecifier : NumberStyles.None;
        var text = line[start..end];
        at = end;
        return uint.TryParse(text, style, CultureInfo.InvariantCulture, out var number)
            ? new(TokenKind.Number, text.ToString(), number)
            : new(TokenKind.Bad, "Number out of range");
    }

    private Token Word()
    {
        var length = 1;
        while (at + length < line.Length && IsNamePart(line[at + length])) length++;
        length = LongestKnown(length);
        if (length > LongestName) return new(TokenKind.Bad, "Symbol too long");
        var word = line.Slice(at, length).ToString();
        at += length;
        return new(TokenKind.Word, word);
    }

    private readonly int LongestKnown(int plain)
    {
        var longest = plain;
        while (at + longest < line.Length && (IsNamePart(line[at + longest]) || line[at + longest] is '-' or '.' or ':')) longest++;
        for (; longest > plain; longest--)
        {
            var whole = at + longest == line.Length || !IsNamePart(line[at + longest]);
            if (whole && symbols.TryGet(line.Slice(at, longest).ToString(), out _)) return longest;
        }
        return plain;
    }

    private Token Sign()
    {
        foreach (var sign in LongSigns)
        {
            if (!line[at..].StartsWith(sign, StringComparison.Ordinal)) continue;
            at += sign.Length;
            return new(TokenKind.Sign, sign);
        }
        return ShortSigns.Contains(line[at], StringComparison.Ordinal)
            ? new(TokenKind.Sign, line[at++].ToString())
            : new(TokenKind.Bad, "Unknown character");
    }

    private static bool IsNameStart(char c) => char.IsAsciiLetter(c) || c == '_';

    private static bool IsNamePart(char c) => char.IsAsciiLetterOrDigit(c) || c == '_';
}
