using Calico.Bgp.Net;

namespace Calico.Bgp.Resources.Tests;

/// <summary>The many ways in which one thing is written, and the defaults that a server would have filled in.</summary>
public class SpellingTests
{
    [Fact]
    public void A_CRDs_true_labels_stand_in_an_annotation()
    {
        var peer = Manifest.One<BgpPeer>("""
            apiVersion: crd.projectcalico.org/v1
            kind: BGPPeer
            metadata:
              name: tor1
              uid: 1234
              labels: { kept: "yes", side: crd }
              annotations:
                projectcalico.org/metadata: '{"labels":{"side":"calico"},
                  "annotations":{"nat.bgpd/upstream":"true"},"creationTimestamp":null}'
                kubectl.kubernetes.io/last-applied-configuration: '{}'
            spec: { peerIP: 192.0.2.1, asNumber: "1.1" }
            """);
        Assert.Equal(Labels.From([new("kept", "yes"), new("side", "calico")]), peer.Labels);
        Assert.Equal(Labels.From([new("nat.bgpd/upstream", "true")]), peer.Annotations);
        Assert.Equal(new Asn(65537), peer.AsNumber);
    }

    [Fact]
    public void An_annotation_that_is_no_JSON_is_warned_of()
    {
        var definition = Assert.Single(Manifest.Read("""
            apiVersion: crd.projectcalico.org/v1
            kind: BGPPeer
            metadata: { name: tor1, labels: { a: b }, annotations: { projectcalico.org/metadata: '{"labels":' } }
            spec: { peerIP: 192.0.2.1, asNumber: 1 }
            """).Definitions);
        Assert.Equal("b", definition.Value!.Labels["a"]);
        Assert.Equal(ProblemSeverity.Warning, Assert.Single(definition.Problems).Severity);
    }

    [Theory]
    [InlineData("ipip: { enabled: true }", EncapsulationMode.Always, false)]
    [InlineData("ipip: { enabled: true, mode: cross-subnet }, nat-outgoing: true", EncapsulationMode.CrossSubnet, true)]
    [InlineData("ipip: { enabled: false, mode: always }", EncapsulationMode.Never, false)]
    [InlineData("ipipMode: Never, ipip: { enabled: true }", EncapsulationMode.Never, false)]
    public void A_pool_of_the_first_API(string spec, EncapsulationMode mode, bool nat)
    {
        var pool = Manifest.One<IPPool>("IPPool", $"cidr: 10.0.0.0/16, {spec}");
        Assert.Equal((mode, nat), (pool.IpipMode, pool.NatOutgoing));
    }

    [Fact]
    public void A_pools_defaults()
    {
        var four = Manifest.One<IPPool>("IPPool", "cidr: 10.0.0.0/16");
        Assert.Equal((26, EncapsulationMode.Never, false, false), (four.BlockSize, four.IpipMode, four.NatOutgoing, four.DisableBgpExport));
        Assert.Equal(PoolUses.Workload | PoolUses.Tunnel, four.AllowedUses);
        Assert.Equal(Selector.All, four.NodeSelector);
        Assert.Equal(122, Manifest.One<IPPool>("IPPool", "cidr: 'fd00::/64'").BlockSize);
    }

    [Theory]
    [InlineData("Prefer", UpstreamNat.Prefer, 0)]
    [InlineData("Require", UpstreamNat.Require, 0)]
    [InlineData("Ignore", UpstreamNat.Ignore, 0)]
    [InlineData("maybe", null, 1)]
    public void A_pool_says_what_upstream_NAT_does_to_it(string word, UpstreamNat? expected, int warnings)
    {
        var definition = Assert.Single(Manifest.Read($$"""
            apiVersion: projectcalico.org/v3
            kind: IPPool
            metadata: { name: a, annotations: { nat.bgpd/upstream: {{word}} } }
            spec: { cidr: 10.0.0.0/16 }
            """).Definitions);
        Assert.Equal(expected, ((IPPool)definition.Value!).UpstreamNat);
        Assert.Equal(warnings, definition.Problems.Length);
    }

