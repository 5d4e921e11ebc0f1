using Calico.Bgp.Dataplane.Policies;
using Calico.Bgp.Kernel.Conntrack;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Policies;
using static Calico.Bgp.Dataplane.Tests.Plans;

namespace Calico.Bgp.Dataplane.Tests.Policies;

/// <summary>Whose connections a change is taken to concern: no fewer than it can forbid, and of others none.</summary>
public class NarrowingScopeTests
{
    private static Pod NewPod(string name, string address, string node = "node1", string? app = null) => new(new Metadata(name, "shop")
    {
        Labels = Labels.From(
            [new("app", app ?? name), new("projectcalico.org/namespace", "shop"), new("projectcalico.org/orchestrator", "k8s")]),
    })
    {
        Node = node,
        Nets = [Prefix.Parse(address)],
        Profiles = ["kns.shop"],
    };

    private static readonly Pod A = NewPod("a", "10.65.0.2/32"), B = NewPod("b", "fd00::3/128"),
        Far = NewPod("far", "10.66.0.9/32", "node2");

    private static NetworkPolicy Of(string selector, PolicyRule rule) => new(new Metadata("p", "shop"))
    {
        Spec = new()
        {
            Tier = "default",
            AppliesTo = Selector.Parse(selector),
            Types = PolicyTypes.Ingress,
            Ingress = [rule],
            WorkloadsOnly = true,
        },
    };

    private static readonly PolicyRule Allow = new() { Action = RuleAction.Allow },
        FromFar = Allow with { Source = new() { In = Selector.Parse("app == 'far'") } };

    private readonly Enforcement enforcement = new();
    private readonly TableWriter table = new();

    private NarrowingScope After(params IEnumerable<(Resource? Before, Resource? After)> changes)
    {
        foreach (var (before, after) in changes)
        {
            var one = (before ?? after)!;
            enforcement.Apply(new DataplaneChange.Object(new(one.Kind, one.Key, before, after)));
        }
        enforcement.Write(table.For(enforcement));
        return enforcement.TakeScope(table.Take());
    }

    private void Begin(params Resource[] objects) => Begin(cutNarrowed: true, objects);

    private void Begin(bool cutNarrowed, params Resource[] objects)
    {
        enforcement.Apply(new DataplaneChange.Configured(new("node1", Policy: new() { Enabled = true, CutNarrowed = cutNarrowed })));
        Resource[] world =
            [new KubernetesNamespace(new Metadata("shop")), new Tier(new Metadata("default")) { Order = 1_000_000 }, A, B, Far];
        After(Come([.. world, .. objects]).Select(change => (change.Before, change.After)));
    }

    private static string Words(NarrowingScope scope) => scope.IsAll ? "all"
        : string.Join(' ', scope.Gone.Order().Select(one => $"gone {one}").Concat(scope.Addresses.Order().Select(one => $"{one}"))
            .Concat(scope.Ranges.Select(one => $"{one}")));

    [Fact]
    public void An_edited_policy_concerns_the_pods_that_it_applies_to()
    {
        var policy = Of("app == 'a'", Allow);
        Begin(policy);
        Assert.Equal("10.65.0.2", Words(After((policy, Of("app == 'a'", Allow with { Protocol = 6 })))));
    }

    [Fact]
    public void A_policy_that_comes_goes_or_applies_to_others_concerns_those_whose_programs_change()
    {
        var (first, second) = (Of("app == 'a'", Allow), Of("app == 'b'", Allow));
        Begin();
        Assert.Equal("10.65.0.2", Words(After((null, first))));
        Assert.Equal("10.65.0.2 fd00::3", Words(After((first, second))));
        Assert.Equal("fd00::3", Words(After((second, null))));
    }

    [Fact]
    public void Who_leaves_a_set_or_comes_into_one_is_concerned_and_nobody_else()
    {
        Begin(Of("app == 'a'", FromFar));
        var other = NewPod("far", "10.66.0.9/32", "node2", app: "other");
        Assert.Equal("10.66.0.9", Words(After((Far, other))));
        Assert.Equal("10.66.0.9", Words(After((other, Far))));
    }

