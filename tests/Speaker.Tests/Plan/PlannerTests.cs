using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Speaker.Plan;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using static Calico.Bgp.Speaker.Tests.Plan.Cluster;

namespace Calico.Bgp.Speaker.Tests.Plan;

/// <summary>A plan is what the resources are, not how they came about, and a step changes what the change is about.</summary>
public class PlannerTests
{
    private static readonly Resource[] Objects =
    [
        Node("a", "10.0.0.1/24", "fd00::1/64", ("x", "y")), Node("b", "10.0.0.2/24", null, ("x", "y")), Node("c", null, "fd00::3/64"),
        Global() with { ServiceClusterIPs = [Prefix.Parse("10.96.0.0/12")] }, OwnConfiguration() with { ListenPort = 180 },
        Peer("all") with { PeerSelector = Selector.Parse("has(x)") },
        Peer("tor", "192.0.2.1", 65001) with { Filters = ["f"], Password = new("s", "k") },
        Peer("tor-again", "192.0.2.1", 65002) with { Node = "a" }, Filter("f") with { ExportV4 = [new BgpFilterRule(FilterAction.Accept)] },
        Pool("192.168.0.0/16"), Pool("10.1.0.0/16") with { DisableBgpExport = true }, Block("192.168.1.0/26"),
        Block("192.168.2.0/26", AffinityState.Pending),
        PeerPlanTests.Key("s", "k", "sesame"),
        new Service(new Metadata("web", "default")) { Type = ServiceType.NodePort, ExternalTrafficPolicy = TrafficPolicy.Local,
        ClusterIPs = [Address.Parse("10.96.0.7")], IpFamilies = [IpFamily.IPv4] },
        new EndpointSlice(new Metadata("web-1", "default") { Labels = Labelled((EndpointSlice.ServiceNameLabel, "web")) })
        { Endpoints = [new Endpoint([Address.Parse("192.168.1.5")], true, null, null, "a", null)] },
    ];

    private static class Arbitraries
    {
        public static Arbitrary<Resource[]> Orders() => Gen.Shuffle(Objects).ToArbitrary();

        public static Arbitrary<Step[]> Lives() => Steps().ArrayOf().Resize(30).ToArbitrary();
    }

    [Property(Arbitrary = [typeof(Arbitraries)])]
    public void Any_order_of_arrival_ends_in_the_same_plan(Resource[] shuffled)
    {
        var at = new Cluster();
        var planner = at.Planner();
        foreach (var item in shuffled)
        {
            var next = at.With(item);
            planner.Apply(at.To(next));
            at = next;
        }
        Same(at.Planner(), planner);
    }

