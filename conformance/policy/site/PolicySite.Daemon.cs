using System.Net;
using System.Text.Json;

namespace Calico.Bgp.Conformance.Policy;

/// <summary>The daemon under test, on either node, and the objects that it is told.</summary>
internal sealed partial class PolicySite
{
    private const int FirstFencePort = 20_000;

    /// <summary>Two pods that nobody else's policy is asked about: by what passes between them it is known which objects are in
    /// force.</summary>
    private static readonly PodPlace Knocker = new("fence", "knocker"), Door = new("fence", "door");

    private readonly List<Background> daemons = [];
    private int written;

    /// <summary>What <c>policy:</c> says in bgpd.yaml, and what else is to stand there.</summary>
    public string Configuration { get; set; } = "policy: { enabled: true }\n";

    /// <summary>Other places that objects come from, with a comma before each.</summary>
    public string MoreSources { get; set; } = "";

    /// <summary>Other places at which HTTP is answered, with a comma before each.</summary>
    public string MoreHttp { get; set; } = "";

    public Background Daemon => daemons[^1];

    /// <summary>Starts it on the first node, where it may have run before.</summary>
    /// <param name="node">Or on the second one.</param>
    public async Task StartAsync(int node = 1)
    {
        var file = await ConfigureAsync(node);
        daemons.Add(Background.Start(node == 1 ? Node : Other, PathOf("bgpd.log"), State(node), Project.Daemon, "--config", file));
    }

    /// <summary>What a daemon keeps for its next start is its own.</summary>
    private Dictionary<string, string> State(int node) => new() { ["STATE_DIRECTORY"] = PathOf($"state{node}") };

    /// <summary>The first node's bgpd.yaml is read again.</summary>
    public async Task ReloadAsync()
    {
        await ConfigureAsync(1);
        await Node.DoAsync("curl", "-sf", "-X", "POST", "--unix-socket", PathOf("http1"), "http://bgpd/v1/reload");
    }

    private async Task<string> ConfigureAsync(int node)
    {
        var (place, file) = (node == 1 ? Place.Node1 : Place.Node2, PathOf($"bgpd{node}.yaml"));
        await File.WriteAllTextAsync(file, $$"""
            node: {{place.Name}}
            router: { asNumber: 64512, id: {{place.IPv4}} }
            sources: [{ files: {{Resources}}, lossAfter: 0s }{{MoreSources}}]
            control: { http: ["unix:{{PathOf($"http{node}")}}"{{MoreHttp}}], socket: {{PathOf($"ctl{node}")}} }
            {{Configuration}}
            """);
        return file;
    }

    /// <summary>As a folder of an example says, on either node; with sockets of its own.</summary>
    public async Task StartAsync(string example, string configuration, int node)
    {
        var (place, space) = node == 1 ? (Place.Node1, Node) : (Place.Node2, Other);
        var copy = PathOf($"example{node}");
        await Shell.DoAsync("cp", "-r", example, copy);
        var file = Path.Combine(copy, configuration);
        var text = await File.ReadAllTextAsync(file);
        Assert.Contains("node: node1", text, StringComparison.Ordinal);
        await File.WriteAllTextAsync(file, text.Replace("node: node1", $"node: {place.Name}", StringComparison.Ordinal)
            .Replace(Place.Node1.IPv4, place.IPv4, StringComparison.Ordinal));
        daemons.Add(Background.Start(space, PathOf("bgpd.log"), State(node), Project.Daemon, "--config", file));
    }

    /// <summary>Other objects, written as an editor writes them: beside, then moved over.</summary>
    public void Write(string objects)
    {
        written++;
        var file = Path.Combine(Resources, "all.yaml");
        File.WriteAllText(file + ".new~", objects + Fence(objects));
        File.Move(file + ".new~", file, overwrite: true);
    }

    /// <summary>Other objects, and they are in force.</summary>
    public async Task PutAsync(string objects)
    {
        Write(objects);
        await InForceAsync();
    }

    /// <summary>What was written last: of the ways between the two pods that one is open which only that opens, and the one before is
    /// not any more. Looked at twice: what is late is not closed.</summary>
    public Task InForceAsync() => Until.TrueAsync($"what was written is in force ({written})", async () =>
    {
        var first = await KnockAsync();
        return first is [{ Arrival: not null }, { Arrival: null }]
            && await KnockAsync() is [{ Arrival: not null }, { Arrival: null }] && Arrivals.Of(first[1].Token) == null;
    }, Patience, LogAsync);

    private Task<IReadOnlyList<Outcome>> KnockAsync()
    {
        var (knocker, door) = (Town[Knocker.FullName], Town[Door.FullName]);
        return Prober.RunAsync([.. new[] { 0, 1 }.Select(before =>
            new Probe(knocker, knocker.Address(false), door.Address(false), Protocols.Sctp) { Port = FirstFencePort + written - before })],
            TimeSpan.FromMilliseconds(50));
    }

    /// <summary>What the first node's daemon answers; nothing while it does not listen yet.</summary>
    public async Task<string> HttpAsync(string path) =>
        (await Node.RunAsync("curl", "-s", "--unix-socket", PathOf("http1"), "http://bgpd" + path)).Output;

    /// <summary>What <c>bgpctl policy explain --json</c> says on the first node.</summary>
    public async Task<JsonElement> ExplainAsync(IPAddress from, IPAddress to, string protocol) =>
        JsonDocument.Parse(await HttpAsync($"/v1/policy/explain?src={from}&dst={to}&protocol={protocol}")).RootElement;

    /// <summary>It has read its objects, and the table is as they say.</summary>
    public Task ReadyAsync() => Until.TrueAsync("the dataplane is ready",
        async () => (await HttpAsync("/v1/nat")).Contains("\"ready\":true", StringComparison.Ordinal), Patience, LogAsync);

    public Task<string> LogAsync() => Task.FromResult(Background.SaidIn(PathOf("bgpd.log")));

    /// <summary>In a tier before all others, which ends for nobody else, a policy that comes and one that goes each time: what a file has
    /// lost is believed later than what it has gained, and not while a child of another test's, which is being forked, has it open to
    /// write. An endpoint for all interfaces sees pods' packets, too.</summary>
    private string Fence(string objects) => $$"""
        ---
        apiVersion: projectcalico.org/v3
        kind: Tier
        metadata: { name: fence }
        spec: { order: 0.5, defaultAction: Pass }
        ---
        apiVersion: projectcalico.org/v3
        kind: GlobalNetworkPolicy
        metadata: { name: fence.door{{written % 2}} }
        spec:
          tier: fence
          selector: projectcalico.org/namespace == 'fence'
          types: [Ingress, Egress]
          ingress: [{ action: Allow, protocol: SCTP, destination: { ports: [{{FirstFencePort + written}}] } }, { action: Deny }]
          egress: [{ action: Allow }]

        """ + (!objects.Contains("interfaceName: \"*\"", StringComparison.Ordinal) ? "" : $$"""
        ---
        apiVersion: projectcalico.org/v3
        kind: GlobalNetworkPolicy
        metadata: { name: fence.way }
        spec:
          tier: fence
          selector: "!has(projectcalico.org/namespace)"
          preDNAT: true
          applyOnForward: true
          types: [Ingress]
          ingress: [{ action: Allow, protocol: SCTP, destination: { nets: [{{Town[Door.FullName].IPv4}}/32] } }]

        """);
}
