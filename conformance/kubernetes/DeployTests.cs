using System.Text.Json.Nodes;
using Calico.Bgp.Conformance.Golden;
using YamlDotNet.Serialization;
using static Calico.Bgp.Conformance.Traps.Resource;

namespace Calico.Bgp.Conformance.Kubernetes;

/// <summary>deploy/kubernetes, applied to a real API server, and a daemon that has the rights of its account and no others.</summary>
public sealed class DeployTests : IAsyncLifetime
{
    private const string Space = "calico-bgp", Account = "bgpd";
    private static readonly string Manifests = Project.PathOf("deploy", "kubernetes");

    private static readonly Manifest[] Cluster =
    [
        Node("n1", "10.95.0.1/24"), Configuration("nodeToNodeMeshEnabled: false"), Pool("pods", "10.65.0.0/16"),
        Block("n1", "10.65.1.0/26"),
        Peer("tor", "peerIP: 10.95.0.254, asNumber: 65001, password: { secretKeyRef: { name: keys, key: tor } }"),
        Secret("keys", "tor", "sesame") with { Text = Secret("keys", "tor", "sesame").Text.Replace("kube-system", Space) },
        Manifest.Of("""
            apiVersion: projectcalico.org/v3
            kind: CalicoNodeStatus
            metadata:
              name: mine
            spec: { node: n1, classes: [Agent, BGP, Routes], updatePeriodSeconds: 1 }
            """),
        Manifest.Of("""
            apiVersion: projectcalico.org/v3
            kind: CalicoNodeStatus
            metadata:
              name: another
            spec: { node: n2, classes: [Agent], updatePeriodSeconds: 1 }
            """),
    ];

