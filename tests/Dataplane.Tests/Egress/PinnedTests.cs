using System.Collections.Immutable;
using Calico.Bgp.Dataplane.Egress;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Egress;
using Calico.Bgp.Resources.Policies;
using Microsoft.Extensions.Logging.Abstractions;
using static Calico.Bgp.Dataplane.Tests.Plans;

namespace Calico.Bgp.Dataplane.Tests.Egress;

/// <summary>A gateway's one address, and at which of its nodes it is.</summary>
public sealed class PinnedTests
{
    private const string Gate1 = "172.20.0.11", Gate2 = "172.20.0.12";

    private static Dataplane.Egress.Egress On(string node, string address, params string[] unheard) =>
        On(node, address, isBehind: false, [], unheard);

    private static Dataplane.Egress.Egress On(
        string node, string address, bool isBehind, string[] behind, params string[] unheard)
    {
        var egress = new Dataplane.Egress.Egress(NullLogger.Instance, TimeProvider.System);
        egress.Apply(new DataplaneChange.Configured(new(node, Egress: new()
        {
            Enabled = true,
            Pinned = true,
            ReplicateFlows = true,
        })));
        egress.Apply(new DataplaneChange.Machine(new(1,
            ImmutableDictionary<int, Link>.Empty.Add(2, new(2, "eth0", 0x10043, 1500, 0, null)),
            [new(2, Address.Parse(address), 24, null, 0, false)], KernelSnapshot.Empty.Routes)));
        Resource[] objects =
        [
            Plans.Node("client", "172.20.0.1"), Gate("gate1", Gate1), Gate("gate2", Gate2), Pool("pods", "192.168.0.0/16"),
            Pool("red", "10.10.10.0/30", nat: false), Pool("blue", "10.10.11.0/30", nat: false),
            new KubernetesNamespace(new Metadata("edge")), Gateway("red"), Gateway("blue"), PodOf(0, "client"), PodOf(0, "gate2"),
            .. Enumerable.Range(1, 20).Select(number => PodOf(number, "client", most: 1)),
        ];
        foreach (var one in objects) egress.Apply(new DataplaneChange.Object(new(one.Kind, one.Key, null, one)));
        egress.Apply(new DataplaneChange.Unheard([.. unheard.Select(Address.Parse)]));
        egress.Apply(new DataplaneChange.Failing(EgressFailing.None with { Behind = [.. behind.Select(Address.Parse)] }));
        egress.IsBehind = isBehind;
        egress.Look();
        return egress;
    }

    private static Node Gate(string name, string address) => Plans.Node(name, address) with
    {
        Metadata = new(name) { Labels = Labels.From([KeyValuePair.Create("egress", "yes")]) },
    };

    private static EgressGateway Gateway(string name) => new(new Metadata(name, "edge"))
    {
        Pools = [new(name, null)],
        GivenLabels = Labels.From([new("code", name)]),
        NodeSelector = Labels.From([new("egress", "yes")]),
    };

    /// <param name="most">Of both gateways so many; 0: of red alone.</param>
    private static Pod PodOf(int number, string node, int most = 0) => new(new Metadata($"{node}{number}", "alpha"))
    {
        Node = node,
        Nets = [Prefix.Parse($"192.168.{(node == "client" ? 1 : 2)}.{number}/32")],
        Egress = new() { Gateway = new(Selector.Parse(most == 0 ? "code == 'red'" : "all()"), Selector.Parse("all()"), most) },
    };

    [Fact]
    public void An_address_that_two_nodes_may_have_is_announced_with_their_places()
    {
        Assert.Equal([new EgressAnnounced(Address.Parse("10.10.10.0"), 0), new(Address.Parse("10.10.11.0"), 0)],
            On("gate1", Gate1, Gate2).Announced);
        Assert.Equal([new EgressAnnounced(Address.Parse("10.10.10.0"), 1), new(Address.Parse("10.10.11.0"), 1)],
            On("gate2", Gate2, Gate1).Announced);
        Assert.Empty(On("gate2", Gate2).Announced);
    }

    private static string Here(Dataplane.Egress.Egress egress) => string.Join(", ", egress.Routes.Here);

    private static string Hops(Dataplane.Egress.Egress egress) =>
        string.Join(", ", egress.Routes.Tables.SelectMany(table => table.Hops).Select(hop => hop.Gateway).Distinct());

    private static string State(Dataplane.Egress.Egress egress, string node) =>
        egress.View.Value.Gateways.Single(gateway => gateway.Key.Name == "red").Replicas.Single(replica => replica.Node == node).Standing;

