using System.ComponentModel;
using Calico.Bgp.Kernel;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Packets;

/// <summary>What of this host's links and addresses packets depend on, at one moment.</summary>
internal sealed class HostFacts(KernelSnapshot kernel) : IHostFacts
{
    private readonly Lazy<ILookup<Address, LinkAddress>> own = new(() => kernel.Addresses.ToLookup(address => address.Address));

    private readonly Lazy<IReadOnlyCollection<string>> links = new(() => kernel.Links.Values.Select(one => one.Name).ToHashSet());

    /// <summary>The kernel's addresses have not been read yet: nothing is known.</summary>
    private bool IsKnown => kernel.Version > 0;

    public bool? IsLocal(Address address) => !IsKnown ? null : own.Value.Contains(address) || AtLoopback(address).Any();

    public bool? IsLocalOn(Address address, string link) =>
        !IsKnown ? null : own.Value[address].Concat(AtLoopback(address)).Any(one => NameOf(one.Interface) == link);

    public bool? ComesBackBy(Address source, uint mark, string link)
    {
        if (!IsKnown) return null;
        try
        {
            using var ways = new PacketWays();
            return ways.Back(source, mark) is { } way && NameOf(way.Interface) == link;
        }
        catch (Win32Exception)
        {
            return null; // no socket is to be had: then it is not known
        }
    }

    /// <summary>The names of all; null: nobody knows them.</summary>
    public IReadOnlyCollection<string>? Links => !IsKnown ? null : links.Value;

    public string? NameOf(int link) => kernel.Links.GetValueOrDefault(link)?.Name;

    /// <summary>An IPv4 subnet of a loopback's is local as a whole (fib_add_ifaddr): 127.0.0.0/8, for one.</summary>
    private IEnumerable<LinkAddress> AtLoopback(Address address) => !address.IsIPv4 ? [] : kernel.Addresses.Where(one =>
        kernel.Links.GetValueOrDefault(one.Interface)?.IsLoopback == true && one.Subnet.Contains(address));

    /// <summary>The way that the kernel would send the packet; null: it has none, or cannot be asked.</summary>
    public PacketWay? Way(Packet packet)
    {
        try
        {
            using var ways = new PacketWays();
            return ways.Of(packet, IsLocal(packet.Source) == true);
        }
        catch (Win32Exception)
        {
            return null; // no socket is to be had: then it is not known
        }
    }

    /// <summary>No route leads there, of a packet with this mark, but one that throws it away; false where nobody knows.</summary>
    public bool IsUnreachable(Address destination, uint mark)
    {
        if (IsLocal(destination) != false) return false;
        try
        {
            using var ways = new PacketWays();
            return ways.Back(destination, mark) == null;
        }
        catch (Win32Exception)
        {
            return false; // no socket is to be had: then it is not known
        }
    }

    /// <summary>
    /// What masquerade makes of a source on this link; null: the kernel chooses among several. Of IPv4 the first address whose subnet has
    /// the next hop, else the first (inet_select_addr); of IPv6 it chooses as for packets of its own, which only one address leaves clear.
    /// </summary>
    public Address? Masqueraded(string link, Address towards)
    {
        const byte universe = 0;
        LinkAddress[] there = [.. kernel.Addresses.Where(one => one.Address.Family == towards.Family && one.Scope == universe
            && !one.Secondary && NameOf(one.Interface) == link)];
        if (!towards.IsIPv4) return there.Length == 1 ? there[0].Address : null;
        return (Array.Find(there, one => one.Subnet.Contains(towards)) ?? there.FirstOrDefault())?.Address;
    }

    /// <summary>Likewise, of a packet that goes this way: towards the next hop, where it leaves as it is routed; a gateway of the other
    /// family makes no difference (rt_nexthop).</summary>
    public Address? Masqueraded(string link, Address destination, PacketWay? way) => Masqueraded(
        link, way?.Gateway is { } gateway && gateway.Family == destination.Family && NameOf(way.Interface) == link ? gateway : destination);
}
