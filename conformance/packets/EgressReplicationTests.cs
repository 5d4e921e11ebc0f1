using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Calico.Bgp.Conformance.Packets;

/// <summary><c>egress.replicateFlows</c>: flows go on with their address and port when a pinned address moves.</summary>
public sealed class EgressReplicationTests : IAsyncLifetime
{
    private const string Replicated = "egress: { pinned: true, replicateFlows: true }";

    private EgressSite site = null!;
    private readonly List<LastingFlow> flows = [];

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var flow in flows) flow.Dispose();
        if (site != null) await site.DisposeAsync();
    }

    internal async Task<EgressSite> StartAsync(string egress, string tor = "bird", int gates = 2)
    {
        // For that time FRR keeps the way to a lost node before another's with a higher MED, if it is asked to.
        site = await EgressSite.MakeAsync(egress, tor, gates, tor == "frr" ? "0s" : "60s");
        site.Write(more: gates > 2 ? EgressObjects.Node("gate3", 13, "egress: 'true'") : "");
        await site.StartAsync(["client", .. Enumerable.Range(1, gates).Select(number => $"gate{number}")]);
        await site.AnnouncedAsync(EgressSite.Red4);
        await site.HeardAsync("client", gates);
        await site.HeardAsync("gate2", gates);
        await LedToAsync("172.20.0.11");
        await site.ToldAsync("client", answer => answer.Contains("via 172.20.0.12, via fd20::12, stands by", StringComparison.Ordinal));
        return site;
    }

    internal int Count => flows.Count;

    /// <returns>How many go on.</returns>
    internal async Task<int> CountAsync(int seconds) =>
        (await Task.WhenAll(flows.Select(flow => flow.GoesOnAsync(seconds)))).Count(goesOn => goesOn);

    /// <summary>BIRD keeps the way to a daemon that was killed, whose MED is lower, for all of its restart time.</summary>
    private const int Patience = 180;

    /// <summary>The ToR sends what comes for the address to this node alone, and so does the client.</summary>
    internal async Task LedToAsync(string node)
    {
        // FRR takes the link-local next hop of the two that IPv6 has (RFC 2545).
        var byLink = $"via {site[$"gate{node[^1]}"].Ip("-o -6 addr show dev eth0 scope link").Split("inet6 ")[1].Split('/')[0]} ";
        foreach (var (address, way) in ((string, string)[])
            [($"{EgressSite.Red4}", $"via {node} "), ($"-6 {EgressSite.Red6}", $"via fd20::{node[(node.LastIndexOf('.') + 1)..]} ")])
            await Until.TrueAsync($"{address} is at {node}", async () =>
                await site["tor"].IpAsync(address.StartsWith("-6 ", StringComparison.Ordinal)
                    ? $"-6 route show {address[3..]}" : $"route show {address}") is var route
                && (route.Contains(way, StringComparison.Ordinal) || route.Contains(byLink, StringComparison.Ordinal))
                && !route.Contains("nexthop", StringComparison.Ordinal), Patience, site.SaidAsync);
    }

    /// <summary>All flows of the node that has the address are at the other.</summary>
    internal Task InSyncAsync(string taker, string giver) => site.ToldAsync(taker, answer => answer.Length > 0
        && JsonDocument.Parse(answer).RootElement.TryGetProperty("replication", out var all)
        && all.GetProperty("peers").EnumerateArray().Any(peer => peer.GetProperty("node").GetString() == giver
            && peer.GetProperty("taken").GetProperty("whole").GetBoolean()));

    /// <summary>Two pods with the same ports towards the same server, so that the gateway has to change those of one, by both families.
    /// </summary>
    internal async Task BeginAsync(int each)
    {
        foreach (var (pod, ipv6) in ((string, bool)[])[("a", false), ("b", false), ("a", true), ("b", true)])
            for (var n = 0; n < each; n++)
                foreach (var type in (SocketType[])[SocketType.Stream, SocketType.Dgram])
                    flows.Add(await LastingFlow.BeginAsync(site[pod], EgressSite.AddressOf(pod, ipv6), 20000 + n,
                        ipv6 ? EgressSite.Outside6 : EgressSite.Outside4, type));
        Assert.All(flows, flow => Assert.Contains(flow.Seen.Address.ToString(), (string[])[EgressSite.Red4, EgressSite.Red6]));
        Assert.Contains(flows, flow => flow.Seen.Port != flow.Port);
    }

    /// <summary>One more, from that port.</summary>
    internal async Task BeginOneAsync(int port) => flows.Add(
        await LastingFlow.BeginAsync(site["b"], EgressSite.AddressOf("b"), port, EgressSite.Outside4, SocketType.Stream));

    /// <summary>Nothing that was told was refused. That somebody has waited in vain is a busy machine's: it goes on without, and says so.
    /// </summary>
    internal void AssertNobodyComplains(params string[] gates)
    {
        string[] lines = [.. gates.SelectMany(site.LinesOf).Where(line => line.Contains("egress flows of", StringComparison.Ordinal)
            && !line.Contains("were waited for", StringComparison.Ordinal))];
        Assert.True(lines.Length == 0, string.Join('\n', lines));
    }

    /// <summary>All of them, with the same source and the same port.</summary>
    internal async Task GoOnAsync()
    {
        var goOn = await Task.WhenAll(flows.Select(flow => flow.GoesOnAsync()));
        Assert.Equal([], flows.Where((_, at) => !goOn[at]).Select(flow => $"{flow}"));
    }

    /// <summary>A flow that has just begun is told a moment later.</summary>
    internal Task ThereAsync(string node) => Until.TrueAsync($"{node} has all flows", async () =>
        await site.HttpAsync(node, "/v1/egress?flows=true") is { Length: > 0 } told
        && JsonDocument.Parse(told).RootElement.GetProperty("gateways").EnumerateArray()
            .First(gateway => gateway.GetProperty("name").GetString() == "edge/red")
            .GetProperty("flows").GetProperty("total").GetInt32() >= flows.Count, 60, site.SaidAsync);

    [NeedsTheory(Needs.Daemon, "nft", "bird", "birdc", "curl")]
    [InlineData("link")]
    [InlineData("process")]
    public async Task Flows_go_on_with_their_ports_when_the_address_moves_and_when_it_comes_back(string lost)
    {
        await StartAsync(Replicated);
        await InSyncAsync("gate2", "gate1");
        var others = await site.OthersAsync();
        await BeginAsync(each: 25);
        await ThereAsync("gate2");
        if (lost == "link") await site.CutAsync("gate1");
        else await site.KillAsync("gate1");
        await site.ToldAsync("client", answer => answer.Contains("172.20.0.11 is not heard", StringComparison.Ordinal));
        await LedToAsync("172.20.0.12");
        await GoOnAsync();
        // What begins at the second node comes along to the first.
        await BeginOneAsync(21000);
        if (lost == "link") await site.MendAsync("gate1");
        else await site.StartAsync("gate1");
        await site.ToldAsync("client", answer => answer.Contains("via 172.20.0.12, via fd20::12, stands by", StringComparison.Ordinal));
        await LedToAsync("172.20.0.11");
        await GoOnAsync();
        Assert.Equal(others, await site.OthersAsync());
        AssertNobodyComplains("gate1", "gate2");
    }

    /// <summary>What it has taken is in its kernel, and while it is away nobody needs it.</summary>
    [NeedsFact(Needs.Daemon, "nft", "bird", "birdc", "curl")]
    public async Task A_daemon_that_is_killed_ends_no_flow_at_the_node_that_stands_by()
    {
        await StartAsync(Replicated);
        await InSyncAsync("gate2", "gate1");
        await BeginAsync(each: 10);
        await ThereAsync("gate2");
        await site.KillAsync("gate2");
        await GoOnAsync();
        // Of this one it hears when it is back.
        await BeginOneAsync(21000);
        await site.StartAsync("gate2");
        await InSyncAsync("gate2", "gate1");
        await site.HeardAsync("gate2", 2);
        await site.HeardAsync("client", 2);
        await site.CutAsync("gate1");
        await site.ToldAsync("client", answer => answer.Contains("172.20.0.11 is not heard", StringComparison.Ordinal));
        await LedToAsync("172.20.0.12");
        await GoOnAsync();
    }

    /// <summary>The contrast: the second node gives ports anew.</summary>
    [NeedsFact(Needs.Daemon, "nft", "bird", "birdc", "curl")]
    public async Task Without_the_key_those_whose_ports_were_changed_do_not_go_on()
    {
        await StartAsync("egress: { pinned: true }");
        await BeginAsync(each: 10);
        await site.CutAsync("gate1");
        await site.ToldAsync("client", answer => answer.Contains("172.20.0.11 is not heard", StringComparison.Ordinal));
        await LedToAsync("172.20.0.12");
        // Those of the second pod speak first.
        flows.Reverse();
        foreach (var flow in flows.Where(flow => flow.Port != flow.Seen.Port).ToArray()) Assert.False(await flow.GoesOnAsync(seconds: 3));
    }
}