    [Theory]
    [InlineData("true", true)]
    [InlineData("\"true\"", true)]
    [InlineData("\"false\"", false)]
    [InlineData("null", false)]
    public void An_affinity_says_deleted_as_word_or_truth_value(string deleted, bool expected) =>
        Assert.Equal(expected, Manifest.One<BlockAffinity>("BlockAffinity", $"node: a, cidr: 10.0.0.0/26, deleted: {deleted}").Deleted);

    [Theory]
    [InlineData("''", AffinityState.None)]
    [InlineData("pending", AffinityState.Pending)]
    [InlineData("confirmed", AffinityState.Confirmed)]
    [InlineData("pendingDeletion", AffinityState.PendingDeletion)]
    public void States_of_an_affinity(string state, AffinityState expected) =>
        Assert.Equal(expected, Manifest.One<BlockAffinity>("BlockAffinity", $"node: a, cidr: 10.0.0.0/26, state: {state}").State);

    [Fact]
    public void A_block_knows_who_holds_an_address()
    {
        var block = Manifest.One<IpamBlock>("IPAMBlock", """
            cidr: 10.0.0.64/26, affinity: "host:node-1", allocations: [null, 0, 1], unallocated: [0], deleted: "false", sequenceNumber: 7,
            attributes: [{ handle_id: h0, secondary: { node: node-1 } }, { handle_id: h1, secondary: { node: node-2 } }]
            """);
        Assert.Equal(new IpamOwner(AffinityType.Host, "node-1"), block.Affinity);
        Assert.Null(block.Holder(Address.Parse("10.0.0.64")));
        Assert.Equal("node-2", block.Holder(Address.Parse("10.0.0.66"))!.Secondary["node"]);
        Assert.Null(block.Holder(Address.Parse("10.0.0.127")));
        Assert.Null(block.Holder(Address.Parse("10.0.0.1")));
    }

    [Fact]
    public void A_block_of_IPv6_knows_it_too() => Assert.Equal("h", Manifest.One<IpamBlock>("IPAMBlock",
        "cidr: 'fd00::40/122', allocations: [null, 0], attributes: [{ handle_id: h }]").Holder(Address.Parse("fd00::41"))!.HandleId);

    [Theory]
    [InlineData("0", 0)]
    [InlineData("10s", 10_000)]
    [InlineData("1m30s", 90_000)]
    [InlineData("10.5s", 10_500)]
    [InlineData("1h0m0s", 3_600_000)]
    [InlineData("250ms", 250)]
    public void Durations_as_Go_writes_them(string text, int milliseconds) => Assert.Equal(
        TimeSpan.FromMilliseconds(milliseconds),
        Manifest.One<BgpPeer>("BGPPeer", $"peerIP: 192.0.2.1, maxRestartTime: {text}").MaxRestartTime);

    [Fact]
    public void A_community_without_quotes_is_no_number_of_base_60()
    {
        var configuration = Manifest.One<BgpConfiguration>("BGPConfiguration",
            "communities: [{ name: a, value: 5663:12 }], prefixAdvertisements: [{ cidr: 10.0.0.0/8, communities: [a, 5663:59] }]");
        Assert.Equal(new Community(5663, 12), configuration.Community("a")!.Value.Standard);
        Assert.Equal(new Community(5663, 59), configuration.Community("5663:59")!.Value.Standard);
    }

    [Fact]
    public void An_empty_list_of_advertisements_is_not_none()
    {
        Assert.Null(Manifest.One<BgpConfiguration>("BGPConfiguration", "").PrefixAdvertisements);
        Assert.Equal(0, Manifest.One<BgpConfiguration>("BGPConfiguration", "prefixAdvertisements: []").PrefixAdvertisements!.Value.Count);
    }