    /// <summary>Other versions of <see cref="Objects"/>, and objects beside them: what a life of changes is made of.</summary>
    private static readonly Resource[] Versions =
    [
        .. Objects, Node("a", "10.0.0.1/24", null, ("x", "z")),
        Node("a", "10.0.0.9/24", "fd00::1/64", ("node.kubernetes.io/exclude-from-external-load-balancers", "true")),
        Node("a", "10.0.0.1/24") with { IPv4WireguardAddress = Address.Parse("10.9.0.1"), RouteReflectorClusterId = new(7) },
        Node("b", "10.0.0.2/24", "fd00::2/64") with { AsNumber = new(65100) },
        Node("b", "192.0.2.1/24") with { RouteReflectorClusterId = new(7) },
        Node("c", "10.0.0.3/24", "fd00::3/64") with { IPv4WireguardAddress = Address.Parse("10.9.0.3") },
        Global(), Global() with { NodeToNodeMeshEnabled = false, ServiceExternalIPs = [Prefix.Parse("192.0.2.128/25")] },
        Global() with { ListenPort = 1790, ServiceClusterIPs = [Prefix.Parse("10.96.0.0/16")], IgnoredInterfaces = ["eth*"] },
        OwnConfiguration("b") with { ListenPort = 181 },
        OwnConfiguration() with { PrefixAdvertisements = [new(Prefix.Parse("192.168.0.0/16"), ["1:2"])] },
        Peer("all") with { NodeSelector = Selector.Parse("has(x)"), PeerSelector = Selector.Parse("!has(x)"), Filters = ["f", "g"] },
        Peer("tor", "192.0.2.1", 65001) with { Password = new("s", "other"), ReachableBy = Address.Parse("10.0.0.254") },
        Peer("pods") with { LocalWorkloadSelector = All, AsNumber = new(65401) },
        Filter("f") with { ImportV4 = [new BgpFilterRule(FilterAction.Reject)] }, Filter("g"),
        Pool("10.1.0.0/16"), Pool("192.168.0.0/16") with { VxlanMode = EncapsulationMode.Always },
        Block("192.168.1.0/26", AffinityState.PendingDeletion), Block("192.168.3.0/26", node: "b"),
        PeerPlanTests.Key("s", "k", "another"), PeerPlanTests.Key("unused", "k", "sesame"),
        new FelixConfiguration(new Metadata(FelixConfiguration.Default)) { ProgramClusterRoutes = ClusterRoutes.Enabled },
        Web("web", "10.96.0.7", ("tier", "front")), Web("shop", "10.96.0.8") with { ExternalIPs = [Address.Parse("192.0.2.200")] },
        Web("shop", "10.96.0.7", ("tier", "back")), Endpoints("shop", "a", "b"), Endpoints("web", "b"), Endpoints("web", "a", "a"),
    ];

    private static Service Web(string name, string address, params ReadOnlySpan<(string, string)> labels) =>
        new(new Metadata(name, "default") { Labels = Labelled(labels) })
        {
            Type = ServiceType.NodePort,
            ExternalTrafficPolicy = TrafficPolicy.Local,
            ClusterIPs = [Address.Parse(address)],
            IpFamilies = [IpFamily.IPv4],
        };

    private static EndpointSlice Endpoints(string service, params string[] nodes) =>
        new(new Metadata(service + "-1", "default") { Labels = Labelled((EndpointSlice.ServiceNameLabel, service)) })
        {
            Endpoints = [.. nodes.Index().Select(at => new Endpoint([Pod(at.Index)], true, null, null, at.Item, null))],
        };

    private static Address Pod(int number) => Address.FromIPv4(0xc0a80105u + (uint)number);

    private static AdvertiseRule Only(string tier, string peers) => new(Selector.Parse($"tier == '{tier}'"), [peers]);

    private static readonly PlanSettings[] Tellings =
    [
        new() { Node = "a" }, new() { Node = "a", Advertise = [Only("front", "Global_*")] },
        new() { Node = "a", Advertise = [Only("front", "Global_*"), Only("back", "Mesh_*")] },
        new() { Node = "a", Workloads = [new("cali1", "pods", Address.Parse("192.168.1.9"), null)] },
        new() { Node = "a", UsePodCidr = true, ClusterIPs = Prefix.Parse("10.0.0.0/8") },
    ];

    /// <summary>Changes that a planner is told of at once: versions put in place, objects removed; or else other settings.</summary>
    public sealed record Step(int[] Put, int[] Removed, int? Settings)
    {
        public override string ToString() => Settings is { } settings ? $"settings {settings}"
            : $"put [{Ids(Put)}], remove [{Ids(Removed)}]";

        private static string Ids(int[] versions) => string.Join(", ", versions.Select(i => Versions[i].Id));
    }

    private static Gen<Step> Steps()
    {
        var some = Gen.Choose(0, Versions.Length - 1).ArrayOf();
        return Gen.Frequency(
            (6, from put in some.Resize(3) from removed in some.Resize(2) select new Step(put, removed, null)),
            (1, from settings in Gen.Choose(0, Tellings.Length - 1) select new Step([], [], settings)));
    }

