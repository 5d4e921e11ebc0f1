using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Kernel.Tests.Nftables;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging.Abstractions;

namespace Calico.Bgp.Kernel.Tests.Packets;

/// <summary>
/// What <see cref="WalkedAndSeenTests"/> asks, of IPv6: a client, a router that has the rules, and a server that has any address of
/// fd09::/64.
/// </summary>
public sealed class WalkedAndSeenIPv6Tests
{
    private const string Client = "fd01::2", Near = "fd01::1", Far = "fd02::1", Server = "fd02::2";
    private const int RawWithHeader = 255; // IPPROTO_RAW

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private sealed class Facts : IHostFacts
    {
        public bool? IsLocal(Address address) => address.ToString() is Near or Far;
        public bool? IsLocalOn(Address address, string link) => address.ToString() == (link == AnyRules.In ? Near : Far);
        public bool? ComesBackBy(Address source, uint mark, string link) => link == source.ToString()[..6] switch
        {
            "fd01::" => AnyRules.In,
            "fd02::" or "fd09::" => AnyRules.Out,
            _ => null,
        };
    }

    private sealed class Road : IDisposable
    {
        private const string RoutersLink = "02:00:00:00:00:01", ServersLink = "02:00:00:00:00:02";
        private const int BarrierPort = 7777;

        private readonly Netns client = Netns.Make("walk6-c"), router = Netns.Make("walk6-r"), server = Netns.Make("walk6-s");
        private readonly List<Socket> ears = [];
        private readonly Socket sender, barrier, toBarrier;

        public Road()
        {
            router.Forward();
            Netns.JoinAsync(router, AnyRules.In, ["10.1.0.1/24", Near + "/64"], client, "eth0", ["10.1.0.2/24", Client + "/64"])
                .GetAwaiter().GetResult();
            Netns.JoinAsync(router, AnyRules.Out, [Far + "/64"], server, "eth0", [Server + "/64"]).GetAwaiter().GetResult();
            // The rules may drop what neighbours are found by.
            router.Ip($"link set {AnyRules.In} address {RoutersLink}");
            server.Ip($"link set eth0 address {ServersLink}");
            client.Ip($"-6 neigh replace {Near} lladdr {RoutersLink} dev eth0 nud permanent");
            router.Ip($"-6 neigh replace {Server} lladdr {ServersLink} dev {AnyRules.Out} nud permanent");
            client.Ip($"-6 route add default via {Near}");
            router.Ip($"-6 route add fd09::/64 via {Server}");
            server.Ip("-6 route add local fd09::/64 dev lo");
            foreach (var protocol in (IpProtocol[])[IpProtocol.Udp, IpProtocol.Icmp6])
                foreach (var space in (Netns[])[router, server]) ears.Add(Raw(space, (int)protocol));
            sender = Raw(client, RawWithHeader);
            barrier = router.Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            barrier.Bind(new IPEndPoint(IPAddress.Parse("10.1.0.1"), BarrierPort));
            barrier.ReceiveTimeout = (int)Patience.TotalMilliseconds;
            toBarrier = client.Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            Ruleset = new(new(Tables.Name, null, router.Inside(() => new NetlinkSocket(0, 1 << 20, NetlinkProtocol.Netfilter)),
                null, TimeProvider.System, NullLogger.Instance));
            // A link's IPv6 is there some time behind the link.
            Until.TrueAsync("the way is there", IsThere).GetAwaiter().GetResult();
        }

        public Keeper Ruleset { get; }

        private bool IsThere()
        {
            var heard = new HashSet<uint>();
            try { Send(Udp("fd09::1", 5000) with { SourcePort = 20_000 }, 0); }
            catch (SocketException early) when (early.SocketErrorCode is SocketError.NetworkUnreachable or SocketError.HostUnreachable)
            {
                return false;
            }
            Hear(heard);
            return heard.Contains(0);
        }

        private static Socket Raw(Netns space, int protocol) =>
            space.Inside(() => Netns.RawSocket(AddressFamily.InterNetworkV6, protocol));

        public void Send(Packet packet, uint token) =>
            sender.SendTo(Octets(packet, token), new IPEndPoint(packet.Destination.ToIPAddress(), 0));

