using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Kernel.Tests.Nftables;
using Calico.Bgp.Net;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.Extensions.Logging.Abstractions;

namespace Calico.Bgp.Kernel.Tests.Packets;

/// <summary>
/// Real packets through real rules: what the walk says becomes of a packet is what is seen of it. A client, a router that has the rules,
/// and a server that has any address of 10.9.0.0/16 and answers nobody.
/// </summary>
public sealed class WalkedAndSeenTests
{
    private const int Rulesets = 250, PacketsOfEach = 12;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>What arrived: where, and as what.</summary>
    private sealed record Seen(string Where, Address Source, Address Destination, ushort? SourcePort);

    private sealed class Road : IDisposable
    {
        private readonly Netns client = Netns.Make("walk-c"), router = Netns.Make("walk-r"), server = Netns.Make("walk-s");
        private readonly List<(string Where, Socket Socket)> ears = [];
        private readonly Socket fromClient, fromRouter, barrier, toBarrier;

        private const string Six = "fd01::";
        private const int BarrierPort = 7777;

        public Road()
        {
            router.Forward();
            Netns.JoinAsync(router, AnyRules.In, ["10.1.0.1/24", Six + "1/64"], client, "eth0", ["10.1.0.2/24", Six + "2/64"])
                .GetAwaiter().GetResult();
            Netns.JoinAsync(router, AnyRules.Out, [AnyRules.OutAddress + "/24"], server, "eth0", ["10.2.0.2/24"]).GetAwaiter().GetResult();
            client.Ip("route add default via 10.1.0.1");
            router.Ip("route add 10.9.0.0/16 via 10.2.0.2");
            server.Ip("route add local 10.9.0.0/16 dev lo");
            server.Tell("table ip quiet {\n chain output {\n type filter hook output priority 0; policy drop;\n }\n}\n", "nft", "-f", "-");
            router.Tell(AnyRules.Others, "nft", "-f", "-");
            foreach (var protocol in (IpProtocol[])[IpProtocol.Udp, IpProtocol.Tcp, IpProtocol.Icmp, IpProtocol.IpEncap])
            {
                ears.Add(("router", router.RawSocket((byte)protocol)));
                ears.Add(("server", server.RawSocket((byte)protocol)));
            }
            barrier = router.Socket(AddressFamily.InterNetworkV6, SocketType.Dgram, ProtocolType.Udp);
            barrier.Bind(new IPEndPoint(IPAddress.Parse(Six + "1"), BarrierPort));
            barrier.ReceiveTimeout = (int)Patience.TotalMilliseconds;
            toBarrier = client.Socket(AddressFamily.InterNetworkV6, SocketType.Dgram, ProtocolType.Udp);
            (fromClient, fromRouter) = (Sender(client), Sender(router));
            Ruleset = new(new(Tables.Name, null, router.Inside(() => new NetlinkSocket(0, 1 << 20, NetlinkProtocol.Netfilter)),
                null, TimeProvider.System, NullLogger.Instance));
        }

        public Keeper Ruleset { get; }

        private static Socket Sender(Netns space)
        {
            var socket = space.Socket(AddressFamily.InterNetwork, SocketType.Raw, ProtocolType.Udp);
            socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.HeaderIncluded, true);
            return socket;
        }

        /// <summary>False: the kernel says to the sender that it was dropped.</summary>
        public bool Send(Packet packet, uint token)
        {
            try
            {
                (packet.In == null ? fromRouter : fromClient).SendTo(
                    Octets(packet, token), new IPEndPoint(packet.Destination.ToIPAddress(), 0));
                return true;
            }
            catch (SocketException refused) when (refused.SocketErrorCode == SocketError.AccessDenied)
            {
                return false; // EPERM, of an own packet
            }
        }

        /// <summary>
        /// What the client has sent has met the rules: no rule is of IPv6, and the router takes one packet after the other.
        /// </summary>
        public void Settle()
        {
            toBarrier.SendTo([1], new IPEndPoint(IPAddress.Parse(Six + "1"), BarrierPort));
            barrier.Receive(new byte[1]);
        }