    private ClusterNode node = null!;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, Needs.KubeApi, "kubectl") == null) node = await ClusterNode.MakeAsync();
    }

    public async Task DisposeAsync()
    {
        if (node != null) await node.DisposeAsync();
    }

    /// <param name="more">Further keys of bgpd.yaml.</param>
    /// <param name="folders">With more manifests.</param>
    private async Task StartAsync(string more = "", params string[] folders)
    {
        foreach (var folder in (string[])[Manifests, .. folders]) await node.KubectlAsync("apply", "--server-side", "-f", folder);
        await node.Api.ApplyAsync(Cluster);
        node.Start($"kubeconfig: {await node.Api.AccountAsync(Space, Account)}, namespace: {Space}", more);
    }

    private async Task<JsonNode?> StatusAsync(string name) => JsonNode.Parse(
        await node.Api.SendAsync(HttpMethod.Get, $"/apis/crd.projectcalico.org/v1/caliconodestatuses/{name}", null))!["status"];

    private Task ReportedAsync(string what, Func<JsonNode, bool> holds) => Until.TrueAsync(
        what, async () => await StatusAsync("mine") is { } status && holds(status), 60,
        async () => $"{await StatusAsync("mine")}\n{node.Said}");

    [NeedsFact(Needs.Daemon, Needs.KubeApi, "kubectl")]
    public async Task The_rules_are_what_a_run_asks_for_and_nothing_else_is_written()
    {
        await StartAsync();
        await ReportedAsync("the node's block is reported", status => Route(status, "10.65.1.0/26") != null);
        var status = (await StatusAsync("mine"))!;
        var route = Route(status, "10.65.1.0/26")!;
        Assert.Equal(("FIB", "N/A", "blackhole", "Static"), (
            (string?)route["type"], (string?)route["gateway"], (string?)route["interface"],
            (string?)route["learnedFrom"]!["sourceType"]));
        var peer = status["bgp"]!["peersV4"]![0]!;
        Assert.Equal(("GlobalPeer", "10.95.0.254", 1), (
            (string?)peer["type"], (string?)peer["peerIP"], (int)status["bgp"]!["numberNotEstablishedV4"]!));
        Assert.Equal("10.95.0.1", (string?)status["agent"]!["birdV4"]!["routerID"]);
        Assert.Null(await StatusAsync("another"));
        Assert.Equal(Granted(Manifests), Asked());
    }

    [NeedsFact(Needs.Daemon, Needs.KubeApi, "kubectl", "nft")]
    public async Task The_rules_for_policy_are_what_a_run_that_enforces_it_asks_for_besides()
    {
        var policy = Path.Combine(Manifests, "policy");
        await StartAsync("policy: { enabled: true }", policy);
        await ReportedAsync("the node's block is reported", status => Route(status, "10.65.1.0/26") != null);
        Assert.Equal(Granted(Manifests, policy), Asked());
    }

    [NeedsFact(Needs.Daemon, Needs.KubeApi, "kubectl")]
    public async Task A_status_is_written_again_when_something_has_changed_and_only_then()
    {
        await StartAsync();
        await ReportedAsync("the node's block is reported", status => Route(status, "10.65.1.0/26") != null);
        await Until.RestsAsync("what is written", () => Task.FromResult(Writes()), TimeSpan.FromSeconds(4));
        var before = Writes();
        await node.Api.ApplyAsync(Block("n1", "10.65.2.0/26"));
        await ReportedAsync("the new block is reported", status => Route(status, "10.65.2.0/26") != null);
        Assert.True(Writes() > before);
    }

    private static JsonNode? Route(JsonNode status, string prefix) =>
        status["routes"]!["routesV4"]!.AsArray().FirstOrDefault(route => (string?)route!["destination"] == prefix);

    private int Writes() => Audited().Count(line => (string?)line["verb"] == "patch");

    private IEnumerable<JsonNode> Audited()
    {
        using var log = new StreamReader(new FileStream(node.Api.PathOf("audit.log"), FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        while (log.ReadLine() is { } text)
            if (text.EndsWith('}') && JsonNode.Parse(text) is { } line
                && (string?)line["user"]!["username"] == $"system:serviceaccount:{Space}:{Account}") yield return line;
    }

    /// <summary>Lists and watches are one right here: where a watch names what there is (streaming lists), nothing is listed.</summary>
    private static string Words(string? group, string? resource, string? part, string? verb, string? within) =>
        $"{(verb is "list" or "watch" ? "read" : verb)} {group}/{resource}{(part == null ? "" : $"/{part}")} {within}".TrimEnd();

    private string[] Asked()
    {
        var asked = Audited().Where(line => line["objectRef"] != null).ToArray();
        Assert.DoesNotContain(asked, line => (int?)line["responseStatus"]?["code"] == 403);
        return
        [
            .. asked.Select(line => line["objectRef"]!).Zip(asked, (of, line) => Words(
                    (string?)of["apiGroup"], (string?)of["resource"], (string?)of["subresource"], (string?)line["verb"],
                    (string?)of["resource"] == "secrets" ? (string?)of["namespace"] : null))
                .Distinct().Order(StringComparer.Ordinal),
        ];
    }

    /// <summary>Of Calico's two groups the one that this server has.</summary>
    private static string[] Granted(params string[] folders)
    {
        var documents = folders.SelectMany(folder => File.ReadAllText(Path.Combine(folder, "account.yaml")).Split("\n---\n"))
            .Select(text => JsonNode.Parse(new SerializerBuilder().JsonCompatible().Build()
                .Serialize(new DeserializerBuilder().Build().Deserialize(text)!))!);
        var granted = from role in documents
                      where (string?)role["kind"] is "ClusterRole" or "Role"
                      from rule in role["rules"]!.AsArray()
                      from @group in rule!["apiGroups"]!.AsArray()
                      where (string?)@group != "projectcalico.org"
                      from resource in rule["resources"]!.AsArray()
                      from verb in rule["verbs"]!.AsArray()
                      let parts = ((string)resource!).Split('/')
                      select Words(
                          (string?)@group is "" ? null : (string?)@group, parts[0], parts.ElementAtOrDefault(1), (string?)verb,
                          (string?)role["metadata"]!["namespace"]);
        return [.. granted.Distinct().Order(StringComparer.Ordinal)];
    }
}