        /// <summary>What the client has sent has met the rules: none is of IPv4, and the router takes one packet after the other.</summary>
        public void Settle()
        {
            toBarrier.SendTo([1], new IPEndPoint(IPAddress.Parse("10.1.0.1"), BarrierPort));
            barrier.Receive(new byte[1]);
        }

        public void Hear(HashSet<uint> into)
        {
            var octets = new byte[2048];
            foreach (var ear in ears)
                while (ear.Poll(0, SelectMode.SelectRead))
                    // Other things are heard, too: a raw socket of IPv6 hears what stands behind the header.
                    if (ear.Receive(octets) == TransportOctets) into.Add(BinaryPrimitives.ReadUInt32BigEndian(octets.AsSpan(8)));
        }

        public void Dispose()
        {
            foreach (var socket in (Socket[])[.. ears, sender, barrier, toBarrier]) socket.Dispose();
            foreach (var space in (Netns[])[client, router, server]) space.Dispose();
        }
    }

    private const int HeaderOctets = 40, TransportOctets = 8 + sizeof(uint);

    /// <summary>An IPv6 header, that of UDP or ICMPv6, and the token.</summary>
    private static byte[] Octets(Packet packet, uint token)
    {
        var octets = new byte[HeaderOctets + TransportOctets];
        (octets[0], octets[5], octets[6], octets[7]) = (0x60, TransportOctets, (byte)packet.Protocol!.Value, 64);
        packet.Source.Write(octets.AsSpan(8));
        packet.Destination.Write(octets.AsSpan(24));
        var transport = octets.AsSpan(HeaderOctets);
        BinaryPrimitives.WriteUInt32BigEndian(transport[8..], token);
        var sumAt = 2;
        if (packet.Protocol == IpProtocol.Udp)
        {
            BinaryPrimitives.WriteUInt16BigEndian(transport, packet.SourcePort!.Value);
            BinaryPrimitives.WriteUInt16BigEndian(transport[2..], packet.DestinationPort!.Value);
            BinaryPrimitives.WriteUInt16BigEndian(transport[4..], TransportOctets);
            sumAt = 6;
        }
        else
        {
            (transport[0], transport[1]) = (packet.IcmpType!.Value, packet.IcmpCode!.Value);
            BinaryPrimitives.WriteUInt16BigEndian(transport[4..], (ushort)token); // the echo's identifier
        }
        // RFC 8200 section 8.1: over the addresses, the length and the protocol, too.
        var sum = WalkedAndSeenTests.Checksum(octets.AsSpan(8), (uint)(octets[6] + TransportOctets));
        BinaryPrimitives.WriteUInt16BigEndian(transport[sumAt..], sum);
        return octets;
    }

    private static Packet From(string destination, IpProtocol protocol, string source = Client) =>
        new(Address.Parse(source), Address.Parse(destination))
        {
            Protocol = protocol,
            State = ConnectionStates.New,
            Mark = 0,
            In = AnyRules.In,
            Out = AnyRules.Out,
        };

    private static Packet Udp(string destination, ushort port, string source = Client) =>
        From(destination, IpProtocol.Udp, source) with { DestinationPort = port };

    private static Packet Echo(byte type, byte code) => From("fd09::1", IpProtocol.Icmp6) with { IcmpType = type, IcmpCode = code };

    private static readonly MatchProtocols IsUdp = new(IpProtocol.Udp), IsIcmp = new(IpProtocol.Icmp6);

    private static MatchNets Nets(NftEnd end, string net, bool outside = false) => new(IpFamily.IPv6, end, [Prefix.Parse(net)], outside);

