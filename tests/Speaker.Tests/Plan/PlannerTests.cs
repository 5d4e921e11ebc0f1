using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Speaker.Plan;
using FsCheck;
using FsCheck.Fluent;
using static Calico.Bgp.Speaker.Tests.Plan.Cluster;

namespace Calico.Bgp.Speaker.Tests.Plan;

/// <summary>A plan is what the resources are, not how they came about, and a step changes what the change is about.</summary>
public class PlannerTests
{
    private static readonly Resource[] Objects =
    [
        Node("a", "10.0.0.1/24", "fd00::1/64", ("x", "y")), Node("b", "10.0.0.2/24", null, ("x", "y")), Node("c", null, "fd00::3/64"),
        Global() with { ServiceClusterIPs = [Prefix.Parse("10.96.0.0/12")] }, OwnConfiguration() with { ListenPort = 180 },
        Peer("all") with { PeerSelector = Selector.Parse("has(x)") }, Peer("tor", "192.0.2.1", 65001) with { Filters = ["f"], Password = new("s", "k") },
        Peer("tor-again", "192.0.2.1", 65002) with { Node = "a" }, Filter("f") with { ExportV4 = [new BgpFilterRule(FilterAction.Accept)] },
        Pool("192.168.0.0/16"), Pool("10.1.0.0/16") with { DisableBgpExport = true }, Block("192.168.1.0/26"), Block("192.168.2.0/26", AffinityState.Pending),
        PeerPlanTests.Key("s", "k", "sesame"),
        new Service(new Metadata("web", "default")) { Type = ServiceType.NodePort, ExternalTrafficPolicy = TrafficPolicy.Local, ClusterIPs = [Address.Parse("10.96.0.7")], IpFamilies = [IpFamily.IPv4] },
        new EndpointSlice(new Metadata("web-1", "default") { Labels = Labelled((EndpointSlice.ServiceNameLabel, "web")) })
        { Endpoints = [new Endpoint([Address.Parse("192.168.1.5")], true, null, null, "a", null)] },
    ];

    [Fact]
    public void Any_order_of_arrival_ends_in_the_same_plan() =>
        Prop.ForAll(Gen.Shuffle(Objects).ToArbitrary(), shuffled =>
        {
            var at = new Cluster();
            var planner = at.Planner();
            foreach (var item in shuffled)
            {
                var next = at.With(item);
                planner.Take(at.To(next));
                at = next;
            }
            Same(at.Planner(), planner);
        }).QuickCheckThrowOnFailure();

    private static void Same(Planner fresh, Planner grown)
    {
        Assert.Equal(fresh.ServiceRoutes, grown.ServiceRoutes);
        var (expected, actual) = (Shown(fresh.Plan), Shown(grown.Plan));
        Assert.Equal(expected, actual);
    }

    /// <summary>Chains by their rules' names: those of two planners look at different live sets.</summary>
    private static string[] Shown(NodePlan plan) =>
    [
        $"{plan.RouterId} {plan.As} {plan.ListenPort} {string.Join(' ', plan.RejectedFromKernel)}", .. plan.Routes.Select(route => route.ToString()),
        .. plan.Problems.Select(problem => problem.ToString()),
        .. plan.Peers.Select(peer => $"{peer with { Import = Rib.Filters.AcceptAll.Instance, Export = Rib.Filters.RejectAll.Instance }} {Rules(peer.Export)} {Rules(peer.Import)}"),
        Rules(plan.Kernel),
    ];

    private static string Rules(Rib.Filters.IPolicy policy) => policy is Rib.Filters.FilterChain chain
        ? string.Join(';', chain.Filters.SelectMany(filter => filter.Rules).Select(rule => $"{rule.Name} {rule.Match?.Prefixes} {rule.Action}")) : policy.Name;

    [Fact]
    public void The_same_resources_give_an_equal_plan_again()
    {
        var cluster = new Cluster().With(Objects);
        var planner = cluster.Planner();
        var before = planner.Plan;
        Assert.Equal(before, planner.Take(cluster.Settings).Plan);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_change_for_one_peer_changes_that_peer_alone(int which)
    {
        var before = new Cluster().With(Objects);
        var after = before.With(which == 0
            ? Peer("tor", "192.0.2.1", 65001) with { Filters = ["f"], Password = new("s", "k"), MaxRestartTime = TimeSpan.FromSeconds(20) }
            : Filter("f") with { ExportV4 = [new BgpFilterRule(FilterAction.Reject)] });
        var planner = before.Planner();
        var older = planner.Plan;
        var newer = planner.Take(before.To(after)).Plan!;
        var changed = newer.Peers.Where(peer => !older.Peers.Contains(peer)).Select(peer => peer.Name);
        Assert.Equal(["Global_192_0_2_1"], changed);
        var lines = ConfigChanges.Between(PlannedConfig.Join(File, older), PlannedConfig.Join(File, newer)).ToArray();
        Assert.Equal(which == 0 ? ["peer Global_192_0_2_1: session settings changed, the session is reset"] : ["peer Global_192_0_2_1: changed, the session stays up"], lines);
    }

    private static readonly SpeakerConfig File = new() { RouterId = new(1), As = new(64512), HostName = "a" };

    [Fact]
    public void Joined_with_bgpd_yaml_its_own_peers_count_first_and_a_mesh_peer_gives_way()
    {
        var plan = new Cluster().With(Node("a", "10.0.0.1/24"), Node("b", "10.0.0.2/24"), Peer("to-b", "10.0.0.2", 64512)).Plan();
        Assert.Equal(["Global_10_0_0_2", "Mesh_10_0_0_2"], plan.Peers.Select(peer => peer.Name));
        Assert.Equal(["Global_10_0_0_2"], PlannedConfig.Join(File, plan).Peers.Select(peer => peer.Session.Name));
        var ours = plan.Peers[0].ToConfig(plan);
        ours = ours with { Session = ours.Session with { Name = "mine" } };
        Assert.Equal(["mine"], PlannedConfig.Join(File with { Peers = [ours] }, plan).Peers.Select(peer => peer.Session.Name));
    }

    [Fact]
    public void Blocks_go_to_the_kernel_and_service_ranges_do_not()
    {
        var joined = PlannedConfig.Join(File, new Cluster().With(Objects).Plan());
        Assert.Equal(["192.168.1.0/26"], joined.Routes.Select(route => route.Prefix.ToString()));
        Assert.Equal(["10.96.0.0/12"], joined.Announced.Select(prefix => prefix.ToString()));
        Assert.True(joined.Kernel.Learn);
    }

    [Fact]
    public void An_unknown_node_has_no_peers_and_says_so()
    {
        var plan = new Cluster().With(Objects).Seen(settings => settings with { Node = "z" }).Plan();
        Assert.DoesNotContain(plan.Peers, peer => peer.Scope == PeerScope.Mesh);
        Assert.Contains(plan.Problems, problem => problem.Object == "Node/z");
    }
}