        public void Hear(Dictionary<uint, Seen> into)
        {
            var octets = new byte[2048];
            foreach (var (where, ear) in ears)
                while (ear.Poll(0, SelectMode.SelectRead))
                    if (Read(where, octets.AsSpan(0, ear.Receive(octets))) is var (token, seen)) into[token] = seen;
        }

        public void Dispose()
        {
            foreach (var (_, ear) in ears) ear.Dispose();
            foreach (var sender in (Socket[])[fromClient, fromRouter, barrier, toBarrier]) sender.Dispose();
            foreach (var space in (Netns[])[client, router, server]) space.Dispose();
        }
    }

    /// <summary>The length of the transport's header; within a packet of IP another one's.</summary>
    private static int Header(byte protocol) => (IpProtocol)protocol is IpProtocol.Tcp or IpProtocol.IpEncap ? 20 : 8;

    /// <summary>An IPv4 header, the header of a UDP, a TCP (a SYN, or an ACK), an ICMP or another IPv4 packet, and the token.</summary>
    private static byte[] Octets(Packet packet, uint token)
    {
        var protocol = (byte)packet.Protocol!.Value;
        var header = Header(protocol);
        var octets = new byte[20 + header + 4];
        (octets[0], octets[8], octets[9]) = (0x45, 64, protocol);
        BinaryPrimitives.WriteUInt16BigEndian(octets.AsSpan(2), (ushort)octets.Length);
        packet.Source.Write(octets.AsSpan(12));
        packet.Destination.Write(octets.AsSpan(16));
        var transport = octets.AsSpan(20);
        BinaryPrimitives.WriteUInt32BigEndian(transport[header..], token);
        switch (packet.Protocol)
        {
            case IpProtocol.Icmp:
                (transport[0], transport[1]) = (packet.IcmpType!.Value, packet.IcmpCode!.Value);
                BinaryPrimitives.WriteUInt16BigEndian(transport[4..], Port(token)); // the echo's identifier
                BinaryPrimitives.WriteUInt16BigEndian(transport[2..], Checksum(transport, 0));
                break;
            case IpProtocol.IpEncap:
                (transport[0], transport[8], transport[9]) = (0x45, 64, 17);
                break;
            default:
                BinaryPrimitives.WriteUInt16BigEndian(transport, packet.SourcePort!.Value);
                BinaryPrimitives.WriteUInt16BigEndian(transport[2..], packet.DestinationPort!.Value);
                if (header == 8) BinaryPrimitives.WriteUInt16BigEndian(transport[4..], (ushort)transport.Length); // no checksum (RFC 768)
                else
                {
                    const byte syn = 0x02, ack = 0x10;
                    // The header's length, flags, window.
                    (transport[12], transport[13], transport[14]) = (5 << 4, packet.IsSyn == false ? ack : syn, 4);
                    var sum = Checksum(octets.AsSpan(12), (uint)(protocol + transport.Length));
                    BinaryPrimitives.WriteUInt16BigEndian(transport[16..], sum);
                }
                break;
        }
        return octets;
    }

    /// <summary>For TCP over the pseudo header, too: conntrack takes no packet for valid whose sum is wrong.</summary>
    internal static ushort Checksum(ReadOnlySpan<byte> octets, uint sum)
    {
        for (var i = 0; i < octets.Length; i += 2) sum += BinaryPrimitives.ReadUInt16BigEndian(octets[i..]);
        while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
        return (ushort)~sum;
    }

    private static (uint Token, Seen Seen)? Read(string where, ReadOnlySpan<byte> octets)
    {
        // An error, in which a packet is repeated, is longer.
        if (octets.Length < 20 || octets.Length != 20 + Header(octets[9]) + 4) return null;
        var hasPorts = (IpProtocol)octets[9] is IpProtocol.Tcp or IpProtocol.Udp;
        ushort? port = hasPorts ? BinaryPrimitives.ReadUInt16BigEndian(octets[20..]) : null;
        return (BinaryPrimitives.ReadUInt32BigEndian(octets[^4..]),
            new(where, Address.FromOctets(octets.Slice(12, 4)), Address.FromOctets(octets.Slice(16, 4)), port));
    }

    private static readonly Packet Last = new(Address.Parse("10.1.0.2"), Address.Parse("10.9.0.1"))
    {
        Protocol = IpProtocol.Udp,
        DestinationPort = 5000,
        In = AnyRules.In,
    };

    /// <summary>Another one for each packet, all over the range.</summary>
    private static ushort Port(uint token) => (ushort)(1024 + token * 73 % 60000);

    /// <summary>
    /// Each packet begins a connection: by a source port (ICMP: an identifier) that none had before, or else by a destination.
    /// </summary>
    private static Packet Fresh(Packet packet, uint token) => packet.Protocol switch
    {
        IpProtocol.Icmp => packet,
        IpProtocol.IpEncap => new Packet(packet.Source, Address.FromIPv4(0x0a090000 + 0x800 + token))
        {
            Protocol = packet.Protocol,
            Redirect = packet.Redirect,
            Mark = packet.Mark,
            In = packet.In,
            Out = packet.Out,
        },
        _ => packet with { SourcePort = Port(token) },
    };

    private static bool Agrees(PacketEnd end, Packet packet, Seen? seen)
    {
        if (end.Verdict != PacketVerdict.Accept || seen == null) return end.Verdict == PacketVerdict.Drop && seen == null;
        if (seen.Where != (end.Places.Contains(NftHookPoint.Input) ? "router" : "server")) return false;
        if (seen.Destination != (end.Destination?.First ?? packet.Destination)) return false;
        if (end.Source is not { } to) return (seen.Source, seen.SourcePort) == (packet.Source, packet.SourcePort);
        var (first, last) = (to.First ?? Address.Parse(AnyRules.OutAddress), to.Last ?? Address.Parse(AnyRules.OutAddress));
        return first <= seen.Source && seen.Source <= last
            && (to.Ports is not { } ports || (ports.From <= seen.SourcePort && seen.SourcePort <= ports.To));
    }

    [NeedsFact(Needs.Namespaces, "nft")]
    public void What_the_walk_says_is_what_the_packet_does()
    {
        using var road = new Road();
        var token = 0u;
        Prop.ForAll((from table in AnyRules.AnyTable from packets in AnyRules.AnyPacket.ArrayOf(PacketsOfEach) select (table, packets))
            .ToArbitrary(), one =>
        {
            road.Ruleset.Have(one.table);
            Assert.Equal([], road.Ruleset.Problems(1).Select(problem => $"{problem.Part}: {problem.Words}"));
            var (sent, seen) = (new Dictionary<uint, (Packet Packet, PacketEnd[] Ends)>(), new Dictionary<uint, Seen>());
            foreach (var packet in one.packets)
            {
                var fresh = Fresh(packet, ++token);
                sent[token] = (fresh, [.. PacketWalk.Ends(road.Ruleset.Ruleset.Table, new AnyRules.Facts(), fresh)]);
                road.Send(fresh, token);
            }
            road.Settle();
            // What may arrive is waited for; what shall not would have arrived before what follows it without any rule.
            road.Ruleset.Have(WholeTable.Empty);
            road.Send(Last with { SourcePort = Port(++token) }, token);
            var waiting = System.Diagnostics.Stopwatch.StartNew();
            while (waiting.Elapsed < Patience && !(seen.ContainsKey(token) && sent.Keys.All(Agrees))) road.Hear(seen);
            Assert.True(seen.ContainsKey(token), "without any rule a packet did not arrive");
            foreach (var (number, (packet, ends)) in sent)
                Assert.True(Agrees(number), $"{packet}: saw {seen.GetValueOrDefault(number)?.ToString() ?? "nothing"}, expected "
                    + string.Join("\nor ", ends.Select(end => $"{end}\n  {string.Join("\n  ", end.Trail)}")));

            bool Agrees(uint number) => sent[number].Ends.Any(end =>
                WalkedAndSeenTests.Agrees(end, sent[number].Packet, seen.GetValueOrDefault(number)));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(Rulesets));
    }

    private static Packet From(string source, string destination, IpProtocol protocol, ushort port = 0, byte type = 0, byte code = 0)
    {
        var (isIcmp, hasPorts) = (protocol == IpProtocol.Icmp, protocol is IpProtocol.Tcp or IpProtocol.Udp);
        return new(Address.Parse(source), Address.Parse(destination))
        {
            Protocol = protocol,
            DestinationPort = hasPorts ? port : null,
            IcmpType = isIcmp ? type : null,
            IcmpCode = isIcmp ? code : null,
            State = isIcmp && type == 0 ? ConnectionStates.Invalid : ConnectionStates.New,
            Redirect = AnyRules.RedirectOf(destination, protocol, port),
            Mark = 0,
            In = AnyRules.In,
            Out = AnyRules.Out,
        };
    }

    private static Packet Echo(byte type, byte code) => From("10.1.0.2", "10.9.0.1", IpProtocol.Icmp, type: type, code: code);

    private static Packet Udp(string destination, ushort port, string source = "10.1.0.2") =>
        From(source, destination, IpProtocol.Udp, port);

    /// <param name="isSyn">Else in the middle of a connection, which conntrack takes for the begin of one.</param>
    private static Packet Tcp(bool isSyn) => From("10.1.0.2", "10.9.0.1", IpProtocol.Tcp, 80) with { IsSyn = isSyn };

    private static readonly MatchProtocols IsUdp = new(IpProtocol.Udp), IsIcmp = new(IpProtocol.Icmp), IsTcp = new(IpProtocol.Tcp);

    /// <summary>What a rule asks; packets of which it is so, and others. What it is so of is dropped.</summary>
    public static readonly TheoryData<NftHookPoint, NftStatement[], Packet[], Packet[]> Questions = new()
    {
        { NftHookPoint.Forward, [IsIcmp, new MatchIcmp(IpFamily.IPv4, 8, 0)], [Echo(8, 0)], [Echo(8, 1), Echo(13, 0), Udp("10.9.0.1", 8)] },
        { NftHookPoint.Forward, [IsIcmp, new MatchIcmp(IpFamily.IPv4, 8, 0, Not: true)],
            [Echo(8, 1), Echo(13, 0), Echo(0, 0)], [Echo(8, 0)] },
        { NftHookPoint.Forward, [IsIcmp, new MatchIcmp(IpFamily.IPv4, 8)], [Echo(8, 0), Echo(8, 1)], [Echo(13, 0), Echo(0, 0)] },
        { NftHookPoint.Forward, [IsIcmp, new MatchIcmp(IpFamily.IPv4, 8) { LastType = 13 }], [Echo(8, 0), Echo(13, 0)], [Echo(0, 0)] },
        { NftHookPoint.Forward, [IsTcp, new MatchSyn()], [Tcp(isSyn: true)], [Tcp(isSyn: false), Udp("10.9.0.1", 80)] },
        { NftHookPoint.Forward, [new MatchState(ConnectionStates.New), IsTcp, new MatchSyn(Not: true)],
            [Tcp(isSyn: false)], [Tcp(isSyn: true), Udp("10.9.0.1", 80)] },
        // Which addresses the packet has by then is another question: the connection's first packet has been sent on.
        { NftHookPoint.Forward, [new MatchTranslated(Destination: true)],
            [Udp(AnyRules.Service, 53)], [Udp(AnyRules.Service, 54), Udp(AnyRules.Backend, 5353)] },
        { NftHookPoint.Forward, [new MatchTranslated(Destination: true, Not: true)],
            [Udp(AnyRules.Service, 54), Udp(AnyRules.Backend, 5353)], [Udp(AnyRules.Service, 53), Echo(0, 0)] },
        { NftHookPoint.Postrouting, [new MatchTranslated(Destination: true, Not: true)],
            [Udp(AnyRules.Service, 54)], [Udp(AnyRules.Service, 53)] },
        { NftHookPoint.Prerouting, [new MatchTranslated(Destination: true)], [], [Udp(AnyRules.Service, 53)] },
        // VXLAN and IP in IP, which the endpoints of policy may not speak.
        { NftHookPoint.Forward, [IsUdp, new MatchPorts(NftEnd.Destination, 4789)], [Udp("10.9.0.1", 4789)], [Udp("10.9.0.1", 4788)] },
        { NftHookPoint.Forward, [new MatchProtocols(IpProtocol.IpEncap)],
            [From("10.1.0.2", "10.9.0.1", IpProtocol.IpEncap)], [Udp("10.9.0.1", 4), Echo(8, 0)] },
        { NftHookPoint.Forward, [new MatchProtocols([1, 4])],
            [From("10.1.0.2", "10.9.0.1", IpProtocol.IpEncap), Echo(13, 0)], [Udp("10.9.0.1", 4)] },
        { NftHookPoint.Forward, [IsUdp, new MatchPorts(NftEnd.Destination, [new(80, 80), new(90, 99), new(100, 100)])],
            [Udp("10.9.0.1", 80), Udp("10.9.0.1", 90), Udp("10.9.0.1", 100)], [Udp("10.9.0.1", 89), Udp("10.9.0.1", 101)] },
        { NftHookPoint.Forward, [new MatchNets(IpFamily.IPv4, NftEnd.Destination, [Prefix.Parse("0.0.0.0/0")])],
            [Udp("10.9.0.1", 80)], [] },
        { NftHookPoint.Forward, [new MatchNets(IpFamily.IPv4, NftEnd.Destination, [Prefix.Parse("0.0.0.0/0")], Outside: true)],
            [], [Udp("10.9.0.1", 80)] },
        { NftHookPoint.Prerouting, [new MatchReversePath(Missing: true)],
            [Udp("10.9.0.1", 80, "192.168.1.1"), Udp("10.9.0.1", 80, "10.9.1.1")], [Udp("10.9.0.1", 80)] },
        { NftHookPoint.Prerouting, [new MatchLocalDestination()], [Udp(AnyRules.OutAddress, 80)], [Udp("10.9.0.1", 80)] },
    };

    [NeedsTheory(Needs.Namespaces, "nft")]
    [MemberData(nameof(Questions))]
    public void A_packet_is_asked_what_the_rule_says(NftHookPoint place, NftStatement[] question, Packet[] dropped, Packet[] passed)
    {
        using var road = new Road();
        road.Ruleset.Have(Tables.Table([],
            new NftChain("asked", new("filter", place, -150), [new([new MatchFamily(IpFamily.IPv4), .. question, ActDecide.Drop])])));
        Assert.Empty(road.Ruleset.Problems(1));
        var (sent, seen) = (new Dictionary<uint, (Packet Packet, bool Passes)>(), new Dictionary<uint, Seen>());
        foreach (var (packet, passes) in dropped.Select(one => (one, false)).Concat(passed.Select(one => (one, true))))
        {
            var token = (uint)sent.Count + 1;
            sent[token] = (packet.Protocol is IpProtocol.Udp or IpProtocol.Tcp ? packet with { SourcePort = Port(token) } : packet, passes);
            var end = Assert.Single(PacketWalk.Ends(road.Ruleset.Ruleset.Table, new AnyRules.Facts(), sent[token].Packet));
            Assert.Equal((packet, passes ? PacketVerdict.Accept : PacketVerdict.Drop), (packet, end.Verdict));
            road.Send(sent[token].Packet, token);
        }
        road.Settle();
        // What follows without any rule would come behind them.
        road.Ruleset.Have(WholeTable.Empty);
        var last = (uint)sent.Count + 1;
        road.Send(Last with { SourcePort = Port(last) }, last);
        var waiting = System.Diagnostics.Stopwatch.StartNew();
        while (waiting.Elapsed < Patience && !(seen.ContainsKey(last) && sent.All(one => seen.ContainsKey(one.Key) || !one.Value.Passes)))
            road.Hear(seen);
        Assert.True(seen.ContainsKey(last), "without any rule a packet did not arrive");
        Assert.All(sent, one => Assert.Equal((one.Value.Packet, one.Value.Passes), (one.Value.Packet, seen.ContainsKey(one.Key))));
    }
}
