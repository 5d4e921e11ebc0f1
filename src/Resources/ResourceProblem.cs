using System.Globalization;

namespace Calico.Bgp.Resources;

public enum ProblemSeverity : byte
{
    /// <summary>The object counts as written, but for what the problem names.</summary>
    Warning,
    /// <summary>The object (or the file) is refused; its last good version, if there was one, stays in force.</summary>
    Error,
}

/// <summary>Something wrong with what a source says.</summary>
/// <param name="Object"><c>BGPPeer/tor1</c>; empty where no object is known (a file that does not parse).</param>
/// <param name="Field">The path, <c>spec.filters[1]</c>; empty for the object as a whole.</param>
/// <param name="Reason">What was expected, what came.</param>
/// <param name="File">The file, or what else the source calls the origin.</param>
/// <param name="Line">From 1; 0: not known.</param>
public sealed record ResourceProblem(
    string Object, string Field, string Reason, string File, int Line, ProblemSeverity Severity) : IComparable<ResourceProblem>
{
    /// <summary>Of what is refused no good version is known: nothing of it is in force.</summary>
    public bool IsWithoutEffect { get; init; }

    public int CompareTo(ResourceProblem? other)
    {
        if (other == null) return 1;
        var order = string.CompareOrdinal(File, other.File);
        if (order == 0) order = Line.CompareTo(other.Line);
        if (order == 0) order = string.CompareOrdinal(Object, other.Object);
        if (order == 0) order = string.CompareOrdinal(Field, other.Field);
        return order != 0 ? order : string.CompareOrdinal(Reason, other.Reason);
    }

    public static bool operator <(ResourceProblem a, ResourceProblem b) => a.CompareTo(b) < 0;
    public static bool operator >(ResourceProblem a, ResourceProblem b) => a.CompareTo(b) > 0;
    public static bool operator <=(ResourceProblem a, ResourceProblem b) => a.CompareTo(b) <= 0;
    public static bool operator >=(ResourceProblem a, ResourceProblem b) => a.CompareTo(b) >= 0;

    /// <summary><c>peers.yaml:12: BGPPeer/tor1: spec.peerIP: expected …</c></summary>
    public override string ToString()
    {
        var place = Line > 0 ? string.Create(CultureInfo.InvariantCulture, $"{File}:{Line}") : File;
        return string.Join(": ", new[] { place, Object, Field, Reason }.Where(part => part.Length > 0));
    }
}
