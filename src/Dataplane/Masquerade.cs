using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane;

/// <summary>
/// NAT for what leaves the pools: a plan → sets, and rules in postrouting. Sets have the two families apart; rules say the family first.
/// </summary>
internal static class Masquerade
{
    public static NatRules Render(NatPlan plan)
    {
        var families = plan.Families.Where(family => family.Translated.Any()).ToArray();
        var (rules, chains) = (new List<NftRule>(), new List<NftChain>());
        foreach (var family in families) AddRules(plan, family, rules, chains);
        rules.AddRange(plan.Tunnels.SelectMany(tunnel => TunnelRules(plan, tunnel)));
        return new([.. families.SelectMany(Sets)], [.. chains], [.. rules]);
    }

    private static string Digit(IpFamily family) => family == IpFamily.IPv4 ? "4" : "6";
    internal static string Sources(IpFamily family) => "nat-masq" + Digit(family);
    internal static string Inside(IpFamily family) => "nat-pools" + Digit(family);
    private static string Hosts(IpFamily family) => "nat-hosts" + Digit(family);
    private static string Upstream(IpFamily family) => "nat-upstream" + Digit(family);

    private static void AddRules(NatPlan plan, FamilyPlan family, List<NftRule> rules, List<NftChain> chains)
    {
        var actions = NatActions.For(plan, family).ToArray();
        NftStatement[] matches = [.. Matches(plan, family)];
        if (actions.Length == 1)
        {
            rules.Add(new([.. matches, .. actions[0].Statements]));
            return;
        }
        var outgoing = "nat-outgoing" + Digit(family.Family);
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
            yield return new([.. matches, new MatchProtocols(IpProtocol.Udp),
                new ActMasquerade(NatActions.WithoutPort(NatActions.AnyPort, port))]);
        yield return new([.. matches, new ActMasquerade()]);
    }

    private static IEnumerable<NftSet> Sets(FamilyPlan of)
    {
        var type = of.Family == IpFamily.IPv4 ? NftType.Ipv4Address : NftType.Ipv6Address;
        yield return Prefixes(Sources(of.Family), type, of.Translated.Select(pool => pool.Cidr));
        yield return Prefixes(Inside(of.Family), type, of.Inside);
        if (of.Hosts is { } hosts) yield return Prefixes(Hosts(of.Family), type, hosts);
        if (HasUpstream(of)) yield return new(Upstream(of.Family), [type, type], Intervals: true,
            [.. of.Translated.SelectMany(Exceptions)]);
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
