using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Session;
using Calico.Bgp.Speaker.Plan;
using static Calico.Bgp.Speaker.Tests.Plan.Cluster;

namespace Calico.Bgp.Speaker.Tests.Plan;

/// <summary>Two nodes of a cluster that mesh over loopback, each with its own speaker and the same resources.</summary>
public sealed class PlanFollowerTests : IAsyncLifetime
{
    private static readonly Address Absent = Address.Parse("127.78.0.99");
    private static readonly Service Web = new(new Metadata("web", "default"))
    {
        Type = ServiceType.NodePort,
        ExternalTrafficPolicy = TrafficPolicy.Local,
        ClusterIPs = [Address.Parse("10.96.0.7")],
        IpFamilies = [IpFamily.IPv4],
    };

    private readonly Cluster cluster = new Cluster().With(
        Node("a", "127.78.0.1/32"), Node("b", "127.78.0.2/32"), Pool("192.168.0.0/16"), Block("192.168.1.0/26"), Web, Endpoint("a"),
        Global() with { ListenPort = Ports.Next("127.78.0.1"), ServiceClusterIPs = [Prefix.Parse("10.96.0.0/12")] });

    private readonly PlanFollower a, b;
    private readonly TestSpeaker speakerA, speakerB;

    public PlanFollowerTests()
    {
        (a, b) = (Follower("a", "127.78.0.1"), Follower("b", "127.78.0.2"));
        (speakerA, speakerB) = (new(a.Joined), new(b.Joined));
    }

    private PlanFollower Follower(string node, string listen) => new(
        FileOf(node, listen), cluster.Settings with { Node = node }, cluster.Resources);

    private static SpeakerConfig FileOf(string node, string listen) =>
        new() { RouterId = new(1), As = new(64512), HostName = node, Listen = [Address.Parse(listen)] };

    private static EndpointSlice Endpoint(string node) =>
        new(new Metadata("web-1", "default") { Labels = Labelled((EndpointSlice.ServiceNameLabel, "web")) })
        {
            Endpoints = [new Endpoint([Address.Parse("192.168.1.5")], true, null, null, node, null)],
        };

    private async Task StartAsync()
    {
        await speakerA.Loop.StartAsync();
        await speakerB.Loop.StartAsync();
        await a.FollowAsync(speakerA.Loop);
        await b.FollowAsync(speakerB.Loop);
    }

    /// <summary>
    /// What a tells b is this beside the range, sooner or later. (b itself takes no route with a loopback next hop, which is all that a has
    /// here.)
    /// </summary>
    private async Task HearsAsync(params string[] prefixes)
    {
        var right = string.Join(' ', prefixes);
        await Until.SeenAsync($"a tells b [{right}]", async () => string.Join(' ', await ToldAsync()), told => told == right);
    }

    private async Task<string[]> ToldAsync()
    {
        var prefixes = new SortedSet<string>(StringComparer.Ordinal);
        await foreach (var batch in speakerA.View.Routes(new(RouteSelection.Export, Peer: "Mesh_127_78_0_2"), default))
            foreach (var route in batch) prefixes.Add(route.Prefix.ToString());
        prefixes.Remove("10.96.0.0/12");
        return [.. prefixes];
    }

    private async Task ApplyAsync(Cluster after)
    {
        await a.ApplyAsync(cluster.To(after));
        await b.ApplyAsync(cluster.To(after));
    }

    [Fact]
    public async Task A_block_is_announced_and_installed_a_service_address_announced_and_not_installed()
    {
        await StartAsync();
        await HearsAsync("10.96.0.7/32", "192.168.1.0/26");
        await Until.TrueAsync(() => speakerA.Kernel.Holds.ContainsKey(Prefix.Parse("192.168.1.0/26")));
        Assert.Equal(RouteType.Blackhole, speakerA.Kernel.Holds[Prefix.Parse("192.168.1.0/26")].Type);
        Assert.Single(speakerA.Kernel.Holds);
    }

    [Fact]
    public async Task An_endpoint_that_moves_takes_its_announcement_along_and_no_session_is_reset()
    {
        await StartAsync();
        await HearsAsync("10.96.0.7/32", "192.168.1.0/26");
        await ApplyAsync(cluster.With(Endpoint("c")));
        await HearsAsync("192.168.1.0/26");
        Assert.Equal(1, speakerB.Session("Mesh_127_78_0_1").EstablishedTransitions);
    }

    [Fact]
    public async Task Where_services_are_translated_here_an_address_that_leads_nowhere_is_not_announced()
    {
        await a.ServeAsync([]);
        await StartAsync();
        await HearsAsync("192.168.1.0/26");
        await a.ServeAsync([.. Web.ClusterIPs]);
        await HearsAsync("10.96.0.7/32", "192.168.1.0/26");
        Assert.Equal(Web.ClusterIPs.Order(), (await a.ServeAsync([Absent])).Order());
        Assert.Empty(await a.ServeAsync([]));
        await HearsAsync("192.168.1.0/26");
        await ApplyAsync(cluster.With(Web with { Metadata = new("web", "default") { Labels = Labelled(("tier", "front")) } }));
        await HearsAsync("192.168.1.0/26");
        await a.ServeAsync(null);
        await HearsAsync("10.96.0.7/32", "192.168.1.0/26");
        Assert.Equal(1, speakerB.Session("Mesh_127_78_0_1").EstablishedTransitions);
    }

    [Fact]
    public async Task Pools_are_judged_again_with_the_sessions_up()
    {
        await StartAsync();
        await HearsAsync("10.96.0.7/32", "192.168.1.0/26");
        await ApplyAsync(cluster.With(Pool("192.168.0.0/16") with { DisableBgpExport = true }));
        await HearsAsync("10.96.0.7/32");
        Assert.Equal(1, speakerB.Session("Mesh_127_78_0_1").EstablishedTransitions);
    }

