using Calico.Bgp.Speaker;

namespace Calico.Bgp.Control.Bird.Commands;

/// <summary>Which protocols a command means: one by its name, those that a pattern fits, or all.</summary>
internal sealed record ProtocolChoice(string? Name, string? Pattern)
{
    public static readonly ProtocolChoice All = new(null, null);

    /// <summary>Reads <c>NAME | "PATTERN" | all</c>.</summary>
    public static ProtocolChoice Parse(Tokens tokens)
    {
        if (tokens.Accept("all")) return All;
        if (TryParse(tokens, out var choice)) return choice;
        tokens.Unexpected("CF_SYM_KNOWN", "TEXT", "ALL");
        return All;
    }

    /// <summary>Reads <c>NAME | "PATTERN"</c> if one of them is next.</summary>
    public static bool TryParse(Tokens tokens, out ProtocolChoice choice)
    {
        choice = All;
        if (tokens.AcceptText(out var pattern)) choice = new(null, pattern);
        else if (tokens.AcceptKnown(out var name, out var kind))
        {
            choice = new(name, null);
            if (kind != SymbolKind.Protocol) tokens.Fail("Protocol name required");
        }
        else return false;
        return true;
    }

    public IReadOnlyList<ProtocolStatus> Of(ISpeaker speaker) => [.. speaker.Protocols.Where(Has)];

    private bool Has(ProtocolStatus protocol) =>
        Name != null ? protocol.Name == Name : Pattern == null || Bird.Pattern.Matches(Pattern, protocol.Name);
}
