using System.Text.Json;

namespace Calico.Bgp.Bgpctl.Tests;

/// <summary>bgpctl plan, from files to JSON, without a daemon.</summary>
public sealed class PlanTests : IDisposable
{
    private const string Resources = """
        apiVersion: projectcalico.org/v3
        kind: Node
        metadata: { name: a }
        spec: { bgp: { ipv4Address: 10.0.0.1/24 } }
        ---
        apiVersion: projectcalico.org/v3
        kind: BGPConfiguration
        metadata: { name: default }
        spec: { nodeToNodeMeshEnabled: false, serviceClusterIPs: [{ cidr: 10.96.0.0/12 }] }
        ---
        apiVersion: projectcalico.org/v3
        kind: IPPool
        metadata: { name: pods }
        spec: { cidr: 192.168.0.0/16 }
        ---
        apiVersion: projectcalico.org/v3
        kind: BGPPeer
        metadata: { name: tor }
        spec: { peerIP: "192.0.2.1:1790", asNumber: 65001, maxRestartTime: 10.5s, ttlSecurity: 1 }
        ---
        apiVersion: crd.projectcalico.org/v1
        kind: BlockAffinity
        metadata: { name: a-192-168-1-0-26 }
        spec: { state: confirmed, node: a, type: host, cidr: 192.168.1.0/26, deleted: "false" }
        """;

    private readonly OfflineLab lab = new();

    public PlanTests() => lab.Write(Resources);

    public void Dispose() => lab.Dispose();

    private string In(string name) => lab.In(name);

    private Task<int> RunAsync(params string[] more) => lab.RunAsync(["plan", .. more]);

    [Theory]
    [InlineData("apiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata: { name: bad }\nspec: { peerIP: nowhere }\n", 2)]
    [InlineData("spec: [\n", 2)]
    [InlineData("replicas: 3\n", 0)]
    public async Task Its_exit_code_says_whether_something_is_refused(string more, int code)
    {
        lab.Write($"{Resources}\n---\n{more}");
        Assert.Equal(code, await RunAsync());
        Assert.Equal(code, await RunAsync("--diff", In("bgpd.yaml")));
    }

    [Fact]
    public async Task A_folder_that_is_not_there_is_refused()
    {
        File.WriteAllText(In("bgpd.yaml"), "node: a\nsources: [{ files: ./wrong }]\n");
        Assert.Equal(2, await RunAsync());
    }

    /// <summary>As with <c>bgpd --check</c>: nothing that was given is wrong, and what it says was not seen.</summary>
    [Fact]
    public async Task A_source_that_does_not_answer_is_another_exit_code_than_one_that_is_wrong()
    {
        File.WriteAllText(In("kubeconfig"), """
            apiVersion: v1
            kind: Config
            current-context: c
            clusters: [{ name: c, cluster: { server: "https://127.0.0.1:1" } }]
            users: [{ name: c, user: { token: t } }]
            contexts: [{ name: c, context: { cluster: c, user: c } }]
            """);
        File.WriteAllText(In("bgpd.yaml"), $"node: a\nsources: [{{ kubernetes: {{ kubeconfig: {In("kubeconfig")} }} }}]\n");
        Assert.Equal(1, await RunAsync());
        Assert.Contains("Connection refused", lab.Errors.ToString());
    }

    [Fact]
    public async Task Its_JSON_has_every_key_and_null_for_what_is_absent()
    {
        Assert.Equal(0, await RunAsync("--json"));
        Assert.Equal(
            """
            {"node":"a","compat":"3.33","routerId":"10.0.0.1","asNumber":64512,"listenPort":179,
            "peers":[{"name":"Global_192_0_2_1_port_1790","address":"192.0.2.1","port":1790,"asNumber":65001,"localAsNumber":null,
            "sourceAddress":"10.0.0.1","passive":false,"multihop":1,"ttlSecurity":1,"passwordSet":false,"gracefulRestartTime":11,
            "longLivedStaleTime":null,"keepaliveTime":null,"holdTime":240,"routeReflectorClient":false,"clusterId":null,
            "nextHopMode":"Auto","allowLocalAs":null,
            "importFilters":[],"exportFilters":[],"problem":null}],"routes":[{"prefix":"10.96.0.0/12","type":"announced",
            "reason":"service range"},{"prefix":"192.168.1.0/26","type":"blackhole","reason":"BlockAffinity/a-192-168-1-0-26"}],
            "rejectedFromKernel":["10.96.0.0/12"],"problems":[]}
            """.ReplaceLineEndings("") + "\n", lab.Output.ToString());
    }

