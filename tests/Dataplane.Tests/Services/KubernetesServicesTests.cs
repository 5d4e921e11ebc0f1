using Calico.Bgp.Dataplane.Services;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using FsCheck;
using FsCheck.Fluent;

namespace Calico.Bgp.Dataplane.Tests.Services;

/// <summary>What Services and EndpointSlices make of packets on node1, as kube-proxy has it: walked through what is written.</summary>
public sealed class KubernetesServicesTests
{
    private const string Cluster = "10.96.0.10", External = "198.51.100.7", Balancer = "203.0.113.9", Own = "172.20.0.1";
    private const string Here = "10.1.0.5", There = "10.2.0.6", Pod = "10.1.0.77";

    private static readonly Address[] Called = [Address.Parse(Cluster)];

    private static Service Of(string name = "web", TrafficPolicy? external = TrafficPolicy.Cluster,
        TrafficPolicy inside = TrafficPolicy.Cluster) => new(new Metadata(name, "shop"))
        {
            Type = ServiceType.LoadBalancer,
            ClusterIPs = [.. Called],
            ExternalIPs = [Address.Parse(External)],
            LoadBalancerIngress = [Address.Parse(Balancer)],
            ExternalTrafficPolicy = external,
            InternalTrafficPolicy = inside,
            Ports = [new("http", ServiceProtocol.TCP, 80, 30080)],
        };

    private static Endpoint At(string address, bool? ready = true, bool? serving = null, bool? terminating = null) =>
        new([Address.Parse(address)], ready, serving, terminating, address == Here ? "node1" : "node2", null);

    private static EndpointSlice Slice(params Endpoint[] endpoints) => Slice("web", endpoints);

    private static EndpointSlice Slice(string service, params Endpoint[] endpoints) =>
        new(new Metadata(service + "-1", "shop") { Labels = Labels.From([new(EndpointSlice.ServiceNameLabel, service)]) })
        {
            AddressType = endpoints.Any(one => one.Addresses[0].Family == IpFamily.IPv6) ? EndpointAddressType.IPv6 : default,
            Endpoints = [.. endpoints],
            Ports = [new("http", ServiceProtocol.TCP, 8080, 0)],
        };

    private static Node Node(string? zone = null) => new(new Metadata("node1")
    {
        Labels = zone == null ? Labels.Empty : Labels.From([new("topology.kubernetes.io/zone", zone)]),
    })
    {
        Addresses = [new(Address.Parse(Own), "InternalIP")],
    };

    private static ResourceChange Put(Resource now, Resource? before = null) => new(now.Kind, now.Key, before, now);

    private static ResourceChange Gone(Resource before) => new(before.Kind, before.Key, before, null);

    [Fact]
    public void What_was_announced_of_a_service_that_goes_stays_for_the_drain_time_and_all_else_goes_at_once()
    {
        var (web, slice) = (Of(), Slice(At(There)));
        var hand = With(web, slice);
        hand.Announced.Add(Balancer);
        hand.Change(Gone(web));
        Assert.Equal("->", hand.Ask(Cluster, link: "cali7"));
        Assert.NotEqual("->", hand.Ask(Balancer));
        var left = Assert.Single(hand.View.Translations);
        Assert.Equal((TranslationSource.Leaving, true, TimeSpan.FromSeconds(30)), (left.Source, left.InForce, left.Left));
        hand.Clock.Advance(TimeSpan.FromSeconds(29));
        hand.Write();
        Assert.NotEqual("->", hand.Ask(Balancer));
        hand.Clock.Advance(TimeSpan.FromSeconds(2));
        hand.Write();
        Assert.Equal("->", hand.Ask(Balancer));
        Assert.Empty(hand.View.Translations);
    }

