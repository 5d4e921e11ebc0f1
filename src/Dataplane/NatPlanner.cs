using System.Collections.Immutable;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane;

/// <summary>Objects, settings and what holds of upstream NAT → the plan of this node. Pure.</summary>
internal sealed class NatPlanner(
    string node, NatObjects objects, NatSettings settings, bool upstreamConfigured,
    IReadOnlyDictionary<string, UpstreamOffer> offers, IReadOnlyDictionary<string, AddressRanges> holds)
{
    private const int VxlanPort = 4789;

    private readonly FelixConfiguration felix = objects.Felix(node);
    private readonly TunnelsInUse tunnels = TunnelsInUse.Of(objects.Felix(node), objects.Pools);

    public NatPlan Plan() => !settings.Enabled ? NatPlan.Nothing : new([Family(IpFamily.IPv4), Family(IpFamily.IPv6)])
    {
        Ports = felix.NatPortRange is { } ports ? new((ushort)ports.First, (ushort)ports.Last) : null,
        AvoidedPort = tunnels.Vxlan || tunnels.Vxlan6 ? felix.VxlanPort ?? VxlanPort : null,
        Interface = InterfaceFilter(),
        Persistent = settings.Persistent,
        Tunnels = [.. Tunnels()],
    };

    /// <summary>Felix's wildcard is iptables', a plus at the end, which nft writes as an asterisk; alone it is any interface.</summary>
    private string? InterfaceFilter() => felix.NatOutgoingInterfaceFilter switch
    {
        null or "+" or "*" => null,
        [.. var start, '+'] => start + '*',
        var name => name,
    };

    private IEnumerable<IPPool> PoolsOf(IpFamily family) => objects.Pools.Where(pool => pool.Cidr.Family == family);

    private FamilyPlan Family(IpFamily family) => new(family)
    {
        Pools = [.. PoolsOf(family).Select(Pool)],
        Inside = [.. PrefixCover.Outermost(
        PoolsOf(family).Where(pool => pool.AllowedUses != PoolUses.LoadBalancer).Select(pool => pool.Cidr))],
        Hosts = felix.NatOutgoingExclusions == NatOutgoingExclusions.IPPoolsAndHostIPs
            ? [.. PrefixCover.Outermost(Hosts().Where(prefix => prefix.Family == family))] : null,
        Addresses = [.. felix.NatOutgoingAddress.Where(range => range.First.Family == family)],
    };

    private IEnumerable<Prefix> Hosts() =>
        objects.Hosts.Select(address => new Prefix(address, address.Family.Bits())).Concat(felix.ExternalNodes);

    private PoolPlan Pool(IPPool pool)
    {
        var offer = offers.GetValueOrDefault(pool.Name) ?? UpstreamOffer.No("");
        var except = holds.GetValueOrDefault(pool.Name) ?? AddressRanges.None;
        var (treatment, reason) = Treatment(pool, offer, except);
        return new(pool.Name, pool.Cidr, pool.NatOutgoing, pool.Disabled, pool.UpstreamNat, treatment, except, reason);
    }

    private (PoolTreatment, string) Treatment(IPPool pool, UpstreamOffer offer, AddressRanges except)
    {
        if (!pool.NatOutgoing) return (PoolTreatment.None, "natOutgoing is false");
        if (upstreamConfigured && pool.UpstreamNat == UpstreamNat.Require)
            return (PoolTreatment.UpstreamOnly, offer.Destinations.IsEmpty ? $"required, but {offer.Reason}" : offer.Reason);
        if (except.IsEmpty)
            return (PoolTreatment.Masquerade, offer.Destinations.IsEmpty ? offer.Reason : $"{offer.Reason}, but not for long enough yet");
        return (PoolTreatment.Upstream, offer.Reason);
    }

    /// <summary>Felix's devices.</summary>
    private IEnumerable<TunnelSource> Tunnels()
    {
        if (tunnels.Ipip) yield return new(IpFamily.IPv4, "tunl0");
        if (tunnels.Vxlan) yield return new(IpFamily.IPv4, "vxlan.calico");
        if (tunnels.Vxlan6) yield return new(IpFamily.IPv6, "vxlan-v6.calico");
        if (tunnels.Wireguard) yield return new(IpFamily.IPv4, "wireguard.cali");
        if (tunnels.Wireguard6) yield return new(IpFamily.IPv6, "wg-v6.cali");
    }
}
