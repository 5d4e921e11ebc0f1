// Words of a BIRD 1.6 configuration. Addresses are words of their own, and so are the brackets of an AS path mask.
using System.Text.RegularExpressions;

namespace Calico.Bgp.Conformance.Bird;

internal enum TokenKind { Word, Quoted, Text, Number, Address, Sign, End }

/// <summary><paramref name="Line"/> is where it stands, for complaints.</summary>
internal readonly record struct Token(TokenKind Kind, string Text, int Line)
{
    public override string ToString() => Kind == TokenKind.End ? "the end" : $"\"{Text}\" (line {Line})";
}

internal static partial class Lexer
{
    private static readonly (string Group, TokenKind Kind)[] Kinds =
    [
        ("text", TokenKind.Text), ("quoted", TokenKind.Quoted), ("address", TokenKind.Address), ("number", TokenKind.Number),
        ("word", TokenKind.Word), ("sign", TokenKind.Sign),
    ];

    public static IEnumerable<Token> Read(string file, string text)
    {
        var line = 1;
        for (var at = 0; at < text.Length;)
        {
            var match = Next().Match(text, at);
            if (!match.Success || match.Index != at) throw new BirdException(
                $"{file}:{line}: no word begins with \"{text[at..Math.Min(text.Length, at + 20)]}\"");
            foreach (var (group, kind) in Kinds)
                if (match.Groups[group] is { Success: true } found) yield return new(kind, found.Value, line);
            line += match.Value.Count(c => c == '\n');
            at += match.Length;
        }
        yield return new(TokenKind.End, "", line);
    }

    [GeneratedRegex("""
        \s+ | \#[^\n]*
        | "(?<text>[^"\n]*)"
        | '(?<quoted>[^'\n]+)'
        | (?<address> \d+\.\d+\.\d+\.\d+ | [0-9a-fA-F]*:[0-9a-fA-F]*:[0-9a-fA-F:.]*)
        | (?<number>\d+)
        | (?<word>[A-Za-z_][A-Za-z0-9_]*)
        | (?<sign> \[= | =\] | !~ | != | <= | >= | && | \|\| | [-+*/{}()\[\];,.=~<>!])
        """, RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Next();
}