    [Fact]
    public void What_leads_to_an_address_of_a_service_is_said_to_lead_nowhere_and_to_a_port_of_the_node_it_may()
    {
        var hand = With(Of(), Slice(At(Cluster)));
        string[] Warned() => [.. hand.View.Translations.SelectMany(row => row.Warnings).Distinct()];
        Assert.Equal(["what is sent to 10.96.0.10:8080 arrives nowhere: that is a virtual address, and a packet is translated once"],
            Warned());
        var (web, slice) = (Of(), Slice(At(There)));
        hand = With(web, slice);
        Assert.Empty(Warned());
        Translation To(string address, ushort port) => new("", TranslationKind.Vip,
            new(TranslationPlace.Of(Address.Parse("30.0.0.2")), IpProtocol.Tcp, port),
            [new(Backend.Unchanged, new(TranslationPlace.Of(Address.Parse(address)), null))]);
        hand.Have((1, "eth0", Own));
        hand.Add(To(Balancer, 81));
        hand.Add(To(Own, 30080));
        Assert.Empty(Warned());
        hand.Add(To(Balancer, 80));
        Assert.Equal(["what is sent to 203.0.113.9:80 arrives nowhere: TCP 203.0.113.9 80 is itself translated, and a packet is translated "
            + "once"], Warned());
        hand.Change(Gone(web));
        Assert.Empty(Warned());
    }

    [Fact]
    public void A_service_whose_place_the_command_line_has_is_told_so_and_by_which_of_its_addresses()
    {
        var hand = With(Of(), Slice(At(There)));
        Assert.Empty(hand.View.OfObjects);
        var key = new TranslationKey(TranslationPlace.Of(Address.Parse(Cluster)), IpProtocol.Tcp, 80);
        hand.Add(new("", TranslationKind.Vip, key, []));
        var id = hand.View.Translations.Single(row => row.Source == TranslationSource.Cli).Id;
        Assert.Equal(new ServiceProblem("Service/shop/web",
            $"TCP 10.96.0.10 80: translation {id} (cli) has its address, protocol and port, and clients get to that one's "
                + "backends"),
            Assert.Single(hand.View.OfObjects));
    }

    [Fact]
    public void What_stays_yields_to_whoever_has_its_address_now()
    {
        var (web, slice) = (Of(), Slice(At(There)));
        var hand = With(web, slice);
        hand.Announced.Add(Balancer);
        hand.Change(Gone(web));
        hand.Change(Put(Of("other")), Put(Slice("other", At("10.2.0.7"))));
        Assert.EndsWith("->10.2.0.7:8080", hand.Ask(Balancer), StringComparison.Ordinal);
        Assert.DoesNotContain(hand.View.Translations, row => row.Source == TranslationSource.Leaving);
        hand.Change(Gone(Of("other")));
        Assert.EndsWith("->10.2.0.7:8080", hand.Ask(Balancer), StringComparison.Ordinal);
        hand.Beside("kube-proxy");
        Assert.Empty(hand.View.Translations);
    }

    [Fact]
    public void Who_is_not_reached_where_two_Services_have_one_address_is_named_with_the_other_until_that_is_mended()
    {
        var (first, second) = (Of("a"), Of("b"));
        var hand = With(first, second, Slice("a", At(There)), Slice("b", At(Here)));
        static string Lost(string at) => $"Service/shop/b: {at} leads to Service/shop/a, which asks for it, too, and comes first";
        string[] lost = [Lost("TCP 10.96.0.10 80"), Lost("TCP 172.20.0.1 30080"), Lost("TCP 198.51.100.7 80"), Lost("TCP 203.0.113.9 80")];
        Assert.Equal(lost, hand.View.Problems);
        Assert.All(hand.View.Translations, row => Assert.Equal(["Service/shop/b"], row.Others));
        var alone = second with { ClusterIPs = [Address.Parse("10.96.0.11")], LoadBalancerIngress = [], Ports = [] };
        hand.Change(Put(alone, second));
        Assert.Empty(hand.View.Problems);
        Assert.All(hand.View.Translations, row => Assert.Empty(row.Others));
        hand.Change(Put(second, alone), Gone(first));
        Assert.Empty(hand.View.Problems);
        Assert.EndsWith($"->{Here}:8080", hand.Ask(External), StringComparison.Ordinal);
    }