    [Fact]
    public async Task No_session_is_reset_but_by_a_setting_of_its_own()
    {
        await StartAsync();
        await HearsAsync("10.96.0.7/32", "192.168.1.0/26");
        var global = cluster.Resources.Of(Kinds.BgpConfiguration)[BgpConfiguration.Default]!;
        Resource[] others =
        [
            Node("c", "127.78.0.3/32"), Node("b", "127.78.0.2/32", null, ("zone", "1")), Node("a", "127.78.0.1/32", null, ("zone", "1")),
            Peer("tor", "127.78.0.99", 65001) with { MaxRestartTime = TimeSpan.FromSeconds(20) }, Filter("f"), Pool("172.16.0.0/16"),
            PeerPlanTests.Key("s", "k", "sesame"),
            global with
            {
                ServiceExternalIPs = [Prefix.Parse("203.0.113.0/24")],
                IPv4NormalRoutePriority = 900,
                IgnoredInterfaces = ["eth9"],
            },
            OwnConfiguration() with { PrefixAdvertisements = [new(Prefix.Parse("192.168.0.0/16"), ["1:2"])] },
        ];
        var at = cluster;
        foreach (var other in others)
        {
            var next = at.With(other);
            await a.ApplyAsync(at.To(next));
            at = next;
        }
        await a.ApplyAsync(at.To(at.With(Block("192.168.2.0/26"))));
        await HearsAsync("10.96.0.7/32", "192.168.1.0/26", "192.168.2.0/26", "203.0.113.0/24");
        Assert.Equal(1, speakerA.Session("Mesh_127_78_0_2").EstablishedTransitions);

        await a.ApplyAsync(at.To(at.With(global with { NodeMeshMaxRestartTime = TimeSpan.FromSeconds(33) })));
        await Until.TrueAsync(() => speakerB.Session("Mesh_127_78_0_1").EstablishedTransitions == 2);
    }

    [Fact]
    public async Task A_pod_that_peers_is_waited_for_and_a_missing_key_shows()
    {
        await StartAsync();
        var after = cluster.With(Peer("pods") with { LocalWorkloadSelector = All, AsNumber = new(65401) },
            Peer("tor", "127.78.0.99", 65001) with { Password = new("keys", "tor") });
        await a.ApplyAsync(cluster.To(after));
        await a.ApplyAsync([new LocalWorkload("cali1", "pods", Address.Parse("127.78.0.50"), null)]);
        Assert.True(speakerA.Session("Local_Workload_127_78_0_50").Settings.Passive);
        Assert.Contains("keys", speakerA.View.Protocols.Single(protocol => protocol.Name == "Global_127_78_0_99").Message);
        Assert.Equal(Phase.Idle, speakerA.Session("Global_127_78_0_99").Phase);
    }

    /// <summary>The plan of the resources stays what it is: what counts is what the two come to together.</summary>
    [Fact]
    public async Task What_changed_in_the_file_alone_is_taken_at_once_and_was_foretold()
    {
        await StartAsync();
        var file = FileOf("a", "127.78.0.1").Routes("198.51.100.0/24") with
        {
            RouterId = new(7),
            Decision = new() { AlwaysCompareMed = true, MultipathLimit = 2 },
        };
        var settings = cluster.Settings with { Node = "a", RouterId = new(7), WeighServices = true };
        var foretold = await a.CheckAsync(file, settings);
        Assert.Equal<string>(
            [
                "router: 0.0.0.7, AS 64512", "peer Mesh_127_78_0_2: session settings changed, the session is reset",
                "route 198.51.100.0/24: added or changed", "decision: changed; every best path is chosen again",
                "weighServices: true; services' addresses are announced anew",
            ], foretold);
        Assert.Equal<string>(foretold, await a.ApplyAsync(file, settings));
        Assert.Contains("198.51.100.0/24", await speakerA.RoutesAsync());
        Assert.Equal(new RouterId(7), speakerA.View.Router.RouterId);
        Assert.Empty(await a.CheckAsync(file, settings));
        Assert.Empty(await a.ApplyAsync(file, settings));
    }

    [Fact]
    public async Task A_peer_of_the_file_has_the_identifier_that_the_resources_give()
    {
        await StartAsync();
        var peer = speakerA.Loop.Config.Peers[0];
        var file = FileOf("a", "127.78.0.1") with
        {
            Peers = [peer with { Session = peer.Session with { Name = "tor", PeerAddress = Absent, RouterId = new(1) } }],
        };
        await a.ApplyAsync(file, cluster.Settings with { Node = "a" });
        Assert.Equal(a.Plan.RouterId, speakerA.Session("tor").Settings.RouterId);
        Assert.NotEqual(new RouterId(1), a.Plan.RouterId);
    }

    [Fact]
    public async Task A_route_is_explained_from_who_brought_it_to_who_was_told()
    {
        await StartAsync();
        await HearsAsync("10.96.0.7/32", "192.168.1.0/26");
        var mine = await speakerA.View.ExplainAsync(Prefix.Parse("192.168.1.0/26"), default);
        Assert.Equal([("Mesh_127_78_0_2", true, "own block", true)],
            mine.Exports.Select(export => (export.Peer, export.Accepted, export.Rule, export.Sent)));
        Assert.Equal("own route", Assert.Single(mine.Candidates).ImportRule);
        Assert.Contains("own block: accept", speakerA.View.Explain("Mesh_127_78_0_2")!.ExportRules);
        Assert.True((await a.ExplainAsync(new("default", "web")))!.Addresses.Single().Announced);
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await speakerA.DisposeAsync();
        await speakerB.DisposeAsync();
        a.Dispose();
        b.Dispose();
    }
}
