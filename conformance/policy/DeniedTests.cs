using System.Globalization;
using System.Text.Json.Nodes;
using static Calico.Bgp.Conformance.Policy.Yaml;

namespace Calico.Bgp.Conformance.Policy;

/// <summary>What policies deny, and what rules log, as the daemon tells it.</summary>
public sealed class DeniedTests : IAsyncLifetime
{
    private static readonly PodPlace[] Pods = [new("red", "a"), new("blue", "c")];

    /// <summary>A rule that denies, the end of a tier behind it, and a host endpoint that no profile allows.</summary>
    private static readonly string Policies = HostEndpoint("eth0", "host: here", "interfaceName: eth0")
        + Namespaced("red", "web", "selector: all(), types: [Ingress], ingress: ["
            + "{ action: Allow, protocol: TCP, destination: { ports: [80] } },"
            + "{ action: Deny, protocol: UDP, destination: { ports: [80] } },"
            + "{ action: Log, protocol: TCP, destination: { ports: [443] } }]");

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

    private async Task StartAsync(string configuration)
    {
        site.Configuration = configuration;
        site.Write(site.Town.Objects() + Policies);
        await site.StartAsync();
        await site.InForceAsync();
    }

    private async Task SendAsync(string from, string to, int protocol, int port, bool isIPv6 = false) => await site.Prober.RunAsync(
        [new Probe(site.Town[from], site.Town[from].Address(isIPv6), site.Town[to].Address(isIPv6), protocol) { Port = port }],
        TimeSpan.FromMilliseconds(100));

    private async Task<JsonNode> DeniedAsync() =>
        JsonNode.Parse((await Shell.RunAsync(Project.Bgpctl, "--socket", site.PathOf("http1"), "policy", "denied", "--json")).Output)!;

    private static string Words(JsonNode? flow) =>
        $"{flow!["source"]} {flow["destination"]} {flow["protocol"]} {flow["port"]}: {flow["program"]} {flow["endpoint"]}: "
        + flow["reason"];