    [Fact]
    public void A_Service_that_has_an_address_twice_stands_in_nobodys_way()
    {
        var hand = With(Of() with { ExternalIPs = [Address.Parse(Balancer)] }, Slice(At(There)));
        Assert.Empty(hand.View.Problems);
    }

    private static ServiceHand With(params Resource[] objects)
    {
        var hand = new ServiceHand { Own = { Address.Parse(Own) } };
        hand.Apply(new ServiceSettings { Enabled = true, Kubernetes = true });
        hand.Change([.. objects.Prepend(Node()).Select(one => Put(one))]);
        return hand;
    }

    /// <summary>The addresses by which a client gets somewhere, of all that the service has, in the order of cluster IP, external IP, load
    /// balancer, node port.</summary>
    private static string?[] Ask(ServiceHand hand, string? link, string from) =>
    [
        hand.Ask(Cluster, from: from, link: link), hand.Ask(External, from: from, link: link), hand.Ask(Balancer, from: from, link: link),
        hand.Ask(Own, port: 30080, from: from, link: link),
    ];

    private static string?[] Outside(ServiceHand hand) => Ask(hand, "eth0", "192.0.2.1");
    private static string?[] OfPod(ServiceHand hand) => Ask(hand, "cali77", Pod);
    private static string?[] OfNode(ServiceHand hand) => Ask(hand, null, Own);

    private static string?[] All(string? what) => [what, what, what, what];

    [Fact]
    public void All_addresses_lead_to_an_endpoint_here_which_sees_the_client()
    {
        var hand = With(Of(), Slice(At(Here)));
        Assert.Equal(All($"->{Here}:8080"), Outside(hand));
        Assert.Equal(All($"->{Here}:8080"), OfPod(hand));
        Assert.Equal(All($"->{Here}:8080"), OfNode(hand));
    }

    [Fact]
    public void An_endpoint_elsewhere_sees_this_node_but_for_the_pods_that_call_the_cluster_address()
    {
        var hand = With(Of(), Slice(At(There)));
        Assert.Equal(All($"masquerade->{There}:8080"), Outside(hand));
        Assert.Equal(All($"masquerade->{There}:8080"), OfNode(hand));
        var pod = OfPod(hand);
        Assert.Equal($"->{There}:8080", pod[0]);
        Assert.Equal(All($"masquerade->{There}:8080").Skip(1), pod.Skip(1));
    }

    /// <summary>One that is known to be elsewhere comes from outside; of which nobody says where it is may be a pod of this node.</summary>
    [Fact]
    public void An_endpoint_that_calls_its_own_service_looks_like_another()
    {
        Assert.Equal(All($"masquerade->{Here}:8080"), Ask(With(Of(), Slice(At(Here))), "cali5", Here));
        Assert.Equal(All($"masquerade->{There}:8080"), Ask(With(Of(), Slice(At(There))), "eth0", There));
        Assert.Equal(All($"masquerade->{Pod}:8080"), Ask(With(Of(), Slice(At(Pod) with { NodeName = null })), "cali77", Pod));
    }

    [Fact]
    public void With_the_external_policy_Local_who_comes_from_outside_gets_endpoints_here_and_who_is_inside_gets_all()
    {
        var hand = With(Of(external: TrafficPolicy.Local), Slice(At(There)));
        Assert.Equal((string?[])[$"masquerade->{There}:8080", null, null, null], Outside(hand));
        Assert.Equal(All($"->{There}:8080"), OfPod(hand));
        Assert.Equal(All($"masquerade->{There}:8080").Skip(1), OfNode(hand).Skip(1)); // answered here, and not there
        Assert.DoesNotContain("svc-none:", hand.Text, StringComparison.Ordinal); // it is dropped, and not told
        var both = Slice(At(There), At(Here));
        hand.Change(Put(both, Slice(At(There))));
        Assert.Equal(All($"->{Here}:8080").Skip(1), Outside(hand).Skip(1));
    }

