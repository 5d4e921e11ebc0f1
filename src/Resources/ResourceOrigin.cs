using System.Collections.Immutable;

namespace Calico.Bgp.Resources;

/// <summary>A place that objects come from: a file of a folder, or an object of an API. Of two that define the same object, the one that
/// sorts first wins.</summary>
/// <param name="Source">The source's place among the sources.</param>
/// <param name="Name">The file's path below its folder, or what else names the place within the source.</param>
public readonly record struct ResourceOrigin(int Source, string Name) : IComparable<ResourceOrigin>
{
    /// <summary>Before all sources: what is put into force for a while (<see cref="ITrials"/>).</summary>
    public static readonly ResourceOrigin Trial = new(-1, "bgpctl policy try");

    public int CompareTo(ResourceOrigin other) =>
        Source != other.Source ? Source.CompareTo(other.Source) : string.CompareOrdinal(Name, other.Name);

    public static bool operator <(ResourceOrigin a, ResourceOrigin b) => a.CompareTo(b) < 0;
    public static bool operator >(ResourceOrigin a, ResourceOrigin b) => a.CompareTo(b) > 0;
    public static bool operator <=(ResourceOrigin a, ResourceOrigin b) => a.CompareTo(b) <= 0;
    public static bool operator >=(ResourceOrigin a, ResourceOrigin b) => a.CompareTo(b) >= 0;
}

/// <summary>All that an origin says now; it takes the place of what the origin said before.</summary>
/// <param name="Whole">False: a part of it cannot be read, so objects that it defined before and does not show now stay in force.</param>
public sealed record OriginContent(
    ResourceOrigin Origin, ImmutableArray<ResourceDefinition> Definitions, ImmutableArray<ResourceProblem> Problems, bool Whole = true)
{
    /// <summary>The origin is gone, with all that it defined.</summary>
    public static OriginContent Gone(ResourceOrigin origin) => new(origin, [], []);
}

/// <summary>Where an object is defined. <paramref name="File"/>: below the source's folder; lines count from 1.</summary>
public sealed record ResourcePlace(string File, int Line)
{
    public override string ToString() => $"{File}:{Line}";
}

/// <summary>What a source has to say at once: the store publishes it as one change.</summary>
/// <param name="State">Whatever a source says of itself, what it said of objects stays.</param>
public sealed record SourceUpdate(int Source, ImmutableArray<OriginContent> Contents, SourceState State)
{
    /// <summary>Called once the store has it.</summary>
    public Action? Counts { get; init; }
}
