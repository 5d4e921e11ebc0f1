using System.Text.Json;

namespace Calico.Bgp.Bgpctl.Tests;

/// <summary>bgpctl policy lint --config: each trap is found where somebody stands in it, and nowhere else.</summary>
public sealed class PolicyLintTests : IDisposable
{
    /// <summary>Nothing in it is a trap.</summary>
    private const string Sound = OfflineLab.Shop + """
        apiVersion: v1
        kind: Pod
        metadata: { name: far, namespace: shop, labels: { role: far } }
        spec: { nodeName: b, containers: [] }
        status: { podIPs: [{ ip: 192.168.2.2 }] }
        ---
        apiVersion: projectcalico.org/v3
        kind: HostEndpoint
        metadata: { name: a-eth0, labels: { host: a } }
        spec: { node: a, interfaceName: eth0, expectedIPs: [10.0.0.1], profiles: [projectcalico-default-allow] }
        ---
        apiVersion: projectcalico.org/v3
        kind: NetworkPolicy
        metadata: { name: default-deny, namespace: shop }
        spec: { selector: all(), types: [Ingress, Egress] }
        ---
        apiVersion: projectcalico.org/v3
        kind: NetworkPolicy
        metadata: { name: web, namespace: shop }
        spec:
          selector: role == 'web'
          ingress: [{ action: Allow, protocol: TCP, source: { selector: role == 'far' }, destination: { ports: [80] } }]
        """;

    private readonly OfflineLab lab = new();
    private readonly string? ssh = Environment.GetEnvironmentVariable("SSH_CONNECTION");

    public void Dispose()
    {
        Environment.SetEnvironmentVariable("SSH_CONNECTION", ssh);
        lab.Dispose();
    }

    private async Task<(int Code, string[] Found)> LintAsync(params string[] more)
    {
        lab.Write(string.Join("\n---\n", [Sound, .. more]), "policy: { enabled: true }\n");
        var code = await lab.RunAsync("policy", "lint", "--json");
        Assert.Equal("", lab.Errors.ToString());
        return (code, [.. JsonDocument.Parse(lab.Output.ToString()).RootElement.GetProperty("findings").EnumerateArray().Select(one =>
            $"{one.GetProperty("trap")} {one.GetProperty("object")}")]);
    }

    /// <summary>A policy of the cluster, but for its head.</summary>
    private static string Global(string name, string spec) =>
        $"apiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\nmetadata: {{ name: {name} }}\nspec: {spec}";

    [Fact]
    public async Task What_is_sound_is_left_alone()
    {
        var (code, found) = await LintAsync(
            Global("pre", "{ selector: host == 'a', preDNAT: true, applyOnForward: true, order: 1, ingress: [{ action: Allow, source: "
                + "{ nets: [10.0.0.0/8] }, destination: { nets: [10.96.0.10/32] } }] }"),
            Global("pre-z", "{ selector: host == 'a', preDNAT: true, applyOnForward: true, ingress: [{ action: Deny, destination: "
                + "{ nets: [10.96.0.0/12] } }] }"));
        Assert.Equal([], found);
        Assert.Equal(0, code);
    }

    [Theory]
    [InlineData("preDnatWithoutDeny GlobalNetworkPolicy/p",
        "{ selector: host == 'a', preDNAT: true, applyOnForward: true, ingress: [{ action: Allow, source: { nets: [10.0.0.0/8] } }] }")]
    [InlineData("neverAsked GlobalNetworkPolicy/p",
        "{ selector: role == 'web', preDNAT: true, applyOnForward: true, ingress: [{ action: Deny }] }")]
    [InlineData("selectsNothing GlobalNetworkPolicy/p", "{ selector: role == 'wbe', ingress: [{ action: Allow }] }")]
    [InlineData("selectsNothing GlobalNetworkPolicy/p ingress rule 1",
        "{ selector: role == 'far', order: 1, ingress: [{ action: Allow, protocol: TCP }, "
        + "{ action: Allow, source: { selector: role == 'cleint' } }] }")]
    [InlineData("selectsNothing GlobalNetworkPolicy/p egress rule 0",
        "{ selector: role == 'web', order: 1, egress: [{ action: Allow, destination: { services: { name: db, namespace: shop } } }] }")]
    [InlineData("noRules GlobalNetworkPolicy/p", "{ selector: host == 'a', types: [Ingress] }")]
    [InlineData("noRules GlobalNetworkPolicy/p", "{ selector: host == 'a', preDNAT: true, applyOnForward: true, types: [Ingress] }")]
    [InlineData("noWayBack GlobalNetworkPolicy/p",
        "{ selector: host == 'a', doNotTrack: true, applyOnForward: true, ingress: [{ action: Allow, protocol: UDP }] }")]
    [InlineData("unknown GlobalNetworkPolicy/p", "{ selector: host == 'a', tier: nobodys, ingress: [{ action: Allow }] }")]
    [InlineData("neverReached GlobalNetworkPolicy/p ingress rule 1",
        "{ selector: role == 'far', order: 1, ingress: [{ action: Deny, protocol: TCP, destination: { ports: ['80:90'] } }, "
        + "{ action: Allow, protocol: TCP, source: { nets: [10.0.0.0/8] }, destination: { ports: [85] } }] }")]
    public async Task A_trap_of_one_policy_is_found(string expected, string spec)
    {
        var (code, found) = await LintAsync(Global("p", spec));
        Assert.Equal([expected], found);
        Assert.Equal(2, code);
    }

