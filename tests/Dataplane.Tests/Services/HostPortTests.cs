using Calico.Bgp.Dataplane.Services;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Dataplane.Tests.Services;

/// <summary>Ports of node1 that lead to its pods: walked through what is written.</summary>
public sealed class HostPortTests
{
    private const string Own = "172.20.0.1", Own6 = "fd20::1", Other = "172.20.0.9", Here = "10.1.0.5", Here6 = "fd10::5";

    private static readonly Node Node = new(new Metadata("node1"))
    {
        Addresses = [new(Address.Parse(Own), "InternalIP"), new(Address.Parse(Own6), "InternalIP")],
    };

    private static Pod Pod(string name = "web", string node = "node1", string? at = null, ushort port = 80, string address = Here,
        byte protocol = 6) => new(new Metadata(name, "shop"))
        {
            Node = node,
            Nets = [Prefix.Parse(address + "/32"), Prefix.Parse(Here6 + "/128")],
            HostPorts = [new(at == null ? null : Address.Parse(at), port, protocol, 8080)],
        };

    private static ResourceChange Put(Resource now) => new(now.Kind, now.Key, null, now);

    private static ServiceHand With(params Resource[] objects)
    {
        var hand = new ServiceHand { Own = { Address.Parse(Own), Address.Parse(Own6), Address.Parse(Other) } };
        hand.Apply(new ServiceSettings { Enabled = true, Kubernetes = true });
        hand.Change([.. objects.Prepend(Node).Select(Put)]);
        return hand;
    }

    [Fact]
    public void A_port_of_each_of_the_nodes_addresses_leads_to_the_pod_which_sees_who_calls()
    {
        var hand = With(Pod());
        Assert.Equal($"->{Here}:8080", hand.Ask(Own));
        Assert.Equal($"->{Here6}:8080", hand.Ask(Own6, from: "fd77::1"));
        Assert.Equal($"->{Here}:8080", hand.Ask(Own, from: Own, link: null));
        Assert.Equal($"->{Here}:8080", hand.Ask(Own, from: "10.1.0.77", link: "cali77"));
        Assert.Equal("->", hand.Ask(Own, port: 8080));
        Assert.Equal("->", hand.Ask(Other));
    }

    [Fact]
    public void It_goes_with_the_pod_and_comes_again()
    {
        var (pod, hand) = (Pod(), With(Pod()));
        hand.Change(new ResourceChange(pod.Kind, pod.Key, pod, pod with { Nets = [] }));
        Assert.Equal("->", hand.Ask(Own));
        hand.Change(Put(pod));
        Assert.NotEqual("->", hand.Ask(Own));
        hand.Change(Put(pod));
        Assert.Empty(hand.Changes);
        hand.Change(new ResourceChange(pod.Kind, pod.Key, pod, null));
        Assert.Equal("->", hand.Ask(Own));
        Assert.Empty(hand.View.Translations);
    }

    [Fact]
    public void Of_one_address_it_is_that_ones_alone()
    {
        var hand = With(Pod(at: Other));
        Assert.Equal($"->{Here}:8080", hand.Ask(Other));
        Assert.Equal("->", hand.Ask(Own));
    }

    [Fact]
    public void At_a_loopback_address_it_is_said_that_nothing_comes_of_it()
    {
        var hand = With(Pod(at: "127.0.0.1"));
        Assert.Empty(hand.View.Translations);
        Assert.StartsWith("Pod/shop/web: host port 80 is not reached at 127.0.0.1: ", Assert.Single(hand.View.Problems),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Another_nodes_pods_and_those_in_the_nodes_own_network_have_none_here() => Assert.Empty(
        With(Pod(node: "node2"), Pod("host") with { IsHostNetwork = true }, Pod("bare") with { Nets = [] }).View.Translations);

    [Fact]
    public void Where_they_are_not_asked_for_there_are_none_until_they_are()
    {
        var hand = With(Pod());
        var settings = new ServiceSettings { Enabled = true, Kubernetes = true };
        hand.Apply(settings with { HostPorts = false });
        Assert.Equal("->", hand.Ask(Own));
        hand.Apply(settings);
        Assert.Equal($"->{Here}:8080", hand.Ask(Own));
        hand.Beside("kube-proxy");
        Assert.Equal("->", hand.Ask(Own));
    }

    /// <summary>Both are called shop/web.</summary>
    [Fact]
    public void A_node_port_comes_before_a_host_port_and_a_pod_is_not_taken_for_a_service_of_its_name()
    {
        var service = new Service(new Metadata("web", "shop"))
        {
            Type = ServiceType.NodePort,
            ClusterIPs = [Address.Parse("10.96.0.10")],
            Ports = [new("", ServiceProtocol.TCP, 80, 30080)],
        };
        var slice = new EndpointSlice(new Metadata("web-1", "shop")
        {
            Labels = Labels.From([new(EndpointSlice.ServiceNameLabel, "web")]),
        })
        {
            Endpoints = [new([Address.Parse("10.1.0.6")], true, null, null, "node1", null)],
            Ports = [new("", ServiceProtocol.TCP, 9090, 0)],
        };
        var pod = Pod(port: 30080);
        var hand = With(pod, service, slice);
        Assert.Equal("->10.1.0.6:9090", hand.Ask(Own, port: 30080));
        hand.Change(new ResourceChange(service.Kind, service.Key, service, null));
        Assert.Equal($"->{Here}:8080", hand.Ask(Own, port: 30080));
        hand.Change(Put(service));
        hand.Change(new ResourceChange(pod.Kind, pod.Key, pod, null));
        Assert.Equal("->10.1.0.6:9090", hand.Ask(Own, port: 30080));
    }

    [Fact]
    public void Of_two_pods_with_one_port_the_first_by_name_has_it()
    {
        var hand = With(Pod("b", address: "10.1.0.6"), Pod("a"));
        Assert.Equal($"->{Here}:8080", hand.Ask(Own));
        hand.Change(new ResourceChange(Pod("a").Kind, Pod("a").Key, Pod("a"), null));
        Assert.Equal("->10.1.0.6:8080", hand.Ask(Own));
    }
}
