using System.Collections.Concurrent;
using System.ComponentModel;
using System.Net;
using System.Net.Sockets;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Kernel.Nfqueue;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Tests.Live;
using Calico.Bgp.Kernel.Tests.Nftables;
using static Calico.Bgp.Kernel.Tests.Nftables.Tables;

namespace Calico.Bgp.Kernel.Tests.Nfqueue;

public class PacketQueuesTests
{
    private const ushort First = 5301, Second = 5302, Port = 4444;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Notes what it is told; verdicts are the test's.</summary>
    private sealed class Reader : IQueueReader
    {
        public ConcurrentQueue<(QueueTicket Ticket, NftHookPoint Place, int In, int Out, byte[] Octets)> Told { get; } = [];
        public int Turns, Beginnings;
        public bool IsDefect { get; set; }

        public void Read(in QueuedPacket packet)
        {
            Told.Enqueue((packet.Ticket, packet.Place, packet.In, packet.Out, packet.Octets.ToArray()));
            if (!IsDefect) return;
            IsDefect = false;
            throw new InvalidOperationException("a defect was asked for");
        }

        public void EndTurn() => Interlocked.Increment(ref Turns);
        public void BeginAgain() => Interlocked.Increment(ref Beginnings);
    }

    private static NftRule Queueing(ushort port, ushort queue) =>
        Rule(new MatchProtocols(IpProtocol.Udp), new MatchPorts(NftEnd.Destination, port), new ActQueue(queue, QueueWay.Target));

    private static void Queue(NetworkNamespace ns) => ns.Ruleset().Have(Table([],
        new NftChain("out", new("filter", NftHookPoint.Output, -5), [Queueing(Port, First), Queueing(Port + 1, Second)])));

    private static PacketQueues Listen(NetworkNamespace ns, Reader reader) => ns.Inside(() =>
    {
        var made = new PacketQueues("test queue", NetworkNamespace.Watched());
        made.Start(reader, new(First), new(Second));
        return made;
    });

    /// <summary>From the namespace to itself.</summary>
    private sealed class Ends : IDisposable
    {
        private readonly UdpClient from, to;

        public Ends(NetworkNamespace ns, ushort port)
        {
            ns.Ip("link set lo up");
            (from, to) = ns.Inside(() => (new UdpClient(), new UdpClient(new IPEndPoint(IPAddress.Loopback, port))));
            from.Connect(IPAddress.Loopback, port);
        }

        public void Send(byte octet) => from.Send([octet]);

        public byte Receive()
        {
            to.Client.ReceiveTimeout = (int)Patience.TotalMilliseconds;
            var sender = new IPEndPoint(IPAddress.Any, 0);
            return to.Receive(ref sender)[0];
        }

        public int Waiting => to.Available;

