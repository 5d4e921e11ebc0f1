namespace Calico.Bgp.Conformance.Packets;

/// <summary>Pods leave by gateways that are nodes, and by nothing else (rows 19 to 22 of calico-policy-nat.md C.4).</summary>
public sealed class EgressTests : IAsyncLifetime
{
    private EgressSite site = null!;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, "nft", "bird", "birdc", "curl") != null) return;
        site = await EgressSite.MakeAsync();
        site.Write();
    }

    public async Task DisposeAsync()
    {
        if (site != null) await site.DisposeAsync();
    }

    private async Task StartAsync()
    {
        await site.StartAsync("client", "gate1", "gate2");
        foreach (var address in (string[])
            [EgressSite.Red4, EgressSite.RedToo4, EgressSite.Blue4, EgressSite.Green4, EgressSite.Red6, EgressSite.RedToo6])
            await site.AnnouncedAsync(address);
        // The client's own rules may be there by then.
        await site.HeardAsync("client", 2);
    }

    [NeedsFact(Needs.Daemon, "nft", "bird", "birdc", "curl")]
    public async Task A_gateway_may_be_shared_and_a_namespaces_own_and_a_deployments_own()
    {
        await StartAsync();
        var others = await site.OthersAsync();
        string[] red = [EgressSite.Red4, EgressSite.RedToo4], red6 = [EgressSite.Red6, EgressSite.RedToo6];
        foreach (var transport in (Transport[])[Transport.Tcp, Transport.Udp])
        {
            Assert.Contains(await site.SeenAsync("a", transport), red);
            Assert.Contains(await site.SeenAsync("b", transport), red);
            Assert.Contains(await site.SeenAsync("a", transport, ipv6: true), red6);
            Assert.Equal(EgressSite.Blue4, await site.SeenAsync("o", transport));
            Assert.Equal(EgressSite.Green4, await site.SeenAsync("deployed", transport));
        }
        Assert.Contains(await site.SeenAsync("a", Transport.Icmp), red);
        // A gateway that has no address of a family takes nothing of it.
        Assert.Null(await site.SeenAsync("o", ipv6: true, attempts: 1));
        Assert.Equal(others, await site.OthersAsync());
        // Whoever has no gateway goes as before: with the node's address, which the firewall knows nothing of.
        Assert.Null(await site.SeenAsync("p", attempts: 1));
        Assert.True(await site.OthersAsync() > others);
    }

    [NeedsFact(Needs.Daemon, "nft", "bird", "birdc", "curl")]
    public async Task Whoever_names_a_policy_that_is_not_there_does_not_leave_and_a_rule_without_gateway_leaves_as_before()
    {
        await StartAsync();
        Assert.Equal(EgressSite.Blue4, await site.SeenAsync("r"));
        var others = await site.OthersAsync();
        foreach (var transport in (Transport[])[Transport.Tcp, Transport.Udp, Transport.Icmp])
            Assert.Null(await site.SeenAsync("x", transport, attempts: 1));
        Assert.Null(await site.SeenAsync("x", ipv6: true, attempts: 1));
        Assert.Equal(others, await site.OthersAsync());
        // To a destination that the policy's rule without a gateway has.
        Assert.Null((await Echo.SeenAsync(site["r"], EgressSite.AddressOf("r"), "10.99.0.1", Transport.Tcp, attempts: 1)));
        Assert.True(await site.OthersAsync() > others);
    }

    /// <summary>Who has misspelt what chooses his gateway does not leave as if he had said nothing.</summary>
    [NeedsFact(Needs.Daemon, "nft", "bird", "birdc", "curl")]
    public async Task A_namespace_whose_annotation_is_misspelt_has_its_pods_leave_by_no_way_until_it_is_not()
    {
        site.Write(plain: EgressObjects.Choosing("red").Replace("org/selector", "org/selecter", StringComparison.Ordinal));
        await StartAsync();
        var others = await site.OthersAsync();
        foreach (var transport in (Transport[])[Transport.Tcp, Transport.Udp, Transport.Icmp])
            Assert.Null(await site.SeenAsync("p", transport, attempts: 1));
        Assert.Null(await site.SeenAsync("p", ipv6: true, attempts: 1));
        Assert.Equal(others, await site.OthersAsync());
        await site.ToldAsync("client", answer => answer.Contains(
            "plain/p\",\"node\":\"client\",\"reason\":\"annotation egress.projectcalico.org/selecter: is not known here",
            StringComparison.Ordinal));
        site.Write(plain: EgressObjects.Choosing("blue"));
        await site.SeesAsync("p", EgressSite.Blue4);
        Assert.Equal(others, await site.OthersAsync());
    }

    /// <summary>Between the boot and a daemon's begin nobody else stops a pod, or gives it another address.</summary>
    [NeedsFact(Needs.Daemon, "nft", "bird", "birdc", "curl")]
    public async Task With_the_examples_table_loaded_at_boot_nothing_leaves_before_its_pod_is_known()
    {
        var others = await site.OthersAsync();
        Assert.Null(await site.SeenAsync("o", attempts: 1));
        Assert.True(await site.OthersAsync() > others);
        await site["client"].DoAsync("nft", "-f", Project.PathOf("examples", "bgpd-closed.nft"));
        others = await site.OthersAsync();
        foreach (var transport in (Transport[])[Transport.Tcp, Transport.Udp, Transport.Icmp])
            Assert.Null(await site.SeenAsync("o", transport, attempts: 1));
        Assert.Equal(others, await site.OthersAsync());
        await StartAsync();
        Assert.Equal(EgressSite.Blue4, await site.SeenAsync("o"));
        var table = await site["client"].DoAsync("nft", "list", "table", "inet", "bgpd");
        Assert.DoesNotContain("chain first", table, StringComparison.Ordinal);
        Assert.Equal(others, await site.OthersAsync());
    }

    [NeedsFact(Needs.Daemon, "nft", "bird", "birdc", "curl")]
    public async Task Where_the_section_goes_a_nodes_gateways_are_withdrawn_with_their_tables()
    {
        await StartAsync();
        await site.EndEgressAsync("gate1");
        await site.AnnouncedAsync(EgressSite.Red4, isThere: false);
        await site.AnnouncedAsync(EgressSite.RedToo4);
        await site.EndEgressAsync("client");
        await Until.TrueAsync("the client has no rules of gateways any more", async () =>
            !(await site["client"].IpAsync("rule")).Contains("fwmark", StringComparison.Ordinal)
            && !(await site["client"].IpAsync("nexthop")).Contains("onlink", StringComparison.Ordinal));
    }

    [NeedsFact(Needs.Daemon, "nft", "bird", "birdc", "curl")]
    public async Task What_a_daemon_has_left_goes_by_a_flush_and_where_the_section_went_while_nobody_ran()
    {
        await StartAsync();
        foreach (var sections in (string?[])[null, "nat: { enabled: true }", ""])
        {
            await site.KillAsync("client");
            Assert.Matches(
                "fwmark .*lookup 70[01].*\n(.*\n)*id .*\n(.*\n)*unreachable default table 70[01]", await site.LeftAsync("client"));
            if (sections == null) await site.FlushAsync("client");
            else await site.StartWithAsync("client", sections);
            await Until.TrueAsync($"the client has nothing of gateways any more ({sections})",
                async () => (await site.LeftAsync("client")).Length == 0, 60, site.SaidAsync);
            if (sections != null) await site.KillAsync("client");
            await site.StartAsync("client");
            await site.HeardAsync("client", 2);
        }
    }

    /// <summary>That run takes away the next hops of the one before, and the kernel the routes over them, of which it tells
    /// nobody.</summary>
    [NeedsFact(Needs.Daemon, "nft", "bird", "birdc", "curl")]
    public async Task After_a_run_that_began_without_the_section_pods_leave_by_their_gateways_again()
    {
        await StartAsync();
        await site.SeesAsync("o", EgressSite.Blue4);
        await site.EndAsync("client");
        await site.StartWithAsync("client", "nat: { enabled: true }");
        await Until.TrueAsync("the client has nothing of gateways any more",
            async () => (await site.LeftAsync("client")).Length == 0, 60, site.SaidAsync);
        await site.ConfigureAgainAsync("client", site.Egress);
        await site.SeesAsync("o", EgressSite.Blue4);
        Assert.DoesNotContain("\"usable\":false", await site.HttpAsync("client", "/v1/egress"), StringComparison.Ordinal);
    }
}

