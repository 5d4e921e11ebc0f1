using System.Net.Sockets;
using System.Text.Json.Nodes;
using Calico.Bgp.Conformance.Packets;
using static Calico.Bgp.Conformance.Services.ServiceSite;

namespace Calico.Bgp.Conformance.Services;

/// <summary>Where something of a session comes to its end: the hops that a packet may go, the ports that its source may have, the rows that
/// are shown, and itself.</summary>
public sealed class SessionEndsTests : IAsyncLifetime
{
    private const string New4 = "30.0.0.77", New6 = "fd30::77";

    private static readonly bool[] Families = [false, true];

    private ServiceSite site = null!;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, Needs.Bgpctl, "nft") == null) site = await ServiceSite.MakeAsync();
    }

    public async Task DisposeAsync()
    {
        if (site != null) await site.DisposeAsync();
    }

    private static string Vip(bool six) => six ? Vip6 : Vip4;

    private static string Client(bool six) => six ? Client6 : Client4;

    private static string New(bool six) => six ? New6 : New4;

    private static string End(string address, int port) => address.Contains(':') ? $"[{address}]:{port}" : $"{address}:{port}";

    /// <summary>A translation of each family.</summary>
    private static string Both(string protocol, int port, Func<bool, string> backend) => string.Concat(Families.Select(six =>
        $"    - {{ protocol: {protocol}, vip: \"{Vip(six)}\", port: {port}, backends: [{{ {backend(six)} }}] }}\n"));

    private Task<Answered?> AskAsync(bool six, int port, bool tcp) =>
        Answerer.AskAsync(site.Client, Client(six), Vip(six), port, tcp);

    /// <summary>
    /// What the sender of a datagram is told that may pass so many routers less one. The kernel tells a socket only of what its own packet
    /// is said to be, by addresses and ports.
    /// </summary>
    /// <returns>Null: nothing.</returns>
    private async Task<SocketError?> ToldAsync(bool six, int port, short hops)
    {
        const int ip = 0, ipv6 = 41, errors = 11, errors6 = 25; // SOL_IP, SOL_IPV6, IP_RECVERR, IPV6_RECVERR
        using var socket = await Answerer.ConnectAsync(site.Client, Client(six), Vip(six), port, tcp: false);
        socket.SetRawSocketOption(six ? ipv6 : ip, six ? errors6 : errors, BitConverter.GetBytes(1));
        socket.Ttl = hops;
        for (var attempt = 1; attempt <= 5; attempt++)
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2 * attempt));
            try
            {
                await socket.SendAsync(new byte[1], patience.Token);
                await socket.ReceiveAsync(new byte[64], patience.Token);
                return SocketError.Success;
            }
            catch (SocketException told)
            {
                return told.SocketErrorCode;
            }
            catch (OperationCanceledException) { } // The kernel sends few such errors a second.
        }
        return null;
    }

    [NeedsFact(Needs.Daemon, Needs.Bgpctl, "nft")]
    public async Task A_packet_that_may_go_no_further_is_told_of_to_who_sent_it_as_he_sent_it()
    {
        // Behind the first backend, which is a router here, and sends it back.
        string Far(bool six) => six ? "fd09::9" : "10.9.9.9";
        site.Backends[0].Forward();
        await site.Node.IpAsync($"route add {Far(false)} via {Backend(0, false)}");
        await site.Node.IpAsync($"-6 route add {Far(true)} via {Backend(0, true)}");
        await site.StartAsync("services:\n  translations:\n" + Both("udp", 53, six => $"to: \"{End(Backend(0, six), Port)}\"")
            + Both("udp", 54, six => $"to: \"{End(Far(six), Port)}\"")
            + $"  snat: {{ addresses: [{New4}, \"{New6}\"], interfaces: {{ include: [c0] }} }}\n");
        foreach (var six in Families)
        {
            Assert.Equal((Backend(0, six), New(six)), await AskAsync(six, 53, tcp: false) is { } answer
                ? (answer.Server, answer.Seen.Address.ToString()) : default);
            Assert.Equal(SocketError.Success, await ToldAsync(six, 53, hops: 2));
            Assert.Equal(SocketError.HostUnreachable, await ToldAsync(six, 53, hops: 1)); // by the node
            Assert.Equal(SocketError.HostUnreachable, await ToldAsync(six, 54, hops: 2)); // by the router behind it
        }
    }

    [NeedsFact(Needs.Daemon, Needs.Bgpctl, "nft")]
    public async Task Who_finds_no_free_port_for_his_new_source_waits_and_the_one_who_has_it_goes_on()
    {
        const int only = 7000;
        site.Node.Set("net/netfilter/nf_conntrack_tcp_timeout_close=1");
        await site.StartAsync("services:\n  translations:\n" + Both("tcp", 80, six =>
            $"from: \"{End(New(six), only)}\", to: \"{End(Backend(0, six), Port)}\""));
        foreach (var six in Families)
        {
            var first = await Answerer.ConnectAsync(site.Client, Client(six), Vip(six), 80, seconds: Patience);
            Assert.Equal(End(New(six), only), $"{(await Answerer.AnswerAsync(first, seconds: Patience)).Seen}");
            Assert.Null(await Answerer.AskAsync(site.Client, Client(six), Vip(six), 80, tcp: true, attempts: 1));
            Assert.True(await first.GoesOnAsync());
            first.LingerState = new(true, 0);
            first.Dispose();
            await Until.TrueAsync("the next one has it", async () =>
            {
                using var next = await ConnectedAsync(six);
                if (next == null) return false;
                Assert.Equal(End(New(six), only), $"{(await Answerer.AnswerAsync(next, seconds: Patience)).Seen}");
                next.LingerState = new(true, 0);
                return true;
            }, Patience, site.LogAsync);
        }
    }

    [NeedsFact(Needs.Daemon, Needs.Bgpctl, "nft")]
    public async Task What_source_NAT_has_made_is_shown_and_ended_beside_translations_and_a_list_says_how_much_it_leaves_out()
    {
        await site.StartAsync("services:\n  translations:\n" + Both("tcp", 80, six => $"to: \"{End(Backend(0, six), Port)}\"")
            + $"  snat: {{ addresses: [{New4}, \"{New6}\"], interfaces: {{ include: [c0] }} }}\n");
        var sockets = new Dictionary<(bool Six, string To), Socket>();
        foreach (var six in Families)
            foreach (var (to, port) in ((string, int)[])[(Vip(six), 80), (Backend(0, six), Port), (Backend(1, six), Port)])
            {
                var socket = sockets[(six, to)] = await Answerer.ConnectAsync(site.Client, Client(six), to, port, seconds: Patience);
                Assert.Equal(New(six), (await Answerer.AnswerAsync(socket, seconds: Patience)).Seen.Address.ToString());
                Assert.True(await socket.GoesOnAsync());
            }
        var all = (await TellAsync("show", "session", "--json"))["sessions"]!.AsArray();
        Assert.Equal(sockets.Count, all.Count);
        Assert.Equal(4, all.Count(one => one!["translation"] == null));
        Assert.All(all, one => Assert.Matches($"^({New4}|\\[{New6}\\]):", (string)one!["as"]!));
        var some = (await site.CnatAsync("show", "session", "max", "2")).Output;
        Assert.Contains("and 4 more: max 6 shows all", some, StringComparison.Ordinal);
        Assert.Equal(4, some.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length); // their headings, two, and that

        Assert.Equal("1 session ended\n", (await site.CnatAsync("session", "purge", "ip", Backend(1, true))).Output);
        Assert.False(await sockets[(true, Backend(1, true))].GoesOnAsync(5));
        Assert.True(await sockets[(true, Backend(0, true))].GoesOnAsync());
        Assert.True(await sockets[(false, Backend(1, false))].GoesOnAsync());
        foreach (var socket in sockets.Values) socket.Dispose();
    }

    private async Task<JsonNode> TellAsync(params string[] words)
    {
        var answer = await site.CnatAsync(words);
        Assert.True(answer.Good, answer.ToString());
        return JsonNode.Parse(answer.Output)!;
    }

    private async Task<Socket?> ConnectedAsync(bool six)
    {
        try
        {
            return await Answerer.ConnectAsync(site.Client, Client(six), Vip(six), 80, seconds: 5);
        }
        catch (Exception nobody) when (nobody is OperationCanceledException or SocketException)
        {
            return null;
        }
    }
}
