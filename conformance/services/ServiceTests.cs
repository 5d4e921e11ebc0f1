using System.Net;
using System.Net.Sockets;
using Calico.Bgp.Conformance.Packets;
using static Calico.Bgp.Conformance.Services.ServiceSite;

namespace Calico.Bgp.Conformance.Services;

/// <summary>VPP's test_cnat.py (reference/cnat.md, section 2) in namespaces, and what others had faults in: in both families.</summary>
public sealed class ServiceTests : IAsyncLifetime
{
    private ServiceSite site = null!;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, "nft") == null) site = await ServiceSite.MakeAsync();
    }

    public async Task DisposeAsync()
    {
        if (site != null) await site.DisposeAsync();
    }

    private static readonly bool[] Families = [false, true];

    private static string Vip(bool six) => six ? Vip6 : Vip4;

    private static string Client(bool six) => six ? Client6 : Client4;

    private static string To(int backend, bool six) => six ? $"[{Backend(backend, six)}]" : Backend(backend, six);

    /// <summary>A translation of each family.</summary>
    private static string Both(string protocol, int port, string kind, IReadOnlyList<int> backends, string more = "", bool from = false) =>
        string.Concat(Families.Select(six =>
            $"    - {{ protocol: {protocol}, {kind}: \"{Vip(six)}\", port: {port}{more}, backends: ["
            + string.Join(", ", backends.Select(i => $"{{ {(from ? $"from: \"{(six ? "fd01::77" : "10.1.0.77")}\", " : "")}"
                + $"to: \"{(port == 0 ? Backend(i, six) : $"{To(i, six)}:{ServiceSite.Port}")}\" }}")) + "] }\n"));

    private static string Services(params string[] translations) =>
        translations.Length == 0 ? "services: { enabled: true }" : "services:\n  translations:\n" + string.Concat(translations);

    private Task<Answered?> AskAsync(bool six, int port, bool tcp, int sourcePort = 0, int octets = 1, int attempts = 3) =>
        Answerer.AskAsync(site.Client, Client(six), Vip(six), port, tcp, sourcePort, octets, attempts);

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task A_virtual_address_leads_to_its_backend_by_protocol_and_port_and_all_else_to_it_is_dropped()
    {
        await site.StartAsync(Services(Both("tcp", 5555, "vip", [0]), Both("tcp", 5554, "vip", [1]), Both("udp", 5553, "vip", [2])));
        foreach (var six in Families)
        {
            foreach (var sourcePort in (int[])[1234, 1235])
            {
                Assert.Equal(new Answered(Backend(0, six), new(IPAddress.Parse(Client(six)), sourcePort)),
                    await AskAsync(six, 5555, tcp: true, sourcePort));
                Assert.Equal(new Answered(Backend(1, six), new(IPAddress.Parse(Client(six)), sourcePort + 10)),
                    await AskAsync(six, 5554, tcp: true, sourcePort + 10));
                Assert.Equal(new Answered(Backend(2, six), new(IPAddress.Parse(Client(six)), sourcePort)),
                    await AskAsync(six, 5553, tcp: false, sourcePort));
            }
            Assert.Null(await AskAsync(six, 6666, tcp: true, attempts: 1));
            Assert.Null(await AskAsync(six, 5555, tcp: false, attempts: 1));
            // A datagram in fragments, and what the backend says by itself.
            Assert.Equal(Backend(2, six), (await AskAsync(six, 5553, tcp: false, octets: 4000))?.Server);
            Assert.Equal(Backend(0, six), (await Answerer.AskAsync(
                site.Client, Client(six), Backend(0, six), ServiceSite.Port, tcp: true))?.Server);
        }
        await site.ReloadAsync(Services(Both("tcp", 5555, "vip", [2]), Both("tcp", 5554, "vip", [1]), Both("udp", 5553, "vip", [2])));
        foreach (var six in Families) Assert.Equal(Backend(2, six), (await AskAsync(six, 5555, tcp: true, 1240))?.Server);
        Assert.True((await site.Node.RunAsync("nft", "-j", "list", "ruleset")).Good);
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task A_real_address_goes_on_as_it_would_where_nothing_is_translated_and_backends_see_the_new_source()
    {
        foreach (var address in (string[])[Vip4 + "/32", Vip6 + "/128", "10.1.0.77/32", "fd01::77/128"])
            await site.Node.IpAsync($"addr add {address} dev lo");
        using var own4 = new Answerer(site.Node, Vip4, 7777);
        using var own6 = new Answerer(site.Node, Vip6, 7777);
        await site.StartAsync(Services(Both("tcp", 80, "real", [0], from: true)));
        foreach (var six in Families)
        {
            var answer = await AskAsync(six, 80, tcp: true);
            Assert.Equal((Backend(0, six), six ? "fd01::77" : "10.1.0.77"), (answer?.Server, answer?.Seen.Address.ToString()));
            Assert.Equal((Vip(six), Client(six)), await AskAsync(six, 7777, tcp: true) is { } own
                ? (own.Server, own.Seen.Address.ToString()) : default);
        }
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task Any_protocol_takes_every_port_and_pings_of_which_errors_come_back_translated()
    {
        await site.StartAsync(Services(Both("any", 0, "vip", [1])));
        foreach (var six in Families)
        {
            Assert.Equal(Backend(1, six), (await AskAsync(six, ServiceSite.Port, tcp: true))?.Server);
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
            await Ping.SendAsync(site.Client, IPAddress.Parse(Client(six)), IPAddress.Parse(Vip(six)), Ping.NewToken(), patience.Token);
            // The backend's port unreachable names the client's own packet: without that the socket would hear nothing of it.
            using var socket = await Answerer.ConnectAsync(site.Client, Client(six), Vip(six), 4444, tcp: false);
            await socket.SendAsync(new byte[1], patience.Token);
            var refused = await Assert.ThrowsAsync<SocketException>(async () => await socket.ReceiveAsync(new byte[1], patience.Token));
            Assert.Equal(SocketError.ConnectionRefused, refused.SocketErrorCode);
        }
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task Connections_are_shared_among_backends_and_by_the_source_alone_one_client_keeps_its_own()
    {
        await site.StartAsync(Services(Both("tcp", 80, "vip", [0, 1, 2]), Both("tcp", 81, "vip", [0, 1, 2], ", flowHash: source")));
        foreach (var six in Families)
        {
            var (all, one) = (new Dictionary<string, int>(), new HashSet<string>());
            for (var i = 0; i < 120; i++)
            {
                var server = (await AskAsync(six, 80, tcp: true))!.Server;
                all[server] = all.GetValueOrDefault(server) + 1;
                one.Add((await AskAsync(six, 81, tcp: true))!.Server);
            }
            Assert.Equal(3, all.Count);
            Assert.All(all.Values, count => Assert.InRange(count, 15, 75));
            Assert.Single(one);
        }
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task Clients_keep_their_backend_when_others_come_while_their_time_lasts()
    {
        string With(string affinity, params int[] backends) => Services(Both("tcp", 80, "vip", backends, affinity));
        string[] Sources(bool six) => [.. Enumerable.Range(100, 16).Select(i => six ? $"fd01::{i}" : $"10.1.0.{i}")];
        foreach (var six in Families)
            foreach (var source in Sources(six))
                await site.Client.IpAsync($"addr add {source}/{(six ? "64 nodad" : "24")} dev eth0");
        async Task<string[]> ServersAsync(bool six) => await Task.WhenAll(Sources(six).Select(async source =>
            (await Answerer.AskAsync(site.Client, source, Vip(six), 80, tcp: true))?.Server ?? "nobody"));
        await site.StartAsync(With(", affinity: 1h", 0, 1));
        var before = new Dictionary<bool, string[]>();
        foreach (var six in Families)
        {
            before[six] = await ServersAsync(six);
            Assert.Equal(2, before[six].Distinct().Count());
        }
        await site.ReloadAsync(With(", affinity: 1h", 0, 1, 2));
        foreach (var six in Families) Assert.Equal(before[six], await ServersAsync(six));
        // Who had the one that goes gets another, and the others keep theirs.
        await site.ReloadAsync(With(", affinity: 1h", 0, 2));
        foreach (var six in Families)
        {
            var now = await ServersAsync(six);
            Assert.DoesNotContain(Backend(1, six), now);
            Assert.All(before[six].Zip(now).Where(pair => pair.First == Backend(0, six)), pair => Assert.Equal(pair.First, pair.Second));
        }
        Assert.True((await site.Node.RunAsync("nft", "-j", "list", "ruleset")).Good);
        // By the hash alone, with nobody's time, some would have moved.
        await site.ReloadAsync(With(", flowHash: source", 0, 1, 2));
        foreach (var six in Families) Assert.NotEqual(before[six], await ServersAsync(six));
    }

    [NeedsTheory(Needs.Daemon, "nft")]
    [InlineData("reject")]
    [InlineData("drop")]
    public async Task Without_backends_a_connection_is_refused_or_dropped_and_the_same_one_succeeds_when_one_comes(string empty)
    {
        string Empty(params int[] backends) =>
            Services(Both("tcp", 80, "vip", backends), Both("udp", 53, "vip", backends)) + $"  emptyBackends: {empty}";
        await site.StartAsync(Empty());
        foreach (var (from, own) in ((Netns, Func<bool, string>)[])[(site.Client, Client), (site.Node, six => six ? Node6 : Node4)])
            foreach (var six in Families)
            {
                var refused = await Record.ExceptionAsync(() => Answerer.ConnectAsync(from, own(six), Vip(six), 80, seconds: 3));
                if (empty == "drop") Assert.IsNotType<SocketException>(refused);
                else Assert.Equal(SocketError.ConnectionRefused, Assert.IsType<SocketException>(refused).SocketErrorCode);
            }
        await site.ReloadAsync(Empty(1));
        foreach (var six in Families)
        {
            Assert.Equal(Backend(1, six), (await AskAsync(six, 80, tcp: true))?.Server);
            Assert.Equal(Backend(1, six), (await AskAsync(six, 53, tcp: false))?.Server);
            Assert.Equal(Backend(1, six), (await Answerer.AskAsync(site.Node, six ? Node6 : Node4, Vip(six), 80, tcp: true))?.Server);
        }
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task A_backend_that_speaks_to_itself_by_way_of_the_service_is_answered()
    {
        await site.StartAsync(Services(Both("tcp", 80, "vip", [0])));
        foreach (var six in Families)
            Assert.Equal(Backend(0, six), (await Answerer.AskAsync(site.Backends[0], Backend(0, six), Vip(six), 80, tcp: true))?.Server);
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task What_is_said_again_is_not_written_again_and_connections_go_on_while_others_come_and_go()
    {
        await site.StartAsync(Services(Both("tcp", 80, "vip", [0, 1])));
        var sockets = new List<Socket>();
        foreach (var six in Families) sockets.Add(await Answerer.ConnectAsync(site.Client, Client(six), Vip(six), 80));
        foreach (var socket in sockets) await Answerer.AnswerAsync(socket);
        var before = await site.ListAsync();
        await site.ReloadAsync(Services(Both("tcp", 80, "vip", [0, 1])) + "\n# the same");
        Assert.Equal(before, await site.ListAsync());
        await site.ReloadAsync(Services(Both("tcp", 80, "vip", [0, 1]), Both("udp", 53, "vip", [2])));
        foreach (var socket in sockets) Assert.True(await socket.GoesOnAsync());
        await site.ReloadAsync("");
        Assert.False((await site.Node.RunAsync("nft", "list", "table", "inet", "bgpd")).Good);
        foreach (var socket in sockets) socket.Dispose();
    }

    /// <summary>A connection to each of the first two backends.</summary>
    private async Task<Dictionary<string, Socket>> ConnectBothAsync(bool six)
    {
        var sockets = new Dictionary<string, Socket>();
        for (var attempt = 0; sockets.Count < 2 && attempt < 100; attempt++)
        {
            var socket = await Answerer.ConnectAsync(site.Client, Client(six), Vip(six), 80);
            if (!sockets.TryAdd((await Answerer.AnswerAsync(socket)).Server, socket)) socket.Dispose();
        }
        Assert.Equal([Backend(0, six), Backend(1, six)], sockets.Keys.Order());
        return sockets;
    }

    private static string Web(params int[] backends) => Services(Both("tcp", 80, "vip", backends), Both("udp", 53, "vip", backends));

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task A_backend_that_goes_takes_its_connections_along_and_those_of_the_others_go_on()
    {
        await site.StartAsync(Web(0, 1));
        foreach (var six in Families)
        {
            await site.ReloadAsync(Web(0, 1));
            var sockets = await ConnectBothAsync(six);
            var first = await AskAsync(six, 53, tcp: false, 5000);
            var stays = first!.Server == Backend(0, six) ? 1 : 0;
            await site.ReloadAsync(Web(stays));
            // The client keeps its port, and conntrack would keep its backend.
            await Until.TrueAsync("the one that stays answers", async () =>
                (await AskAsync(six, 53, tcp: false, 5000, attempts: 1))?.Server == Backend(stays, six), Patience, site.LogAsync);
            Assert.True(await sockets[Backend(stays, six)].GoesOnAsync());
            Assert.False(await sockets[Backend(1 - stays, six)].GoesOnAsync(5));
            foreach (var socket in sockets.Values) socket.Dispose();
        }
    }

    [NeedsTheory(Needs.Daemon, "nft")]
    [InlineData("keep", "delete")]
    [InlineData("drain, drainTime: 3s", "drain, drainTime: 1h")]
    [InlineData("drain, drainTime: 3s", "keep")]
    public async Task Connections_of_a_backend_that_goes_are_kept_or_have_some_time_to_end_whatever_is_said_later(string how, string later)
    {
        string With(string said, params int[] backends) =>
            $"{Web(backends)}  onBackendRemoval: {said.Replace(", ", "\n  ", StringComparison.Ordinal)}";
        await site.StartAsync(With(how, 0, 1));
        foreach (var six in Families)
        {
            await site.ReloadAsync(With(how, 0, 1));
            var sockets = await ConnectBothAsync(six);
            await site.ReloadAsync(With(how, 1));
            await site.TableAsync(table => !table.Contains("svc-spread4-2-"), "one backend is left");
            Assert.True(await sockets[Backend(0, six)].GoesOnAsync());
            Assert.Equal(Backend(1, six), (await AskAsync(six, 80, tcp: true))?.Server);
            await site.ReloadAsync(With(later, 1));
            if (how == "keep") Assert.True(await sockets[Backend(0, six)].GoesOnAsync());
            else
                await Until.TrueAsync("it ends", async () => !await sockets[Backend(0, six)].GoesOnAsync(5), Patience, site.LogAsync);
            Assert.True(await sockets[Backend(1, six)].GoesOnAsync());
            foreach (var socket in sockets.Values) socket.Dispose();
        }
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task A_daemon_that_was_killed_ends_what_went_meanwhile_and_nothing_else()
    {
        await site.StartAsync(Web(0, 1));
        var sockets = await ConnectBothAsync(six: false);
        var first = await AskAsync(six: false, 53, tcp: false, 5000);
        var stays = first!.Server == Backend(0, six: false) ? 1 : 0;
        await site.KillAsync();
        Assert.True(await sockets[Backend(1 - stays, six: false)].GoesOnAsync());
        await site.StartAsync(Web(stays));
        await Until.TrueAsync("the one that stays answers", async () =>
            (await AskAsync(six: false, 53, tcp: false, 5000, attempts: 1))?.Server == Backend(stays, six: false), Patience, site.LogAsync);
        Assert.True(await sockets[Backend(stays, six: false)].GoesOnAsync());
        Assert.False(await sockets[Backend(1 - stays, six: false)].GoesOnAsync(5));
        foreach (var socket in sockets.Values) socket.Dispose();
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task No_connection_fails_while_backends_that_live_come_and_go()
    {
        const int edits = 60;
        string With(params int[] backends) => Web(backends) + "  onBackendRemoval: keep";
        await site.StartAsync(With(0, 1, 2));
        using var ending = new CancellationTokenSource();
        var asking = Families.Select(async six =>
        {
            var (good, bad) = (0, 0);
            while (!ending.IsCancellationRequested)
                if (await AskAsync(six, 80, tcp: true, attempts: 1) == null) bad++;
                else good++;
            return (good, bad);
        }).ToArray();
        for (var i = 0; i < edits; i++) await site.ReloadAsync(With(i % 2 == 0 ? [0, (i / 2 % 2) + 1] : [0, 1, 2]));
        await ending.CancelAsync();
        foreach (var (good, bad) in await Task.WhenAll(asking))
        {
            Assert.Equal(0, bad);
            Assert.InRange(good, edits, int.MaxValue);
        }
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task A_table_that_somebody_takes_away_comes_back_and_connections_go_on()
    {
        await site.StartAsync(Web(0, 1));
        foreach (var six in Families)
        {
            var sockets = await ConnectBothAsync(six);
            await site.Node.DoAsync("nft", "delete", "table", "inet", "bgpd");
            await site.TableAsync(table => table.Contains("svc-ends6"), "the table is back");
            foreach (var socket in sockets.Values)
            {
                Assert.True(await socket.GoesOnAsync());
                socket.Dispose();
            }
            Assert.NotNull(await AskAsync(six, 80, tcp: true));
        }
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task A_client_that_has_spoken_before_its_translation_came_is_led_by_it_too()
    {
        await site.StartAsync(Services());
        foreach (var six in Families)
        {
            // The kernel has the connection from now on, and asks no rule of its packets.
            Assert.Null(await AskAsync(six, 5553, tcp: false, 5000, attempts: 1));
            await site.ReloadAsync(Services(Both("udp", 5553, "vip", [2])));
            await Until.TrueAsync("it is led to the backend", async () =>
                (await AskAsync(six, 5553, tcp: false, 5000, attempts: 1))?.Server == Backend(2, six), Patience, site.LogAsync);
            await site.ReloadAsync(Services());
        }
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task A_virtual_address_that_is_the_nodes_own_does_not_shut_out_who_reaches_the_node_by_it()
    {
        using var own4 = new Answerer(site.Node, Node4, 7777);
        using var own6 = new Answerer(site.Node, Node6, 7777);
        await site.StartAsync(Services(string.Concat(Families.Select(six =>
            $"    - {{ protocol: tcp, vip: \"{(six ? Node6 : Node4)}\", port: 5555, backends: [{{ to: \"{To(0, six)}:{Port}\" }}] }}\n"))));
        foreach (var six in Families)
        {
            var address = six ? Node6 : Node4;
            Task<Answered?> OfAsync(Netns from, string source, int port, bool tcp = true) =>
                Answerer.AskAsync(from, source, address, port, tcp);
            Assert.Equal(Backend(0, six), (await OfAsync(site.Client, Client(six), 5555))?.Server);
            Assert.Equal(address, (await OfAsync(site.Client, Client(six), 7777))?.Server);
            Assert.Equal(address, (await OfAsync(site.Client, Client(six), 7777, tcp: false))?.Server);
            Assert.Equal(address, (await OfAsync(site.Node, address, 7777))?.Server);
        }
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task An_interface_that_gets_another_address_takes_its_service_along()
    {
        await site.StartAsync("""
            services:
              translations:
                - { protocol: tcp, real: svc0, port: 80, backends: [{ to: "10.2.1.10:8080" }] }
                - { protocol: tcp, real: svc0 v6, port: 80, backends: [{ to: "[fd02:1::10]:8080" }] }
            """);
        await site.Node.IpAsync("link add svc0 type bridge");
        await site.Node.IpAsync("link set svc0 up");
        foreach (var round in (int[])[2, 3])
            foreach (var six in Families)
            {
                var address = six ? $"fd30::{round}" : $"30.0.0.{round}";
                await site.Node.IpAsync($"addr add {address}/{(six ? "128" : "32")} dev svc0{(six ? " nodad" : "")}");
                if (round == 3) await site.Node.IpAsync($"addr del {Vip(six)}/{(six ? "128" : "32")} dev svc0");
                await Until.TrueAsync($"{address} is served", async () => (await Answerer.AskAsync(
                    site.Client, Client(six), address, 80, tcp: true, attempts: 1))?.Server == Backend(0, six), Patience, site.LogAsync);
            }
    }
}
