using Calico.Bgp.Kernel.Conntrack;
using Microsoft.Extensions.Logging.Abstractions;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using static Calico.Bgp.Dataplane.Tests.Plans;

namespace Calico.Bgp.Dataplane.Tests;

/// <summary>What NAT makes of changes. A run of the planner makes a plan of its own, also where it is equal: as many plans as
/// runs.</summary>
public class NatTests
{
    private static readonly NatSettings Settings =
        new() { Enabled = true, Upstream = new() { Peers = ["tor1"], StableFor = TimeSpan.Zero } };

    private static readonly Labels Annotated = Labels.From([new(UpstreamSettings.PeerAnnotation, "true")]);

    private readonly HashSet<NatPlan> plans = new(ReferenceEqualityComparer.Instance);
    private readonly Nat nat = new(TimeProvider.System, new(new ConnectionTable(), NullLogger.Instance), NullLogger.Instance);

    public NatTests() => Take(new DataplaneChange.Configured(new("node1", Settings)));

    private void Take(params IEnumerable<DataplaneChange> changes)
    {
        foreach (var change in changes)
            if (nat.Concerns(change)) nat.Apply(change);
        nat.Look();
        plans.Add(nat.Plan);
    }

    private void Take(params IEnumerable<Resource> resources) => Take(Come(resources).Select(one => new DataplaneChange.Object(one)));

    private void Gone(Resource one) => Take(new DataplaneChange.Object(new(one.Kind, one.Key, one, null)));

    [Fact]
    public void What_does_not_concern_it_plans_nothing()
    {
        Take(Pool("pods", "10.0.0.0/16"), Node("node2", "172.20.0.2"), Felix());
        plans.Clear();
        for (var i = 0; i < 100; i++)
        {
            Take(new Secret(new Metadata($"s{i}", "default")), new Service(new Metadata($"s{i}", "default")));
            Take(new IpamBlock(new Metadata($"b{i}")) { Cidr = Prefix.Parse("10.0.0.0/26") });
            Take(new BgpPeer(new Metadata($"p{i}")));
            Take(Node("node2", "172.20.0.2") with { Metadata = new("node2") { Labels = Labels.From([new("beat", $"{i}")]) } });
        }
        Assert.Single(plans);
        Take(Node("node3", "172.20.0.3"));
        Assert.Equal(2, plans.Count);
    }

    [Fact]
    public void Others_routes_in_the_kernel_plan_nothing_unless_somebody_may_translate_upstream()
    {
        Take(new DataplaneChange.Configured(new("node1", Settings with { Upstream = new() })));
        Take(Pool("pods", "10.0.0.0/16"));
        plans.Clear();
        Take(new DataplaneChange.Machine(KernelWith(("0.0.0.0/0", 0))));
        Take(new DataplaneChange.Machine(KernelWith()));
        Assert.Single(plans);
        Take(new BgpPeer(new Metadata("tor1") { Annotations = Annotated }));
        Take(new DataplaneChange.Machine(KernelWith(("0.0.0.0/0", 0))));
        Assert.Equal(3, plans.Count);
    }

    /// <summary>Versions of a few objects: what a life of changes is made of.</summary>
    private static readonly Resource[] Versions =
    [
        Pool("a", "10.0.0.0/16"), Pool("a", "10.0.0.0/16", nat: false), Pool("b", "10.1.0.0/16"), Pool("b", "fd00:1::/48"),
        Node("node1", "172.20.0.1"), Node("node2", "172.20.0.2"), Node("node2", "fd00::2"), new Node(new Metadata("node2")),
        Felix() with { NatOutgoingExclusions = NatOutgoingExclusions.IPPoolsAndHostIPs }, Felix(),
        Felix("node.node1") with { NatPortRange = new(2000, 3000) }, Felix("node.node2") with { NatPortRange = new(4000, 5000) },
        new BgpPeer(new Metadata("p")), new BgpPeer(new Metadata("p") { Annotations = Annotated }),
    ];

    public sealed record Step(int Which, bool Comes);

    private static class Arbitraries
    {
        public static Arbitrary<Step[]> Lives() =>
            (from which in Gen.Choose(0, Versions.Length - 1)
             from comes in Gen.Frequency((3, Gen.Constant(true)), (1, Gen.Constant(false)))
             select new Step(which, comes)).ArrayOf().ToArbitrary();
    }

    [Property(Arbitrary = [typeof(Arbitraries)])]
    public void After_any_changes_the_plan_is_what_the_objects_alone_would_give(Step[] steps)
    {
        var (life, there) = (new NatTests(), new Dictionary<ResourceId, Resource>());
        foreach (var step in steps)
        {
            var one = Versions[step.Which];
            if (step.Comes) life.Take(there[one.Id] = one);
            else if (there.Remove(one.Id, out var gone)) life.Gone(gone);
        }
        var fresh = new NatTests();
        fresh.Take(there.Values);
        Assert.Equal(fresh.nat.Plan, life.nat.Plan);
        Assert.Equal(fresh.nat.Question, life.nat.Question);
    }
}
