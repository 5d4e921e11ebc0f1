namespace Calico.Bgp.Conformance.Packets;

/// <summary><c>bgpd egress-pod</c>: what it is told, and what it does of that.</summary>
public sealed class EgressPodCommandTests : IAsyncLifetime
{
    private const int HealthPort = 8080;

    private EgressFarSite site = null!;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, "nft", "curl") != null) return;
        site = await EgressFarSite.MakeAsync(withPods: true);
    }

    public async Task DisposeAsync()
    {
        if (site != null) await site.DisposeAsync();
    }

    [NeedsTheory(Needs.Daemon, "nft", "curl")]
    [InlineData("--drain: expected a time such as 5s, got \"5sss\"", "--drain", "5sss")]
    [InlineData("ICMP_PROBE_TIMEOUT: expected a time such as 5s, got \"0\"",
        "--icmp-probe", "192.0.2.1", "--icmp-timeout", "0")]
    [InlineData("ICMP_PROBE_IPS: expected an address, got \"192.0.2\"", "--icmp-probe", "192.0.2")]
    [InlineData("HTTP_PROBE_URLS: expected a URL of http or https, got \"ftp://192.0.2.1/\"", "--http-probe", "ftp://192.0.2.1/")]
    [InlineData("EGRESS_VXLAN_VNI: expected a number from 1 to 16777215, got \"+7\"", "--vni", "+7")]
    [InlineData("--address: expected an address, got \"10.10.10.1/32\"", "--address", "10.10.10.1/32")]
    public async Task What_it_cannot_do_it_says_and_does_nothing(string words, params string[] said)
    {
        var ended = await site["g1"].RunAsync(Project.Daemon, ["egress-pod", "--interface", "eth0", .. said]);
        Assert.False(ended.Good);
        Assert.Contains(words, ended.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("egress.calico", await site["g1"].IpAsync("link"), StringComparison.Ordinal);
    }

    /// <summary>A container that may do so sets the pod up, and ends; packets need no program.</summary>
    [NeedsFact(Needs.Daemon, "nft", "curl")]
    public async Task A_pod_that_is_prepared_is_a_gateway_while_nobody_runs()
    {
        site["g1"].Set("net/ipv4/ip_forward=0", "net/ipv6/conf/all/forwarding=0");
        await site["g1"].DoAsync(Project.Daemon, "egress-pod", "--prepare", "--interface", "eth0");
        site.Write(EgressFarObjects.Cluster(EgressFarObjects.Choosing) + EgressFarObjects.GatewayPod("g1"));
        await site.StartAsync("client", "{ mode: pods }");
        await site.SeesAsync(EgressFarSite.Gateway("g1"));
        Assert.Equal(EgressFarSite.Gateway("g1", ipv6: true), await site.SeenAsync(ipv6: true));
        // Once more is as good as once.
        await site["g1"].DoAsync(Project.Daemon, "egress-pod", "--prepare", "--interface", "eth0");
        Assert.Equal(EgressFarSite.Gateway("g1"), await site.SeenAsync());
    }

    [NeedsFact(Needs.Daemon, "nft", "curl")]
    public async Task What_it_has_set_up_can_be_taken_away_and_set_up_again()
    {
        var before = await StateAsync();
        await site["g1"].DoAsync(Project.Daemon, "egress-pod", "--prepare", "--interface", "eth0");
        Assert.NotEqual(before, await StateAsync());
        foreach (var _ in (int[])[1, 2])
        {
            await site["g1"].DoAsync(Project.Daemon, "egress-pod", "--remove");
            Assert.Equal(before, await StateAsync());
        }
        await site["g1"].DoAsync(Project.Daemon, "egress-pod", "--prepare", "--interface", "eth0");
        site.Write(EgressFarObjects.Cluster(EgressFarObjects.Choosing) + EgressFarObjects.GatewayPod("g1"));
        await site.StartAsync("client", "{ mode: pods }");
        await site.SeesAsync(EgressFarSite.Gateway("g1"));
    }

    /// <summary>A node has a link of that name and a table of its own, which are not meant.</summary>
    [NeedsFact(Needs.Daemon, "nft", "curl")]
    public async Task On_a_node_nothing_is_taken_away()
    {
        site.Write(EgressFarObjects.Cluster(EgressFarObjects.Choosing) + EgressFarObjects.GatewayPod("g1"));
        await site.StartAsync("client", "{ mode: pods }");
        await Until.TrueAsync("the node has its link", async () =>
            (await site["client"].IpAsync("link")).Contains("egress.calico", StringComparison.Ordinal), 60, site.SaidAsync);
        var rules = await site["client"].DoAsync("nft", "list", "tables");
        var said = await site["client"].RunAsync(Project.Daemon, "egress-pod", "--remove");
        Assert.True(said.Good, said.Errors);
        Assert.Equal(rules, await site["client"].DoAsync("nft", "list", "tables"));
        Assert.Contains("egress.calico", await site["client"].IpAsync("link"), StringComparison.Ordinal);
    }

    private async Task<string> StateAsync()
    {
        var all = await site["g1"].DoAsync("nft", "list", "ruleset");
        foreach (var words in (string[])["-o link show type vxlan", "rule", "-6 rule", "route show table all", "-6 route show table all"])
            all += await site["g1"].IpAsync(words);
        return all;
    }

    [NeedsFact(Needs.Daemon, "nft", "curl")]
    public async Task Of_a_target_of_http_whatever_is_no_error_is_an_answer()
    {
        using var server = new HttpTarget(site["outside"], EgressFarSite.Outside4);
        site.Run("g1", site["g1"], "egress-pod", "--interface", "eth0", "--drain", "0s",
            "--http-probe", server.Url, "--http-interval", "500ms", "--http-timeout", "3s");
        foreach (var (answer, expected) in ((string?, string)[])
            [("200 OK", "200"), ("500 Internal Server Error", "503"), ("302 Found", "200"), (null, "503"), ("204 No Content", "200")])
        {
            server.Answer = answer;
            await Until.TrueAsync($"g1 answers {expected} when its target says {answer ?? "nothing"}", async () =>
                (await site["g1"].RunAsync("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}",
                    $"http://{EgressFarSite.Gateway("g1")}:{HealthPort}/readiness")).Output == expected, 60, site.SaidAsync);
        }
        Assert.Contains($"httpProbe: none of {server.Url} has answered for 3 s",
            site.Process("g1").Said, StringComparison.Ordinal);
    }
}
