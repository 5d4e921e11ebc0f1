using System.Collections.Immutable;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Rib;

namespace Calico.Bgp.Speaker;

/// <summary>Answers the RIB's questions about next hops from one snapshot of the kernel. Each shard's thread has a resolver of its own.</summary>
internal sealed class KernelNextHops(KernelSnapshot snapshot) : INextHopResolver
{
    // A resolver remembers its answers and belongs to one loop; each shard's thread has its own.
    [ThreadStatic] private static NextHopResolver? resolver;

    public NextHopState Resolve(Address nextHop, int scope)
    {
        var answer = ResolverOf(snapshot).Resolve(nextHop, scope);
        ImmutableArray<NextHopVia> vias = [.. answer.Hops.Select(hop => new NextHopVia(hop.Gateway, hop.Interface, hop.Weight, hop.OnLink))];
        return new(answer.Resolvable, answer.Connected, answer.OwnAddress, answer.Metric, vias);
    }

    /// <summary>This thread's resolver, for that snapshot.</summary>
    public static NextHopResolver ResolverOf(KernelSnapshot snapshot)
    {
        if (resolver?.Snapshot != snapshot) resolver = resolver?.For(snapshot) ?? new(snapshot);
        return resolver;
    }

    public string? InterfaceName(int index) => snapshot.Links.GetValueOrDefault(index)?.Name;
}