/// <summary>A connection of TCP, or a flow of UDP, from a port of its own; the server says whom it sees.</summary>
internal sealed class LastingFlow : IDisposable
{
    private readonly Socket socket;
    private readonly byte[] octets = new byte[64];

    private LastingFlow(Socket socket, int port) => (this.socket, Port) = (socket, port);

    public int Port { get; }

    public IPEndPoint Seen { get; private set; } = new(IPAddress.None, 0);

    public static async Task<LastingFlow> BeginAsync(Netns from, string source, int port, string to, SocketType type)
    {
        var at = IPAddress.Parse(source);
        var socket = from.Socket(at.AddressFamily, type, type == SocketType.Stream ? ProtocolType.Tcp : ProtocolType.Udp);
        socket.Bind(new IPEndPoint(at, port));
        var flow = new LastingFlow(socket, port);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Parse(to), Echo.Port), patience.Token);
        flow.Seen = await flow.AskAsync(type == SocketType.Dgram, patience.Token);
        // Nothing of it is on its way when the address moves: of what has just begun the other node has not heard.
        if (type == SocketType.Stream) socket.AcknowledgeNow();
        return flow;
    }

    private async Task<IPEndPoint> AskAsync(bool first, CancellationToken stop)
    {
        if (first) await socket.SendAsync(new byte[1], stop);
        var count = await socket.ReceiveAsync(octets, stop);
        return IPEndPoint.Parse(Encoding.ASCII.GetString(octets, 0, count).TrimEnd('\n'));
    }

    /// <summary>The server answers, and sees whom it saw. By a TCP connection it cannot see another.</summary>
    public async Task<bool> GoesOnAsync(int seconds = 30)
    {
        if (socket.SocketType == SocketType.Stream) return await socket.GoesOnAsync(seconds);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        try
        {
            return (await AskAsync(first: true, patience.Token)).Equals(Seen);
        }
        catch (Exception nobody) when (nobody is OperationCanceledException or SocketException)
        {
            return false;
        }
    }

    /// <summary>By one question after the other, none of which is waited for longer than a moment.</summary>
    public async Task<TimeSpan> LongestGapAsync(CancellationToken enough)
    {
        var (longest, last) = (TimeSpan.Zero, Stopwatch.GetTimestamp());
        while (!enough.IsCancellationRequested)
        {
            using var moment = new CancellationTokenSource(TimeSpan.FromMilliseconds(20));
            try
            {
                await AskAsync(first: true, moment.Token);
                longest = new[] { longest, Stopwatch.GetElapsedTime(last) }.Max();
                last = Stopwatch.GetTimestamp();
                await Task.Delay(5, CancellationToken.None);
            }
            catch (Exception nobody) when (nobody is OperationCanceledException or SocketException)
            {
                // The gap grows.
            }
        }
        return longest;
    }

    public override string ToString() => $"{socket.ProtocolType} {socket.LocalEndPoint} as {Seen}";

    public void Dispose() => socket.Dispose();
}