    [Fact]
    public void All_nodes_of_a_gateway_have_its_one_address_and_the_first_of_them_announces_it()
    {
        var (first, second) = (On("gate1", Gate1), On("gate2", Gate2));
        Assert.All(second.View.Value.Gateways.Single(gateway => gateway.Key.Name == "red").Replicas,
            replica => Assert.Equal("10.10.10.0", $"{replica.Addresses.Single()}"));
        Assert.Equal(("10.10.10.0, 10.10.11.0", ""), (Here(first), Here(second)));
        Assert.Equal(("this node", "this node, stands by"), (State(first, "gate1"), State(second, "gate2")));
    }

    [Fact]
    public void The_next_one_has_it_when_the_first_is_not_heard()
    {
        var second = On("gate2", Gate2, Gate1);
        Assert.Equal("10.10.10.0, 10.10.11.0", Here(second));
        Assert.Equal("this node", State(second, "gate2"));
        Assert.Equal("10.10.10.0, 10.10.11.0", Here(On("gate1", Gate1, Gate2)));
    }

    [Fact]
    public void Clients_hand_their_packets_to_the_one_that_has_it()
    {
        Assert.Equal(Gate1, Hops(On("client", "172.20.0.1")));
        Assert.Equal(Gate2, Hops(On("client", "172.20.0.1", Gate1)));
        Assert.Equal("", Hops(On("client", "172.20.0.1", Gate1, Gate2)));
    }

    [Fact]
    public void A_pod_on_a_node_that_stands_by_leaves_by_the_other()
    {
        Assert.Equal(Gate1, Hops(On("gate2", Gate2)));
        Assert.Equal("", Hops(On("gate2", Gate2, Gate1)));
    }

    [Fact]
    public void Nodes_of_a_gateway_watch_each_other() =>
        Assert.Equal("172.20.0.1, 172.20.0.12", string.Join(", ", On("gate1", Gate1).Watched.Select(one => one.Host)));

    /// <summary>All agree on who has it: the one itself, the others of the gateway, and clients.</summary>
    [Fact]
    public void One_that_waits_for_flows_takes_nothing_from_who_is_there()
    {
        var (first, second) = (On("gate1", Gate1, isBehind: true, []), On("gate2", Gate2, isBehind: false, [Gate1]));
        Assert.Equal(("", "10.10.10.0, 10.10.11.0"), (Here(first), Here(second)));
        Assert.Equal(Gate2, Hops(On("client", "172.20.0.1", isBehind: false, [Gate1])));
        Assert.Equal(("this node, stands by", "via 172.20.0.11, waits for flows of others, stands by"),
            (State(first, "gate1"), State(second, "gate1")));
        first.IsBehind = false;
        first.Look();
        Assert.Equal("10.10.10.0, 10.10.11.0", Here(first));
    }

    [Fact]
    public void One_that_waits_for_flows_has_it_where_there_is_no_other()
    {
        Assert.Equal("10.10.10.0, 10.10.11.0", Here(On("gate1", Gate1, isBehind: true, [], Gate2)));
        Assert.Equal(Gate1, Hops(On("client", "172.20.0.1", isBehind: false, [Gate1], Gate2)));
        // Nor where all wait.
        Assert.Equal("10.10.10.0, 10.10.11.0", Here(On("gate1", Gate1, isBehind: true, [Gate2])));
        Assert.Equal("", Here(On("gate2", Gate2, isBehind: true, [Gate1])));
    }

    [Fact]
    public void Flows_are_shared_with_the_other_nodes_of_its_gateways_and_told_of_what_is_here()
    {
        var plan = On("gate1", Gate1, "172.20.0.1").Replication!;
        var peer = Assert.Single(plan.Peers);
        Assert.Equal(("gate2", "172.20.0.12", "10.10.10.0, 10.10.11.0", true),
            (peer.Node, string.Join(", ", peer.Hosts), string.Join(", ", peer.Shared), peer.IsLater));
        Assert.Equal(("172.20.0.11", "10.10.10.0, 10.10.11.0", false),
            (string.Join(", ", plan.Own), string.Join(", ", plan.Held), plan.IsAlone));
        Assert.Same(peer, plan.PeerAt(Address.Parse(Gate2)));
        Assert.Null(plan.PeerAt(Address.Parse("172.20.0.1")));
        Assert.True(On("gate1", Gate1, "172.20.0.1", Gate2).Replication!.IsAlone);
        var second = On("gate2", Gate2).Replication!;
        Assert.Equal(("", false), (string.Join(", ", second.Held), second.Peers.Single().IsLater));
        Assert.Equal("192.168.2.0", string.Join(", ", second.Local.Value));
        Assert.Null(On("client", "172.20.0.1").Replication);
    }

    [Fact]
    public void Of_next_hops_that_a_pod_may_have_a_gateway_is_one()
    {
        // Each pod keeps to a gateway, and both gateways' packets go to the node that serves.
        var ways = On("client", "172.20.0.1").Routes.Tables;
        Assert.Equal(3, ways.Count);
        Assert.All(ways, table => Assert.Equal(Gate1, $"{Assert.Single(table.Hops).Gateway}"));
    }
}