    [Fact]
    public void A_node_written_for_Kubernetes_carries_Calicos_annotations()
    {
        var node = Manifest.One<Node>("""
            apiVersion: v1
            kind: Node
            metadata:
              name: kube-master
              labels: { a: kubernetes, b: "1" }
              annotations:
                projectcalico.org/IPv4Address: 10.192.0.2/16
                projectcalico.org/IPv6Address: fd00::2
                projectcalico.org/ASNumber: "64513"
                projectcalico.org/RouteReflectorClusterID: 224.0.0.1
                projectcalico.org/IPv4IPIPTunnelAddr: 192.168.0.1
                projectcalico.org/labels: '{"a":"calico","c":"2"}'
            spec: { podCIDR: 10.244.0.0/24 }
            status:
              addresses: [{ type: Hostname, address: kube-master }, { type: InternalIP, address: 10.192.0.2 }]
              conditions: [{ type: Ready, lastHeartbeatTime: "2026-01-01T00:00:00Z" }]
            """);
        Assert.Equal(new InterfaceAddress(Address.Parse("10.192.0.2"), Prefix.Parse("10.192.0.0/16")), node.IPv4);
        Assert.Equal(new InterfaceAddress(Address.Parse("fd00::2"), Prefix.Parse("fd00::2/128")), node.IPv6);
        Assert.Equal((new Asn(64513), "224.0.0.1"), (node.AsNumber!.Value, node.RouteReflectorClusterId.ToString()));
        Assert.Equal("kubernetes 1 2", $"{node.Labels["a"]} {node.Labels["b"]} {node.Labels["c"]}");
        Assert.Equal([Prefix.Parse("10.244.0.0/24")], node.PodCidrs);
        Assert.Equal([new NodeAddress(Address.Parse("10.192.0.2"), "InternalIP")], node.Addresses);
    }

    [Theory]
    [InlineData("{}", "{}", false, false)]
    [InlineData("{ unschedulable: true }", "{ conditions: [{ type: Ready, status: 'True' }] }", true, false)]
    [InlineData("{ unschedulable: false }", "{ conditions: [{ type: DiskPressure, status: 'False' }] }", false, false)]
    [InlineData("{}", "{ conditions: [{ type: Ready, status: 'False' }] }", false, true)]
    [InlineData("{}", "{ conditions: [{ type: DiskPressure, status: Unknown }, { type: Ready, status: Unknown }] }", false, true)]
    public void A_node_of_Kubernetes_says_whether_it_is_cordoned_and_works(string spec, string status, bool cordoned, bool fails)
    {
        var node = Manifest.One<Node>($"apiVersion: v1\nkind: Node\nmetadata: {{ name: a }}\nspec: {spec}\nstatus: {status}\n");
        Assert.Equal((cordoned, fails), (node.Unschedulable, node.IsNotReady));
    }

    [Fact]
    public void A_malformed_annotation_of_a_node_is_left_out_and_warned_of()
    {
        var definition = Assert.Single(Manifest.Read("""
            apiVersion: v1
            kind: Node
            metadata: { name: a, annotations: { projectcalico.org/IPv4Address: none, projectcalico.org/ASNumber: "1" } }
            """).Definitions);
        Assert.Equal((null, new Asn(1)), (((Node)definition.Value!).IPv4, ((Node)definition.Value).AsNumber!.Value));
        Assert.Equal(ProblemSeverity.Warning, Assert.Single(definition.Problems).Severity);
    }

    [Fact]
    public void A_services_defaults_follow_from_what_is_written()
    {
        var service = Service("type: LoadBalancer, clusterIP: 'fd00:96::28'");
        Assert.Equal("default", service.Metadata.Namespace);
        Assert.Equal([IpFamily.IPv6], service.IpFamilies);
        Assert.Equal([Address.Parse("fd00:96::28")], service.ClusterIPs);
        Assert.Equal(TrafficPolicy.Cluster, service.ExternalTrafficPolicy);
        Assert.Null(Service("clusterIP: 10.96.0.1").ExternalTrafficPolicy);
        Assert.Equal(TrafficPolicy.Cluster, Service("clusterIP: 10.96.0.1, externalIPs: [192.0.2.1]").ExternalTrafficPolicy);
        Assert.Equal([IpFamily.IPv4, IpFamily.IPv6], Service("clusterIPs: [10.96.0.1, 'fd00::1']").IpFamilies);
    }

