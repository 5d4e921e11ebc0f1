using Calico.Bgp.Dataplane.Egress;
using Calico.Bgp.Kernel.Conntrack;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Egress;
using Calico.Bgp.Resources.Policies;
using Microsoft.Extensions.Logging.Abstractions;
using static Calico.Bgp.Dataplane.Tests.Plans;

namespace Calico.Bgp.Dataplane.Tests.Egress;

/// <summary>Whose the connections are that leave by a gateway's node.</summary>
public sealed class EgressFlowsTests
{
    private const string Pod = "192.168.1.2", Outside = "198.51.100.1", Node = "172.20.0.11";

    private static EgressFlows FlowsOf(string node, bool nat = false, EgressSettings? settings = null)
    {
        var egress = Made(node, nat, settings ?? new() { Enabled = true });
        return egress.Flows!;
    }

    private static Dataplane.Egress.Egress Made(string node, bool nat, EgressSettings settings)
    {
        var egress = new Dataplane.Egress.Egress(NullLogger.Instance, TimeProvider.System);
        egress.Apply(new DataplaneChange.Configured(new(node, Egress: settings)));
        Resource[] objects =
        [
            Plans.Node("client", "172.20.0.1"), Plans.Node("gate1", Node) with
            {
                Metadata = new("gate1") { Labels = Labels.From([KeyValuePair.Create("egress", "yes")]) },
            },
            Pool("pods", "192.168.0.0/16"), Pool("red", "10.10.10.0/30", nat: nat),
            new KubernetesNamespace(new Metadata("edge")),
            new KubernetesNamespace(new Metadata("alpha"))
            {
                Egress = new() { Gateway = new(Selector.Parse("code == 'red'"), Selector.Parse("projectcalico.org/name == 'edge'"), 0) },
            },
            new EgressGateway(new Metadata("red", "edge"))
            {
                Pools = [new("red", null)],
                GivenLabels = Labels.From([new("code", "red")]),
                NodeSelector = Labels.From([new("egress", "yes")]),
            },
            new Pod(new Metadata("a", "alpha")) { Node = "client", Nets = [Prefix.Parse(Pod + "/32")] },
        ];
        foreach (var one in objects) egress.Apply(new DataplaneChange.Object(new(one.Kind, one.Key, null, one)));
        egress.Look();
        return egress;
    }

    private static EgressFlow? Flow(EgressFlows flows, string source, string client) => flows.Of(
        new Connection(Address.Parse(source), Address.Parse("10.96.0.9"), 6, true)
        {
            SourcePort = 4000,
            DestinationPort = 80,
            Server = Address.Parse(Outside),
            ServerPort = 8080,
        }, new(1, Address.Parse(client), 5000));

    [Fact]
    public void A_flow_is_told_with_its_pod_and_with_what_the_world_sees_behind_any_service() => Assert.Equal(
        new EgressFlow(new ResourceKey("alpha", "a"), new("edge", "red"), new(Address.Parse(Pod), 4000),
            new(Address.Parse("10.10.10.0"), 5000), new(Address.Parse(Outside), 8080), 6), Flow(FlowsOf("gate1"), Pod, "10.10.10.0"));

    [Fact]
    public void What_leaves_with_another_address_is_no_flow_of_a_gateway() => Assert.Null(Flow(FlowsOf("gate1"), Pod, Node));

    [Fact]
    public void A_flow_whose_pod_is_gone_is_told_without_it()
    {
        var flow = Flow(FlowsOf("gate1"), "192.168.1.9", "10.10.10.0");
        Assert.Equal((null, "tcp"), (flow?.Pod, flow?.ProtocolWord));
    }

    [Fact]
    public void Where_packets_leave_with_the_nodes_address_the_pod_says_whose_they_are()
    {
        var flows = FlowsOf("gate1", nat: true);
        Assert.Equal(new ResourceKey("edge", "red"), Flow(flows, Pod, Node)?.Gateway);
        Assert.Null(Flow(flows, "192.168.1.9", Node));
        Assert.Null(Flow(flows, Pod, "172.20.0.12"));
    }

    [Fact]
    public void Another_node_has_none_of_them()
    {
        Assert.Null(Flow(FlowsOf("client"), Pod, "10.10.10.0"));
        Assert.Equal(0, FlowsOf("client").Gateways.Count);
    }

    [Fact]
    public void Flows_are_logged_where_it_is_asked_for_on_a_gateways_node_alone()
    {
        var logging = new EgressSettings { Enabled = true, FlowLog = true };
        Assert.True(Made("gate1", false, logging).LogsFlows);
        Assert.False(Made("client", false, logging).LogsFlows);
        Assert.False(Made("gate1", false, logging with { FlowLog = false }).LogsFlows);
        Assert.False(Made("gate1", false, logging with { Enabled = false }).LogsFlows);
    }
}
