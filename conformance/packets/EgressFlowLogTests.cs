using System.Net;
using System.Text.Json.Nodes;

namespace Calico.Bgp.Conformance.Packets;

/// <summary>
/// <c>egress.flowLog</c>: a line for each flow on the gateway's node, with what a firewall outside sees of it; and flows counted by pod.
/// </summary>
public sealed class EgressFlowLogTests : IAsyncLifetime
{
    private const int Flows = 40;

    private EgressSite site = null!;
    private readonly List<EgressFlow> flows = [];

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, "nft", "bird", "birdc", "curl") != null) return;
        site = await EgressSite.MakeAsync();
        site.Write();
    }

    public async Task DisposeAsync()
    {
        foreach (var flow in flows) flow.Dispose();
        if (site != null) await site.DisposeAsync();
    }

    private async Task StartAsync()
    {
        await site.StartAsync("client", "gate1", "gate2");
        foreach (var address in (string[])
            [EgressSite.Red4, EgressSite.RedToo4, EgressSite.Blue4, EgressSite.Red6, EgressSite.RedToo6])
            await site.AnnouncedAsync(address);
        await site.HeardAsync("client", 2);
    }

    private static readonly string[] Gateways = ["gate1", "gate2"];

    private string[] Said(string node) => [.. site.LinesOf(node).Where(line => line.Contains("egress flow:", StringComparison.Ordinal))];

    private Task SaidAsync(int lines) => Until.TrueAsync($"{lines} flows are in the log",
        () => Task.FromResult(Gateways.Sum(node => Said(node).Length) >= lines), 60, site.SaidAsync);

    /// <summary>The kernel tells somebody there of connections that begin.</summary>
    private async Task<bool> IsHeardAsync(string node) => (await site[node].DoAsync("cat", "/proc/net/netlink")).Split('\n')
        .Select(row => row.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Any(row => row is [_, "12", _, "00000001", ..]);

    private static string Line(string pod, IPEndPoint source, string gateway, IPEndPoint seen, string to, string protocol) =>
        $"egress flow: pod {pod} ({source.Address} port {source.Port}) leaves by {gateway} with {seen.Address} port {seen.Port} "
        + $"to {to} port {Echo.Port}, {protocol}";

    [NeedsFact(Needs.Daemon, "nft", "bird", "birdc", "curl")]
    public async Task Each_flow_is_in_the_log_of_its_gateways_node_once_as_the_world_outside_sees_it()
    {
        site.Egress = "egress: { flowLog: true }";
        await StartAsync();
        for (var n = 0; n < Flows; n++) flows.Add(new(site["a"], EgressSite.AddressOf("a"), EgressSite.Outside4, Echo.Port));
        flows.Add(new(site["o"], EgressSite.AddressOf("o"), EgressSite.Outside4, Echo.Port));
        flows.Add(new(site["a"], EgressSite.AddressOf("a", ipv6: true), EgressSite.Outside6, Echo.Port));
        // Of a flow that goes on there is no second line.
        for (var round = 0; round < 3; round++)
            foreach (var flow in flows) Assert.NotNull(await flow.AskAsync());
        var expected = flows.Select(flow => Line(
            flow.Source.Address.ToString() == EgressSite.AddressOf("o") ? "own/o" : "alpha/a", flow.Source,
            flow.Source.Address.ToString() == EgressSite.AddressOf("o") ? "edge/blue" : "edge/red", flow.Seen!,
            flow.Seen!.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? EgressSite.Outside4 : EgressSite.Outside6, "udp"));
        await SaidAsync(flows.Count);
        var tcp = await Echo.SeenAsync(site["b"], EgressSite.AddressOf("b"), EgressSite.Outside4, Transport.Tcp);
        await SaidAsync(flows.Count + 1);
        var said = Gateways.SelectMany(Said).Select(line => line[line.IndexOf("egress flow:", StringComparison.Ordinal)..]).ToList();
        Assert.Single(said, line => line.Contains("pod beta/b", StringComparison.Ordinal)
            && line.Contains($"with {tcp!.Address} port {tcp.Port} to ", StringComparison.Ordinal)
            && line.EndsWith(", tcp", StringComparison.Ordinal));
        Assert.Equal(expected.Order(StringComparer.Ordinal),
            said.Where(line => !line.EndsWith(", tcp", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
        Assert.Empty(Said("client"));
        // Whose each is stands in the line of the node whose address it has.
        Assert.All(Said("gate2"), line => Assert.Contains(line.Contains(':') && line.Contains(EgressSite.Outside6, StringComparison.Ordinal)
            ? EgressSite.RedToo6 : EgressSite.RedToo4, line, StringComparison.Ordinal));
        await CountedAsync();
    }

    private async Task CountedAsync()
    {
        var total = 0;
        foreach (var node in Gateways)
        {
            var egress = JsonNode.Parse(await site.HttpAsync(node, "/v1/egress?flows=true"))!;
            var red = egress["gateways"]!.AsArray().Single(one => one!["name"]!.GetValue<string>() == "edge/red")!["flows"]!;
            Assert.True(red["whole"]!.GetValue<bool>());
            total += red["byPod"]!.AsArray().Single(one => one!["pod"]!.GetValue<string>() == "alpha/a")!["flows"]!.GetValue<int>();
            Assert.Equal(Said(node).Length, egress["flowLog"]!["logged"]!.GetValue<int>());
            Assert.Equal(0, egress["flowLog"]!["lost"]!.GetValue<int>());
        }
        Assert.Equal(Flows + 1, total);
        // The node of a client that is no gateway knows of none.
        Assert.DoesNotContain("\"flows\"", await site.HttpAsync("client", "/v1/egress?flows=true"), StringComparison.Ordinal);
    }

    [NeedsFact(Needs.Daemon, "nft", "bird", "birdc", "curl")]
    public async Task Where_flows_are_not_to_be_logged_the_kernel_tells_nobody_of_them()
    {
        await StartAsync();
        Assert.Equal(EgressSite.Blue4, await site.SeenAsync("o"));
        foreach (var node in Gateways) Assert.False(await IsHeardAsync(node));
        Assert.All(Gateways, node => Assert.Empty(Said(node)));
        await site.ConfigureAgainAsync("gate1", "egress: { flowLog: true }");
        await Until.TrueAsync("gate1 hears of flows", () => IsHeardAsync("gate1"), 60, site.SaidAsync);
        Assert.Equal(EgressSite.Blue4, await site.SeenAsync("o"));
        await Until.TrueAsync("it says so", () => Task.FromResult(Said("gate1").Length > 0), 60, site.SaidAsync);
    }
}