    [Theory]
    [InlineData("clusterIP: None", true)]
    [InlineData("clusterIPs: [None]", true)]
    [InlineData("clusterIP: None, clusterIPs: [None]", true)]
    [InlineData("clusterIP: '', type: ClusterIP", false)]
    [InlineData("type: ExternalName, externalName: example.org", false)]
    [InlineData("type: ClusterIP", false)]
    public void A_service_without_address(string spec, bool headless)
    {
        var service = Service(spec);
        Assert.Equal((headless, 0), (service.Headless, service.ClusterIPs.Count));
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("0.0.0.0")]
    [InlineData("169.254.20.10")]
    [InlineData("224.0.0.5")]
    [InlineData("::1")]
    [InlineData("fe80::1")]
    [InlineData("ff02::1")]
    public void External_addresses_that_every_node_or_link_has_are_refused_as_an_API_server_does(string address)
    {
        var text = "{ apiVersion: v1, kind: Service, metadata: { name: a }, "
            + $"spec: {{ clusterIP: 10.96.0.1, externalIPs: [192.0.2.1, '{address}'] }} }}";
        var problem = Assert.Single(Assert.Single(Manifest.Read(text).Definitions).Problems);
        Assert.Equal(("spec.externalIPs[1]", $"expected an address of neither a loopback nor one link alone, got {address}"),
            (problem.Field, problem.Reason));
    }

    private static Service Service(string spec) =>
        Manifest.One<Service>($"{{ apiVersion: v1, kind: Service, metadata: {{ name: a }}, spec: {{ {spec} }} }}");

    [Fact]
    public void Names_among_a_services_ingress_are_left_out() => Assert.Equal([Address.Parse("192.0.2.7")], Manifest.One<Service>("""
        apiVersion: v1
        kind: Service
        metadata: { name: a, namespace: b, managedFields: [{ manager: x }] }
        spec: { type: LoadBalancer, clusterIP: 10.96.0.1 }
        status: { loadBalancer: { ingress: [{ ip: nonsense }, { hostname: lb.example.org }, { ip: 192.0.2.7 }] } }
        """).LoadBalancerIngress);

    [Fact]
    public void A_slice_names_its_service_and_its_endpoints()
    {
        var slice = Manifest.One<EndpointSlice>("""
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata: { name: a-x1, namespace: b, labels: { kubernetes.io/service-name: a } }
            addressType: IPv4
            endpoints:
            - { addresses: [192.168.0.1], conditions: { ready: false, terminating: true }, nodeName: n1 }
            - { addresses: [192.168.0.2], conditions: {} }
            ports: [{ port: 80, name: "" }]
            """);
        Assert.Equal(new ResourceKey("b", "a"), slice.Service);
        Assert.Equal([false, true], slice.Endpoints.Select(endpoint => endpoint.IsReady));
        Assert.Equal("n1", slice.Endpoints[0].NodeName);
    }

    [Fact]
    public void An_endpoint_that_ends_and_serves_still_and_hints_are_read()
    {
        var slice = Manifest.One<EndpointSlice>("""
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata: { name: a-x1, namespace: b }
            addressType: IPv4
            endpoints:
            - { addresses: [192.168.0.1], conditions: { ready: false, serving: true, terminating: true } }
            - { addresses: [192.168.0.2], conditions: { ready: false, serving: false, terminating: true } }
            - { addresses: [192.168.0.3], hints: { forZones: [{ name: a }, { name: b }], forNodes: [{ name: n1 }] } }
            ports: []
            """);
        Assert.Equal([true, false, false], slice.Endpoints.Select(endpoint => endpoint.IsEnding));
        Assert.Equal(["a", "b"], slice.Endpoints[2].ForZones);
        Assert.Equal(["n1"], slice.Endpoints[2].ForNodes);
        Assert.Empty(slice.Endpoints[0].ForZones);
    }

    [Fact]
    public void Of_a_load_balancers_addresses_those_that_it_serves_by_itself_are_told_apart()
    {
        var service = Manifest.One<Service>("""
            apiVersion: v1
            kind: Service
            metadata: { name: a, namespace: b }
            spec: { type: LoadBalancer, clusterIP: 10.96.0.1 }
            status: { loadBalancer: { ingress: [{ ip: 192.0.2.1 }, { ip: 192.0.2.2, ipMode: Proxy }, { ip: 192.0.2.3, ipMode: VIP }] } }
            """);
        Assert.Equal(["192.0.2.1", "192.0.2.2", "192.0.2.3"], service.LoadBalancerIngress.Select(one => one.ToString()));
        Assert.Equal("192.0.2.2", Assert.Single(service.ProxiedIngress).ToString());
    }

