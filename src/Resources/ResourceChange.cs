using System.Collections.Immutable;

namespace Calico.Bgp.Resources;

/// <summary>One object before and after; null: it was not there, or is gone. The two differ.</summary>
public sealed record ResourceChange(ResourceKind Kind, ResourceKey Key, Resource? Before, Resource? After);

/// <summary>The step from one snapshot to the next that a reader takes. <see cref="Changed"/> is sorted by kind and key, one entry an
/// object; it is empty where only problems changed.</summary>
public sealed record ResourceChanges(ResourceSnapshot Before, ResourceSnapshot After, ImmutableArray<ResourceChange> Changed);