    private Task<string> LogAsync() => File.ReadAllTextAsync(site.PathOf("bgpd.log"));

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task What_is_denied_is_told_with_its_flow_its_endpoint_and_who_denied_it()
    {
        await StartAsync("policy: { enabled: true, logDenied: true }\n");
        await SendAsync("outside", "red/a", Protocols.Udp, 80);
        await SendAsync("blue/c", "red/a", Protocols.Tcp, 81, isIPv6: true);
        await SendAsync("outside", "node1", Protocols.Udp, 8080);
        await SendAsync("outside", "red/a", Protocols.Tcp, 80); // and what is allowed is not
        var (red, blue) = (site.Town["red/a"], site.Town["blue/c"]);
        string[] expected =
        [
            $"198.51.100.1 {red.IPv4} udp 80: pod ingress red/a: NetworkPolicy red/web rule 1",
            $"{blue.IPv6} {red.IPv6} tcp 81: pod ingress red/a: no policy of tier default decides: end of tier",
            "198.51.100.1 172.20.0.1 udp 8080: normal-in eth0: no profile allows it",
        ];
        string[] told = [];
        await Until.TrueAsync("denied flows are told", async () =>
        {
            // What the site's own fence denies is told, too.
            told = [.. (await DeniedAsync())["flows"]!.AsArray().Select(Words)
                .Where(words => !words.Contains("fence", StringComparison.Ordinal))];
            return expected.All(told.Contains);
        }, PolicySite.Patience, async () => string.Join('\n', told) + await site.LogAsync());
        Assert.DoesNotContain(told, words => words.Contains(" tcp 80:", StringComparison.Ordinal));
        Assert.Contains($"denied: udp 198.51.100.1 to {red.IPv4}:80 (pod ingress red/a, eth0 to {red.Link}): NetworkPolicy red/web rule 1",
            await LogAsync(), StringComparison.Ordinal);
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task Whoever_watches_hears_of_each_flow_when_it_is_denied()
    {
        await StartAsync("policy: { enabled: true, logDenied: true }\n");
        await using var watching =
            Background.Start(site.Node, site.PathOf("watched"), null, Project.Bgpctl, "--socket", site.PathOf("http1"), "policy", "denied",
                "--watch", "--json");
        foreach (var port in (int[])[81, 82, 83])
        {
            await SendAsync("outside", "red/a", Protocols.Tcp, port);
            await Until.TrueAsync($"port {port} is told", () => Task.FromResult(
                File.Exists(site.PathOf("watched")) && File.ReadAllLines(site.PathOf("watched")).Any(line =>
                    line.Contains($"\"port\":{port}", StringComparison.Ordinal)
                    && line.Contains("\"endpoint\":\"red/a\"", StringComparison.Ordinal))), PolicySite.Patience, site.LogAsync);
        }
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task A_rule_that_logs_shows_in_the_daemons_log_and_without_the_key_nothing_else_does()
    {
        await StartAsync("policy: { enabled: true }\n");
        await SendAsync("outside", "red/a", Protocols.Udp, 80);
        await SendAsync("outside", "red/a", Protocols.Tcp, 443);
        var red = site.Town["red/a"];
        var line = $"logged: tcp 198.51.100.1 to {red.IPv4}:443 (pod ingress red/a, eth0 to {red.Link}): NetworkPolicy red/web rule 2";
        await Until.TrueAsync("the rule's packet is logged", async () => (await LogAsync()).Contains(line, StringComparison.Ordinal),
            PolicySite.Patience, site.LogAsync);
        Assert.DoesNotContain("denied:", await LogAsync(), StringComparison.Ordinal);
        var table = await site.Node.DoAsync("nft", "list", "table", "inet", "bgpd");
        Assert.DoesNotContain(" log prefix \"deny", table, StringComparison.Ordinal);
        var told = await DeniedAsync();
        Assert.Equal((false, 0), (told["logged"]!.GetValue<bool>(), told["flows"]!.AsArray().Count));
    }

    /// <summary>What the kernel, the daemon, its log and its answers make of more than anybody can read.</summary>
    [NeedsFact(Needs.Daemon, "nft")]
    public async Task A_flood_of_denied_packets_is_counted_whole_and_told_in_part()
    {
        const int Packets = 20_000, MostLines = 60;
        await StartAsync("policy: { enabled: true, logDenied: true }\n");
        var before = await DeniedPacketsAsync();
        var (outside, red) = (site.Town["outside"], site.Town["red/a"]);
        site.Flood(outside, new(red.Address(false), 80), Packets);
        await Until.TrueAsync("all are counted", async () => await DeniedPacketsAsync() - before >= Packets, PolicySite.Patience,
            site.LogAsync);
        await SendAsync("outside", "red/a", Protocols.Tcp, 81);
        await Until.TrueAsync("what is denied behind it is told", async () => (await DeniedAsync())["flows"]!.AsArray()
            .Any(flow => Words(flow).Contains(" tcp 81: ", StringComparison.Ordinal)), PolicySite.Patience, site.LogAsync);
        var flood = (await DeniedAsync())["flows"]!.AsArray().Single(flow =>
            Words(flow).Contains($"{red.IPv4} udp 80:", StringComparison.Ordinal));
        Assert.InRange(flood!["packets"]!.GetValue<int>(), 1, Packets / 2);
        Assert.InRange((await LogAsync()).Split("denied: ").Length - 1, 2, 2 * MostLines);
    }

    private async Task<long> DeniedPacketsAsync()
    {
        const string metric = "calico_bgp_policy_packets_total{kind=\"NetworkPolicy\",policy=\"red/web\",direction=\"ingress\","
            + "verdict=\"deny\"} ";
        var text = (await Shell.RunAsync("curl", "-sS", "--unix-socket", site.PathOf("http1"), "http://bgpd/metrics")).Output;
        return text.Split('\n').Where(line => line.StartsWith(metric, StringComparison.Ordinal))
            .Select(line => long.Parse(line[metric.Length..], CultureInfo.InvariantCulture)).SingleOrDefault();
    }
}