    [Fact]
    public void Who_may_call_a_load_balancer_and_whether_clients_keep_their_endpoint_are_read()
    {
        var service = Manifest.One<Service>("""
            apiVersion: v1
            kind: Service
            metadata: { name: a, namespace: b }
            spec:
              type: LoadBalancer
              clusterIP: 10.96.0.1
              sessionAffinity: ClientIP
              loadBalancerSourceRanges: [192.0.2.0/24, "2001:db8::/32"]
            """);
        Assert.Equal(TimeSpan.FromHours(3), service.ClientKeepsEndpointFor);
        Assert.Equal(TimeSpan.FromSeconds(60), Manifest.One<Service>("""
            apiVersion: v1
            kind: Service
            metadata: { name: a, namespace: b }
            spec: { sessionAffinity: ClientIP, sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } } }
            """).ClientKeepsEndpointFor);
        Assert.Equal([Prefix.Parse("192.0.2.0/24"), Prefix.Parse("2001:db8::/32")], service.LoadBalancerSourceRanges);
    }

    [Fact]
    public void Endpoints_are_read_as_slices_one_a_family()
    {
        var endpoints = Manifest.One<Endpoints>("""
            apiVersion: v1
            kind: Endpoints
            metadata: { name: a, namespace: b }
            subsets:
            - addresses: [{ ip: 192.168.0.1, nodeName: n1, targetRef: { kind: Pod, name: x } }, { ip: "fd00::1" }]
              notReadyAddresses: [{ ip: 192.168.0.2, nodeName: n2 }]
              ports: [{ port: 80 }]
            - addresses: [{ ip: 192.168.0.3, nodeName: n3 }]
            """);
        Assert.Equal([EndpointAddressType.IPv4, EndpointAddressType.IPv6], endpoints.Slices.Select(slice => slice.AddressType));
        Assert.Equal(
            [("192.168.0.1", true, "n1"), ("192.168.0.2", false, "n2"), ("192.168.0.3", true, "n3")],
            endpoints.Slices[0].Endpoints.Select(one => (one.Addresses[0].ToString(), one.IsReady, one.NodeName)));
    }

