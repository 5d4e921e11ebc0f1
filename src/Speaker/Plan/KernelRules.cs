using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Rib.Filters;

namespace Calico.Bgp.Speaker.Plan;

/// <summary>
/// Which routes the kernel gets, with which metric, and which through the IPIP tunnel (confd's calico_kernel_programming). What no rule
/// rejects is written: a ToR's default route among others.
/// </summary>
internal static class KernelRules
{
    public static IFilter Of(NodeView view, ServiceRanges services) => new FilterChain([new("calico",
    [
        .. services.Rejected.Select(range => Inside(range, RuleAction.Reject, $"service range {range}")),
        .. Metric(view, IpFamily.IPv4), .. Metric(view, IpFamily.IPv6), .. Wireguard(view),
        .. view.Self.IPv4 == null ? [] : view.PoolsOf(IpFamily.IPv4).SelectMany(pool => Pool(view, pool)),
        .. view.PoolsOf(IpFamily.IPv6).SelectMany(pool => Pool(view, pool)),
        new(null, null, RuleAction.Accept) { Name = "no rule keeps it out" },
    ])]);

    private static IEnumerable<FilterRule> Metric(NodeView view, IpFamily family)
    {
        if (!view.Release.CouplesMetric) yield break;
        var coupling = new MetricCoupling(CouplingSide.Kernel, view.NormalPriorityOf(family));
        var learned = new Match { Family = family, Sources = RouteSources.Bgp };
        yield return new(learned, new() { Coupling = coupling }, RuleAction.Next) { Name = $"{family.Word()} metric follows LOCAL_PREF" };
    }

    /// <summary>What lies behind a node that speaks WireGuard is Felix's, once this node does as well.</summary>
    private static IEnumerable<FilterRule> Wireguard(NodeView view)
    {
        if (!view.Release.LeavesWireguardToFelix) yield break;
        var behind = Behind(view, IpFamily.IPv4, node => node.IPv4WireguardAddress)
            .Concat(Behind(view, IpFamily.IPv6, node => node.IPv6WireguardAddress)).ToArray();
        if (behind.Length > 0) yield return new(new() { NextHops = [.. behind] }, null, RuleAction.Reject)
        {
            Name = "behind WireGuard, which is Felix's",
        };
    }

    private static IEnumerable<Prefix> Behind(NodeView view, IpFamily family, Func<Node, Address?> wireguard) =>
        wireguard(view.Self) == null ? [] :
            from node in view.Resources.Of(Kinds.Node)
            where node.Name != view.Self.Name && wireguard(node) != null
            let address = node.Of(family)?.Address
            where address != null
            select new Prefix(address.Value, family.Bits());

    private static IEnumerable<FilterRule> Pool(NodeView view, IPPool pool)
    {
        if (pool.VxlanMode != EncapsulationMode.Never) return [Inside(pool.Cidr, RuleAction.Reject, $"{pool.Id} VXLAN, which is Felix's")];
        if (pool.IpipMode != EncapsulationMode.Never)
            return view.OwnsIpip ? Ipip(view, pool) : [Inside(pool.Cidr, RuleAction.Reject, $"{pool.Id} IPIP, which is Felix's")];
        return view.OwnsNoEncap
            ? [Inside(pool.Cidr, RuleAction.Accept, $"{pool.Id}")]
            : [Inside(pool.Cidr, RuleAction.Reject, $"{pool.Id}, which is Felix's")];
    }

    /// <summary>Between subnets only: what is next to us needs no tunnel.</summary>
    private static IEnumerable<FilterRule> Ipip(NodeView view, IPPool pool)
    {
        var inside = new PrefixSet([BgpFilterRules.Within(pool.Cidr)]);
        if (pool.IpipMode == EncapsulationMode.CrossSubnet)
            yield return new(new() { Prefixes = inside, NextHops = [view.Self.IPv4!.Network] }, null, RuleAction.Accept)
            { Name = $"{pool.Id} in our subnet" };
        yield return new(new() { Prefixes = inside }, new() { Tunnel = true }, RuleAction.Accept) { Name = $"{pool.Id} IPIP" };
    }

    private static FilterRule Inside(Prefix cidr, RuleAction action, string name) =>
        new(new() { Prefixes = new([BgpFilterRules.Within(cidr)]) }, null, action) { Name = name };
}