/// <summary>A gateway's own daemon goes and comes while its node forwards, and the ToR keeps its addresses (RFC 4724).</summary>
public sealed class EgressRestartTests : IAsyncLifetime
{
    private const int Flows = 60;

    private EgressSite site = null!;
    private readonly List<EgressFlow> flows = [];

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, "nft", "bird", "birdc", "curl") != null) return;
        site = await EgressSite.MakeAsync("egress: { enabled: true, restartTime: 60s, probe: { interval: 500ms, multiplier: 5 } }");
        site.Write();
        await site.StartAsync("client", "gate1", "gate2");
        foreach (var address in (string[])[EgressSite.Red4, EgressSite.RedToo4, EgressSite.Red6]) await site.AnnouncedAsync(address);
        foreach (var name in (string[])["client", "gate1", "gate2"]) await site.HeardAsync(name, name == "client" ? 2 : 1);
        await EgressFlow.BeginAsync(site, Flows, flows);
    }

    public async Task DisposeAsync()
    {
        foreach (var flow in flows) flow.Dispose();
        if (site != null) await site.DisposeAsync();
    }

    [NeedsTheory(Needs.Daemon, "nft", "bird", "birdc", "curl")]
    [InlineData("upgraded")]
    [InlineData("ended")]
    [InlineData("killed")]
    public async Task Whatever_becomes_of_a_gateways_daemon_no_packet_is_lost_and_its_addresses_stay(string how)
    {
        var before = flows.ToDictionary(flow => flow, flow => flow.Seen!);
        Assert.Equal(2, before.Values.Select(seen => seen.Address).Distinct().Count());
        var others = await site.OthersAsync();
        var heard = await site.ListenAsync();
        using var enough = new CancellationTokenSource();
        var asking = Task.WhenAll(flows.Select(flow => flow.KeepAskingAsync(enough.Token)));
        if (how == "upgraded") await site.UpgradeAsync("gate1");
        else
        {
            await (how == "ended" ? site.EndAsync("gate1") : site.KillAsync("gate1"));
            // It is missed, and its node is asked.
            await Until.TrueAsync("the client does not hear it", async () => !await site.HearsAsync("client", 2), 60, site.SaidAsync);
            await site.StartAsync("gate1");
        }
        await site.SettledAsync("gate1");
        await site.HeardAsync("client", 2);
        await site.HeardAsync("gate1", 1);
        await enough.CancelAsync();
        Assert.Equal(0, (await asking).Sum());
        Assert.All(flows, flow => Assert.Equal(before[flow], flow.Seen));
        Assert.Equal(others, await site.OthersAsync());
        Assert.DoesNotMatch("Deleted (10\\.10\\.1|fd10:)", heard());
        await site.AnnouncedAsync(EgressSite.Red4);
        await site.AnnouncedAsync(EgressSite.Red6);
    }

    /// <summary>A node that is gone does not answer, whatever is waited for.</summary>
    [NeedsFact(Needs.Daemon, "nft", "bird", "birdc", "curl")]
    public async Task A_gateway_whose_node_is_gone_is_not_waited_for()
    {
        await site.CutAsync("gate1");
        await site.ToldAsync("client", answer => answer.Contains("172.20.0.11 is not heard", StringComparison.Ordinal));
        foreach (var flow in flows) Assert.Equal(EgressSite.RedToo4, (await flow.AskAsync())?.Address.ToString());
    }
}