    [Fact]
    public async Task A_deny_with_an_order_stands_before_what_has_none_and_so_bars_it()
    {
        var (_, found) = await LintAsync(
            Global("a-allow", "{ selector: host == 'a', preDNAT: true, applyOnForward: true, ingress: [{ action: Allow, source: "
                + "{ nets: [10.0.0.0/8] }, destination: { nets: [10.96.0.10/32] } }] }"),
            Global("z-deny", "{ selector: host == 'a', preDNAT: true, applyOnForward: true, order: 9, ingress: [{ action: Deny, "
                + "destination: { nets: [10.96.0.0/12] } }] }"));
        Assert.Equal(["neverReached GlobalNetworkPolicy/a-allow"], found);
    }

    [Fact]
    public async Task A_policy_is_never_reached_behind_a_tier_that_denies_and_passes_nothing()
    {
        const string First = "apiVersion: projectcalico.org/v3\nkind: Tier\nmetadata: { name: first }\nspec: { order: 5 }";
        var (_, found) = await LintAsync(
            First, Global("first.far", "{ tier: first, selector: role == 'far', ingress: [{ action: Allow, protocol: TCP }] }"),
            Global("p", "{ selector: role == 'far', ingress: [{ action: Allow, protocol: UDP }] }"));
        Assert.Equal(["neverReached GlobalNetworkPolicy/p"], found);
    }

    [Fact]
    public async Task A_tier_that_passes_something_bars_nobody()
    {
        const string First = "apiVersion: projectcalico.org/v3\nkind: Tier\nmetadata: { name: first }\nspec: { order: 5 }";
        var (_, found) = await LintAsync(
            First, Global("first.far", "{ tier: first, selector: role == 'far', ingress: [{ action: Pass, protocol: TCP }] }"),
            Global("p", "{ selector: role == 'far', ingress: [{ action: Allow, protocol: UDP }] }"));
        Assert.Equal([], found);
    }

    [Fact]
    public async Task A_rule_that_some_endpoint_gets_to_is_reached()
    {
        var (_, found) = await LintAsync(
            Global("a", "{ selector: role == 'far', order: 1, ingress: [{ action: Deny }] }"),
            Global("b", "{ selector: has(role), order: 2, ingress: [{ action: Allow, protocol: UDP }] }"));
        Assert.Equal([], found);
    }

    [Theory]
    [InlineData("hostClosed HostEndpoint/a-eth1", "{ node: a, interfaceName: eth1, expectedIPs: [10.1.0.1] }")]
    [InlineData("unknown HostEndpoint/a-eth1;hostClosed HostEndpoint/a-eth1",
        "{ node: a, interfaceName: eth1, expectedIPs: [10.1.0.1], profiles: [nobodys] }")]
    public async Task A_host_that_nothing_lets_into_is_found(string expected, string spec)
    {
        var (_, found) = await LintAsync(
            $"apiVersion: projectcalico.org/v3\nkind: HostEndpoint\nmetadata: {{ name: a-eth1 }}\nspec: {spec}");
        Assert.Equal(expected.Split(';'), found);
    }

    [Fact]
    public async Task A_policy_that_is_refused_is_a_trap_of_its_own()
    {
        var (_, found) = await LintAsync(Global("p", "{ selector: host == 'a', types: [Ingress, { action: Allow }] }"));
        Assert.Equal(["refused GlobalNetworkPolicy/p"], found);
    }

