using System.Collections.Immutable;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Rib;

namespace Calico.Bgp.Speaker;

/// <summary>
/// Answers the RIB's questions about next hops from one snapshot of the kernel. Each shard's thread has a resolver of its own.
/// </summary>
/// <param name="own">Own routes of bgpd.yaml and of the resources, by their prefix.</param>
/// <param name="table">Where the kernel looks next hops up, and our routes stand unless a filter says otherwise.</param>
internal sealed class KernelNextHops(KernelSnapshot snapshot, ImmutableDictionary<Prefix, OwnRouteConfig> own, uint table)
    : INextHopResolver
{
    // A resolver remembers its answers and belongs to one loop; each shard's thread has its own.
    [ThreadStatic] private static NextHopResolver? resolver;

    public uint Table => table;

    public NextHopState Resolve(Address nextHop, int scope)
    {
        var answer = ResolverOf(snapshot).Resolve(nextHop, scope);
        return new(answer.Resolvable, answer.Connected, answer.OwnAddress, answer.Metric, ViasOf(answer.Hops))
        {
            Covering = answer.Via?.Length ?? -1,
            Bar = RuleOf(answer.Bar),
            Protocol = answer.Protocol,
        };
    }

    public StaticWay? Static(Prefix prefix) =>
        own.TryGetValue(prefix, out var route) && OwnHops.Resolve(route, snapshot) is { } hops
            ? new(ViasOf(hops), EndOf(route.Type)) : null;

    private static NextHopRule RuleOf(Bar bar) => bar switch
    {
        Bar.Blackhole => NextHopRule.Blackhole,
        Bar.Unreachable => NextHopRule.Unreachable,
        Bar.Prohibit => NextHopRule.Prohibit,
        Bar.LinkDown => NextHopRule.LinkDown,
        Bar.NoLink => NextHopRule.NoLink,
        Bar.NotUnicast => NextHopRule.NotUnicast,
        _ => NextHopRule.NoRoute,
    };

    private static NextHopRule EndOf(RouteType type) => type switch
    {
        RouteType.Blackhole => NextHopRule.Blackhole,
        RouteType.Prohibit => NextHopRule.Prohibit,
        _ => NextHopRule.Unreachable,
    };

    private static ImmutableArray<NextHopVia> ViasOf(ImmutableArray<RouteHop> hops) =>
        [.. hops.Select(hop => new NextHopVia(hop.Gateway, hop.Interface, hop.Weight, hop.OnLink))];

    /// <summary>This thread's resolver, for that snapshot.</summary>
    public static NextHopResolver ResolverOf(KernelSnapshot snapshot)
    {
        if (resolver?.Snapshot != snapshot) resolver = resolver?.For(snapshot) ?? new(snapshot);
        return resolver;
    }

    public string? InterfaceName(int index) => snapshot.Links.GetValueOrDefault(index)?.Name;
}
