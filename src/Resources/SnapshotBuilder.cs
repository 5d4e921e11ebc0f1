using System.Collections.Immutable;

namespace Calico.Bgp.Resources;

/// <summary>The next snapshot in the making: tables that do not change are the same, and one that does shares what it can.</summary>
public sealed class SnapshotBuilder(ResourceSnapshot from)
{
    private readonly Dictionary<ResourceKind, ResourceTable.Builder> changed = [];

    /// <param name="resource">Null: it is gone.</param>
    public void Put(ResourceId id, Resource? resource)
    {
        if (!changed.TryGetValue(id.Kind, out var table))
            changed[id.Kind] = table = (from.Tables.GetValueOrDefault(id.Kind) ?? id.Kind.NoObjects).Change();
        table.Put(id.Key, resource);
    }

    public ResourceSnapshot Build(ImmutableArray<ResourceProblem> problems) =>
        new(from.Tables.SetItems(changed.Select(one => KeyValuePair.Create(one.Key, one.Value.Build()))), problems);
}