    [Property(Arbitrary = [typeof(Arbitraries)], MaxTest = 300)]
    public void After_any_changes_the_plan_is_what_the_resources_alone_would_give(Step[] steps)
    {
        var at = new Cluster().With(Objects);
        var planner = at.Planner();
        var told = planner.ServiceRoutes.ToDictionary(route => route.Prefix, route => planner.WeightOf(route.Prefix));
        foreach (var step in steps)
        {
            var (next, taken) = Made(planner, at, step);
            foreach (var move in taken.Moves)
                if (move.Announced) told[move.Prefix] = move.Weight;
                else told.Remove(move.Prefix);
            at = next;
        }
        var fresh = at.Planner();
        Same(fresh, planner);
        var expected = fresh.ServiceRoutes.Select(route => KeyValuePair.Create(route.Prefix, fresh.WeightOf(route.Prefix)));
        Assert.Equal(expected, told.OrderBy(one => one.Key));
    }

    private static (Cluster, PlanStep) Made(Planner planner, Cluster at, Step step)
    {
        if (step.Settings is { } number)
        {
            var seen = at with { Settings = Tellings[number] };
            return (seen, planner.Apply(seen.Settings));
        }
        var next = step.Removed.Aggregate(at.With([.. step.Put.Select(i => Versions[i])]), (now, i) => now.Without(Versions[i].Id));
        return (next, planner.Apply(at.To(next)));
    }

    private static void Same(Planner fresh, Planner grown)
    {
        Assert.Equal(fresh.ServiceRoutes, grown.ServiceRoutes);
        var (expected, actual) = (Shown(fresh.Plan), Shown(grown.Plan));
        Assert.Equal(expected, actual);
    }

    /// <summary>Chains by what their rules say: those of two planners look at different live sets.</summary>
    private static string[] Shown(NodePlan plan) =>
    [
        $"{plan.RouterId} {plan.As} {plan.ListenPort} {string.Join(' ', plan.RejectedFromKernel)}",
        .. plan.Routes.Select(route => route.ToString()),
        .. plan.Problems.Select(problem => problem.ToString()),
        .. plan.Peers.Select(peer => $"{peer with { Import = Rib.Filters.AcceptAll.Instance, Export = Rib.Filters.RejectAll.Instance }} "
            + $"{Rules(peer.Export)} {Rules(peer.Import)}"),
        Rules(plan.Kernel),
    ];

    private static string Rules(Rib.Filters.IFilter policy) => policy is Rib.Filters.FilterChain chain
        ? string.Join(';', chain.Filters.SelectMany(filter => filter.Rules).Select(Shown)) : policy.Name;

    private static string Shown(Rib.Filters.FilterRule rule) =>
        $"{rule.Name} {rule.Match?.Prefixes} {rule.Action} {string.Join(' ', (rule.Match?.Live?.Current ?? []).Order())}";

    [Fact]
    public void What_leaves_the_plan_as_it_is_goes_no_further()
    {
        var cluster = new Cluster().With(Objects);
        var planner = cluster.Planner();
        var again = planner.Apply(cluster.Settings);
        Assert.Null(again.Plan);
        Assert.Empty(again.Moves);
        Resource[] others =
        [
            Block("192.168.9.0/26", node: "b"), Node("b", "10.0.0.2/24", null, ("x", "y"), ("zone", "1")), Filter("unused"),
            PeerPlanTests.Key("unused", "k", "v"),
        ];
        foreach (var other in others) Assert.Null(planner.Apply(cluster.To(cluster.With(other))).Plan);
    }

