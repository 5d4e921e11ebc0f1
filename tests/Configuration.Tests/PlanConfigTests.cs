using Calico.Bgp.Net;
using Calico.Bgp.Speaker.Plan;

namespace Calico.Bgp.Configuration.Tests;

/// <summary>What of bgpd.yaml and of calico-node's environment says how resources are read.</summary>
public class PlanConfigTests
{
    private const string Least = "node: kube-master\n";

    private static PlanSettings Plan(string text, CalicoEnvironment? environment = null)
    {
        var result = DaemonConfig.Parse(Least + text, "bgpd.yaml",
            DaemonConfigTests.Host with { Calico = environment ?? CalicoEnvironment.None });
        Assert.Empty(result.Errors);
        return result.Config!.Plan;
    }

    [Theory]
    [InlineData("", "3.33")]
    [InlineData("compat: \"3.31\"\n", "3.31")]
    [InlineData("compat: 3.32\n", "3.32")]
    public void The_newest_release_is_followed_unless_another_is_named(string text, string release) =>
        Assert.Equal(release, Plan(text).Release.Name);

    [Fact]
    public void A_release_that_nobody_knows_is_an_error() =>
        Assert.Contains("3.31", Assert.Single(DaemonConfigTests.Parse("compat: \"3.20\"\n").Errors).Text);

    [Theory]
    [InlineData("", null, null, false)]
    [InlineData("router: { id: hash }\n", null, null, true)]
    [InlineData("router: { id: 10.9.9.9 }\n", "hash", "10.9.9.9", false)]
    [InlineData("", "hash", null, true)]
    [InlineData("", "10.10.10.10", "10.10.10.10", false)]
    public void A_router_id_is_the_files_then_the_environments(string text, string? environment, string? id, bool hash)
    {
        var plan = Plan(text, new() { RouterId = environment });
        Assert.Equal((id, hash), (plan.RouterId?.ToString(), plan.HashRouterId));
    }

    [Theory]
    [InlineData("", BlockValidation.Off)]
    [InlineData("router: { validateBlocks: off }\n", BlockValidation.Off)]
    [InlineData("router: { validateBlocks: log }\n", BlockValidation.Log)]
    [InlineData("router: { validateBlocks: reject }\n", BlockValidation.Reject)]
    public void Other_nodes_blocks_are_judged_where_that_is_asked_for(string text, BlockValidation expected) =>
        Assert.Equal(expected, Plan(text).ValidateBlocks);

    [Fact]
    public void How_blocks_are_judged_is_one_of_three_words() => Assert.Contains(
        "off, log or reject", Assert.Single(DaemonConfigTests.Parse("router: { validateBlocks: yes }\n").Errors).Text);

    [Fact]
    public void The_environment_of_calico_node_is_heard()
    {
        var plan = Plan("", new() { KubernetesNode = "ip-1", Namespace = "calico-system", ClusterIPs = "10.96.0.0/12", UsePodCidr = true });
        Assert.Equal(("ip-1", "calico-system", Prefix.Parse("10.96.0.0/12"), true),
            (plan.KubernetesName, plan.SecretNamespace, plan.ClusterIPs, plan.UsePodCidr));
        Assert.Equal("kube-system", Plan("").SecretNamespace);
    }

    [Fact]
    public void Advertise_names_services_by_label_and_peers_by_name()
    {
        var rule = Assert.Single(Plan("advertise: [{ services: \"tier == 'public'\", peers: [tor1, Global_*] }]\nweighServices: true\n")
            .Advertise);
        Assert.Equal(["tor1", "Global_*"], rule.Peers);
    }

    [Theory]
    [InlineData("advertise: [{ peers: [tor1] }]\n", "services")]
    [InlineData("advertise: [{ services: all() }]\n", "peers")]
    [InlineData("advertise: [{ services: \"tier ==\", peers: [tor1] }]\n", "expected")]
    public void A_rule_of_advertise_needs_both(string text, string expected) =>
        Assert.Contains(expected, Assert.Single(DaemonConfigTests.Parse(text).Errors).Text);

    [Fact]
    public async Task A_pods_file_is_noticed_also_in_a_folder_that_comes_later()
    {
        var parent = Directory.CreateTempSubdirectory("endpoint-status");
        var folder = Path.Combine(parent.FullName, "status");
        using var watch = new EndpointStatusWatch(folder);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        try
        {
            var first = watch.NextAsync(TimeProvider.System, patience.Token);
            Directory.CreateDirectory(folder);
            await first;
            while (EndpointStatuses.Read(folder).Count == 0)
            {
                var next = watch.NextAsync(TimeProvider.System, patience.Token);
                File.WriteAllText(Path.Combine(folder, "1"), """{"ipv4Nets":["192.168.1.5/32"],"bgpPeerName":"pods"}""");
                await next;
            }
        }
        finally
        {
            parent.Delete(recursive: true);
        }
    }

    [Fact]
    public void Pods_that_peer_are_read_from_Felixs_files_and_half_a_file_is_none()
    {
        var folder = Directory.CreateTempSubdirectory("endpoint-status");
        try
        {
            File.WriteAllText(Path.Combine(folder.FullName, "1"),
                """{"ifaceName":"cali1","ipv4Nets":["192.168.1.5/32"],"ipv6Nets":["fd00::5/128"],"bgpPeerName":"pods"}""");
            File.WriteAllText(Path.Combine(folder.FullName, "2"), """{"ifaceName":"cali2","ipv4Nets":["192.168.1.6/32"],"ipv6Nets":[]}""");
            File.WriteAllText(Path.Combine(folder.FullName, "3"), """{"ifaceName":"cali3","ipv4""");
            Assert.Equal([new LocalWorkload("cali1", "pods", Address.Parse("192.168.1.5"), Address.Parse("fd00::5"))],
                EndpointStatuses.Read(folder.FullName));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
        Assert.Empty(EndpointStatuses.Read(folder.FullName));
    }
}
