using System.Net.Sockets;
using System.Runtime.InteropServices;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Routes;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Packets;

/// <summary>Where the kernel would send a packet.</summary>
/// <param name="Interface">By its index.</param>
/// <param name="Gateway">Null: straight to the destination.</param>
public sealed record PacketWay(int Interface, Address? Gateway);

/// <summary>
/// Asks the kernel for the way of one packet: rules, tables and several next hops are its affair, and nothing of that is worked out here.
/// </summary>
public sealed class PacketWays : IDisposable
{
    private const byte Local = 2; // RTN_LOCAL

    private readonly NetlinkSocket socket = new(0, 1 << 16);
    private readonly byte[] answer = new byte[1 << 14];

    /// <summary>In the network namespace of the calling thread.</summary>
    /// <exception cref="System.ComponentModel.Win32Exception">The kernel gives no netlink socket.</exception>
    public PacketWays() { }

    /// <summary>Of a packet that this host sends; null: there is none, or it ends here.</summary>
    /// <param name="isOwn">Its source is this host's. Else it comes in where the kernel would send what goes back.</param>
    public PacketWay? Of(Packet packet, bool isOwn)
    {
        if (isOwn) return Ask(Question(packet, packet.Destination, packet.Source, 0));
        if (Ask(Question(packet, packet.Source, null, 0)) is not { } back) return null;
        return Ask(Question(packet, packet.Destination, packet.Source, (uint)back.Interface));
    }

    /// <summary>Where a packet to this address with this mark would go; null: nowhere, or it ends here.</summary>
    public PacketWay? Back(Address to, uint mark) => Ask(Question(new(to, to) { Mark = mark }, to, null, 0));

    // ip route get DESTINATION [from SOURCE [iif IFACE]] [mark MARK] [ipproto PROTOCOL sport PORT dport PORT]
    private static NetlinkMessage Question(Packet packet, Address to, Address? from, uint cameIn)
    {
        var bits = (byte)to.Family.Bits();
        var message = new NetlinkMessage(MessageType.GetRoute, NetlinkFlags.Request)
            .Header(new RouteHeader(to.Family.Number(), bits, from == null ? (byte)0 : bits, 0, 0, 0, 0, 0, 0))
            .Attribute(RouteAttribute.Dst, NftOctets.Of(to).Span);
        if (from is { } source) message.Attribute(RouteAttribute.Src, NftOctets.Of(source).Span);
        if (cameIn != 0) message.Attribute(RouteAttribute.Iif, cameIn);
        if (packet.Mark is { } mark) message.Attribute(RouteAttribute.Mark, mark);
        // The way back is asked for by its address alone.
        if (from == null || packet.Protocol is not (IpProtocol.Tcp or IpProtocol.Udp)) return message;
        message.Attribute(RouteAttribute.IpProto, [(byte)packet.Protocol.Value]);
        if (packet.SourcePort is { } sport) message.Attribute(RouteAttribute.SourcePort, NftOctets.Of(sport).Span);
        if (packet.DestinationPort is { } dport) message.Attribute(RouteAttribute.DestinationPort, NftOctets.Of(dport).Span);
        return message;
    }

    private PacketWay? Ask(NetlinkMessage question)
    {
        var number = socket.Sequences(1);
        if (socket.Send(question.Numbered(number).Span) != SocketError.Success) return null;
        var count = socket.Receive(answer, out var error);
        var messages = new NetlinkReader(answer.AsSpan(0, error == SocketError.Success ? count : 0));
        while (messages.Next(out var header, out var body))
            if (header.Sequence == number && header.Type == MessageType.NewRoute) return Read(body);
        return null; // the kernel's error: no way leads there
    }

    private static PacketWay? Read(ReadOnlySpan<byte> body)
    {
        if (!MemoryMarshal.TryRead<RouteHeader>(body, out var header) || header.Type == Local) return null;
        var attributes = body[Marshal.SizeOf<RouteHeader>()..];
        var gateway = AttributeReader.Find(attributes, RouteAttribute.Gateway);
        var via = AttributeReader.Find(attributes, RouteAttribute.Via);
        if (gateway.IsEmpty && via.Length > 2) gateway = via[2..];
        var link = AttributeReader.U32(AttributeReader.Find(attributes, RouteAttribute.Oif));
        return link == 0 ? null : new((int)link, gateway.Length is 4 or 16 ? Address.FromOctets(gateway) : null);
    }

    public void Dispose() => socket.Dispose();
}