    /// <summary>What a rule asks; packets of which it is so, and others. What it is so of is dropped.</summary>
    public static readonly TheoryData<NftHookPoint, NftStatement[], Packet[], Packet[]> Questions = new()
    {
        { NftHookPoint.Forward, [IsIcmp, new MatchIcmp(IpFamily.IPv6, 128, 0)], [Echo(128, 0)], [Echo(128, 1), Udp("fd09::1", 128)] },
        { NftHookPoint.Forward, [IsIcmp, new MatchIcmp(IpFamily.IPv6, 128, 0, Not: true)], [Echo(128, 1)], [Echo(128, 0)] },
        { NftHookPoint.Forward, [IsUdp, new MatchPorts(NftEnd.Destination, 4789)], [Udp("fd09::1", 4789)], [Udp("fd09::1", 4788)] },
        { NftHookPoint.Forward, [IsUdp, new MatchPorts(NftEnd.Destination, [new(80, 80), new(90, 99)])],
            [Udp("fd09::1", 80), Udp("fd09::1", 95)], [Udp("fd09::1", 89), Echo(128, 0)] },
        { NftHookPoint.Forward, [Nets(NftEnd.Destination, "fd09::8000/113")],
            [Udp("fd09::8000", 80), Udp("fd09::ffff", 80)], [Udp("fd09::7fff", 80), Udp("fd09::1:0", 80)] },
        { NftHookPoint.Forward, [Nets(NftEnd.Destination, "fd09::8000/113", outside: true)],
            [Udp("fd09::7fff", 80), Udp("fd09::1:0", 80)], [Udp("fd09::8000", 80), Udp("fd09::ffff", 80)] },
        { NftHookPoint.Forward, [Nets(NftEnd.Source, "fd05::/16")], [Udp("fd09::1", 80, "fd05::1")], [Udp("fd09::1", 80)] },
        { NftHookPoint.Prerouting, [new MatchReversePath(Missing: true)],
            [Udp("fd09::1", 80, "fd05::1"), Udp("fd09::1", 80, "fd09::9")], [Udp("fd09::1", 80), Udp("fd09::1", 80, "fd01::77")] },
        { NftHookPoint.Prerouting, [new MatchLocalDestination()], [Udp(Far, 80), Udp(Near, 80)], [Udp("fd09::1", 80), Udp(Server, 80)] },
        { NftHookPoint.Prerouting, [new MatchLocalDestination(Not: true)], [Udp("fd09::1", 80)], [Udp(Far, 80)] },
    };

    [NeedsTheory(Needs.Namespaces, "nft")]
    [MemberData(nameof(Questions))]
    public void A_packet_is_asked_what_the_rule_says(NftHookPoint place, NftStatement[] question, Packet[] dropped, Packet[] passed)
    {
        using var road = new Road();
        road.Ruleset.Have(Tables.Table([],
            new NftChain("asked", new("filter", place, -150), [new([new MatchFamily(IpFamily.IPv6), .. question, ActDecide.Drop])])));
        Assert.Empty(road.Ruleset.Problems(1));
        var (sent, seen) = (new Dictionary<uint, (Packet Packet, bool Passes)>(), new HashSet<uint>());
        foreach (var (packet, passes) in dropped.Select(one => (one, false)).Concat(passed.Select(one => (one, true))))
        {
            var token = (uint)sent.Count + 1;
            var one = packet.Protocol == IpProtocol.Udp ? packet with { SourcePort = (ushort)(20_000 + token) } : packet;
            sent[token] = (one, passes);
            var end = Assert.Single(PacketWalk.Ends(road.Ruleset.Ruleset.Table, new Facts(), one));
            Assert.Equal((one, passes ? PacketVerdict.Accept : PacketVerdict.Drop), (one, end.Verdict));
            road.Send(one, token);
        }
        road.Settle();
        // What follows without any rule would come behind them.
        road.Ruleset.Have(WholeTable.Empty);
        var last = (uint)sent.Count + 1;
        road.Send(Udp("fd09::1", 5000) with { SourcePort = (ushort)(20_000 + last) }, last);
        var waiting = System.Diagnostics.Stopwatch.StartNew();
        while (waiting.Elapsed < Patience && !(seen.Contains(last) && sent.All(one => seen.Contains(one.Key) || !one.Value.Passes)))
            road.Hear(seen);
        Assert.True(seen.Contains(last), "without any rule a packet did not arrive");
        Assert.All(sent, one => Assert.Equal((one.Value.Packet, one.Value.Passes), (one.Value.Packet, seen.Contains(one.Key))));
    }
}
