using System.Globalization;
using Calico.Bgp.Net;

namespace Calico.Bgp.Control.Bird;

internal enum TokenKind : byte { End, Word, Quoted, Text, Number, Address, Sign, Bad }

/// <param name="Text">A word, a text without its quotes, a sign, or the complaint about a bad one.</param>
internal readonly record struct Token(TokenKind Kind, string Text, uint Number = 0, Address Address = default)
{
    public static readonly Token End = new(TokenKind.End, "");

    /// <summary>Characters of the command before it.</summary>
    public int Start { get; init; }
}

/// <summary>
/// A command cut into the tokens of BIRD's language, and a cursor over them. What does not fit is remembered, not thrown: the
/// first error stays in <see cref="Error"/>, and from then on nothing matches, so a parser asks once, at its end.
/// </summary>
internal sealed class Tokens
{
    /// <summary>Bison, whose messages these are, names what it expected only up to this many.</summary>
    private const int MostExpected = 4;

    private readonly List<Token> all;
    private readonly Symbols symbols;
    private int at;

    public Tokens(string line, Symbols symbols)
    {
        this.symbols = symbols;
        all = Lexer.Cut(line, symbols);
    }

    /// <summary>Null as long as everything fitted.</summary>
    public string? Error { get; private set; }

    /// <summary>
    /// Complaints say where in the command, beside BIRD's words: in a filter's body, which is long, and of which we take less than BIRD.
    /// </summary>
    public bool SaysWhere { get; set; }

    public Symbols Symbols => symbols;
    public Token Next => Error == null ? all[Math.Min(at, all.Count - 1)] : Token.End;
    public Token Following => Error == null ? all[Math.Min(at + 1, all.Count - 1)] : Token.End;
    public bool AtEnd => Next.Kind == TokenKind.End;

    public Token Take()
    {
        var token = Next;
        at++;
        return token;
    }

    public bool Is(string word) => Error == null && Next.Kind is TokenKind.Word or TokenKind.Sign && Next.Text == word;

    /// <summary>Steps over the word or sign if it is next.</summary>
    public bool Accept(string word)
    {
        if (!Is(word)) return false;
        at++;
        return true;
    }

    /// <summary>The next token must be this word or sign.</summary>
    public bool Expect(string word, params string[] expected) => Accept(word) || Unexpected(expected);

    public bool AcceptText(out string text)
    {
        text = Next.Text;
        if (Error != null || Next.Kind != TokenKind.Text) return false;
        at++;
        return true;
    }

    public bool AcceptNumber(out uint number)
    {
        number = Next.Number;
        if (Error != null || Next.Kind != TokenKind.Number) return false;
        at++;
        return true;
    }

    /// <summary>Steps over a name that something configured has.</summary>
    public bool AcceptKnown(out string name, out SymbolKind kind)
    {
        name = Next.Text;
        kind = default;
        if (Error != null || Next.Kind is not (TokenKind.Word or TokenKind.Quoted) || !symbols.TryGet(name, out kind)) return false;
        at++;
        return true;
    }

    /// <summary>The command must end here.</summary>
    public bool ExpectEnd(params string[] alsoExpected) => AtEnd && Error == null || Unexpected(["END", .. alsoExpected]);

    /// <summary>Remembers that the next token fits nothing; always false.</summary>
    public bool Unexpected(params string[] expected)
    {
        if (Next.Kind == TokenKind.Bad) return Fail(Next.Text);
        var wanted = expected.Length is > 0 and <= MostExpected ? $", expecting {string.Join(" or ", expected)}" : "";
        return Fail($"syntax error, unexpected {NameOf(Next)}{wanted}");
    }

    private string Place => !SaysWhere ? "" : AtEnd
        ? ", at the end of the command" : $", at character {Next.Start + 1}{(Next.Text.Length > 0 ? $" (\"{Next.Text}\")" : "")}";

    /// <summary>Remembers an error of meaning; always false.</summary>
    public bool Fail(string error)
    {
        Error ??= error + Place;
        return false;
    }

    private string NameOf(Token token) => token.Kind switch
    {
        TokenKind.End => "END",
        TokenKind.Text => "TEXT",
        TokenKind.Number => "NUM",
        TokenKind.Address => token.Address.IsIPv4 ? "IP4" : "IP6",
        TokenKind.Sign => Keywords.NameOfSign(token.Text),
        TokenKind.Word when symbols.TryGet(token.Text, out _) => "CF_SYM_KNOWN",
        TokenKind.Quoted when symbols.TryGet(token.Text, out _) => "CF_SYM_KNOWN",
        TokenKind.Word when Keywords.Has(token.Text) => token.Text.ToUpper(CultureInfo.InvariantCulture),
        _ => "CF_SYM_UNDEFINED",
    };
}
