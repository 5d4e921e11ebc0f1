using System.Collections.Immutable;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane.Policies;

/// <summary>
/// Between the nodes' own addresses tunnels stay open whatever host endpoints say: what comes out of one is judged by itself. What anybody
/// else encapsulates would come out of the tunnel as a node's, so it is dropped. Felix does both (rules/static.go); of VXLAN it drops
/// whatever comes to the port, which cuts off other networks there (calico#6752), and here what is of our network alone. WireGuard knows
/// its peers by their keys, so that its port is open to all, and nothing has to be dropped.
/// </summary>
internal sealed class OverlayPeers
{
    public const string In = Enforcement.Prefix + "overlay-in", Out = Enforcement.Prefix + "overlay-out";

    private static readonly IpFamily[] Families = [IpFamily.IPv4, IpFamily.IPv6];

    /// <summary>How many nodes say that an address is theirs.</summary>
    private readonly Dictionary<Address, int> counts = [];
    private readonly HashSet<Address> written = [];
    private bool isWritten;

    public void Apply(ResourceChange change)
    {
        if (change.Kind != Kinds.Node) return;
        foreach (var address in AddressesOf(change.After)) counts[address] = counts.GetValueOrDefault(address) + 1;
        foreach (var address in AddressesOf(change.Before))
            if (--counts[address] == 0) counts.Remove(address);
    }

    private static IEnumerable<Address> AddressesOf(Resource? node) => node is Node known ? NodeAddresses.Of(known) : [];

    /// <summary>What may be a tunnel's, so that nothing else is asked about nodes; nothing, where there are no tunnels.</summary>
    public static NftRule[] Ask(string chain, PolicyFacts facts)
    {
        byte[] protocols = facts.Tunnels == TunnelsInUse.None ? []
            : facts.Tunnels.Ipip ? [(byte)IpProtocol.Udp, PolicyFacts.IpInIp] : [(byte)IpProtocol.Udp];
        return protocols.Length == 0 ? [] : [new(new MatchProtocols([.. protocols]), ActDecide.Jump(chain))];
    }

    /// <summary>In front of connection tracking: each packet of VXLAN's is one by itself, and its answers go to the port, too.</summary>
    public static NftRule[] Untracked(PolicyFacts facts) => !facts.Tunnels.Vxlan && !facts.Tunnels.Vxlan6 ? [] :
    [
        new(new MatchProtocols(IpProtocol.Udp), new MatchPorts(NftEnd.Destination, facts.VxlanPort), new ActNoTrack()),
    ];

    public static IEnumerable<NftChain> Chains(PolicyFacts facts)
    {
        if (facts.Tunnels == TunnelsInUse.None) yield break;
        yield return new(In, null, [.. Families.SelectMany(family => Rules(facts, family, NftEnd.Source))]);
        yield return new(Out, null, [.. Families.SelectMany(family => Rules(facts, family, NftEnd.Destination))]);
    }

    /// <param name="peer">Which end of packets is the other node.</param>
    private static IEnumerable<NftRule> Rules(PolicyFacts facts, IpFamily family, NftEnd peer)
    {
        NftStatement here = peer == NftEnd.Source ? new MatchLocalDestination() : new MatchLocalSource(OfOutgoingInterface: false);
        NftStatement[] vxlan = [new MatchFamily(family), new MatchProtocols(IpProtocol.Udp), new MatchPorts(NftEnd.Destination,
            facts.VxlanPort)];
        NftStatement[] ipip = [new MatchFamily(family), new MatchProtocols([PolicyFacts.IpInIp])];
        if (facts.Tunnels.UsesVxlan(family))
            foreach (var rule in Known(facts, family, peer, vxlan, here).Concat(
                peer == NftEnd.Source ? Strangers([.. vxlan, new MatchVxlanNetwork(facts.VxlanNetwork)], here) : []))
                yield return rule;
        if (family == IpFamily.IPv4 && facts.Tunnels.Ipip)
            foreach (var rule in Known(facts, family, peer, ipip, here).Concat(peer == NftEnd.Source ? Strangers(ipip, here) : []))
                yield return rule;
        if (facts.Tunnels.UsesWireguard(family))
            yield return new([new MatchFamily(family), new MatchProtocols(IpProtocol.Udp),
                new MatchPorts(NftEnd.Destination, family == IpFamily.IPv4 ? facts.WireguardPort : facts.WireguardPort6), here,
                ActDecide.Accept], PolicyComment.Overlay);
    }

    private static IEnumerable<NftRule> Known(PolicyFacts facts, IpFamily family, NftEnd peer, NftStatement[] tunnel, NftStatement here)
    {
        yield return new([.. tunnel, new MatchAddress(family, peer, Set(family)), here, ActDecide.Accept], PolicyComment.Overlay);
        Prefix[] nets = [.. PrefixCover.Outermost(facts.ExternalNodes.Where(net => net.Family == family))];
        if (nets.Length > 0)
            yield return new([.. tunnel, new MatchNets(family, peer, [.. nets]), here, ActDecide.Accept], PolicyComment.Overlay);
    }

    private static IEnumerable<NftRule> Strangers(NftStatement[] tunnel, NftStatement here) =>
        [new([.. tunnel, here, new ActCount(), ActDecide.Drop], PolicyComment.Stranger)];

    private static string Set(IpFamily family) => $"{Enforcement.Prefix}nodes{(family == IpFamily.IPv4 ? 4 : 6)}";

    public void Write(PartsWriter into, bool isOn)
    {
        if (into.IsFresh) isWritten = false;
        if (!isWritten) written.Clear();
        foreach (var family in Families) Write(into, family, isOn);
        isWritten = isOn;
    }

    private void Write(PartsWriter into, IpFamily family, bool isOn)
    {
        var name = Set(family);
        var now = isOn ? counts.Keys.Where(address => address.Family == family).ToHashSet() : [];
        var gone = written.Where(address => address.Family == family && !now.Contains(address)).ToArray();
        var come = now.Except(written).Order().ToArray();
        written.ExceptWith(gone);
        written.UnionWith(come);
        if (!isOn && isWritten) into.RemoveSet(name);
        if (!isOn) return;
        if (!isWritten)
        {
            into.Put(new NftSet(name, [family == IpFamily.IPv4 ? NftType.Ipv4Address : NftType.Ipv6Address], false, Elements(come)));
            return;
        }
        if (gone.Length > 0) into.RemoveElements(name, Elements(gone));
        if (come.Length > 0) into.PutElements(name, Elements(come));
    }

    private static ImmutableArray<NftElement> Elements(Address[] addresses) =>
        [.. addresses.Select(address => NftElement.Of(NftOctets.Of(address)))];
}
