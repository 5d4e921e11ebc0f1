using System.Text.Json.Nodes;
using static Calico.Bgp.Conformance.Policy.Yaml;

namespace Calico.Bgp.Conformance.Policy;

/// <summary>A daemon that is killed and starts again: what it has left is its own, and only what differs is written.</summary>
public sealed class AdoptionTests : IAsyncLifetime
{
    private const int Policies = 50, Others = 30;

    private static readonly PodPlace[] Pods = [new("red", "a"), new("red", "b"), new("blue", "c"), new("blue", "far", 2)];

    private PolicySite site = null!;
    private Background monitor = null!;
    private string objects = "";

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, "nft", "curl") != null) return;
        site = await PolicySite.MakeAsync(Pods);
        site.Configuration = "policy: { enabled: true, automaticHostEndpoints: true }\n";
        objects = site.Town.Objects(ports: _ => "{ name: web, containerPort: 80 }") + Everything();
        site.Write(objects);
        await site.StartAsync();
        await site.InForceAsync();
    }

    public async Task DisposeAsync()
    {
        if (monitor != null) await monitor.DisposeAsync();
        if (site != null) await site.DisposeAsync();
    }

    /// <summary>Fifty policies of every make, on pods that are here and elsewhere, and on host endpoints by name, by address and
    /// automatic ones.</summary>
    private static string Everything() => string.Concat(Enumerable.Range(0, Policies).Select(Policy))
        + string.Concat(Enumerable.Range(0, Others).Select(n => PodPlace.Object(new("blue", $"other-{n}", 1 + n % 2),
            new("", $"192.168.90.{n}", $"fd01::90:{n:x}", null), $"app: other, n: n{n % 5}", "{ name: web, containerPort: 8080 }")))
        + HostEndpoint("behind", "host: behind", "expectedIPs: [10.50.0.254], profiles: [projectcalico-default-allow]")
        + HostEndpoint("tunnel", "host: tunnel", "interfaceName: vxlan.calico")
        + Set("some", "set: some", "203.0.113.0/24, 203.0.113.128/25, \"2001:db8:1::/64\", 10.0.0.1/32")
        + Set("all", "set: all", "0.0.0.0/0, \"::/0\"", "red")
        + Tier("early", "order: 5, defaultAction: Pass") + """
            ---
            apiVersion: v1
            kind: Service
            metadata: { name: web, namespace: blue }
            spec: { clusterIP: 10.96.0.10, ports: [{ name: web, port: 80, protocol: TCP }] }
            ---
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata: { name: web, namespace: blue, labels: { kubernetes.io/service-name: web } }
            addressType: IPv4
            ports: [{ name: web, port: 8080, protocol: TCP }]
            endpoints: [{ addresses: [192.168.90.3], conditions: { ready: true } }]

            """;

    private static string Policy(int n) => (n % 8) switch
    {
        0 => Namespaced("red", $"p{n}", $"selector: \"app == 'a'\", types: [Ingress], ingress: [{{ action: Allow, protocol: TCP, "
            + $"source: {{ selector: \"n == 'n{n % 5}'\", namespaceSelector: all() }}, destination: {{ "
            + $"ports: [{8000 + n}, \"90:95\"] }} }}]"),
        1 => Global($"p{n}", "selector: \"app in {'a', 'b'}\", types: [Ingress], ingress: [{ action: Allow, protocol: UDP, "
            + $"source: {{ nets: [10.{n}.0.0/16, 10.{n}.1.0/24], notNets: [10.{n}.2.0/24] }}, destination: {{ ports: [53, web] }} }}]"),
        2 => Global($"early.p{n}", "tier: early, order: " + n + ", selector: all(), types: [Egress], egress: ["
            + $"{{ action: Pass, protocol: ICMP, icmp: {{ type: 8, code: {n} }} }}, {{ action: Log, protocol: {100 + n} }}]"),
        3 => Global($"p{n}", "selector: has(host), preDNAT: true, applyOnForward: true, types: [Ingress], ingress: ["
            + $"{{ action: Deny, protocol: TCP, destination: {{ nets: [10.99.{n}.0/24], notPorts: [80] }} }}]"),
        4 => Global($"p{n}", "selector: \"host == 'behind'\", doNotTrack: true, applyOnForward: true, types: [Ingress, Egress], "
            + $"ingress: [{{ action: Allow, protocol: UDP, destination: {{ ports: [{7000 + n}] }} }}], "
            + $"egress: [{{ action: Allow, protocol: UDP, source: {{ ports: [{7000 + n}] }} }}]"),
        5 => Namespaced("blue", $"p{n}", "selector: \"app == 'c'\", types: [Egress], egress: [{ action: Allow, "
            + "destination: { services: { name: web, namespace: blue } } }, { action: Allow, notProtocol: SCTP }, "
            + $"{{ action: Allow, protocol: TCP, destination: {{ notSelector: \"set == 'some'\", notPorts: [{n}] }} }}]"),
        6 => Global($"p{n}", "selector: \"host == 'tunnel'\", applyOnForward: true, types: [Ingress], ingress: [{ action: Allow, "
            + $"ipVersion: 6, notICMP: {{ type: {n} }}, protocol: ICMPv6 }}]"),
        _ => Global($"p{n}", "selector: \"app == 'b'\", types: [Ingress, Egress], ingress: [{ action: Allow, source: { selector: "
            + $"\"set == 'all' || n == 'n{n % 5}'\" }} }}], egress: [{{ action: Allow }}]"),
    };

    /// <summary>From now on the kernel's notifications are written down, as nft words them.</summary>
    private async Task ListenAsync()
    {
        monitor = Background.Start(site.Node, site.PathOf("monitor"), null, "nft", "monitor");
        await HeardAsync("before");
    }

    /// <summary>All that happened by now has been written down: a table of the test's own is seen to come.</summary>
    private async Task<string[]> HeardAsync(string mark)
    {
        await Until.TrueAsync("nft monitor hears", async () =>
        {
            await site.Node.DoAsync("nft", "add", "table", "inet", mark);
            await site.Node.DoAsync("nft", "delete", "table", "inet", mark);
            return Heard().Any(line => line.Contains($"table inet {mark}", StringComparison.Ordinal));
        }, PolicySite.Patience);
        return [.. Heard().Where(line => line.Contains(" inet bgpd", StringComparison.Ordinal))];
    }

    private string[] Heard() => File.Exists(site.PathOf("monitor")) ? File.ReadAllLines(site.PathOf("monitor")) : [];

    private async Task StartAgainAsync()
    {
        await site.StartAsync();
        await site.ReadyAsync();
    }

    [NeedsFact(Needs.Daemon, "nft", "curl")]
    public async Task A_second_start_writes_nothing_where_nothing_has_changed()
    {
        Wrong.None((await site.LogAsync()).Split('\n').Where(line => line.Contains("refused", StringComparison.Ordinal)));
        var before = await TableText.ReadAsync(site, withHandles: true);
        await site.Daemon.KillAsync();
        await ListenAsync();
        await StartAgainAsync();
        var status = await site.HttpAsync("/v1/status");
        Assert.Contains("\"problems\":[]", JsonNode.Parse(status)!["policy"]!.ToJsonString(), StringComparison.Ordinal);
        Wrong.None(await HeardAsync("after"));
        Assert.Equal("{\"transactions\":0,\"readings\":1,\"repairs\":0}",
            JsonNode.Parse(await site.HttpAsync("/v1/nat"))!["table"]!.ToJsonString());
        Assert.Equal(before, await TableText.ReadAsync(site, withHandles: true));
    }

    [NeedsFact(Needs.Daemon, "nft", "curl")]
    public async Task What_changed_while_it_was_away_is_put_right_and_nothing_else_is_written()
    {
        await site.Daemon.KillAsync();
        // Policies are edited and go, a pod has another label, a set another net; and somebody has been at the table.
        var edited = objects.Replace("8008, ", "9008, ", StringComparison.Ordinal)
            .Replace(Policy(1), "", StringComparison.Ordinal).Replace("203.0.113.0/24, 203.0.113.128/25, ", "", StringComparison.Ordinal)
            .Replace("app: other, n: n3", "app: other, n: n4", StringComparison.Ordinal);
        Assert.NotEqual(objects, edited);
        await site.Node.DoAsync("nft", "add", "chain", "inet", "bgpd", "theirs");
        await site.Node.DoAsync("nft", "flush", "chain", "inet", "bgpd", "pol-spoof");
        await site.Node.DoAsync("nft", "add", "element", "inet", "bgpd", "pol-nodes4", "{ 192.0.2.99 }");
        await ListenAsync();
        site.Write(edited);
        await StartAgainAsync();
        await site.InForceAsync();
        var written = await HeardAsync("after");
        var adopted = await TableText.ReadAsync(site);
        // Of all that is there, a small part was written, the programs of the site's own fence among it.
        Assert.InRange(written.Length, 5, adopted.Count / 3);
        await site.Daemon.KillAsync();
        await site.Node.DoAsync("nft", "delete", "table", "inet", "bgpd");
        await StartAgainAsync();
        await site.InForceAsync();
        Assert.Equal(await TableText.ReadAsync(site), adopted);
    }

    [NeedsFact(Needs.Daemon, "nft", "curl")]
    public async Task Before_all_sources_have_been_read_nothing_that_an_earlier_run_left_is_touched()
    {
        var before = await TableText.ReadAsync(site, withHandles: true);
        await site.Daemon.KillAsync();
        site.Write(site.Town.Objects());
        site.MoreSources = ", { etcd: { endpoints: [\"http://127.0.0.1:9\"] } }";
        await ListenAsync();
        await site.StartAsync();
        await Until.TrueAsync("one source is read and the other is away", async () => await site.LogAsync() is var log
            && log.Contains("resources: in sync", StringComparison.Ordinal) && log.Contains("127.0.0.1:9", StringComparison.Ordinal),
            PolicySite.Patience, site.LogAsync);
        Wrong.None(await HeardAsync("after"));
        Assert.Equal(before, await TableText.ReadAsync(site, withHandles: true));
        await site.Daemon.KillAsync();
        site.MoreSources = "";
        await StartAgainAsync();
        await site.InForceAsync();
        Assert.DoesNotContain(await TableText.ReadAsync(site), line => line.Contains("early.p", StringComparison.Ordinal));
    }

    /// <summary>Each of what others may do to one part, while a flow goes on.</summary>
    [NeedsFact(Needs.Daemon, "nft", "curl")]
    public async Task What_others_do_to_one_part_is_put_right()
    {
        await using var flows = await Flows.BeginAsync([Flow.BeginAsync(site, "blue/c", "node1", 80)]);
        var before = await TableText.ReadAsync(site);
        var link = Pods[0].Link;
        foreach (var command in (string[])[
            $"delete element inet bgpd pol-by-to {{ {link} }}",
            "delete element inet bgpd pol-nodes4 { 172.20.0.2 }",
            "add element inet bgpd pol-nodes4 { 192.0.2.99 }",
            $"add element inet bgpd pol-by-from {{ stranger : 0x0 . \"1\" }}",
            "add element inet bgpd pol-program-from { \"1\" : drop }",
            "add rule inet bgpd forward-from accept",
            "insert rule inet bgpd input drop",
            "add chain inet bgpd theirs",
            "add set inet bgpd theirs { type ipv4_addr; }",
            "add counter inet bgpd theirs",
            "delete chain inet bgpd output"])
        {
            await site.Node.DoAsync("nft", command);
            await Until.TrueAsync($"right again after: {command}", async () =>
                (await site.Node.RunAsync("nft", "list", "table", "inet", "bgpd")).Good
                && (await TableText.ReadAsync(site)).SequenceEqual(before), PolicySite.Patience, site.LogAsync);
        }
        Wrong.None(await flows.EndAsync());
    }
}