    [Fact]
    public void With_the_internal_policy_Local_the_cluster_address_leads_to_endpoints_here_alone()
    {
        var hand = With(Of(inside: TrafficPolicy.Local), Slice(At(There)));
        Assert.Null(OfPod(hand)[0]);
        Assert.Equal($"masquerade->{There}:8080", OfPod(hand)[1]);
        hand.Change(Put(Slice(At(There), At(Here)), Slice(At(There))));
        Assert.Equal($"->{Here}:8080", OfPod(hand)[0]);
    }

    [Fact]
    public void Without_endpoints_clients_are_told()
    {
        var hand = With(Of(external: TrafficPolicy.Local));
        Assert.Equal(All(null), Outside(hand));
        Assert.Equal(All(null), OfPod(hand));
        Assert.Contains("svc-none: reject", hand.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Endpoints_that_end_are_used_while_none_is_ready_here_and_anywhere_by_themselves()
    {
        var ending = Slice(At(Here, ready: false, serving: true, terminating: true), At(There));
        var hand = With(Of(external: TrafficPolicy.Local), ending);
        Assert.Equal($"->{Here}:8080", Outside(hand)[1]);
        Assert.Equal($"->{There}:8080", OfPod(hand)[0]);
        var last = Slice(At(Here, ready: false, serving: true, terminating: true), At(There, ready: false));
        hand.Change(Put(last, ending));
        Assert.Equal($"->{Here}:8080", OfPod(hand)[0]);
        hand.Change(Put(Slice(At(Here, ready: false, serving: false, terminating: true), At(There, ready: false)), last));
        Assert.Null(OfPod(hand)[0]);
    }

    /// <summary>A pod that is deleted has its grace period to end its connections; a client of UDP would stay with it.</summary>
    [Theory]
    [InlineData(ServiceProtocol.TCP, false)]
    [InlineData(ServiceProtocol.UDP, true)]
    public void An_endpoint_that_ends_keeps_its_connections_until_it_is_gone_but_for_UDP(ServiceProtocol protocol, bool ends)
    {
        EndpointSlice Over(params Endpoint[] endpoints) => Slice(endpoints) with { Ports = [new("http", protocol, 8080, 0)] };
        var (ready, ending) = (Over(At(Here), At(There)), Over(At(Here, ready: false, serving: true, terminating: true), At(There)));
        var hand = With(Of() with { Ports = [new("http", protocol, 80, 30080)] }, ready);
        hand.Change(Put(ending, ready));
        Assert.Equal(ends, hand.HasEnding);
        hand.Change(Put(Over(At(There)), ending));
        Assert.True(hand.HasEnding);
    }

    [Fact]
    public void Hints_count_where_every_endpoint_has_them_and_one_means_us()
    {
        Endpoint Zone(string address, string zone) => At(address) with { ForZones = [zone] };
        var slice = Slice(Zone(There, "b"), Zone("10.3.0.3", "a"));
        var hand = With(Of(), slice);
        Assert.Equal(2, Enumerable.Range(1, 50).Select(i => hand.Ask(Cluster, from: Pod, link: "cali1", sourcePort: (ushort)(9000 + i)))
            .Distinct().Count());
        hand.Change(Put(Node("a"), Node()));
        Assert.Equal($"->10.3.0.3:8080", Assert.Single(Enumerable.Range(1, 50)
            .Select(i => hand.Ask(Cluster, from: Pod, link: "cali1", sourcePort: (ushort)(9000 + i))).Distinct()));
        hand.Change(Put(Slice(Zone(There, "b") with { ForNodes = ["node1"] }, Zone("10.3.0.3", "a") with { ForNodes = ["node3"] }), slice));
        Assert.Equal($"->{There}:8080", hand.Ask(Cluster, from: Pod, link: "cali1"));
        hand.Change(Put(Slice(At(There), Zone("10.3.0.3", "a")), slice));
        Assert.Equal(2, Enumerable.Range(1, 50).Select(i => hand.Ask(Cluster, from: Pod, link: "cali1", sourcePort: (ushort)(9000 + i)))
            .Distinct().Count());
    }

    [Fact]
    public void A_load_balancers_address_takes_those_of_its_ranges()
    {
        var hand = With(Of() with { LoadBalancerSourceRanges = [Prefix.Parse("192.0.2.0/25")] }, Slice(At(Here)));
        Assert.Equal($"->{Here}:8080", hand.Ask(Balancer, from: "192.0.2.1"));
        Assert.Null(hand.Ask(Balancer, from: "192.0.2.200"));
        Assert.Equal($"->{Here}:8080", hand.Ask(External, from: "192.0.2.200"));
    }

    [Fact]
    public void A_client_keeps_its_endpoint_where_the_service_asks_for_it()
    {
        Service Kept(int minutes) => Of() with { ClientKeepsEndpointFor = TimeSpan.FromMinutes(minutes) };
        string[] Ends(ServiceHand hand, int port = 9000) => [.. hand.Ends(Cluster, from: Pod, link: "cali1", sourcePort: (ushort)port)
            .Select(end => end.Destination!.ToString())];
        string Sets(ServiceHand hand) => string.Join('\n', hand.Text.Split('\n').Where(line => line.StartsWith("svc-kept4-")));
        var hand = With(Kept(180), Slice(At(Here), At(There), At("10.3.0.3")));
        // It has one of the three already, or gets the one that its address chooses.
        Assert.Equal(3, Ends(hand).Distinct().Count());
        Assert.All(Enumerable.Range(9001, 50), port => Assert.Equal(Ends(hand), Ends(hand, port)));
        var before = Sets(hand);
        Assert.Equal(3, before.Split('\n').Length);
        hand.Change(Put(Slice(At(Here), At("10.3.0.3")), Slice(At(Here), At(There), At("10.3.0.3"))));
        Assert.Equal(2, Ends(hand).Distinct().Count());
        Assert.Equal(2, Sets(hand).Split('\n').Intersect(before.Split('\n')).Count());
        hand.Change(Put(Kept(1), Kept(180)));
        Assert.Empty(Sets(hand).Split('\n').Intersect(before.Split('\n')));
        hand.Change(Gone(Kept(1)));
        Assert.Equal("", Sets(hand));
    }

    [Fact]
    public void A_load_balancer_that_hands_connections_on_by_itself_is_left_alone()
    {
        var hand = With(Of() with { ProxiedIngress = [Address.Parse(Balancer)] }, Slice(At(Here)));
        Assert.Equal("->", hand.Ask(Balancer));
        Assert.Equal($"->{Here}:8080", hand.Ask(External));
    }

    [Theory]
    [InlineData("LBType", "maglev", TranslationBalance.Maglev, FlowHash.Default, null)]
    [InlineData("LBType", "maglevdsr", TranslationBalance.Maglev, FlowHash.Default, "come back through this node")]
    [InlineData("LBType", "rr", TranslationBalance.Hash, FlowHash.Default, "expected ecmp, maglev or maglevdsr, got \"rr\"")]
    [InlineData("HashConfig", "srcaddr, SrcPort", TranslationBalance.Hash, FlowHash.Source | FlowHash.SourcePort, null)]
    [InlineData("HashConfig", "srcaddr,mac", TranslationBalance.Hash, FlowHash.Source, "got \"mac\"")]
    [InlineData("HashConfig", "symmetric,dstport", TranslationBalance.Hash, FlowHash.Symmetric, null)]
    [InlineData("KeepOriginalPacket", "true", TranslationBalance.Hash, FlowHash.Default, "packets are translated all the same")]
    public void Calico_VPPs_annotations_say_how_it_is_balanced(
        string key, string value, TranslationBalance balance, FlowHash hash, string? problem)
    {
        var annotated = Of() with
        {
            Metadata = new("web", "shop") { Annotations = Labels.From([new("cni.projectcalico.org/vpp" + key, value)]) },
        };
        var hand = With(annotated, Slice(At(Here)));
        Assert.All(hand.View.Translations, row => Assert.Equal((balance, hash), (row.Translation.Balance, row.Translation.FlowHash)));
        if (problem == null) Assert.Empty(hand.View.Problems);
        else Assert.Contains(problem, Assert.Single(hand.View.Problems), StringComparison.Ordinal);
        hand.Change(Put(Of(), annotated));
        Assert.Empty(hand.View.Problems);
    }

    [Fact]
    public void Beside_another_proxy_its_services_are_left_to_it_until_it_is_gone()
    {
        var hand = With(Of(), Slice(At(Here)));
        var alone = hand.Text;
        hand.Beside("kube-proxy is here");
        Assert.Equal("->", hand.Ask(Cluster));
        Assert.Equal("Kubernetes' services are left to it: kube-proxy is here", Assert.Single(hand.View.Problems));
        hand.Beside(null);
        Assert.Equal(alone, hand.Text);
        Assert.Empty(hand.View.Problems);
    }

    [Fact]
    public void Load_balancers_are_told_how_many_endpoints_are_ready_here_where_the_external_policy_is_Local()
    {
        var local = Of(external: TrafficPolicy.Local) with { HealthCheckNodePort = 32000 };
        var hand = With(local, Slice(At(Here), At(Here), At(There)));
        Assert.Equal(new(32000, local.Key, 1), Assert.Single(hand.HealthChecks));
        var six = Slice("web", At("fd10::5") with { NodeName = "node1" });
        six = six with { Metadata = new("web-6", "shop") { Labels = six.Labels } };
        hand.Change(Put(six));
        Assert.Equal(1, Assert.Single(hand.HealthChecks).Endpoints); // the same pod
        hand.Change(Gone(six));
        hand.Change(Put(Slice(At(Here, ready: false), At(There)), Slice(At(Here), At(Here), At(There))));
        Assert.Equal(0, Assert.Single(hand.HealthChecks).Endpoints);
        hand.Beside("kube-proxy is here");
        Assert.Empty(hand.HealthChecks);
        hand.Beside(null);
        hand.Change(Put(Of() with { HealthCheckNodePort = 32000 }, local));
        Assert.Empty(hand.HealthChecks);
    }

    [Fact]
    public void Who_is_not_answered_for_where_two_Services_have_one_health_check_port_is_named_with_the_other_until_that_is_mended()
    {
        static Service Local(string name, string address) => Of(name, external: TrafficPolicy.Local) with
        {
            HealthCheckNodePort = 32000,
            ClusterIPs = [Address.Parse(address)],
            ExternalIPs = [],
            LoadBalancerIngress = [],
            Ports = [],
        };
        var (first, second) = (Local("a", "10.96.0.10"), Local("b", "10.96.0.11"));
        var hand = With(second, Slice("b", At(Here)), first);
        Assert.Equal(new(32000, first.Key, 0), Assert.Single(hand.HealthChecks));
        var lost = new ServiceProblem(
            "Service/shop/b", "health check port 32000 answers for Service/shop/a, which has it, too, and comes first");
        Assert.Equal(lost, Assert.Single(hand.View.OfObjects));
        Assert.Equal(lost.ToString(), Assert.Single(hand.View.Problems));
        hand.Change(Gone(first));
        Assert.Equal(new(32000, second.Key, 1), Assert.Single(hand.HealthChecks));
        Assert.Empty(hand.View.Problems);
    }

    [Fact]
    public void Each_family_has_its_endpoints()
    {
        var six = Slice("web6", At("fd10::5")) with
        {
            Metadata = new("web-6", "shop") { Labels = Labels.From([new(EndpointSlice.ServiceNameLabel, "web")]) },
        };
        var hand = With(Of() with { ClusterIPs = [.. Called, Address.Parse("fd96::10")] }, Slice(At(Here)), six);
        Assert.Equal($"->{Here}:8080", hand.Ask(Cluster));
        Assert.Equal("->fd10::5:8080", hand.Ask("fd96::10", link: "cali1"));
    }

    [Fact]
    public void What_is_somebody_elses_stays_his()
    {
        var hand = With(
            Of() with { Metadata = new("web", "shop") { Labels = Labels.From([new("service.kubernetes.io/service-proxy-name", "x")]) } },
            Slice(At(Here)));
        Assert.Equal("->", hand.Ask(Cluster));
        hand = With(Of() with { ClusterIPs = [], Headless = true }, Slice(At(Here)));
        Assert.Equal("->", hand.Ask(Cluster));
    }

    [Fact]
    public void Of_two_services_with_one_address_the_one_whose_own_it_is_holds_and_then_the_first_by_name()
    {
        var (thief, second) = (Of("a") with { ClusterIPs = [Address.Parse("10.96.0.99")], ExternalIPs = [.. Called] }, Of("zzz"));
        foreach (Resource[] order in (Resource[][])[[thief, second, Of()], [Of(), second, thief]])
        {
            var hand = With([.. order, Slice(At(Here)), Slice("a", At("10.1.0.66")), Slice("zzz", At("10.1.0.67"))]);
            Assert.Equal($"->{Here}:8080", hand.Ask(Cluster));
            hand.Change(Gone(Of()));
            Assert.Equal("masquerade->10.1.0.67:8080", hand.Ask(Cluster));
        }
    }

    [Fact]
    public void One_endpoint_that_comes_writes_a_few_elements_among_a_thousand_services()
    {
        Service Service(int i) => Of($"s{i}") with
        { ClusterIPs = [Address.Parse($"10.96.{i / 250}.{i % 250}")], ExternalIPs = [], Type = ServiceType.ClusterIP };
        var services = Enumerable.Range(1, 1000).SelectMany(i => (Resource[])[Service(i), Slice($"s{i}", At(There), At("10.3.0.3"))]);
        var hand = With([.. services]);
        hand.Change(Put(Slice("s7", At(There), At("10.3.0.3"), At("10.4.0.4")), Slice("s7", At(There), At("10.3.0.3"))));
        Assert.InRange(hand.Elements, 1, 6);
        hand.Change(Put(Slice("s7", At(There), At("10.3.0.3"), At("10.4.0.4")), Slice("s7", At(There), At("10.3.0.3"), At("10.4.0.4"))));
        Assert.Empty(hand.Changes);
    }

    private static readonly Gen<Resource> AnyObject =
        from name in Gen.Elements("a", "b", "c")
        from external in Gen.Elements(TrafficPolicy.Cluster, TrafficPolicy.Local)
        from inside in Gen.Elements(TrafficPolicy.Cluster, TrafficPolicy.Local)
        from endpoints in Gen.SubListOf(At(Here), At(There), At("10.3.0.3", ready: false, serving: true, terminating: true))
        from address in Gen.Elements(Cluster, "10.96.0.11")
        from ranges in Gen.Elements<ListOf<Prefix>>([], [Prefix.Parse("192.0.2.0/24")])
        from isService in Gen.Elements(true, false)
        select isService ? (Resource)(Of(name, external, inside) with
        { ClusterIPs = [Address.Parse(address)], LoadBalancerSourceRanges = ranges }) : Slice(name, [.. endpoints]);

    /// <summary>However it came to be: objects that come and go step by step write what those that are left write at once.</summary>
    [Fact]
    public void Steps_write_what_is_written_at_once() =>
        Prop.ForAll(Gen.ListOf(
            from one in AnyObject from stays in Gen.Elements(true, true, false) select (one, stays)).ToArbitrary(), steps =>
        {
            var hand = With();
            var there = new Dictionary<(ResourceKind, ResourceKey), Resource>();
            foreach (var (one, stays) in steps)
            {
                var before = there.GetValueOrDefault((one.Kind, one.Key));
                if (stays) there[(one.Kind, one.Key)] = one;
                else there.Remove((one.Kind, one.Key));
                if (stays || before != null) hand.Change(new ResourceChange(one.Kind, one.Key, before, stays ? one : null));
            }
            return hand.Text == With([.. there.Values]).Text;
        }).QuickCheckThrowOnFailure();
}
