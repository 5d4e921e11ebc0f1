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
    private const int Rulesets = 150, PacketsOfEach = 12;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>What arrived: where, and as what.</summary>
    private sealed record Seen(string Where, Address Source, Address Destination, ushort SourcePort);

    private sealed class Road : IDisposable
    {
        private readonly Netns client = Netns.Make("walk-c"), router = Netns.Make("walk-r"), server = Netns.Make("walk-s");
        private readonly List<(string Where, Socket Socket)> ears = [];
        private readonly Socket fromClient, fromRouter;

        public Road()
        {
            router.Forward();
            Netns.JoinAsync(router, AnyRules.In, ["10.1.0.1/24"], client, "eth0", ["10.1.0.2/24"]).GetAwaiter().GetResult();
            Netns.JoinAsync(router, AnyRules.Out, [AnyRules.OutAddress + "/24"], server, "eth0", ["10.2.0.2/24"]).GetAwaiter().GetResult();
            client.Ip("route add default via 10.1.0.1");
            router.Ip("route add 10.9.0.0/16 via 10.2.0.2");
            server.Ip("route add local 10.9.0.0/16 dev lo");
            server.Tell("table ip quiet {\n chain output {\n type filter hook output priority 0; policy drop;\n }\n}\n", "nft", "-f", "-");
            foreach (var protocol in (ProtocolType[])[ProtocolType.Udp, ProtocolType.Tcp])
            {
                ears.Add(("router", router.Inside(() => new Socket(AddressFamily.InterNetwork, SocketType.Raw, protocol))));
                ears.Add(("server", server.Inside(() => new Socket(AddressFamily.InterNetwork, SocketType.Raw, protocol))));
            }
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
            foreach (var sender in (Socket[])[fromClient, fromRouter]) sender.Dispose();
            foreach (var space in (Netns[])[client, router, server]) space.Dispose();
        }
    }

    /// <summary>An IPv4 header, a UDP or a TCP header (a SYN), and the token.</summary>
    private static byte[] Octets(Packet packet, uint token)
    {
        var header = packet.Protocol == IpProtocol.Tcp ? 20 : 8;
        var octets = new byte[20 + header + 4];
        (octets[0], octets[8], octets[9]) = (0x45, 64, (byte)packet.Protocol!.Value);
        BinaryPrimitives.WriteUInt16BigEndian(octets.AsSpan(2), (ushort)octets.Length);
        packet.Source.Write(octets.AsSpan(12));
        packet.Destination.Write(octets.AsSpan(16));
        var transport = octets.AsSpan(20);
        BinaryPrimitives.WriteUInt16BigEndian(transport, packet.SourcePort!.Value);
        BinaryPrimitives.WriteUInt16BigEndian(transport[2..], packet.DestinationPort!.Value);
        BinaryPrimitives.WriteUInt32BigEndian(transport[header..], token);
        if (header == 8) BinaryPrimitives.WriteUInt16BigEndian(transport[4..], (ushort)transport.Length); // no checksum (RFC 768)
        else
        {
            (transport[12], transport[13], transport[14]) = (5 << 4, 2, 4); // header's length, SYN, window
            BinaryPrimitives.WriteUInt16BigEndian(transport[16..], Checksum(octets));
        }
        return octets;
    }

    /// <summary>Over the pseudo header, too: conntrack takes no packet for valid whose sum is wrong.</summary>
    private static ushort Checksum(byte[] octets)
    {
        var sum = (uint)octets[9] + (uint)(octets.Length - 20);
        for (var i = 12; i < octets.Length; i += 2) sum += BinaryPrimitives.ReadUInt16BigEndian(octets.AsSpan(i));
        while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
        return (ushort)~sum;
    }

    private static (uint Token, Seen Seen)? Read(string where, ReadOnlySpan<byte> octets)
    {
        if (octets.Length < 20 + 8 + 4 || octets[9] is not (6 or 17)) return null;
        var header = octets[9] == 6 ? 20 : 8;
        if (octets.Length != 20 + header + 4) return null;
        return (BinaryPrimitives.ReadUInt32BigEndian(octets[^4..]), new(where, Address.FromOctets(octets.Slice(12, 4)),
            Address.FromOctets(octets.Slice(16, 4)), BinaryPrimitives.ReadUInt16BigEndian(octets[20..])));
    }

    private static readonly Packet Last = new(Address.Parse("10.1.0.2"), Address.Parse("10.9.0.1"))
    {
        Protocol = IpProtocol.Udp,
        DestinationPort = 5000,
        In = AnyRules.In,
    };

    /// <summary>Another one for each packet, all over the range.</summary>
    private static ushort Port(uint token) => (ushort)(1024 + token * 73 % 60000);

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
            var (sent, seen) = (new Dictionary<uint, (Packet Packet, PacketEnd[] Ends)>(), new Dictionary<uint, Seen>());
            foreach (var packet in one.packets)
            {
                // A source port that nobody had before: each packet begins a connection.
                var fresh = packet with { SourcePort = Port(token) };
                sent[++token] = (fresh, [.. PacketWalk.Ends(road.Ruleset.Ruleset.Table, new AnyRules.Facts(), fresh)]);
                road.Send(fresh, token);
            }
            // What may arrive is waited for; what shall not would have arrived before what follows it without any rule.
            road.Ruleset.Have(WholeTable.Empty);
            road.Send(Last with { SourcePort = Port(token) }, ++token);
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
}