    /// <summary>Nobody reads it, so that nothing of it is in force, and no policy is missing either.</summary>
    [Fact]
    public async Task An_object_of_a_kind_that_is_misspelt_is_named()
    {
        var (code, found) = await LintAsync(
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolcy\nmetadata: { name: p, namespace: shop }\nspec: {}");
        Assert.Equal((2, "refused NetworkPolcy/shop/p"), (code, Assert.Single(found)));
        lab.Output.GetStringBuilder().Clear();
        await lab.RunAsync("policy", "lint");
        Assert.Contains("did you mean \"NetworkPolicy\"?", lab.Output.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{ selector: host == 'a', ingress: [{ action: Deny, source: { nets: [172.16.0.0/12] } }] }", "10.0.0.1 2222", true)]
    [InlineData("{ selector: host == 'a', ingress: [{ action: Deny, source: { nets: [172.16.0.0/12] } }] }", "10.0.0.1 22", false)]
    [InlineData("{ selector: host == 'a', ingress: [{ action: Allow, source: { nets: [172.16.0.0/12] } }] }", "10.0.0.1 2222", false)]
    [InlineData("{ selector: host == 'a', ingress: [{ action: Deny, source: { nets: [172.16.0.0/12] } }] }", "10.0.0.9 2222", false)]
    public async Task The_session_that_asks_is_told_where_it_would_be_locked_out(string spec, string server, bool isLockedOut)
    {
        Environment.SetEnvironmentVariable("SSH_CONNECTION", $"172.16.0.9 51234 {server}");
        var (code, found) = await LintAsync(Global("p", spec));
        Assert.Equal(isLockedOut ? ["locksOut p"] : [], found);
        Assert.Equal(isLockedOut ? 2 : 0, code);
    }

    /// <summary>The example's own policies: what they are there to show is how it is done right.</summary>
    [Theory]
    [InlineData("bgpd.yaml")]
    [InlineData("local/bgpd.yaml")]
    public async Task The_example_of_cluster_IPs_stands_in_no_trap(string file)
    {
        // Its sockets stand beside it, and the name of a socket has 107 octets at most.
        var config = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../../../examples/15-cluster-ip-policy", file));
        Assert.True(File.Exists(config), config);
        var code = await Commands.RunAsync(
            ["policy", "lint", "--config", config], new Screen(lab.Output, lab.Errors, null), TimeProvider.System);
        Assert.Equal("", lab.Errors.ToString());
        Assert.StartsWith("no traps were found", lab.Output.ToString());
        Assert.Equal(0, code);
    }

    [Fact]
    public async Task The_daemon_is_told_of_the_session_and_what_it_finds_is_the_exit_code()
    {
        var lab = new BgpctlLab();
        await lab.InitializeAsync();
        try
        {
            Environment.SetEnvironmentVariable("SSH_CONNECTION", "172.16.0.9 51234 10.0.0.1 22");
            Assert.Equal(2, await lab.RunAsync("policy", "lint"));
            Assert.Equal(
                """
                TRAP            OBJECT                  WHY
                locksOut        uplink                  a new SSH connection 172.16.0.9 51234 10.0.0.1 22 is denied
                selectsNothing  NetworkPolicy/shop/web  no endpoint that is known matches its selector

                """, lab.Output.ToString());
            lab.Output.GetStringBuilder().Clear();
            lab.Dataplane.HasTraps = false;
            Environment.SetEnvironmentVariable("SSH_CONNECTION", "by no SSH");
            Assert.Equal(0, await lab.RunAsync("policy", "lint"));
            Assert.StartsWith("no traps were found", lab.Output.ToString());
            Assert.Contains("SSH_CONNECTION is \"by no SSH\", which is no connection", lab.Output.ToString(), StringComparison.Ordinal);
        }
        finally
        {
            await lab.DisposeAsync();
        }
    }

    [Fact]
    public async Task What_is_let_in_untracked_locks_out_where_no_answer_gets_out()
    {
        Environment.SetEnvironmentVariable("SSH_CONNECTION", "172.16.0.9 51234 10.0.0.1 2222");
        var (_, found) = await LintAsync(
            Global("p", "{ selector: host == 'a', doNotTrack: true, applyOnForward: true, ingress: [{ action: Allow, protocol: TCP, "
                + "destination: { ports: [2222] } }], egress: [{ action: Deny, protocol: TCP, source: { ports: [2222] } }] }"));
        Assert.Equal(["locksOut p"], found);
    }
}
