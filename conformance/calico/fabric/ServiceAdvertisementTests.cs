using Calico.Bgp.Conformance.Golden;
using static Calico.Bgp.Conformance.Traps.Resource;

namespace Calico.Bgp.Conformance.Fabric;

/// <summary>Calico's system tests of service advertisement (TestBGPAdvert and its IPv6 twin), on three nodes and a ToR that runs
/// BIRD.</summary>
public sealed class ServiceAdvertisementTests
{
    private const string Ranges = """
        serviceClusterIPs: [{ cidr: 10.96.0.0/12 }, { cidr: 'fd00:96::/112' }],
        serviceExternalIPs: [{ cidr: 175.200.0.0/16 }, { cidr: 'fd5f:1234::/112' }, { cidr: 90.15.0.1/32 }, { cidr: 'fd5f:9999::1/128' }],
        serviceLoadBalancerIPs: [{ cidr: 80.15.0.0/24 }, { cidr: 'fd80:15::/112' }]
        """;

    private sealed record Addresses(bool V6)
    {
        public string Family => V6 ? "IPv6" : "IPv4";
        public string Cluster(int n) => V6 ? $"fd00:96::{n:x}" : $"10.96.{n / 200}.{n % 200 + 1}";
        public string External => V6 ? "fd5f:1234::5" : "175.200.1.1";
        public string Single => V6 ? "fd5f:9999::1" : "90.15.0.1";
        public string Balancer => V6 ? "fd80:15::5" : "80.15.0.5";
        public string ClusterRange => V6 ? "fd00:96::/112" : "10.96.0.0/12";
        public string ExternalRange => V6 ? "fd5f:1234::/112" : "175.200.0.0/16";
        public string BalancerRange => V6 ? "fd80:15::/112" : "80.15.0.0/24";
        public string Host(string address) => $"{address}/{(V6 ? 128 : 32)}";

        public Manifest Service(string name, int number, string policy, string more = "", string type = "NodePort",
            params string[] balancers) => Traps.Resource.Service(name,
            $"type: {type}, externalTrafficPolicy: {policy}, ipFamilies: [{Family}], "
                + $"clusterIP: '{Cluster(number)}', clusterIPs: ['{Cluster(number)}']{(more.Length > 0 ? ", " : "")}{more}", balancers);

        public Manifest Slice(string service, params int[] nodes) => Traps.Resource.Slice(service + "-a", service, Family,
            [.. nodes.Select(node => ($"node{node}", (bool?)true))]);
    }

    private static Task<Rack> RackAsync(params Manifest[] more) => Rack.MakeAsync(3, null, [Rack.NoMesh(Ranges), .. Rack.TorPeers(),
        .. more]);

