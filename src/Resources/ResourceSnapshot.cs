using System.Collections.Immutable;

namespace Calico.Bgp.Resources;

/// <summary>
/// All objects that count at one moment, validated: a table for each kind (<see cref="Kinds"/>). What follows from a snapshot does not
/// depend on how it came about.
/// </summary>
public sealed class ResourceSnapshot
{
    public static readonly ResourceSnapshot Empty = new(ImmutableDictionary<ResourceKind, ResourceTable>.Empty, []);

    internal ResourceSnapshot(ImmutableDictionary<ResourceKind, ResourceTable> tables, ImmutableArray<ResourceProblem> problems) =>
        (Tables, Problems) = (tables, problems);

    /// <summary>A kind without a table has no objects.</summary>
    internal ImmutableDictionary<ResourceKind, ResourceTable> Tables { get; }

    /// <summary>Sorted by file and line.</summary>
    public ImmutableArray<ResourceProblem> Problems { get; }

    /// <summary>Something that a source says is not in force.</summary>
    public bool IsRefused => Problems.Any(problem => problem.Severity == ProblemSeverity.Error);

    public ResourceTable<T> Of<T>(KindOf<T> kind) where T : Resource =>
        Tables.TryGetValue(kind, out var table) ? (ResourceTable<T>)table : kind.Empty;

    public Resource? Find(ResourceId id) => Tables.GetValueOrDefault(id.Kind)?.Find(id.Key);

    /// <summary>All objects that somebody defines, in no promised order.</summary>
    public IEnumerable<Resource> All() => Counting.Where(resource => !resource.Kind.IsBuiltIn(resource));

    /// <summary>The step from nothing to it: all that there is, built-in objects among it.</summary>
    public IEnumerable<ResourceChange> Begin() => Counting.Select(one => new ResourceChange(one.Kind, one.Key, null, one));

    private IEnumerable<Resource> Counting => Tables.Values.SelectMany(table => table.All);

    internal IEnumerable<ResourceId> Ids() => Counting.Select(resource => resource.Id);
}
