using Calico.Bgp.Answers;

namespace Calico.Bgp.Bgpctl.Cnat;

/// <summary>What a line of cnat's grammar asks for.</summary>
internal abstract record CnatCommand
{
    /// <param name="Save">It outlives the daemon.</param>
    /// <param name="Force">Also where it takes what the node is reached by.</param>
    public sealed record Add(TranslationBody Translation, bool Save, bool Force) : CnatCommand;

    public sealed record Remove(int Id) : CnatCommand;

    /// <param name="Id">Null: all.</param>
    public sealed record ShowTranslations(int? Id) : CnatCommand;

    public sealed record ShowSessions(SessionQuery Which, SessionLook Look) : CnatCommand;

    public sealed record EndSessions(SessionQuery Which) : CnatCommand;

    public sealed record Explain(SaidPacket Packet) : CnatCommand;

    /// <param name="Edits">One thing each, which is otherwise from now on.</param>
    /// <param name="Save">They outlive the daemon.</param>
    public sealed record EditSourceNat(IReadOnlyList<SourceNatEditBody> Edits, bool Save) : CnatCommand;

    public sealed record ShowSourceNat : CnatCommand;

    /// <param name="Id">Null: all.</param>
    public sealed record ShowClients(int? Id) : CnatCommand;

    public sealed record TestMaglev(int Tests, int Backends, int Length) : CnatCommand;

    /// <summary>Sessions end, and what the command line has said goes.</summary>
    public sealed record Purge : CnatCommand;

    /// <summary>cnat's, and nothing here: why, and what there is in its place.</summary>
    public sealed record NotHere(string Words) : CnatCommand;
}

/// <summary>Which sessions are meant: those that all of these hold of.</summary>
internal sealed record SessionQuery
{
    public long? Id { get; init; }
    public int? Translation { get; init; }
    public string? Protocol { get; init; }
    public string? Ip { get; init; }
    public ushort? Port { get; init; }
}

/// <summary>What is said of a connection's first packet; null: nothing.</summary>
internal sealed record SaidPacket(string Source, ushort? SourcePort, string Destination, string Protocol, ushort? Port)
{
    /// <summary>The interface that it comes in by.</summary>
    public string? In { get; init; }
    /// <summary>The interface that it leaves by; null: as the kernel routes it.</summary>
    public string? Out { get; init; }
}

/// <param name="Return">As the backends see them.</param>
/// <param name="Most">How many; null: the daemon's choice.</param>
internal sealed record SessionLook(bool Verbose, bool Return, int? Most);

/// <summary>A line is none of cnat's.</summary>
/// <param name="column">Of the word that is wrong, or of the end.</param>
/// <param name="expected">What might have stood there.</param>
internal sealed class CnatMistake(string line, int column, string expected, string? got) : Exception(
    $"expected {expected}, got {(got == null ? "the end of the line" : $"\"{got}\"")}\n  {Around(line, column)}")
{
    /// <summary>A longer line has its end broken off, or its begin, or both: what a terminal folds points nowhere.</summary>
    private const int Shown = 100;

    private const string BrokenOff = "…";

    private static string Around(string line, int column)
    {
        if (line.Length <= Shown) return $"{line}\n  {new(' ', column)}^";
        var from = Math.Clamp(column - (Shown / 2), 0, line.Length - Shown);
        var (left, right) = (from > 0 ? BrokenOff : "", from + Shown < line.Length ? BrokenOff : "");
        return $"{left}{line.Substring(from, Shown)}{right}\n  {new(' ', left.Length + column - from)}^";
    }
}