/// <summary>Flows over gateways that come and go.</summary>
public sealed class EgressFlowTests : IAsyncLifetime
{
    private const int Flows = 60;

    private EgressSite site = null!;
    private readonly List<EgressFlow> flows = [];

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, "nft", "bird", "birdc", "curl") != null) return;
        site = await EgressSite.MakeAsync();
        site.Write();
        await site.StartAsync("client", "gate1", "gate2");
        foreach (var address in (string[])[EgressSite.Red4, EgressSite.RedToo4]) await site.AnnouncedAsync(address);
        // Both are heard before anybody is lost.
        await site.ToldAsync("client", answer => answer.Contains("\"state\":\"via 172.20.0.11", StringComparison.Ordinal)
            && answer.Contains("\"state\":\"via 172.20.0.12", StringComparison.Ordinal));
        await site.HeardAsync("client", 2);
        await EgressFlow.BeginAsync(site, Flows, flows);
    }

    public async Task DisposeAsync()
    {
        foreach (var flow in flows) flow.Dispose();
        if (site != null) await site.DisposeAsync();
    }

    [NeedsFact(Needs.Daemon, "nft", "bird", "birdc", "curl")]
    public async Task The_clients_daemon_may_be_killed_and_come_back_and_no_packet_is_lost()
    {
        var before = flows.ToDictionary(flow => flow, flow => flow.Seen!);
        var others = await site.OthersAsync();
        using var enough = new CancellationTokenSource();
        var asking = Task.WhenAll(flows.Select(flow => flow.KeepAskingAsync(enough.Token)));
        await site.KillAsync("client");
        await site.StartAsync("client");
        await site.HeardAsync("client", 2);
        await enough.CancelAsync();
        var unanswered = (await asking).Sum();
        Assert.Equal(0, unanswered);
        Assert.All(flows, flow => Assert.Equal(before[flow], flow.Seen));
        Assert.Equal(others, await site.OthersAsync());
    }
}