    /// <summary>A run of the planner makes a plan of its own, also where it is equal: as many plans as runs.</summary>
    [Fact]
    public void What_does_not_concern_the_plan_does_not_make_it_anew()
    {
        var cluster = new Cluster().With([.. Objects, Peer("signed", "192.0.2.77", 65001) with { Password = new("named", "k") }]);
        var planner = cluster.Planner();
        var plans = new HashSet<NodePlan>(ReferenceEqualityComparer.Instance) { planner.Plan };
        void Take(Resource one)
        {
            planner.Apply(cluster.To(cluster.With(one)));
            plans.Add(planner.Plan);
            cluster = cluster.With(one);
        }
        for (var i = 0; i < 100; i++)
        {
            Take(new IpamBlock(new Metadata($"block-{i}")) { Cidr = Prefix.Parse("192.168.7.0/26") });
            Take(PeerPlanTests.Key($"unnamed-{i}", "k", "v"));
            Take(new Secret(new Metadata("named", $"namespace-{i}")));
            Take(Block("192.168.9.0/26", node: $"node-{i}"));
        }
        Assert.Single(plans);
        Take(PeerPlanTests.Key("named", "k", "sesame"));
        Assert.Equal(2, plans.Count);
        Assert.Equal(
            "sesame",
            planner.Plan.Peers.Single(peer => peer.PasswordKey != null && peer.Address == Address.Parse("192.0.2.77")).Password);
    }

    [Fact]
    public void A_plan_that_is_like_the_one_before_has_its_chains()
    {
        var cluster = new Cluster().With(Objects);
        var planner = cluster.Planner();
        var before = planner.Plan;
        var after = planner.Apply(cluster.To(cluster.With(Node("d", "10.0.0.4/24")))).Plan!;
        foreach (var peer in before.Peers) Assert.Same(peer.Export, after.Peers.Single(same => same.Name == peer.Name).Export);
    }

    /// <summary>Ten thousand services must not cost a word when a node comes: the index would have to be made anew for that.</summary>
    [Fact]
    public void Services_are_left_alone_while_their_ranges_stay()
    {
        var cluster = new Cluster().With(Objects);
        var planner = cluster.Planner();
        var verdict = planner.VerdictOf(new("default", "web"));
        Resource[] others =
            [Node("d", "10.0.0.4/24"), Pool("172.16.0.0/12"), Block("192.168.4.0/26"), Peer("new", "192.0.2.9", 65009), Filter("f")];
        foreach (var other in others)
        {
            planner.Apply(cluster.To(cluster.With(other)));
            Assert.Same(verdict, planner.VerdictOf(new("default", "web")));
        }
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
        var newer = planner.Apply(before.To(after)).Plan!;
        var changed = newer.Peers.Where(peer => !older.Peers.Contains(peer)).Select(peer => peer.Name);
        Assert.Equal(["Global_192_0_2_1"], changed);
        var lines = ConfigChanges.Between(PlannedConfig.Join(File, older), PlannedConfig.Join(File, newer)).ToArray();
        Assert.Equal(which == 0 ? ["peer Global_192_0_2_1: session settings changed, the session is reset"]
            : ["peer Global_192_0_2_1: changed, the session stays up"], lines);
    }

    private static readonly SpeakerConfig File = new() { RouterId = new(1), As = new(64512), HostName = "a" };

