using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Sets;

/// <summary>A network, an address (a network of one), or an address with a protocol and a port: the set's kind says which.</summary>
internal readonly record struct SetElement(Prefix Net, byte Protocol = 0, ushort Port = 0) : IComparable<SetElement>
{
    public int CompareTo(SetElement other)
    {
        var order = Net.CompareTo(other.Net);
        if (order == 0) order = Protocol.CompareTo(other.Protocol);
        return order != 0 ? order : Port.CompareTo(other.Port);
    }

    public NftElement Of(SetKind kind) => kind switch
    {
        SetKind.Hosts => NftElement.Of(NftOctets.Of(Net.Address)),
        SetKind.Nets => NftElement.Of(Net),
        _ => NftElement.Of(NftOctets.Of(NftOctets.Of(Net.Address), new NftOctets([Protocol]), NftOctets.Of(Port))),
    };
}

internal enum SetKind : byte { Hosts, Nets, Ports }
