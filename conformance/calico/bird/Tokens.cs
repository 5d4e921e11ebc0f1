using System.Globalization;
using System.Net;

namespace Calico.Bgp.Conformance.Bird;

/// <summary>A place in a file's words, and the questions that parsers ask there.</summary>
internal sealed class Tokens(string file, string text)
{
    private readonly Token[] all = [.. Lexer.Read(file, text)];
    private int at;

    public Token Peek => all[at];

    public bool AtEnd => Peek.Kind == TokenKind.End;

    public Token Take() => all[at++];

    public bool At(string text) => Peek.Kind is TokenKind.Word or TokenKind.Sign && Peek.Text == text;

    public bool TryTake(string text)
    {
        if (!At(text)) return false;
        at++;
        return true;
    }

    public void Expect(string text)
    {
        if (!TryTake(text)) throw Unexpected($"\"{text}\"");
    }

    /// <summary>A name, with or without quotes.</summary>
    public string Name() => Peek.Kind is TokenKind.Word or TokenKind.Quoted ? Take().Text : throw Unexpected("a name");

    public string Text() => Peek.Kind == TokenKind.Text ? Take().Text : throw Unexpected("a text in quotes");

    public uint Number() => Peek.Kind == TokenKind.Number
        ? uint.Parse(Take().Text, CultureInfo.InvariantCulture) : throw Unexpected("a number");

    public IPAddress Address() => Peek.Kind == TokenKind.Address ? IPAddress.Parse(Take().Text) : throw Unexpected("an address");

    /// <summary>An address, or a prefix when a length follows.</summary>
    public object AddressOrPrefix()
    {
        var address = Address();
        return TryTake("/") ? new IPNetwork(address, (int)Number()) : address;
    }

    public BirdException Unexpected(string expected) => new($"{file}: expected {expected}, not {Peek}");

    public BirdException Wrong(string what) => new($"{file}: {what} before {Peek}");
}