        public void Dispose()
        {
            from.Dispose();
            to.Dispose();
        }
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task Packets_wait_for_their_verdict_and_go_on_in_any_order_as_they_were()
    {
        using var ns = new NetworkNamespace();
        Queue(ns);
        using var ends = new Ends(ns, Port);
        var reader = new Reader();
        await using var queues = Listen(ns, reader);
        for (byte i = 1; i <= 3; i++) ends.Send(i);
        await Until.EqualAsync(3, () => reader.Told.Count);
        Assert.Equal(0, ends.Waiting);
        var told = reader.Told.ToArray();
        Assert.All(told, one => Assert.Equal((First, NftHookPoint.Output, 0, 1), (one.Ticket.Queue, one.Place, one.In, one.Out)));
        Assert.Equal([1, 2, 3], told.Select(one => (int)one.Octets[^1]));
        queues.Decide(QueueVerdict.Accept, [told[2].Ticket]);
        Assert.Equal(3, ends.Receive());
        queues.Decide(QueueVerdict.Drop, [told[0].Ticket]);
        queues.Decide(QueueVerdict.Accept, [told[1].Ticket]);
        Assert.Equal(2, ends.Receive());
        Assert.Equal(0, ends.Waiting);
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task A_repeated_packet_meets_its_chain_again()
    {
        using var ns = new NetworkNamespace();
        Queue(ns);
        using var ends = new Ends(ns, Port);
        var reader = new Reader();
        await using var queues = Listen(ns, reader);
        ends.Send(7);
        await Until.EqualAsync(1, () => reader.Told.Count);
        queues.Decide(QueueVerdict.Repeat, [reader.Told.First().Ticket]);
        await Until.EqualAsync(2, () => reader.Told.Count);
        queues.Decide(QueueVerdict.Accept, [reader.Told.Last().Ticket]);
        Assert.Equal(7, ends.Receive());
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task Packets_of_several_queues_come_in_the_order_in_which_they_were_sent()
    {
        using var ns = new NetworkNamespace();
        Queue(ns);
        using Ends one = new(ns, Port), other = new(ns, Port + 1);
        var reader = new Reader();
        await using var queues = Listen(ns, reader);
        const int rounds = 50;
        for (byte i = 0; i < rounds; i++)
        {
            one.Send(i);
            other.Send(i);
        }
        await Until.EqualAsync(2 * rounds, () => reader.Told.Count);
        Assert.Equal(Enumerable.Range(0, 2 * rounds).Select(i => (i % 2 == 0 ? First : Second, i / 2)),
            reader.Told.Select(told => (told.Ticket.Queue, (int)told.Octets[^1])));
        queues.Decide(QueueVerdict.Accept, [.. reader.Told.Select(told => told.Ticket)]);
        for (byte i = 0; i < rounds; i++) Assert.Equal((i, i), (one.Receive(), other.Receive()));
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task While_nobody_listens_packets_go_on_and_what_waits_at_the_end_goes_on_too()
    {
        using var ns = new NetworkNamespace();
        Queue(ns);
        using var ends = new Ends(ns, Port);
        ends.Send(1);
        Assert.Equal(1, ends.Receive());
        var reader = new Reader();
        await using (Listen(ns, reader))
        {
            ends.Send(2);
            await Until.EqualAsync(1, () => reader.Told.Count);
        }
        Assert.Equal(2, ends.Receive());
        ends.Send(3);
        Assert.Equal(3, ends.Receive());
    }

    /// <summary>With a mark by which it is known that it has waited.</summary>
    [NeedsFact(Needs.Namespaces)]
    public async Task What_would_be_denied_is_dropped_while_nobody_listens_and_at_the_end_meets_its_chain_again()
    {
        const uint mark = 0x40000;
        using var ns = new NetworkNamespace();
        ns.Ruleset().Have(Table([], new NftChain("out", new("filter", NftHookPoint.Output, -5),
            [
                Rule(new MatchProtocols(IpProtocol.Udp), new MatchPorts(NftEnd.Destination, Port), new MatchMark(mark, 0),
                    new ActMark(~mark, mark), new ActQueue(First, QueueWay.Target) { Repeats = true }),
                Rule(new MatchPorts(NftEnd.Destination, Port), new MatchMark(mark, 0), ActDecide.Drop),
            ])));
        using var ends = new Ends(ns, Port);
        ends.Send(1);
        var reader = new Reader();
        var queues = ns.Inside(() => new PacketQueues("test queue", NetworkNamespace.Watched()));
        await using (queues)
        {
            ns.Inside(() =>
            {
                queues.Start(reader, new PacketQueue(First, Repeats: true));
                return true;
            });
            ends.Send(2);
            await Until.EqualAsync(1, () => reader.Told.Count);
            queues.Decide(QueueVerdict.Repeat, [reader.Told.First().Ticket]);
            Assert.Equal(2, ends.Receive());
            ends.Send(3);
            await Until.EqualAsync(2, () => reader.Told.Count);
            Assert.Equal(0, ends.Waiting);
        }
        Assert.Equal(3, ends.Receive());
        ends.Send(4);
        Assert.Equal((2, 0), (reader.Told.Count, ends.Waiting));
    }

    /// <summary>Where the kernel has no queues: a program hears of packets that have gone on, in their order and whole.</summary>
    [NeedsFact(Needs.Namespaces)]
    public async Task Copies_are_told_of_packets_that_go_on_at_once()
    {
        using var ns = new NetworkNamespace();
        ns.Ruleset().Have(Table([], new NftChain("out", new("filter", NftHookPoint.Output, -5),
            [
                .. new[] { (Port, First), ((ushort)(Port + 1), Second) }.Select(one => Rule(new MatchProtocols(IpProtocol.Udp),
                    new MatchPorts(NftEnd.Destination, one.Item1), new ActQueue(one.Item2, QueueWay.Copies))),
            ])));
        using Ends one = new(ns, Port), other = new(ns, Port + 1);
        var reader = new Reader();
        await using var queues = ns.Inside(() => new PacketQueues("test copies", NetworkNamespace.Watched(), QueueWay.Copies));
        ns.Inside(() =>
        {
            queues.Start(reader, new(First), new(Second));
            return true;
        });
        for (byte i = 0; i < 20; i++)
        {
            one.Send(i);
            other.Send(i);
            Assert.Equal((i, i), (one.Receive(), other.Receive()));
        }
        await Until.EqualAsync(40, () => reader.Told.Count);
        Assert.Equal(Enumerable.Range(0, 40).Select(i => (i % 2 == 0 ? First : Second, NftHookPoint.Output, 0, 1, i / 2)),
            reader.Told.Select(told => (told.Ticket.Queue, told.Place, told.In, told.Out, (int)told.Octets[^1])));
        queues.Decide(QueueVerdict.Drop, [reader.Told.First().Ticket]);
        var before = Volatile.Read(ref reader.Turns);
        queues.Ring();
        await Until.TrueAsync("it has a turn", () => Volatile.Read(ref reader.Turns) > before);
    }

    /// <summary>The next best where the kernel refuses one; it is copies before it is nothing.</summary>
    [Theory]
    [InlineData(QueueWay.Expression, QueueWay.Expression, QueueWay.Target, QueueWay.Copies)]
    [InlineData(QueueWay.Target, QueueWay.Target, QueueWay.Copies)]
    [InlineData(QueueWay.Copies, QueueWay.Copies)]
    [InlineData(QueueWay.None)]
    public void Of_what_the_kernel_takes_the_best_is_used(QueueWay used, params QueueWay[] taken) =>
        Assert.Equal(used, NftProbe.Queue(act => taken.Contains(act.Way)));

    [NeedsFact(Needs.Namespaces)]
    public async Task What_a_defect_leaves_without_a_verdict_goes_on_and_the_reader_begins_again()
    {
        using var ns = new NetworkNamespace();
        Queue(ns);
        using var ends = new Ends(ns, Port);
        var reader = new Reader();
        await using var queues = Listen(ns, reader);
        await Until.EqualAsync(1, () => Volatile.Read(ref reader.Beginnings));
        ends.Send(1);
        await Until.EqualAsync(1, () => reader.Told.Count);
        reader.IsDefect = true;
        ends.Send(2);
        Assert.Equal((1, 2), (ends.Receive(), ends.Receive()));
        await Until.EqualAsync(2, () => Volatile.Read(ref reader.Beginnings));
        ends.Send(3);
        await Until.EqualAsync(3, () => reader.Told.Count);
        queues.Decide(QueueVerdict.Accept, [reader.Told.Last().Ticket]);
        Assert.Equal(3, ends.Receive());
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task A_ring_gives_the_reader_a_turn()
    {
        using var ns = new NetworkNamespace();
        var reader = new Reader();
        await using var queues = Listen(ns, reader);
        queues.Ring();
        await Until.EqualAsync(1, () => Volatile.Read(ref reader.Turns));
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task A_queue_that_another_hears_already_is_refused()
    {
        using var ns = new NetworkNamespace();
        await using var queues = Listen(ns, new());
        var refused = Assert.Throws<Win32Exception>(() => Listen(ns, new()));
        Assert.Equal(1, refused.NativeErrorCode);
        Assert.Contains($"queue {First}", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>nft 1.0.6 has no words for the target, and a listing must not fail for it.</summary>
    [NeedsFact(Needs.Namespaces, "nft")]
    public void A_queueing_rule_is_known_again_and_nft_lists_the_table()
    {
        using var ns = new NetworkNamespace();
        Queue(ns);
        foreach (var listing in (string[])["list ruleset", "-j list ruleset", "-a list ruleset"])
            Assert.Contains(Name, ns.Nft(listing), StringComparison.Ordinal);
        var later = ns.Ruleset();
        later.Have(Table([],
            new NftChain("out", new("filter", NftHookPoint.Output, -5), [Queueing(Port, First), Queueing(Port + 1, Second)])));
        Assert.Equal(0L, later.Transactions);
        later.Have(Table([],
            new NftChain("out", new("filter", NftHookPoint.Output, -5), [Queueing(Port, Second), Queueing(Port + 1, Second)])));
        Assert.Equal(1L, later.Transactions);
    }

    [NeedsFact(Needs.Namespaces)]
    public void The_kernel_is_asked_by_which_expression_it_queues()
    {
        using var ns = new NetworkNamespace();
        using var socket = ns.Inside(() => new NetlinkSocket(0, 1 << 20, NetlinkProtocol.Netfilter));
        var way = NftProbe.Queue(socket, Name);
        Assert.NotEqual(QueueWay.None, way);
        var ruleset = ns.Ruleset();
        ruleset.Have(Table([], new NftChain("out", new("filter", NftHookPoint.Output, -5), [Rule(new ActQueue(First, way))])));
        Assert.Empty(ruleset.Problems(1));
    }
}
