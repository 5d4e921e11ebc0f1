using System.Collections.Immutable;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane.Policies;

/// <summary>
/// Between the nodes' own addresses tunnels stay open whatever host endpoints say: what comes out of one is judged by itself. Felix does
/// so, too (rules/static.go); what is encapsulated by anybody else is for the host endpoint's policies.
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
        foreach (var address in AddressesOf(change.After as Node)) counts[address] = counts.GetValueOrDefault(address) + 1;
        foreach (var address in AddressesOf(change.Before as Node))
            if (--counts[address] == 0) counts.Remove(address);
    }

    private static IEnumerable<Address> AddressesOf(Node? node) =>
        Families.Select(family => node?.Of(family)).OfType<InterfaceAddress>().Select(own => own.Address);

    /// <summary>What may be a tunnel's, so that nothing else is asked about nodes.</summary>
    public static NftRule Ask(string chain) =>
        new(new MatchProtocols([(byte)IpProtocol.Udp, PolicyFacts.IpInIp]), ActDecide.Jump(chain));

    public static IEnumerable<NftChain> Chains(PolicyFacts facts)
    {
        yield return new(In, null, [.. Rules(facts, NftEnd.Source, new MatchLocalDestination())]);
        yield return new(Out, null, [.. Rules(facts, NftEnd.Destination, new MatchLocalSource(OfOutgoingInterface: false))]);
    }

    private static IEnumerable<NftRule> Rules(PolicyFacts facts, NftEnd peer, NftStatement hereIs) => Families.SelectMany(family =>
    {
        NftStatement[] ends = [new MatchAddress(family, peer, Set(family)), hereIs, ActDecide.Accept];
        NftRule vxlan = new([new MatchFamily(family), new MatchProtocols([(byte)IpProtocol.Udp]),
            new MatchPorts(NftEnd.Destination, facts.VxlanPort), .. ends], PolicyComment.Overlay);
        NftRule ipip = new([new MatchFamily(family), new MatchProtocols([PolicyFacts.IpInIp]), .. ends], PolicyComment.Overlay);
        return family == IpFamily.IPv4 ? (NftRule[])[vxlan, ipip] : [vxlan];
    });

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
