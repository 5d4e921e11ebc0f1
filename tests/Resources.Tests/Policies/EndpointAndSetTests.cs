using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Resources.Tests.Policies;

/// <summary>Endpoints, sets, tiers and profiles that objects of their own say.</summary>
public class EndpointAndSetTests
{
    private const string GoodWorkload = "node: n, interfaceName: cali1";
    private const string GoodHost = "node: n, interfaceName: eth0";

    [Fact]
    public void A_workload_endpoint_says_all_that_a_pod_does()
    {
        var endpoint = Manifest.One<WorkloadEndpoint>("""
            apiVersion: projectcalico.org/v3
            kind: WorkloadEndpoint
            metadata: { name: n-k8s-web-eth0, namespace: shop, labels: { app: web } }
            spec:
              node: n
              orchestrator: k8s
              pod: web
              endpoint: eth0
              containerID: 1337495556942031415926535
              interfaceName: cali1
              mac: ee:ee:ee:ee:ee:ee
              ipNetworks: [10.0.0.1/32, '2001:db8::1']
              profiles: [kns.shop]
              serviceAccountName: web
              allowSpoofedSourcePrefixes: [192.0.2.0/24]
              ports: [{ name: http, protocol: TCP, port: 80 }, { protocol: UDP, port: 53, hostPort: 53 }]
            """);
        Assert.Equal(("n", "cali1", "k8s", "shop/web", "eth0"),
            (endpoint.Node, endpoint.Interface, endpoint.Orchestrator, endpoint.Workload, endpoint.Endpoint));
        Assert.Equal("[10.0.0.1/32, 2001:db8::1/128] [kns.shop] [192.0.2.0/24]",
            $"{endpoint.Nets} {endpoint.Profiles} {endpoint.AllowedSpoofedPrefixes}");
        Assert.Equal([new NamedPort("http", 6, 80)], endpoint.Ports);
        Assert.Equal("{app=web, projectcalico.org/namespace=shop, projectcalico.org/orchestrator=k8s, "
            + "projectcalico.org/serviceaccount=web}", endpoint.Labels.ToString());
    }

    [Theory]
    [InlineData("interfaceName: cali1", "spec.node")]
    [InlineData("node: n", "spec.interfaceName")]
    [InlineData("node: n, interfaceName: an-interface-too-long", "spec.interfaceName")]
    [InlineData(GoodWorkload + ", ipNetworks: [10.0.0.0/24]", "spec.ipNetworks[0]")]
    [InlineData(GoodWorkload + ", ipNetworks: [ten]", "spec.ipNetworks[0]")]
    [InlineData(GoodWorkload + ", ports: [{ protocol: TCP, port: 80 }]", "spec.ports[0].name")]
    [InlineData(GoodWorkload + ", ports: [{ name: a, protocol: ICMP, port: 80 }]", "spec.ports[0].protocol")]
    [InlineData(GoodWorkload + ", ports: [{ name: a, protocol: TCP, port: 0 }]", "spec.ports[0].port")]
    [InlineData(GoodWorkload + ", allowSpoofedSourcePrefixes: [all]", "spec.allowSpoofedSourcePrefixes[0]")]
    public void A_workload_endpoint_is_refused_for(string spec, params string[] fields) =>
        Refusals.Refused("WorkloadEndpoint", spec, fields);

    [Theory]
    [InlineData(GoodHost, "eth0")]
    [InlineData("node: n, interfaceName: '*'", "*")]
    [InlineData("node: n, expectedIPs: [192.0.2.1, '2001:db8::1']", "")]
    [InlineData("node: n, interfaceName: eth0.100, expectedIPs: [192.0.2.1], profiles: [a], "
        + "ports: [{ name: ssh, protocol: TCP, port: 22 }]",
        "eth0.100")]
    public void These_host_endpoints_are_good(string spec, string @interface) =>
        Assert.Equal(@interface, Manifest.One<HostEndpoint>("HostEndpoint", spec).Interface);