    [Fact]
    public async Task A_probe_is_answered_for_the_kernel_and_each_peer()
    {
        File.WriteAllText(In("probes.json"), """
            [{"prefix":"192.168.1.5/32","source":"kernel","interface":"cali1","metric":512},
            {"prefix":"10.96.0.7/32","localPref":100}]
            """);
        Assert.Equal(0, await RunAsync("--json", "--probe", In("probes.json")));
        using var answer = JsonDocument.Parse(lab.Output.ToString());
        var results = answer.RootElement.GetProperty("results").EnumerateArray()
            .Select(result =>
            $"{result.GetProperty("probe")} {result.GetProperty("target")} {result.GetProperty("verdict")} {result.GetProperty("rule")}");
        Assert.Equal(
        [
            "0 kernel accept IPPool/pods", "0 Global_192_0_2_1_port_1790 accept on the move out of an own block",
            "1 kernel reject service range 10.96.0.0/12", "1 Global_192_0_2_1_port_1790 accept service range 10.96.0.0/12",
        ], results);
        var moved = answer.RootElement.GetProperty("results")[1].GetProperty("attributes");
        Assert.Equal(
            """{"localPref":2147483135,"med":null,"communities":[],"asPath":[],"nextHop":null,"metric":512,"tunnel":null}""",
            moved.GetRawText());
    }

    [Theory]
    [InlineData("""[{"prefix":"192.168.1.5"}]""", "probe 0: expected a prefix")]
    [InlineData("""[{"prefix":"192.168.1.0/26","source":"ospf"}]""", "expected bgp, static, kernel or direct for source")]
    [InlineData("""[{"prefix":"192.168.1.0/26","fromPeer":"nobody"}]""", "expected the name of a peer for fromPeer, got nobody")]
    [InlineData("""[{"prefix":"192.168.1.0/26","communities":["x"]}]""", "expected a community")]
    [InlineData("""[{"prefix":"192.168.1.0/26","metrik":1}]""", "metrik")]
    [InlineData("""{"probes":""", "expected a JSON list of probes")]
    public async Task A_probe_that_makes_no_sense_is_told(string probes, string expected)
    {
        File.WriteAllText(In("probes.json"), probes);
        Assert.Equal(2, await RunAsync("--probe", In("probes.json")));
        Assert.Contains(expected, lab.Errors.ToString());
    }

    [Fact]
    public async Task A_difference_says_which_sessions_would_be_reset()
    {
        var newer = lab.Write(
            Resources.Replace("maxRestartTime: 10.5s", "maxRestartTime: 20s").Replace("192.168.1.0", "192.168.2.0"), name: "2");
        Assert.Equal(0, await RunAsync("--diff", newer));
        Assert.Equal(
            """
            peer Global_192_0_2_1_port_1790: session settings changed, the session is reset
            route 192.168.2.0/26: added or changed
            route 192.168.1.0/26: removed

            """, lab.Output.ToString());
    }

    [Fact]
    public async Task A_difference_names_what_waits_for_the_next_start_and_what_becomes_of_packets()
    {
        File.WriteAllText(In("bgpd.yaml"), "node: a\n");
        File.WriteAllText(In("newer.yaml"), "node: a\nlog: { level: debug }\ncontrol: { socket: other.ctl }\nnat: {}\nservices: {}\n"
            + "sources: [{ files: . }]\n");
        Assert.Equal(0, await RunAsync("--diff", In("newer.yaml")));
        var lines = lab.Output.ToString().Split('\n');
        Assert.Contains("log: takes effect at the next start", lines);
        Assert.Contains("control: takes effect at the next start", lines);
        Assert.Contains("sources: takes effect at the next start", lines);
        Assert.Contains("nat: added", lines);
        Assert.Contains("services: added", lines);
    }

    [Fact]
    public async Task The_same_again_changes_nothing()
    {
        Assert.Equal(0, await RunAsync("--diff", lab.Write(Resources, name: "2")));
        Assert.Equal("nothing changes\n", lab.Output.ToString());
    }

    [Fact]
    public async Task Objects_that_are_refused_are_in_the_plan_and_the_rest_goes_on()
    {
        lab.Write(Resources
            + "\n---\napiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata: { name: bad }\nspec: { peerIP: nonsense }\n");
        Assert.Equal(2, await RunAsync());
        Assert.Contains("Global_192_0_2_1_port_1790", lab.Output.ToString());
        Assert.Contains("BGPPeer/bad", lab.Output.ToString());
    }

    [Fact]
    public async Task A_file_that_is_wrong_is_told_with_its_place()
    {
        lab.Write(Resources, "compat: \"2.6\"\n");
        Assert.Equal(2, await RunAsync());
        Assert.Contains("bgpd.yaml:3:9: expected", lab.Errors.ToString());
    }
}
