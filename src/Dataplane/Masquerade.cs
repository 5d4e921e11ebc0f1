using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane;

/// <summary>
/// NAT for what leaves the pools: a plan → sets, and a chain in postrouting. The chain stands behind kube-proxy's (srcnat), because the
/// first chain that sets a connection's source wins: if ours were first, kube-proxy's mark would stay on the packet, be copied to what
/// encapsulates it, and have that masqueraded, too. Sets have the two families apart; rules say the family first.
/// </summary>
internal sealed class Masquerade : IFeature
{
    public const string Chain = "postrouting";
    private const int BehindKubeProxy = 100 + 10; // srcnat + 10

    public FeatureRules Render(NatPlan plan)
    {
        var families = plan.Families.Where(family => family.Translated.Any()).ToArray();
        var (rules, chains) = (new List<NftRule>(), new List<NftChain>());
        foreach (var family in families) AddRules(plan, family, rules, chains);
        rules.AddRange(plan.Tunnels.SelectMany(tunnel => TunnelRules(plan, tunnel)));
        if (rules.Count == 0) return FeatureRules.None;
        var hook = new NftHook("nat", NftHookPoint.Postrouting, BehindKubeProxy);
        return new([.. families.SelectMany(Sets)], [new(Chain, hook, [.. rules]) { Comment = "the way out of the pools" }, .. chains]);
    }

    private static string Digit(IpFamily family) => family == IpFamily.IPv4 ? "4" : "6";
    private static string Sources(IpFamily family) => "masq" + Digit(family);
    private static string Inside(IpFamily family) => "pools" + Digit(family);
    private static string Hosts(IpFamily family) => "hosts" + Digit(family);
    private static string Upstream(IpFamily family) => "upstream" + Digit(family);

    private static void AddRules(NatPlan plan, FamilyPlan family, List<NftRule> rules, List<NftChain> chains)
    {
        var actions = NatActions.For(plan, family).ToArray();
        NftStatement[] matches = [.. Matches(plan, family)];
        if (actions.Length == 1)
        {
            rules.Add(new([.. matches, .. actions[0].Statements]));
            return;
        }
        var outgoing = "outgoing" + Digit(family.Family);
        chains.Add(new(outgoing, null, [.. actions]));
        rules.Add(new([.. matches, new ActDecide(new NftVerdict(NftVerdictCode.Goto, outgoing))]));
    }

    private static IEnumerable<NftStatement> Matches(NatPlan plan, FamilyPlan of)
    {
        var family = of.Family;
        yield return new MatchFamily(family);
        yield return new MatchAddress(family, NftEnd.Source, Sources(family));
        yield return new MatchAddress(family, NftEnd.Destination, Inside(family), Outside: true);
        if (of.Hosts != null) yield return new MatchAddress(family, NftEnd.Destination, Hosts(family), Outside: true);
        if (HasUpstream(of)) yield return new MatchAddressPair(family, Upstream(family), Outside: true);
        if (plan.Interface is { } name) yield return new MatchInterface(Leaving: true, name);
    }

    private static bool HasUpstream(FamilyPlan family) => family.Translated.Any(pool => pool.Treatment == PoolTreatment.Upstream);

    /// <summary>
    /// A process of the host that speaks to a service took its source address before the service's address became that of a pod beyond a
    /// tunnel: what enters a tunnel with another address of this host gets the tunnel's. New source ports keep off VXLAN's, whose packets
    /// are not tracked, so that answers to it would be lost.
    /// </summary>
    private static IEnumerable<NftRule> TunnelRules(NatPlan plan, TunnelSource tunnel)
    {
        NftStatement[] matches =
        [
            new MatchFamily(tunnel.Family), new MatchInterface(Leaving: true, tunnel.Interface),
            new MatchLocalSource(OfOutgoingInterface: true, Not: true), new MatchLocalSource(OfOutgoingInterface: false),
        ];
        if (plan.AvoidedPort is { } port)
            yield return new([.. matches, new MatchProtocol(IpProtocol.Udp), new ActMasquerade(NatActions.WithoutPort(NatActions.AnyPort, port))]);
        yield return new([.. matches, new ActMasquerade()]);
    }

    private static IEnumerable<NftSet> Sets(FamilyPlan of)
    {
        var type = of.Family == IpFamily.IPv4 ? NftType.Ipv4Address : NftType.Ipv6Address;
        yield return Prefixes(Sources(of.Family), type, of.Translated.Select(pool => pool.Cidr));
        yield return Prefixes(Inside(of.Family), type, of.Inside);
        if (of.Hosts is { } hosts) yield return Prefixes(Hosts(of.Family), type, hosts);
        if (HasUpstream(of)) yield return new(Upstream(of.Family), [type, type], Intervals: true, [.. of.Translated.SelectMany(Exceptions)]);
    }

    private static NftSet Prefixes(string name, NftType type, IEnumerable<Prefix> prefixes) =>
        new(name, [type], Intervals: true, [.. prefixes.Select(NftElement.Of)]);

    private static IEnumerable<NftElement> Exceptions(PoolPlan pool)
    {
        var source = NftElement.Of(pool.Cidr);
        return pool.ExceptTo.All.Select(to => new NftElement(
            NftOctets.Of(source.From, NftOctets.Of(to.First)), NftOctets.Of(source.To, NftOctets.Of(to.Last))));
    }
}