    [Theory]
    [InlineData("interfaceName: eth0", "spec.node")]
    [InlineData("node: n", "spec.interfaceName")]
    [InlineData("node: n, expectedIPs: []", "spec.interfaceName")]
    [InlineData("node: n, interfaceName: eth*", "spec.interfaceName")]
    [InlineData("node: n, interfaceName: an-interface-too-long", "spec.interfaceName")]
    [InlineData(GoodHost + ", expectedIPs: [192.0.2.0/24]", "spec.expectedIPs[0]")]
    [InlineData(GoodHost + ", expectedIPs: [null]", "spec.expectedIPs[0]")]
    [InlineData(GoodHost + ", ports: [{ protocol: TCP, port: 22 }]", "spec.ports[0].name")]
    [InlineData(GoodHost + ", ports: [{ name: SSH, protocol: TCP, port: 22 }]", "spec.ports[0].name")]
    [InlineData(GoodHost + ", ports: [{ name: ssh, port: 22 }]", "spec.ports[0].protocol")]
    [InlineData(GoodHost + ", ports: [{ name: ssh, protocol: UDPLite, port: 22 }]", "spec.ports[0].protocol")]
    [InlineData(GoodHost + ", ports: [{ name: ssh, protocol: TCP, port: 65536 }]", "spec.ports[0].port")]
    [InlineData(GoodHost + ", ports: [{ name: ssh, protocol: TCP }]", "spec.ports[0].port")]
    [InlineData(GoodHost + ", interface: eth1", "spec.interface")]
    public void A_host_endpoint_is_refused_for(string spec, params string[] fields) => Refusals.Refused("HostEndpoint", spec, fields);

    [Fact]
    public void A_network_set_has_the_label_of_its_namespace_and_its_profile_and_a_global_one_neither()
    {
        var set = Manifest.One<NetworkSet>("NetworkSet", "nets: [10.0.0.1, 10.1.2.3/8, 0.0.0.0/0]");
        Assert.Equal("[10.0.0.1/32, 10.0.0.0/8, 0.0.0.0/0] {projectcalico.org/namespace=default} kns.default",
            $"{set.Nets} {set.Labels} {set.Profile}");
        var global = Manifest.One<GlobalNetworkSet>("GlobalNetworkSet", "nets: ['2001:db8::/32']");
        Assert.Equal("[2001:db8::/32] {}", $"{global.Nets} {global.Labels}");
    }

    [Theory]
    [InlineData("nets: [ten]", "spec.nets[0]")]
    [InlineData("nets: [null]", "spec.nets[0]")]
    [InlineData("nets: 10.0.0.0/8", "spec.nets")]
    [InlineData("cidrs: [10.0.0.0/8]", "spec.cidrs")]
    [InlineData("allowedEgressDomains: example.org", "spec.allowedEgressDomains")]
    [InlineData("allowedEgressDomains: [example.org, 'a.*']", "spec.allowedEgressDomains[1]")]
    [InlineData("allowedEgressDomains: [null, '']", "spec.allowedEgressDomains[0]", "spec.allowedEgressDomains[1]")]
    public void A_set_is_refused_for(string spec, params string[] fields)
    {
        Refusals.Refused("NetworkSet", spec, fields);
        Refusals.Refused("GlobalNetworkSet", spec, fields);
    }

    [Theory]
    [InlineData("NetworkSet")]
    [InlineData("GlobalNetworkSet")]
    public void A_set_cannot_give_itself_the_label_of_a_namespace(string kind)
    {
        var definition = Assert.Single(Manifest.Read($"{{ apiVersion: projectcalico.org/v3, kind: {kind}, "
            + "metadata: { name: a, labels: { projectcalico.org/namespace: b } } }").Definitions);
        Assert.Null(definition.Value);
        Assert.Equal("metadata.labels.projectcalico.org/namespace", Assert.Single(definition.Problems).Field);
    }

    [Fact]
    public void Namespaces_and_service_accounts_give_their_profiles()
    {
        var space = Manifest.One<KubernetesNamespace>(
            "{ apiVersion: v1, kind: Namespace, metadata: { name: shop, labels: { env: prod } } }");
        Assert.Equal("kns.shop {pcns.env=prod, pcns.projectcalico.org/name=shop}", $"{space.Profile.Name} {space.Profile.LabelsToApply}");
        Assert.Equal(["Allow"], space.Profile.Ingress.Select(RuleText.Of));
        Assert.Equal(["Allow"], space.Profile.Egress.Select(RuleText.Of));
        var account = Manifest.One<ServiceAccount>(
            "{ apiVersion: v1, kind: ServiceAccount, metadata: { name: web, namespace: shop, labels: { team: a } } }");
        Assert.Equal("ksa.shop.web {pcsa.projectcalico.org/name=web, pcsa.team=a}",
            $"{account.Profile.Name} {account.Profile.LabelsToApply}");
        Assert.Equal((0, 0), (account.Profile.Ingress.Count, account.Profile.Egress.Count));
    }

