using System.Net;
using System.Net.Sockets;
using static Calico.Bgp.Conformance.Policy.Yaml;

namespace Calico.Bgp.Conformance.Policy;

/// <summary><c>policy.cutNarrowed</c>: what becomes of connections that were let through when a change forbids them.</summary>
public sealed class CutNarrowedTests : IAsyncLifetime
{
    private static readonly PodPlace[] Pods = [new("red", "a"), new("red", "b"), new("blue", "c")];

    private const string Cutting = "policy: { enabled: true, cutNarrowed: true }\n", Keeping = "policy: { enabled: true }\n";

    private PolicySite site = null!;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, "nft") != null) return;
        site = await PolicySite.MakeAsync(Pods);
    }

    public async Task DisposeAsync()
    {
        if (site != null) await site.DisposeAsync();
    }

    /// <summary>Who may open port 80 of red/a, by a label.</summary>
    private static string Web(string source) => Namespaced("red", "web", "selector: \"app == 'a'\", types: [Ingress], ingress: ["
        + $"{{ action: Allow, protocol: TCP, source: {{ {source} }}, destination: {{ ports: [80] }} }}]");

    private string Objects(string labelOfC = "app: c") => site.Town.Objects(labels: pod => pod.Name == "c" ? labelOfC : $"app: {pod.Name}");

    private async Task StartAsync(string configuration, string more)
    {
        site.Configuration = configuration;
        site.Write(Objects() + more);
        await site.StartAsync();
        await site.InForceAsync();
    }

    /// <summary>Whether the machine was only slow the others tell, who go on.</summary>
    private Task DiesAsync(Flow flow) => Until.TrueAsync($"{flow.Name} is cut", async () => !await flow.GoesOnAsync(seconds: 3),
        PolicySite.Patience, site.LogAsync);

    private const string Anybody = "nets: [0.0.0.0/0]", AnybodyOf6 = "nets: [\"::/0\"]";

    private const string OutsideOnly = "nets: [198.51.100.0/24, 172.20.0.0/24]";

    [NeedsTheory(Needs.Daemon, "nft")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_connection_that_an_edited_policy_forbids_is_cut_and_the_others_go_on(bool isIPv6)
    {
        await StartAsync(Cutting, Web(isIPv6 ? AnybodyOf6 : Anybody));
        using var forbidden = await Flow.BeginAsync(site, "blue/c", "red/a", 80, isIPv6);
        using var allowed = await Flow.BeginAsync(site, "outside", "red/a", 80, isIPv6);
        using var others = await Flow.BeginAsync(site, "blue/c", "red/b", 80, isIPv6);
        await site.PutAsync(Objects() + Web(isIPv6 ? "nets: [\"fd98::/64\"]" : OutsideOnly));
        await DiesAsync(forbidden);
        Assert.True(await allowed.GoesOnAsync());
        Assert.True(await others.GoesOnAsync());
        await Until.TrueAsync("the log says so", () => Background.SaidIn(site.PathOf("bgpd.log"))
            .Contains("connections were cut, as a change of policies forbids them: ", StringComparison.Ordinal), PolicySite.Patience);
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task A_connection_whose_client_loses_the_label_that_let_it_in_is_cut()
    {
        var web = Web("selector: \"app == 'c'\", namespaceSelector: all()");
        await StartAsync(Cutting, web);
        using var forbidden = await Flow.BeginAsync(site, "blue/c", "red/a", 80);
        using var others = await Flow.BeginAsync(site, "blue/c", "red/b", 80);
        await site.PutAsync(Objects(labelOfC: "app: no-more") + web);
        await DiesAsync(forbidden);
        Assert.True(await others.GoesOnAsync());
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task A_connection_to_the_host_that_a_host_endpoint_forbids_is_cut_and_ssh_is_not()
    {
        await StartAsync(Cutting, "");
        using var forbidden = await Flow.BeginAsync(site, "outside", "node1", 80);
        using var failsafe = await Flow.BeginAsync(site, "outside", "node1", 22);
        using var others = await Flow.BeginAsync(site, "outside", "red/a", 80);
        await site.PutAsync(Objects() + HostEndpoint("eth0", "host: here", "interfaceName: eth0"));
        await DiesAsync(forbidden);
        Assert.True(await failsafe.GoesOnAsync());
        Assert.True(await others.GoesOnAsync());
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task Without_the_key_a_connection_that_was_let_through_goes_on()
    {
        await StartAsync(Keeping, Web(Anybody));
        using var forbidden = await Flow.BeginAsync(site, "blue/c", "red/a", 80);
        await site.PutAsync(Objects() + Web(OutsideOnly));
        await Until.StaysAsync("the connection", () => forbidden.GoesOnAsync(), 2);
        Assert.True(await forbidden.GoesOnAsync());
    }

    /// <summary>The kernel takes up a connection in the midst, from whoever speaks; and the pod may speak to the other.</summary>
    [NeedsFact(Needs.Daemon, "nft")]
    public async Task What_a_server_still_sends_does_not_bring_a_connection_back_that_was_cut()
    {
        await StartAsync(Cutting, Web(Anybody));
        using var listening = site.SocketOf(site.Town["red/a"], false, 80 + 1000);
        listening.Listen();
        var open = Web(Anybody).Replace("ports: [80]", "ports: [80, 1080]", StringComparison.Ordinal);
        await site.PutAsync(Objects() + open);
        using var client = site.SocketOf(site.Town["blue/c"], false);
        await client.ConnectAsync(new IPEndPoint(site.Town["red/a"].Address(false), 1080));
        using var server = await listening.AcceptAsync();
        Assert.True(await ArrivesAsync(server, client));
        await site.PutAsync(Objects() + Web(OutsideOnly));
        await Until.TrueAsync("what the server sends arrives no more", async () => !await ArrivesAsync(server, client), PolicySite.Patience,
            site.LogAsync);
        for (var again = 0; again < 5; again++) Assert.False(await ArrivesAsync(server, client));
        // Nor is what was cut in the way of whoever is allowed to begin anew.
        await site.PutAsync(Objects() + open);
        using var anew = site.SocketOf(site.Town["blue/c"], false);
        await anew.ConnectAsync(new IPEndPoint(site.Town["red/a"].Address(false), 1080));
        using var served = await listening.AcceptAsync();
        Assert.True(await ArrivesAsync(served, anew));
    }

    private static async Task<bool> ArrivesAsync(Socket from, Socket to)
    {
        using var patience = new CancellationTokenSource(Prober.Moment);
        try
        {
            await from.SendAsync(new byte[1], patience.Token);
            return await to.ReceiveAsync(new byte[64], patience.Token) > 0;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
