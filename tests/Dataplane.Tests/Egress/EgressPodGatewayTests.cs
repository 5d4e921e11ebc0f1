using System.Collections.Immutable;
using Calico.Bgp.Dataplane.Egress;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Policies;
using Calico.Bgp.Sources.Yaml;
using Microsoft.Extensions.Logging.Abstractions;
using static Calico.Bgp.Dataplane.Tests.Plans;

namespace Calico.Bgp.Dataplane.Tests.Egress;

/// <summary>Gateways that are pods, and what is planned for them: next hops by the overlay.</summary>
public sealed class EgressPodGatewayTests
{
    private const string Outside = "198.51.100.1";

    private static Resource[] Cluster => Load("21-gateway-pods");

    private static Resource[] Load(string example)
    {
        var snapshot = YamlFiles.Load(Path.GetFullPath(Path.Combine(AppContext.BaseDirectory,
            $"../../../../examples/{example}/resources")));
        Assert.Empty(snapshot.Problems);
        return [.. snapshot.Begin().Select(change => change.After).OfType<Resource>()];
    }

    private static Dataplane.Egress.Egress On(string node, params IEnumerable<Resource> resources)
    {
        var egress = new Dataplane.Egress.Egress(NullLogger.Instance, TimeProvider.System);
        egress.Apply(new DataplaneChange.Configured(new(node, Egress: new() { Enabled = true, Mode = EgressMode.Pods })));
        egress.Apply(new DataplaneChange.Machine(new(1,
            ImmutableDictionary<int, Link>.Empty.Add(2, new(2, "eth0", 0x10043, 1500, 0, null))
                .Add(7, new(7, "egress.calico", 0x10043, 1450, 0, null)),
            [new(2, Address.Parse("172.20.0.1"), 24, null, 0, false)], KernelSnapshot.Empty.Routes)));
        foreach (var one in resources) egress.Apply(new DataplaneChange.Object(new(one.Kind, one.Key, null, one)));
        egress.Look();
        return egress;
    }

    private static Pod Pod(string name, string within, bool isReady = true) =>
        Cluster.OfType<Pod>().Single(pod => pod.Name == name && pod.Metadata.Namespace == within) with { IsReady = isReady };

    private static Resource[] With(params Pod[] pods) => [.. Cluster.Where(one => !pods.Any(pod => pod.Id == one.Id)), .. pods];

    private static IEnumerable<string> Hops(Dataplane.Egress.Egress egress) =>
        egress.Routes.Tables.SelectMany(table => table.Hops).Select(hop => $"{hop}").Distinct();

    /// <summary>examples/21-gateway-pods, as a node of it sees it.</summary>
    [Fact]
    public void The_example_is_as_its_README_says()
    {
        var egress = On("client", Cluster);
        Assert.Equal(["edge/egw-0", "edge/egw-1"], egress.View.Value.Gateways.Select(gateway => $"{gateway.Key}"));
        Assert.Equal(["via 10.10.10.1 by VXLAN", "via 10.10.10.2 by VXLAN"],
            egress.View.Value.Gateways.SelectMany(gateway => gateway.Replicas).Select(replica => replica.Standing));
        Assert.Equal(["office/desk", "shop/till"], egress.View.Value.Gateways[0].Pods);
        Assert.Empty(egress.View.Value.Blocked);
        Assert.Empty(egress.Routes.Here);
        Assert.Equal([1, 2], egress.Routes.Tables.Select(table => table.Hops.Count).Order());
        Assert.Equal("by a gateway", egress.Explain(new("office", "desk"), Address.Parse(Outside), EgressSite.NothingRefused)!.Verdict);
        Assert.Equal("not by a gateway",
            egress.Explain(new("office", "desk"), Address.Parse("10.20.0.1"), EgressSite.NothingRefused)!.Verdict);
    }

