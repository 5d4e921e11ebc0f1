using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;

namespace Calico.Bgp.Speaker.Plan;

/// <summary>
/// What a node announces to a peer of one family and kind, in Calico's order (confd's calico_export_to_bgp_peers): the first rule that
/// accepts or rejects decides, and what no rule accepts is not announced.
/// </summary>
internal sealed class ExportRules
{
    private const string TunnelOfIpip = "tunl0";
    private readonly NodeView view;
    private readonly ServiceRanges services;
    private readonly IpFamily family;

    public ExportRules(NodeView view, ServiceRanges services, IpFamily family, bool isInternal)
    {
        (this.view, this.services, this.family) = (view, services, family);
        ListOf<FilterRule> rules =
        [
            .. NotExportedPools(), .. isInternal ? FelixTunnels() : [], BpfDevices(), .. CommunityRules.For(view, family), .. Blocks(),
            .. Services(), .. ReflectedServices(), .. Pools(), new(null, null, RuleAction.Reject) { Name = "nothing announces it" },
        ];
        Rest = new("calico", rules);
    }

    /// <summary>What follows the peer's own BGPFilters.</summary>
    public Filter Rest { get; }

    /// <summary>What precedes them: from here on a route has both a metric and a LOCAL_PREF.</summary>
    public IEnumerable<Filter> Before(LivePrefixes? withheld)
    {
        if (withheld != null)
            yield return new("advertise", [Withheld(withheld)]);
        if (!view.Release.CouplesMetric) yield break;
        var coupling = new MetricCoupling(CouplingSide.Export, view.NormalPriorityOf(family));
        var both = new FilterRule(null, new() { Coupling = coupling }, RuleAction.Next) { Name = "LOCAL_PREF and metric are coupled" };
        yield return new("priority", [both]);
    }

    private static FilterRule Withheld(LivePrefixes from) =>
        new(new() { Live = from, Sources = RouteSources.Static }, null, RuleAction.Reject) { Name = "advertise: not for this peer" };

    private IEnumerable<FilterRule> NotExportedPools() =>
        view.PoolsOf(family).Where(pool => pool.DisableBgpExport)
            .Select(pool => Inside(pool.Cidr, RuleAction.Reject, $"{pool.Id} disableBGPExport"));

    /// <summary>Felix's routes to other nodes' pods: internal peers have them from those nodes.</summary>
    private IEnumerable<FilterRule> FelixTunnels()
    {
        // Until 3.31 nothing told who owns IPIP: BIRD did.
        ListOf<string> devices = view.OwnsIpip ? ["*.cali", "*.calico"] : ["*.cali", "*.calico", TunnelOfIpip];
        yield return new(new() { Interfaces = devices }, null, RuleAction.Reject) { Name = "leads into a tunnel of Felix's" };
    }

    private static FilterRule BpfDevices() =>
        new(new() { Interfaces = ["bpf*.cali"] }, null, RuleAction.Reject) { Name = "leads to a BPF device" };

    /// <summary>The block is announced, and nothing beneath it but what is on its way to another node (a metric below normal).</summary>
    private IEnumerable<FilterRule> Blocks()
    {
        var blocks = OwnBlocks.Of(view).Where(block => block.Cidr.Family == family && !block.Leaving).ToArray();
        if (blocks.Length == 0) return [];
        return OwnBlocks.AreNested(blocks)
            ? blocks.SelectMany(block => Block([block.Cidr])) : Block([.. blocks.Select(block => block.Cidr)]);
    }

    private IEnumerable<FilterRule> Block(Prefix[] blocks)
    {
        var inside = new PrefixSet([.. blocks.Select(BgpFilterRules.Within)]);
        yield return new(new() { Prefixes = new([.. blocks.Select(block => new PrefixPattern(block))]) }, null, RuleAction.Accept)
        {
            Name = "own block",
        };
        if (view.Release.CouplesMetric)
        {
            var moving = new Match { Prefixes = inside, KernelMetric = new(0, view.NormalPriorityOf(family) - 1) };
            yield return new(moving, null, RuleAction.Accept) { Name = "on the move out of an own block" };
        }
        yield return new(new() { Prefixes = inside }, null, RuleAction.Reject) { Name = "inside an own block" };
    }

    private IEnumerable<FilterRule> Services()
    {
        foreach (var range in services.Announced(family)) yield return Inside(range, RuleAction.Accept, $"service range {range}");
        yield return new(new() { Live = services.Hosts }, null, RuleAction.Accept) { Name = "service address" };
    }

    /// <summary>A reflector hands on what other nodes announce of services.</summary>
    private IEnumerable<FilterRule> ReflectedServices()
    {
        if (view.ClusterId == null) return [];
        var ranges = view.Global?.ServiceLoadBalancerIPs ?? [];
        if (view.Release.ReflectsExternalIPs) ranges = [.. ranges.Concat(view.Global?.ServiceExternalIPs ?? [])];
        return ranges.Where(range => range.Family == family).Select(
            range => Inside(range, RuleAction.Accept, $"reflected service range {range}"));
    }

    private IEnumerable<FilterRule> Pools() =>
        view.PoolsOf(family).Where(pool => !pool.DisableBgpExport).Select(pool => Inside(pool.Cidr, RuleAction.Accept, pool.Id.ToString()));

    private static FilterRule Inside(Prefix cidr, RuleAction action, string name) =>
        new(new() { Prefixes = new([BgpFilterRules.Within(cidr)]) }, null, action) { Name = name };
}