    [Fact]
    public void A_profile_has_rules_and_labels()
    {
        var profile = Manifest.One<Profile>("Profile",
            "ingress: [{ action: Allow, source: { selector: has(a) } }], egress: [{ action: Deny }], labelsToApply: { x: z }");
        Assert.Equal("Allow from <has(a)>, Deny, {x=z}",
            $"{RuleText.Of(profile.Ingress[0])}, {RuleText.Of(profile.Egress[0])}, {profile.LabelsToApply}");
        Refusals.Refused("Profile", "ingress: [{ action: Allow, source: { services: { name: a, namespace: b } } }]",
            "spec.ingress[0].source.services");
    }

    [Fact]
    public void A_tier_denies_what_it_does_not_decide_unless_it_says_otherwise()
    {
        Assert.Equal((TierDefault.Deny, null), Facts(Tier("a", "")));
        Assert.Equal((TierDefault.Pass, 10.5), Facts(Tier("a", "order: 10.5, defaultAction: Pass")));
        Assert.Equal((TierDefault.Deny, 1_000_000.0), Facts(Tier("default", "order: 1000000")));
        Assert.Equal((TierDefault.Pass, 1000.0), Facts(Tier("kube-admin", "order: 1000, defaultAction: Pass")));

        static (TierDefault, double?) Facts(Tier tier) => (tier.DefaultAction, tier.Order);
    }

    private static Tier Tier(string name, string spec) => Manifest.One<Tier>(Manifest.Calico("Tier", spec, name));

    [Theory]
    [InlineData("a.b", "", "metadata.name")]
    [InlineData("a", "order: high", "spec.order")]
    [InlineData("a", "defaultAction: Allow", "spec.defaultAction")]
    [InlineData("a", "action: Pass", "spec.action")]
    [InlineData("default", "", "spec.order")]
    [InlineData("default", "order: 5", "spec.order")]
    [InlineData("default", "order: 1000000, defaultAction: Pass", "spec.defaultAction")]
    [InlineData("kube-admin", "order: 1000, defaultAction: Deny", "spec.defaultAction")]
    [InlineData("kube-baseline", "order: 1", "spec.order")]
    [InlineData("adminnetworkpolicy", "order: 1", "spec.order")]
    [InlineData("baselineadminnetworkpolicy", "order: 1", "spec.order")]
    public void A_tier_is_refused_for(string name, string spec, string field)
    {
        var definition = Assert.Single(Manifest.Read(Manifest.Calico("Tier", spec, name)).Definitions);
        Assert.Null(definition.Value);
        Assert.Equal(field, Assert.Single(definition.Problems).Field);
    }

    [Fact]
    public void Tiers_and_the_profile_that_allows_are_there_though_nobody_says_so_and_come_back_when_he_stops()
    {
        var store = new ResourceStore(1);
        using var feed = store.Subscribe(Concern.Policy);
        var origin = new ResourceOrigin(0, "a.yaml");
        store.Apply(new(0, [], new() { HasListed = true }));
        Assert.Equal(
            ["adminnetworkpolicy", "kube-admin", "default", "baselineadminnetworkpolicy", "kube-baseline"],
            store.Current.Of(Kinds.Tier).Order().Select(tier => tier.Name));
        Assert.Equal("Allow", RuleText.Of(Assert.Single(store.Current.Of(Kinds.Profile)["projectcalico-default-allow"]!.Ingress)));
        Assert.Equal(6, feed.TryRead()!.Changed.Length);

        var profile = Manifest.Read(Manifest.Calico("Profile", "ingress: [{ action: Deny }]", "projectcalico-default-allow"));
        store.Apply(new(0, [new(origin, profile.Definitions, [])], new() { HasListed = true }));
        Assert.Equal("Deny", RuleText.Of(store.Current.Of(Kinds.Profile)["projectcalico-default-allow"]!.Ingress[0]));
        store.Apply(new(0, [OriginContent.Gone(origin)], new() { HasListed = true }));
        Assert.Equal("Allow", RuleText.Of(store.Current.Of(Kinds.Profile)["projectcalico-default-allow"]!.Ingress[0]));
        store.Restart(1);
        store.Apply(new(0, [], new() { HasListed = true }));
        Assert.Equal(5, store.Current.Of(Kinds.Tier).Count);
    }
}