    [Fact]
    public void Who_is_on_the_overlay_follows_from_addresses_and_its_packets_fit()
    {
        var egress = On("client", Cluster);
        Assert.Equal(
            [
                "link egress.calico type vxlan id 4097 dstport 4790 local 172.20.0.1 mtu 1450 address a2:2a:ac:14:00:01",
                "fdb a2:2a:0a:0a:0a:01 dev 7 dst 10.10.10.1", "fdb a2:2a:0a:0a:0a:02 dev 7 dst 10.10.10.2",
                "neighbour 10.10.10.1 lladdr a2:2a:0a:0a:0a:01 dev 7", "neighbour 10.10.10.2 lladdr a2:2a:0a:0a:0a:02 dev 7",
            ],
            egress.Routes.Overlay.Select(one => one.ToString()));
        var felix = new FelixConfiguration(new Metadata("default")) { EgressVxlanPort = 4800, EgressVxlanNetwork = 5000 };
        Assert.Contains("id 5000 dstport 4800", On("client", [.. Cluster, felix]).Routes.Overlay.First().ToString(),
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_pod_that_is_not_ready_is_no_next_hop_and_without_any_there_is_no_way()
    {
        var one = On("client", With(Pod("egw-0", "edge", isReady: false)));
        Assert.Equal(["via 10.10.10.2 dev 7 onlink"], Hops(one));
        Assert.Equal("its pod is not ready", one.View.Value.Gateways[0].Replicas[0].Standing);
        var none = On("client", With(Pod("egw-0", "edge", isReady: false), Pod("egw-1", "edge", isReady: false)));
        Assert.Empty(Hops(none));
        Assert.NotEmpty(none.Routes.Tables);
        Assert.Equal("dropped: no gateway is there",
            none.Explain(new("shop", "till"), Address.Parse(Outside), EgressSite.NothingRefused)!.Verdict);
    }

    [Fact]
    public void A_gateway_comes_and_goes_with_its_pod()
    {
        var egress = On("client", Cluster);
        var gone = Pod("egw-1", "edge");
        egress.Apply(new DataplaneChange.Object(new(gone.Kind, gone.Key, gone, null)));
        egress.Look();
        Assert.Equal(["via 10.10.10.1 dev 7 onlink"], Hops(egress));
        egress.Apply(new DataplaneChange.Object(new(gone.Kind, gone.Key, null, gone)));
        egress.Look();
        Assert.Equal(2, Hops(egress).Count());
    }

    /// <summary>Of a namespace that chooses its own gateways, these do not send to themselves.</summary>
    [Fact]
    public void A_gateway_leaves_by_no_gateway_that_it_is_itself()
    {
        var edge = new KubernetesNamespace(new Metadata("edge"))
        {
            Egress = new() { Gateway = new(Selector.Parse("egress-code == 'shared'"), null, 0) },
        };
        var egress = On("client", [.. Cluster.Where(one => one.Id != edge.Id), edge]);
        Assert.Equal("not by a gateway", egress.Explain(new("edge", "egw-0"), Address.Parse(Outside), EgressSite.NothingRefused)!.Verdict);
    }

    [Fact]
    public void Where_a_gateways_pool_has_natOutgoing_it_leaves_with_its_nodes_address()
    {
        var replica = On("client", [.. Cluster.Where(one => one.Key.Name != "gateways"), Pool("gateways", "10.10.10.0/29")])
            .View.Value.Gateways[0].Replicas[0];
        Assert.True(replica is { ByHost: true, Addresses.Count: 0 });
    }

    [Fact]
    public void Link_layer_addresses_are_locally_administered_and_differ()
    {
        var (one, other) = (EgressOverlay.MacOf(Address.Parse("fd00::1")), EgressOverlay.MacOf(Address.Parse("fd00::2")));
        Assert.StartsWith("a2:2a:", $"{one}", StringComparison.Ordinal);
        Assert.NotEqual(one, other);
        Assert.Equal("a2:2a:c0:a8:01:02", $"{EgressOverlay.MacOf(Address.Parse("192.168.1.2"))}");
    }
}
