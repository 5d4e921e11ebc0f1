using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Calico.Bgp.Dataplane.Dns;
using Calico.Bgp.Kernel.Nfqueue;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Calico.Bgp.Resources.Policies;
using Microsoft.Extensions.Logging.Abstractions;

namespace Calico.Bgp.Dataplane.Tests.Dns;

public class DnsLoopTests
{
    private sealed class Nobody : IQueueReader
    {
        public void Read(in QueuedPacket packet) { }
        public void EndTurn() { }
        public void BeginAgain() { }
    }

    private static Loops Watched() => new(TimeProvider.System, NullLogger<Loops>.Instance,
        (loop, defect) => Environment.FailFast($"the loop {loop.Name} has met a defect", defect));

    private static DnsLoop Loop(DataplaneLoopTests.Table table, int mostOpen = 100) =>
        new(table, new DataplaneLoopTests.QuietKernel(), Watched(), TimeProvider.System, NullLogger.Instance) { MostOpen = mostOpen };

    private static DnsPlan Plan(int id) => new([new DnsSet(id, [], "four", "six")], [], new(), IsFresh: true);

    /// <summary>As while another process hands over: all is written meanwhile, and nothing learned.</summary>
    [NeedsFact(Needs.Namespaces)]
    public async Task Queues_that_another_has_are_asked_for_again_until_they_are_had()
    {
        using var ns = Netns.Make("dns");
        var other = new PacketQueues("another's", Watched());
        ns.Inside(() =>
        {
            other.Start(new Nobody(), new(DnsLoop.Queries), new(DnsLoop.Responses));
            return true;
        });
        var table = new DataplaneLoopTests.Table();
        await using var dns = Loop(table);
        NftChange change = new NftChange.PutCounter("pol-one");
        await ns.Inside(() => dns.WriteAsync([change], Plan(1), default));
        Assert.Equal([change], Assert.Single(table.Applied).ToArray());
        Assert.Contains("queue 5301", dns.View.Problem, StringComparison.Ordinal);
        Assert.NotNull(dns.Due);
        await ns.Inside(() => dns.ListenAsync(Plan(1), default));
        Assert.NotNull(dns.View.Problem);
        await other.DisposeAsync();
        await ns.Inside(() => dns.ListenAsync(Plan(1), default));
        Assert.Null(dns.View.Problem);
        Assert.Null(dns.Due);
        await dns.StopAsync();
        Assert.False(dns.View.IsInUse);
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task What_is_written_while_names_are_in_use_goes_through_as_it_is()
    {
        using var ns = Netns.Make("dns");
        var table = new DataplaneLoopTests.Table();
        await using var dns = Loop(table);
        NftChange first = new NftChange.PutCounter("pol-one"), second = new NftChange.RemoveCounter("pol-one");
        await ns.Inside(() => dns.WriteAsync([first], Plan(1), default));
        await dns.WriteAsync([second], Plan(1) with { IsFresh = false }, default);
        Assert.Equal<NftChange[]>([[first], [second]], table.Applied.Select(changes => changes.ToArray()));
        Assert.Empty(await dns.NamesAsync(null, default));
        Assert.Empty(await dns.ExplainAsync(Address.Parse("192.0.2.1"), "", default));
    }

    /// <summary>A packet need not come for that, nor ten seconds pass.</summary>
    [NeedsFact(Needs.Namespaces)]
    public async Task What_is_open_is_written_again_as_soon_as_somebody_has_been_at_the_table()
    {
        using var ns = Netns.Make("dns");
        var table = new DataplaneLoopTests.Table();
        await using var dns = Loop(table);
        await WithNamesAsync(1, file => ns.Inside(() => dns.WriteAsync([], PlanOf(file, 1), default)));
        Assert.True(dns.View is { Open: 1, Names: 1 });
        var opened = Assert.IsType<NftChange.PutElements>(Assert.Single(Assert.Single(table.Applied)));
        table.Disturb();
        await Until.TrueAsync("it is written again", () => table.Applied.Count == 2);
        var again = Assert.IsType<NftChange.PutElements>(Assert.Single(table.Applied[1]));
        Assert.Equal("four1", again.Set);
        Assert.Equal(Assert.Single(opened.Elements).From, Assert.Single(again.Elements).From);
        Assert.Equal(1, dns.View.Open);
    }

    /// <summary>Of what comes at once those that last longest stay; of what is open those go that would end first.</summary>
    [NeedsFact(Needs.Namespaces)]
    public async Task Where_all_is_full_what_comes_is_open_and_what_ends_first_is_closed_for_it()
    {
        using var ns = Netns.Make("dns");
        var table = new DataplaneLoopTests.Table();
        await using var dns = Loop(table, mostOpen: 3);
        await WithNamesAsync(5, async file =>
        {
            await ns.Inside(() => dns.WriteAsync([], PlanOf(file, 1), default));
            Assert.True(dns.View is { Open: 3, GivenUp: 2 });
            await dns.WriteAsync([], PlanOf(file, 1, 2) with { IsFresh = false }, default);
        });
        Assert.True(dns.View is { Open: 3, GivenUp: 7 });
        Assert.Equal(["192.0.2.3", "192.0.2.4", "192.0.2.5"], AddressesOf<NftChange.PutElements>(table.Applied[0], "four1"));
        Assert.Equal(["192.0.2.3", "192.0.2.4", "192.0.2.5"], AddressesOf<NftChange.RemoveElements>(table.Applied[1], "four1"));
        Assert.Equal(["192.0.2.3", "192.0.2.4", "192.0.2.5"], AddressesOf<NftChange.PutElements>(table.Applied[1], "four2"));

        static string[] AddressesOf<T>(IEnumerable<NftChange> changes, string set) => [.. changes.Where(change => change is T)
            .SelectMany(change => change switch
            {
                NftChange.PutElements put when put.Set == set => put.Elements,
                NftChange.RemoveElements remove when remove.Set == set => remove.Elements,
                _ => [],
            })
            .Select(element => string.Join('.', element.From.Span[^4..].ToArray())).Order(StringComparer.Ordinal)];
    }

    /// <summary>On a kernel that refuses both expressions of queues. The host asks itself, as a trusted server.</summary>
    [NeedsFact(Needs.Namespaces)]
    public async Task Where_the_kernel_has_no_queues_copies_are_heard_and_it_is_said_that_nothing_waits()
    {
        using var ns = Netns.Make("dns");
        ns.Ip("link set lo up");
        await using var table = await TableAsync(ns, leaving: Copied(NftEnd.Destination, DnsLoop.Queries),
            coming: Copied(NftEnd.Source, DnsLoop.Responses));
        var told = new DataplaneLoopTests.Table { QueueWay = QueueWay.Copies };
        await using var dns = Loop(told);
        await ns.Inside(() => dns.WriteAsync([], PlanOf(null, 1), default));
        Assert.Equal((DnsMode.None, null, true), (dns.View.Mode, dns.View.Problem, dns.View.Unheld != null));
        using var client = ns.Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        using var server = ns.Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        server.Bind(new IPEndPoint(IPAddress.Loopback, Port));
        client.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        await client.SendToAsync(Messages.Query("www.example"), server.LocalEndPoint!);
        await server.SendToAsync(Messages.Response("www.example", [Rr.Of("www.example", "192.0.2.7")]), client.LocalEndPoint!);
        await Until.TrueAsync("it is open", () => dns.View.Open == 1);
        Assert.Contains(told.Applied, changes => changes.Any(change => change is NftChange.PutElements { Set: "four1" }));
        Assert.Equal((1L, 1L, 0L), (dns.View.Counts.Queries, dns.View.Counts.Responses, dns.View.Counts.Held));
        await dns.WriteAsync([], PlanOf(null, 1) with { IsFresh = false, Facts = new() { Mode = DnsMode.None } }, default);
        Assert.Null(dns.View.Unheld);
    }

    /// <summary>A server takes what is held for lost, and sends it again: by then its octets have been read.</summary>
    [NeedsFact(Needs.Namespaces)]
    public async Task A_segment_that_is_sent_again_waits_with_the_one_before()
    {
        using var ns = Netns.Make("dns");
        ns.Ip("link set lo up");
        await using var table = await TableAsync(ns, leaving: Queued(NftEnd.Destination, DnsLoop.Queries),
            coming: Queued(NftEnd.Source, DnsLoop.Responses));
        var told = new DataplaneLoopTests.Table();
        await using var dns = Loop(told);
        await ns.Inside(() => dns.WriteAsync(
            [], PlanOf(null, 1) with { Facts = new() { Deadline = TimeSpan.FromMinutes(10) } }, default));
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        using var listener = ns.Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, Port));
        listener.Listen();
        using var client = ns.Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(listener.LocalEndPoint!, patience.Token);
        using var server = await listener.AcceptAsync(patience.Token);
        server.NoDelay = true;
        var query = Framed(Messages.Query("www.example"));
        await client.SendAsync(query, patience.Token);
        await ReadAsync(server, query.Length, patience.Token);
        var response = Framed(Messages.Response("www.example", [Rr.Of("www.example", "192.0.2.7")]));
        const int first = 10;
        await server.SendAsync(response.AsMemory(0, first), patience.Token);
        await ReadAsync(client, first, patience.Token);
        told.Close();
        await server.SendAsync(response.AsMemory(first), patience.Token);
        await Until.TrueAsync("it is sent again", () => ns.Inside(SentAgain) > 0);
        // Queues tell in order: what comes behind it has come, so it was read.
        using var marker = ns.Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        using var seen = ns.Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        marker.Bind(new IPEndPoint(IPAddress.Loopback, Port));
        seen.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        await marker.SendToAsync(new byte[1], seen.LocalEndPoint!);
        await ReceiveAsync(seen);
        var early = client.Available;
        told.Open();
        Assert.Equal(0, early);
        Assert.Equal(response[first..], await ReadAsync(client, response.Length - first, patience.Token));
    }

    private static byte[] Framed(byte[] message) => [(byte)(message.Length >> 8), (byte)message.Length, .. message];

    private static async Task<byte[]> ReadAsync(Socket from, int count, CancellationToken stop)
    {
        var octets = new byte[count];
        for (var at = 0; at < count;)
        {
            var some = await from.ReceiveAsync(octets.AsMemory(at), stop);
            Assert.NotEqual(0, some);
            at += some;
        }
        return octets;
    }

    /// <summary>TCP's RetransSegs (RFC 4022) of the namespace.</summary>
    private static long SentAgain()
    {
        string[][] tcp = [.. File.ReadLines("/proc/thread-self/net/snmp").Where(line => line.StartsWith("Tcp:", StringComparison.Ordinal))
            .Select(line => line.Split(' '))];
        return long.Parse(tcp[1][Array.IndexOf(tcp[0], "RetransSegs")], CultureInfo.InvariantCulture);
    }

    private static NftRule Queued(NftEnd end, ushort queue) => new(new MatchProtocols([(byte)IpProtocol.Udp, (byte)IpProtocol.Tcp]),
        new MatchPorts(end, Port), new ActQueue(queue, QueueWay.Target));

    private static NftRule Copied(NftEnd end, ushort queue) =>
        new(new MatchProtocols([(byte)IpProtocol.Udp]), new MatchPorts(end, Port), new ActQueue(queue, QueueWay.Copies));

    private const ushort Port = 4444;

    /// <summary>From the namespace to itself, as policy denies it that goes by a name which is on its way.</summary>
    [NeedsFact(Needs.Namespaces)]
    public async Task A_denied_packet_waits_for_what_is_on_its_way_to_the_kernel_and_no_other_does()
    {
        await using var host = await DenyingHost.MakeAsync(deadline: TimeSpan.FromMinutes(10));
        await host.SendAsync("192.0.2.1", 1);
        await Until.TrueAsync("it waits", () => host.Dns.View.Counts.Delayed == 1);
        await host.SendAsync("192.0.2.9", 2);
        Assert.Equal(2, await host.ReceiveAsync());
        host.Told.Open();
        Assert.Equal(1, await host.ReceiveAsync());
        Assert.Equal(1, host.Dns.View.Counts.Delayed);
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task A_denied_packet_waits_no_longer_than_the_deadline()
    {
        await using var host = await DenyingHost.MakeAsync(deadline: TimeSpan.FromMilliseconds(100));
        await host.SendAsync("192.0.2.1", 1);
        Assert.Equal(1, await host.ReceiveAsync());
        host.Told.Open();
    }

    /// <summary>Sends to itself what policy denies; a name of it is known, and its address is about to be open for the second time, which
    /// the kernel has not been told yet.</summary>
    private sealed class DenyingHost(Netns space, NftablesLoop table) : IAsyncDisposable
    {
        private readonly Netns space = space;
        private readonly Socket from = space.Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        private readonly Socket to = space.Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);

        public DataplaneLoopTests.Table Told { get; } = new();

        public DnsLoop Dns => field ??= Loop(Told);

        public static async Task<DenyingHost> MakeAsync(TimeSpan deadline)
        {
            var space = await Netns.MakeAsync("dns");
            var host = new DenyingHost(space, await QueueDeniedAsync(space));
            host.to.Bind(new IPEndPoint(IPAddress.Any, Port));
            await WithNamesAsync(1, file => space.Inside(() => host.Dns.WriteAsync([], PlanOf(file, 1) with
            {
                Facts = new() { File = file, Mode = DnsMode.DenyDelay, Deadline = deadline },
            }, default)), endpoint: "");
            host.Told.Close();
            host.Told.Disturb();
            await Until.TrueAsync("it is written again", () => host.Told.Applied.Count == 2);
            return host;
        }

        /// <summary>As policy's rules do.</summary>
        private static async Task<NftablesLoop> QueueDeniedAsync(Netns space)
        {
            const uint mark = 0x40000;
            foreach (var words in (string[])["link set lo up", "addr add 192.0.2.1/32 dev lo", "addr add 192.0.2.9/32 dev lo"])
                await space.IpAsync(words);
            return await TableAsync(space, leaving: new NftRule(
                new MatchProtocols([(byte)IpProtocol.Udp]), new MatchPorts(NftEnd.Destination, Port), new MatchMark(mark, 0),
                new ActMark(~mark, mark), new ActQueue(DnsLoop.Denied, QueueWay.Target) { Repeats = true }));
        }

        public async Task SendAsync(string address, byte octet)
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
            var end = new IPEndPoint(IPAddress.Parse(address), Port);
            await from.SendToAsync(new[] { octet }, SocketFlags.None, end, patience.Token);
        }

        public Task<byte> ReceiveAsync() => DnsLoopTests.ReceiveAsync(to);

        public async ValueTask DisposeAsync()
        {
            to.Dispose();
            from.Dispose();
            await Dns.DisposeAsync();
            await table.DisposeAsync();
            await space.DisposeAsync();
        }
    }

    private static async Task<NftablesLoop> TableAsync(Netns ns, NftRule leaving, NftRule? coming = null)
    {
        var table = new NftablesLoop("judging", Watched(), TimeProvider.System, NullLogger<NftablesLoop>.Instance);
        ns.Inside(() =>
        {
            table.Start();
            return true;
        });
        await table.ApplyAsync(
        [
            new NftChange.PutChain(new("out", new("filter", NftHookPoint.Output, 0), [leaving])),
            new NftChange.PutChain(new("in", new("filter", NftHookPoint.Input, 0), coming == null ? [] : [coming])),
        ]);
        Assert.Empty(table.Status.Problems);
        return table;
    }

    private static async Task<byte> ReceiveAsync(Socket to)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var octets = new byte[1];
        await to.ReceiveAsync(octets, patience.Token);
        return octets[0];
    }

    private static DnsPlan PlanOf(string? file, params int[] ids)
    {
        Assert.True(DomainPattern.TryParse("*.example", out var pattern, out _));
        return Plan(1) with
        {
            Sets = [.. ids.Select(id => new DnsSet(id, [pattern], $"four{id}", $"six{id}"))],
            Facts = new() { File = file },
        };
    }

    /// <summary>A file of names, each with an address that ends later than the one before.</summary>
    private static async Task WithNamesAsync(int count, Func<string, Task> work, string endpoint = "cali1")
    {
        var file = Path.GetTempFileName();
        try
        {
            var until = DateTimeOffset.UtcNow.AddHours(1).ToUnixTimeMilliseconds();
            NameCacheFile.Write(file, new(NameCacheImage.CurrentVersion, 0, DnsIsolation.Pod, [.. Enumerable.Range(1, count).Select(one =>
                new SavedName(endpoint, $"n{one}.example", [new($"192.0.2.{one}", "10.0.0.53", 3600, 1, until + one * 1000)], []))]));
            await work(file);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
