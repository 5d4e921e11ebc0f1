using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace Calico.Bgp.Conformance.Packets;

/// <summary>
/// A pod's place changes while its connections go on: those that would leave as somebody else are ended, so that it begins them anew by
/// where it leaves now; nothing else is. In front of the world outside stands a firewall that knows connections: what it has not seen
/// begin does not pass, and nobody out there tells the pod that its connection is at its end.
/// </summary>
public sealed class EgressMovedTests : IAsyncLifetime
{
    private const string Home4 = "10.10.13.0";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private static readonly string Plain = EgressSite.AddressOf("p"),
        Home = $"{EgressObjects.Pool("home", "10.10.13.0/31")}\n{EgressObjects.Gateway("home", "home", "role: client")}\n";

    private readonly List<IDisposable> sockets = [];
    private EgressSite site = null!;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, "nft", "bird", "birdc", "curl") != null) return;
        site = await EgressSite.MakeAsync();
        await site["firewall"].DoAsync("nft", "insert", "rule", "inet", "wall", "forward",
            "iifname", "in0", "ip", "saddr", EgressSite.Client4, "accept");
        await site["firewall"].DoAsync("nft", "insert", "rule", "inet", "wall", "forward",
            "ct", "state", "new", "tcp", "flags", "&", "(syn|ack)", "!=", "syn", "drop");
        site.Write(more: Home);
        await site.StartAsync("client", "gate1", "gate2");
        foreach (var address in (string[])[EgressSite.Blue4, EgressSite.Green4, Home4]) await site.AnnouncedAsync(address);
        await site.HeardAsync("client", 2);
    }

    public async Task DisposeAsync()
    {
        foreach (var socket in sockets) socket.Dispose();
        if (site != null) await site.DisposeAsync();
    }

    [NeedsTheory(Needs.Daemon, "nft", "bird", "birdc", "curl")]
    [InlineData("", "blue")]
    [InlineData("blue", "")]
    [InlineData("blue", "green")]
    [InlineData("", "home")]
    [InlineData("home", "")]
    [InlineData("blue", "home")]
    [InlineData("home", "blue")]
    public async Task What_would_leave_as_somebody_else_is_ended_and_begins_by_where_its_pod_leaves_now(string before, string after)
    {
        Place(before);
        await site.SeesAsync("p", Seen(before));
        var (outside, seen) = await BeginAsync("p", EgressSite.Outside4);
        Assert.Equal(Seen(before), seen);
        var (another, _) = await BeginAsync("deployed", EgressSite.Outside4);
        var (inside, _) = await BeginAsync("p", EgressSite.Client4);
        var flow = Have(new EgressFlow(site["p"], Plain, EgressSite.Outside4, Echo.Port));
        Assert.Equal(Seen(before), (await flow.AskAsync())?.Address.ToString());

        Place(after);
        await site.SeesAsync("p", Seen(after));
        Assert.Equal(SocketError.ConnectionReset, await EndAsync(outside));
        // The same ports as before: whoever asks without a connection goes on.
        await Until.TrueAsync("the flow leaves by where its pod does", async () =>
            (await flow.AskAsync())?.Address.ToString() == Seen(after), 60, site.SaidAsync);
        Assert.True(await inside.GoesOnAsync());
        Assert.True(await another.GoesOnAsync());
    }

    [NeedsFact(Needs.Daemon, "nft", "bird", "birdc", "curl")]
    public async Task Who_asks_is_told_also_where_the_change_came_while_no_daemon_ran()
    {
        Place("");
        await site.SeesAsync("p", EgressSite.Client4);
        var (outside, _) = await BeginAsync("p", EgressSite.Outside4);
        await site.KillAsync("client");
        Place("blue");
        await site.StartAsync("client");
        await site.HeardAsync("client", 2);
        await site.SeesAsync("p", EgressSite.Blue4);
        Assert.Equal(SocketError.ConnectionReset, await EndAsync(outside));
    }

    [NeedsFact(Needs.Daemon, "nft", "bird", "birdc", "curl")]
    public async Task A_policy_that_is_gone_for_a_while_ends_nothing()
    {
        var (outside, _) = await BeginAsync("r", EgressSite.Outside4);
        site.Write(more: Home, withPolicy: false);
        await site.ToldAsync("client", told => told.Contains("EgressGatewayPolicy/mixed does not exist", StringComparison.Ordinal));
        site.Write(more: Home);
        await site.ToldAsync("client", told => !told.Contains("EgressGatewayPolicy/mixed does not exist", StringComparison.Ordinal));
        Assert.True(await outside.GoesOnAsync());
    }

    /// <summary>A reset to the server would leave by no gateway.</summary>
    [NeedsFact(Needs.Daemon, "nft", "bird", "birdc", "curl")]
    public async Task A_server_that_speaks_behind_the_end_is_not_answered_with_the_pods_own_address()
    {
        const int port = 7100;
        Place("blue");
        await site.SeesAsync("p", EgressSite.Blue4);
        var listener = Have(site["outside"].Socket(AddressFamily.InterNetwork));
        listener.Bind(new IPEndPoint(IPAddress.Parse(EgressSite.Outside4), port));
        listener.Listen();
        var pod = Have(site["p"].Socket(AddressFamily.InterNetwork));
        pod.Bind(new IPEndPoint(IPAddress.Parse(Plain), 0));
        await pod.ConnectAsync(IPAddress.Parse(EgressSite.Outside4), port);
        var server = Have(await listener.AcceptAsync());
        Place("green");
        await site.SeesAsync("p", EgressSite.Green4);
        await Until.TrueAsync("it has been ended", () => Task.FromResult(site.LinesOf("client").Any(line =>
            line.Contains("as their pods leave the cluster by another way now", StringComparison.Ordinal))), 60, site.SaidAsync);
        var others = await site.OthersAsync();
        await server.SendAsync(new byte[1]);
        await Until.TrueAsync("what it says has come to the pod's node", async () => Counted().IsMatch(
            await site["client"].DoAsync("nft", "list", "chain", "inet", "bgpd", "prerouting-translated")), 60, site.SaidAsync);
        await site.SeesAsync("p", EgressSite.Green4);
        Assert.Equal(others, await site.OthersAsync());
    }

    private static Regex Counted() => new("counter packets [1-9][^\n]*\"it began when its pod left by another way\"");

    private void Place(string gateway) => site.Write(more: Home, plain: gateway.Length == 0 ? "" : EgressObjects.Choosing(gateway));

    private static string Seen(string gateway) => gateway switch
    {
        "blue" => EgressSite.Blue4,
        "green" => EgressSite.Green4,
        "home" => Home4,
        _ => EgressSite.Client4,
    };

    private T Have<T>(T one) where T : IDisposable
    {
        sockets.Add(one);
        return one;
    }

    private async Task<(Socket Socket, string Seen)> BeginAsync(string pod, string to)
    {
        using var patience = new CancellationTokenSource(Patience);
        var socket = Have(site[pod].Socket(AddressFamily.InterNetwork));
        socket.Bind(new IPEndPoint(IPAddress.Parse(EgressSite.AddressOf(pod)), 0));
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Parse(to), Echo.Port), patience.Token);
        var octets = new byte[64];
        var count = await socket.ReceiveAsync(octets, patience.Token);
        return (socket, IPEndPoint.Parse(Encoding.ASCII.GetString(octets, 0, count).TrimEnd('\n')).Address.ToString());
    }

    /// <summary>Speaks until it is told that nobody is there any more.</summary>
    /// <returns>Success: nobody tells it, however long one waits.</returns>
    private static async Task<SocketError> EndAsync(Socket socket)
    {
        using var patience = new CancellationTokenSource(Patience);
        var octets = new byte[4096];
        try
        {
            while (true)
            {
                await socket.SendAsync(new byte[1], patience.Token);
                if (await socket.ReceiveAsync(octets, patience.Token) == 0) return SocketError.Disconnecting;
            }
        }
        catch (SocketException ended)
        {
            return ended.SocketErrorCode;
        }
        catch (OperationCanceledException)
        {
            return SocketError.Success;
        }
    }
}
