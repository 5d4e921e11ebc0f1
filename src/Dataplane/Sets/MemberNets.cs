using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Sets;

/// <summary>
/// What a member brings into sets: its single addresses, each once, and of its networks those that no other of its own contains, all in
/// order. A default route (/0) is its two halves, as no interval of nf_tables is that wide.
/// </summary>
internal sealed class MemberNets
{
    public static readonly MemberNets None = new([], []);

    private readonly Prefix[] hosts, nets;
    private readonly int firstHostOfIPv6, firstNetOfIPv6;

    private MemberNets(Prefix[] hosts, Prefix[] nets)
    {
        (this.hosts, this.nets) = (hosts, nets);
        firstHostOfIPv6 = FirstOfIPv6(hosts);
        firstNetOfIPv6 = FirstOfIPv6(nets);
    }

    public static MemberNets Of(ListOf<Prefix> all)
    {
        if (all.Count == 0) return None;
        var hosts = all.Where(prefix => prefix.IsHost).Distinct().ToArray();
        Array.Sort(hosts);
        if (hosts.Length == all.Count) return new(hosts, []);
        return new(hosts, [.. PrefixCover.Outermost(all.Where(prefix => !prefix.IsHost).SelectMany(Halves))]);
    }

    public ReadOnlyMemory<Prefix> Hosts(IpFamily family) => Of(hosts, firstHostOfIPv6, family);

    public ReadOnlyMemory<Prefix> Nets(IpFamily family) => Of(nets, firstNetOfIPv6, family);

    /// <summary>The prefix itself, or where it is a whole family its halves.</summary>
    public static IEnumerable<Prefix> Halves(Prefix prefix) => prefix.Length > 0 ? [prefix]
        : [new Prefix(prefix.Address, 1), new Prefix(new Address(1ul << 63, 0, prefix.Family), 1)];

    private static int FirstOfIPv6(Prefix[] sorted)
    {
        var at = Array.FindIndex(sorted, prefix => prefix.Family == IpFamily.IPv6);
        return at < 0 ? sorted.Length : at;
    }

    private static ReadOnlyMemory<Prefix> Of(Prefix[] sorted, int firstOfIPv6, IpFamily family) =>
        family == IpFamily.IPv4 ? sorted.AsMemory(0, firstOfIPv6) : sorted.AsMemory(firstOfIPv6);
}
