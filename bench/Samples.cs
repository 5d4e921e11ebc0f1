using System.Buffers.Binary;
using Calico.Bgp.Net;
using Calico.Bgp.Rib;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Capabilities;
using Calico.Bgp.Wire.Messages;

namespace Calico.Bgp.Bench;

/// <summary>Messages and peers that the benchmarks share: AS 65001 is us, AS 65002 and above are neighbours.</summary>
internal static class Samples
{
    /// <summary>ORIGIN IGP, AS_PATH 65002 3356 15169, NEXT_HOP 10.99.0.2, MED, COMMUNITIES 65002:1 65002:2.</summary>
    public static byte[] Attributes(uint med = 50)
    {
        var octets = Convert.FromHexString(
            "40010100" + "40020e02030000fdea00000d1c00003b41" + "4003040a630002" + "80040400000032" + "c00808fdea0001fdea0002");
        BinaryPrimitives.WriteUInt32BigEndian(octets.AsSpan(31), med);
        return octets;
    }

    /// <summary>/24s one behind the other, from 20.0.0.0 on.</summary>
    public static byte[] Prefixes(int first, int count) =>
        [.. Enumerable.Range(first, count).SelectMany(n => new byte[] { 24, (byte)(20 + (n >> 16)), (byte)(n >> 8), (byte)n })];

    /// <summary>An UPDATE's body; each has a MED of its own, so each is another attribute set.</summary>
    public static byte[] Update(int first, int count)
    {
        var attributes = Attributes((uint)first);
        return [0, 0, (byte)(attributes.Length >> 8), (byte)attributes.Length, .. attributes, .. Prefixes(first, count)];
    }

    public static RibPeer Peer(ushort index) => new()
    {
        Index = index,
        Name = $"peer{index}",
        Origin = RouteOrigin.Bgp,
        Preference = 100,
        Export = AcceptAll.Instance,
        LocalAs = new Asn(65001),
        PeerAs = new Asn(65002u + index),
        LocalId = new RouterId(0x0a630001),
        ClusterId = new RouterId(0x0a630001),
        PeerId = new RouterId(0x0a630002u + index),
        PeerAddress = Address.FromIPv4(0x0a630002u + index),
        SelfIPv4 = Address.FromIPv4(0x0a630001),
        Families = FamilySet.Both,
    };

    public static Negotiated Session()
    {
        var open = new OpenMessage(new Asn(65002), 90, new RouterId(0x0a630002), new CapabilitySet());
        return new Negotiated
        {
            LocalAs = new Asn(65001),
            PeerAs = new Asn(65002),
            LocalId = new RouterId(0x0a630001),
            PeerId = new RouterId(0x0a630002),
            LocalAddress = Address.FromIPv4(0x0a630001),
            PeerAddress = Address.FromIPv4(0x0a630002),
            FourOctetAs = true,
            Families = FamilySet.Both,
            Sent = open,
            Received = open,
        };
    }
}

/// <summary>A peer that takes everything at once.</summary>
internal sealed class CountingOutlet(ushort peer, Action<int> sent) : IPeerOutlet
{
    public ushort Peer => peer;
    public long Octets { get; private set; }
    public long Backlog => 0;

    public void Send(OutBuffer buffer)
    {
        Octets += buffer.Length;
        sent(buffer.Length);
        buffer.Release();
    }

    public void WhenDrained(long octets, Action drained) => drained();
}

internal sealed class EverythingOnOneLink : INextHopResolver
{
    public NextHopState Resolve(Address nextHop, int scope) => new(true, true, false, 0, [new(nextHop, 1)]) { Covering = 24 };

    public StaticWay? Static(Prefix prefix) => null;
    public uint Table => 254;
    public string? InterfaceName(int index) => "eth0";
}
