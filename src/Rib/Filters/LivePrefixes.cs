using System.Collections.Immutable;
using Calico.Bgp.Net;

namespace Calico.Bgp.Rib.Filters;

/// <summary>
/// Exact prefixes that come and go while a filter stays what it is: service addresses by the thousand, of which one moves at a time. The
/// owner changes the set before it announces or withdraws the route in question, so that whoever looks at the route sees the set that
/// belongs to it. Two filters are equal only where they share the set.
/// </summary>
public sealed class LivePrefixes
{
    private volatile ImmutableHashSet<Prefix> prefixes;

    public LivePrefixes() : this([]) { }

    public LivePrefixes(IEnumerable<Prefix> prefixes) => this.prefixes = [.. prefixes];

    public ImmutableHashSet<Prefix> Current => prefixes;
    public bool Has(Prefix prefix) => prefixes.Contains(prefix);

    /// <summary>One writer's; readers may be anywhere.</summary>
    public void Add(Prefix prefix) => prefixes = prefixes.Add(prefix);
    public void Remove(Prefix prefix) => prefixes = prefixes.Remove(prefix);
}