    [Fact]
    public void Joined_with_bgpd_yaml_its_own_peers_count_first_and_a_mesh_peer_gives_way()
    {
        var plan = new Cluster().With(Node("a", "10.0.0.1/24"), Node("b", "10.0.0.2/24"), Peer("to-b", "10.0.0.2", 64512)).Plan();
        Assert.Equal(["Global_10_0_0_2"], plan.Peers.Select(peer => peer.Name));
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
    public void Pools_that_overlap_are_told_and_both_count()
    {
        string[] pools = ["192.168.0.0/16", "192.168.4.0/24", "192.168.8.0/24", "10.1.0.0/16"];
        var plan = new Cluster().With(Node("a", "10.0.0.1/24")).With([.. pools.Select(Pool)]).Plan();
        Assert.Equal(
            ["IPPool/pool-192-168-4-0-24", "IPPool/pool-192-168-8-0-24"],
            plan.Problems.Where(problem => problem.Field == "spec.cidr").Select(problem => problem.Object));
    }

    [Fact]
    public void What_is_asked_for_and_not_done_is_told()
    {
        var enterprise = Peer("tor", "192.0.2.1", 65001) with
        {
            BirdGatewayMode = BirdGatewayMode.DirectIfDirectlyConnected,
            ExternalNetwork = "blue",
            Extensions = Labelled(("a", "b")),
        };
        CalicoNodeStatus Status(string node) => new(new Metadata("of-" + node)) { Node = node };
        var plan = Of(enterprise, Status("a"), Status("b")).Plan();
        Assert.Equal(
            ["birdGatewayMode", "extensions", "externalNetwork", "node"],
            plan.Problems.Select(problem => problem.Field["spec.".Length..]));
        Assert.All(plan.Problems, problem => Assert.StartsWith("not acted on", problem.Reason));
        Assert.Equal("CalicoNodeStatus/of-a", plan.Problems[^1].Object);
        Assert.Equal("Global_192_0_2_1", Assert.Single(plan.Peers).Name);
    }

    [Fact]
    public void A_peer_is_watched_as_the_configuration_says_that_selects_this_node()
    {
        var tor = Peer("tor", "192.0.2.1", 65001) with { FailureDetectionMode = FailureDetectionMode.BFDIfDirectlyConnected };
        BfdConfiguration Quick(string name, string nodes, params string[] links) => new(new Metadata(name))
        {
            NodeSelector = Selector.Parse(nodes),
            Interfaces = [.. links.Select(link => new BfdInterface(link) { Multiplier = link.Length })],
        };
        var plan = Of(tor, Peer("other", "192.0.2.2", 65001), Quick("0", "has(nothing)", "*"), Quick("1", "all()", "*", "eth*", "eth0"),
            Quick("2", "all()", "*")).Plan();
        Assert.Null(plan.Peers.Single(peer => peer.Name == "Global_192_0_2_2").Bfd);
        var watched = plan.Peers.Single(peer => peer.Name == "Global_192_0_2_1").ToConfig(plan).Bfd!;
        Assert.Equal(["eth0", "eth*", "*"], watched.ByLink.Select(link => link.Pattern));
        Assert.Equal(new(TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(10), 4) { Idle = TimeSpan.FromMinutes(1) },
            watched.ByLink[0].Times);
        Assert.True(watched.OnlyDirect);
        var problem = Assert.Single(plan.Problems);
        Assert.Equal(("BFDConfiguration/2", "BFDConfiguration/1 selects this node too, and counts"), (problem.Object, problem.Reason));
    }

    [Fact]
    public void Weights_that_count_from_now_on_are_told_of_every_service()
    {
        var cluster = new Cluster().With(Objects);
        var step = cluster.Planner().Apply(cluster.Settings with { WeighServices = true });
        Assert.Equal([new ServiceMove(Prefix.Parse("10.96.0.7/32"), Announced: true, Weight: 1)], step.Moves.ToArray());
    }

    [Fact]
    public void What_a_route_is_originated_for_can_be_asked()
    {
        var planner = new Cluster().With(Objects).Planner();
        Assert.Equal("BlockAffinity/a-192.168.1.0/26", planner.ReasonFor(Prefix.Parse("192.168.1.0/26")));
        Assert.Equal("Service/default/web", planner.ReasonFor(Prefix.Parse("10.96.0.7/32")));
        Assert.Null(planner.ReasonFor(Prefix.Parse("10.96.0.9/32")));
    }

    [Fact]
    public void An_unknown_node_has_no_peers_and_says_so()
    {
        var plan = new Cluster().With(Objects).Seen(settings => settings with { Node = "z" }).Plan();
        Assert.DoesNotContain(plan.Peers, peer => peer.Scope == PeerScope.Mesh);
        Assert.Contains(plan.Problems, problem => problem.Object == "Node/z");
    }
}