    [Fact]
    public void A_change_that_writes_nothing_concerns_nobody()
    {
        Begin(Of("app == 'a'", FromFar));
        Assert.True(After((null, NewPod("stranger", "10.66.0.10/32", "node2"))).IsNothing);
    }

    [Fact]
    public void A_host_endpoint_concerns_all()
    {
        Begin();
        Assert.Equal("all", Words(After((null, new HostEndpoint(new Metadata("eth0")) { Node = "node1", Interface = "eth0" }))));
    }

    /// <summary>Whether or not changes cut what they forbid.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_a_pod_had_that_is_gone_is_at_its_end(bool cutNarrowed)
    {
        Begin(cutNarrowed);
        Assert.Equal([Address.Parse("10.65.0.2")], After((A, null), (Far, null)).Gone);
        Assert.True(After((B, B with { Profiles = [] })).Gone.IsEmpty);
    }

    [Fact]
    public void An_address_that_another_pod_has_by_now_is_asked_about()
    {
        Begin(cutNarrowed: false);
        var next = NewPod("next", "10.65.0.2/32");
        Assert.Equal("10.65.0.2", Words(After((A, null), (null, next))));
        Assert.Equal("gone 10.65.0.2", Words(After((next, null))));
        Assert.Equal("10.65.0.2", Words((NarrowingScope.Nothing with { Gone = [Address.Parse("10.65.0.2")] })
            .Returned([Address.Parse("10.65.0.2"), Address.Parse("10.65.0.3")])));
    }

    [Fact]
    public void A_workload_that_goes_to_another_interface_keeps_what_it_has()
    {
        Begin(cutNarrowed: false);
        var here = new WorkloadEndpoint(new Metadata("w", "shop")) { Node = "node1", Interface = "cali1", Nets = A.Nets };
        After((A, null), (null, here));
        Assert.True(After((here, here with { Interface = "cali2" })).IsNothing);
        Assert.Equal("gone 10.65.0.2", Words(After((here with { Interface = "cali2" }, null))));
    }

    [Fact]
    public void A_connection_is_concerned_by_any_of_its_ends_and_one_that_was_announced_never()
    {
        static Connection From(string source, string to, string server) => new(Address.Parse(source), Address.Parse(to), 6, false)
        {
            Server = Address.Parse(server),
        };
        var scope = NarrowingScope.Nothing with
        {
            Addresses = [Address.Parse("10.65.0.2")],
            Ranges = [(Address.Parse("192.0.2.0"), Address.Parse("192.0.2.255"))],
        };
        Assert.Equal([true, true, true, true, false, false], new[]
        {
            From("10.65.0.2", "10.9.9.9", "10.9.9.9"), From("10.9.9.9", "10.65.0.2", "10.9.9.8"),
            From("10.9.9.9", "10.96.0.1", "10.65.0.2"), From("192.0.2.7", "10.9.9.9", "10.9.9.9"), From("10.9.9.9", "10.9.9.8", "10.9.9.8"),
            From("10.65.0.2", "10.9.9.9", "10.9.9.9") with { IsExpected = true },
        }.Select(scope.Concerns));
        Assert.True((NarrowingScope.Nothing with { IsAll = true }).Concerns(From("10.9.9.9", "10.9.9.8", "10.9.9.8")));
    }

    [Fact]
    public void Of_more_networks_than_can_be_told_apart_all_are_concerned()
    {
        var some = NarrowingScope.Nothing with { Ranges = [.. Enumerable.Range(0, 40).Select(Range)] };
        var more = NarrowingScope.Nothing with { Ranges = [.. Enumerable.Range(40, 40).Select(Range)] };
        Assert.False(NarrowingScope.Nothing.With(some).IsAll);
        Assert.True(some.With(more).IsAll);

        static (Address, Address) Range(int number) => (Address.FromIPv4((uint)number << 8), Address.FromIPv4(((uint)number << 8) + 255));
    }
}