    [NeedsTheory(Needs.Daemon, "bird", "birdc")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Cluster_IPs(bool v6)
    {
        var a = new Addresses(v6);
        await using var rack = await RackAsync(a.Service("local", 10, "Local"), a.Slice("local", 1), a.Service("cluster", 11, "Cluster"),
            a.Slice("cluster", 1));
        await rack.HeardFromAsync(a.ClusterRange, 1, 2, 3);
        await rack.HeardFromAsync(a.Host(a.Cluster(10)), 1);
        Assert.Equal("", await rack.Tor.ViaAsync(a.Host(a.Cluster(11))));
        rack.Apply(a.Slice("local", 1, 2, 3));
        await rack.HeardFromAsync(a.Host(a.Cluster(10)), 1, 2, 3);
        rack.Apply(a.Slice("local", 3));
        await rack.HeardFromAsync(a.Host(a.Cluster(10)), 3);
        rack.Delete("EndpointSlice", "local-a");
        await rack.HeardFromAsync(a.Host(a.Cluster(10)));
        rack.Apply(a.Slice("local", 2));
        await rack.HeardFromAsync(a.Host(a.Cluster(10)), 2);
        rack.Delete("Service", "local");
        await rack.HeardFromAsync(a.Host(a.Cluster(10)));
        await rack.HeardFromAsync(a.ClusterRange, 1, 2, 3);
        // Announced, and yet no hole in the node's own table.
        foreach (var node in rack.Nodes) Assert.Equal("", await node.KernelAsync(a.ClusterRange));
    }

    [NeedsTheory(Needs.Daemon, "bird", "birdc")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_excluded_node_leaves_and_comes_back(bool v6)
    {
        var a = new Addresses(v6);
        await using var rack = await RackAsync(a.Service("local", 10, "Local"), a.Slice("local", 1, 2));
        await rack.HeardFromAsync(a.ClusterRange, 1, 2, 3);
        await rack.HeardFromAsync(a.Host(a.Cluster(10)), 1, 2);
        rack.Apply(Rack.NodeObject(1, "{ node.kubernetes.io/exclude-from-external-load-balancers: 'true' }"));
        await rack.HeardFromAsync(a.ClusterRange, 2, 3);
        await rack.HeardFromAsync(a.ExternalRange, 2, 3);
        await rack.HeardFromAsync(a.Host(a.Cluster(10)), 2);
        rack.Apply(Rack.NodeObject(1, "{ node.kubernetes.io/exclude-from-external-load-balancers: 'false' }"));
        await rack.HeardFromAsync(a.ClusterRange, 1, 2, 3);
        await rack.HeardFromAsync(a.Host(a.Cluster(10)), 1, 2);
    }

    [NeedsTheory(Needs.Daemon, "bird", "birdc")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task External_IPs_and_load_balancers(bool v6)
    {
        var a = new Addresses(v6);
        await using var rack = await RackAsync(
            a.Service("local", 10, "Local", $"externalIPs: ['{a.External}']"), a.Slice("local", 2),
            a.Service("cluster", 11, "Cluster", $"externalIPs: ['{a.Single}']"), a.Slice("cluster", 3),
            a.Service("balanced", 12, "Local", type: "LoadBalancer", balancers: a.Balancer), a.Slice("balanced", 1));
        await rack.HeardFromAsync(a.ExternalRange, 1, 2, 3);
        await rack.HeardFromAsync(a.Host(a.External), 2);
        await rack.HeardFromAsync(a.Host(a.Single), 1, 2, 3);
        await rack.HeardFromAsync(a.BalancerRange, 1, 2, 3);
        await rack.HeardFromAsync(a.Host(a.Balancer), 1);
        rack.Apply(Rack.NoMesh());
        foreach (var prefix in new[] { a.ExternalRange, a.Host(a.External), a.Host(a.Single), a.BalancerRange, a.Host(a.Balancer),
            a.ClusterRange }) await rack.HeardFromAsync(prefix);
        rack.Apply(Rack.NoMesh(Ranges));
        await rack.HeardFromAsync(a.BalancerRange, 1, 2, 3);
        await rack.HeardFromAsync(a.Host(a.Balancer), 1);
    }

    [NeedsTheory(Needs.Daemon, "bird", "birdc")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Many_services(bool v6)
    {
        const int Count = 51;
        var a = new Addresses(v6);
        await using var rack = await RackAsync();
        for (var i = 0; i < Count; i++) rack.Apply(a.Service($"s{i}", 20 + i, "Local"), a.Slice($"s{i}", 1 + i % 3));
        for (var i = 0; i < Count; i++) await rack.HeardFromAsync(a.Host(a.Cluster(20 + i)), 1 + i % 3);
        for (var i = 0; i < Count; i++) rack.Apply(a.Slice($"s{i}"));
        for (var i = 0; i < Count; i++) await rack.HeardFromAsync(a.Host(a.Cluster(20 + i)));
    }

    [NeedsTheory(Needs.Daemon, "bird", "birdc")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_filter_hides_services_while_it_is_there(bool v6)
    {
        var a = new Addresses(v6);
        await using var rack = await RackAsync([.. Rack.TorPeers(", filters: [hide]"), a.Service("local", 10, "Local"), a.Slice("local",
            1)]);
        await rack.HeardFromAsync(a.Host(a.Cluster(10)), 1);
        rack.Apply(Filter("hide", "exportV4: [{ action: Reject, matchOperator: In, cidr: 10.96.0.0/12 }], "
            + "exportV6: [{ action: Reject, matchOperator: In, cidr: 'fd00:96::/112' }]"));
        await rack.HeardFromAsync(a.Host(a.Cluster(10)));
        await rack.HeardFromAsync(a.ClusterRange);
        await rack.HeardFromAsync(a.ExternalRange, 1, 2, 3);
        rack.Delete("BGPFilter", "hide");
        await rack.HeardFromAsync(a.Host(a.Cluster(10)), 1);
        await rack.HeardFromAsync(a.ClusterRange, 1, 2, 3);
    }

    [NeedsTheory(Needs.Daemon, "bird", "birdc")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_reflector_tells_the_outside_of_services_on_other_nodes(bool v6)
    {
        var a = new Addresses(v6);
        await using var rack = await Rack.MakeAsync(2, [1], Rack.NoMesh(Ranges), Rack.NodeObject(1, "{ rr: 'true' }",
            "routeReflectorClusterID: 224.0.0.1"),
            Peer("reflectors", "nodeSelector: all(), peerSelector: has(rr)"),
            Peer("tor-v4", $"nodeSelector: has(rr), peerIP: {Rack.Tor4}, asNumber: {Rack.TorAs}"), Peer("tor-v6",
                $"nodeSelector: has(rr), peerIP: '{Rack.Tor6}', asNumber: {Rack.TorAs}"),
            a.Service("local", 10, "Local", $"externalIPs: ['{a.External}']"), a.Slice("local", 2));
        await rack.HeardFromAsync(a.Host(a.Cluster(10)), 1);
        await rack.HeardFromAsync(a.Host(a.External), 1);
    }
}