    [Fact]
    public void A_secret_shows_its_values_to_who_asks_and_to_nobody_else()
    {
        var secret = Manifest.One<Secret>("""
            apiVersion: v1
            kind: Secret
            metadata: { name: bgp, namespace: kube-system }
            data: { a: c2VjcmV0LWE=, b: b2xk }
            stringData: { b: new }
            """);
        Assert.Equal(("secret-a", "new", null), (secret["a"]!.Text, secret["b"]!.Text, secret["c"]));
        Assert.DoesNotContain("secret-a", secret.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("new", secret.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_bad_secret_is_refused_without_showing_it()
    {
        var reading = Manifest.Read("{ apiVersion: v1, kind: Secret, metadata: { name: a }, data: { k: 'not base64!' } }");
        var problem = Assert.Single(Assert.Single(reading.Definitions).Problems);
        Assert.Equal("data.k", problem.Field);
        Assert.DoesNotContain("not base64", problem.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("10.0.0.9", "10.0.0.9")]
    [InlineData("10.0.0.9-10.0.0.12", "10.0.0.9-10.0.0.12")]
    [InlineData("'10.0.0.9, 10.0.0.11, fd00::1'", "10.0.0.9 10.0.0.11 fd00::1")]
    public void Addresses_of_outgoing_NAT(string written, string ranges) => Assert.Equal(ranges, string.Join(' ',
        Manifest.One<FelixConfiguration>("FelixConfiguration",
        $"natOutgoingAddress: {written}, natPortRange: '32768:65535', bpfEnabled: false")
            .NatOutgoingAddress));

    [Fact]
    public void A_nodes_Felix_settings_win_field_by_field()
    {
        var global = Manifest.One<FelixConfiguration>("FelixConfiguration",
            "vxlanPort: 4790, natPortRange: 1000, natOutgoingAddress: 10.0.0.1");
        var node = Manifest.One<FelixConfiguration>("FelixConfiguration", "vxlanPort: 4791");
        var effective = FelixConfiguration.Effective(global, node);
        Assert.Equal((4791, new PortRange(1000, 1000)), (effective.VxlanPort!.Value, effective.NatPortRange!.Value));
        Assert.Equal(1, effective.NatOutgoingAddress.Count);
    }

    [Fact]
    public void Lists_hold_objects_and_typed_lists_say_of_which_kind()
    {
        var mixed = Manifest.Read("""
            apiVersion: v1
            kind: List
            items:
            - { apiVersion: projectcalico.org/v3, kind: BGPPeer, metadata: { name: a }, spec: { peerIP: 192.0.2.1 } }
            - { apiVersion: v1, kind: Service, metadata: { name: b } }
            - { apiVersion: v1, kind: ConfigMap, metadata: { name: c } }
            """);
        Assert.Equal(["BGPPeer/a", "Service/default/b"], mixed.Definitions.Select(definition => definition.Id.ToString()));
        var typed = Manifest.Read(
            "{ apiVersion: crd.projectcalico.org/v1, kind: IPPoolList, items: [{ metadata: { name: a }, spec: { cidr: 10.0.0.0/8 } }] }");
        Assert.Equal("IPPool/a", Assert.Single(typed.Definitions).Id.ToString());
    }

    [Fact]
    public void Kinds_without_effect_are_passed_over_and_Calicos_are_named_once()
    {
        var reading = Manifest.Read("""
            apiVersion: v1
            kind: List
            items:
            - { apiVersion: apps/v1, kind: Deployment, metadata: { name: a } }
            - { apiVersion: projectcalico.org/v3, kind: ClusterInformation, metadata: { name: b } }
            - { apiVersion: projectcalico.org/v3, kind: ClusterInformation, metadata: { name: c } }
            """);
        Assert.Empty(reading.Definitions);
        var problem = Assert.Single(reading.Problems);
        Assert.Equal("ClusterInformation of projectcalico.org/v3 has no effect here", problem.Reason);
        Assert.Equal((ProblemSeverity.Warning, 5), (problem.Severity, problem.Line));
    }

    [Fact]
    public void Kinds_that_concern_others_alone_have_no_effect_and_Calicos_are_named_once()
    {
        var tree = Manifest.Tree("""
            apiVersion: v1
            kind: List
            items:
            - { apiVersion: v1, kind: Pod, metadata: { name: a } }
            - { apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: { name: b } }
            - { apiVersion: projectcalico.org/v3, kind: NetworkPolicy, metadata: { name: c } }
            - { apiVersion: projectcalico.org/v3, kind: NetworkPolicy, metadata: { name: d } }
            - { apiVersion: v1, kind: Node, metadata: { name: e } }
            """);
        var reading = ResourceJson.Read([tree], "test.yaml", Concern.Plan);
        Assert.Equal("Node/e", Assert.Single(reading.Definitions).Id.ToString());
        Assert.Equal("NetworkPolicy of projectcalico.org/v3 has no effect here", Assert.Single(reading.Problems).Reason);
        Assert.Equal(5, ResourceJson.Read([tree], "test.yaml").Definitions.Length);
    }

    [Theory]
    [InlineData("[1]", "got \"1\"")]
    [InlineData("[[]]", "got a list")]
    [InlineData("{ kind: BGPPeer }", "without apiVersion")]
    [InlineData("{ apiVersion: v1 }", "without kind")]
    [InlineData("{ apiVersion: v1, kind: List, items: 1 }", "expected a list of items")]
    public void What_is_no_object_is_named(string yaml, string reason) =>
        Assert.Contains(reason, Assert.Single(Manifest.Read(yaml).Problems).Reason, StringComparison.Ordinal);

    [Fact]
    public void Written_again_with_other_bookkeeping_an_object_is_the_same() => Assert.Equal(
        Manifest.One<IPPool>(
            "{ apiVersion: projectcalico.org/v3, kind: IPPool, metadata: { name: a, resourceVersion: '1' }, spec: { cidr: 10.0.0.0/16 } }"),
        Manifest.One<IPPool>(
            "{ apiVersion: crd.projectcalico.org/v1, kind: IPPool, metadata: { name: a, uid: x }, "
            + "spec: { cidr: 10.0.0.0/16, ipipMode: Never } }"));
}
