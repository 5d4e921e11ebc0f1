using Calico.Bgp.Conformance.Fabric;
using Calico.Bgp.Conformance.Golden;
using static Calico.Bgp.Conformance.Traps.Resource;

namespace Calico.Bgp.Conformance.Kubernetes;

/// <summary>Nodes whose objects are in a real API server, and nowhere else.</summary>
public sealed class ClusterTests
{
    private static readonly Manifest[] Pods =
        [Pool("pods4", "10.65.0.0/16"), Block("node1", "10.65.1.0/26"), Block("node2", "10.65.2.0/26")];

    [NeedsFact(Needs.Daemon, Needs.Cluster, "bird", "birdc")]
    public async Task Peers_blocks_services_and_passwords_come_from_the_API_server_and_go_with_their_objects()
    {
        await using var rack = await Rack.MakeAsync(ObjectPlace.Kubernetes, 2, null,
            [Rack.NoMesh("serviceClusterIPs: [{ cidr: 10.96.0.0/12 }]"), .. Rack.TorPeers(), .. Pods]);
        await rack.HeardFromAsync("10.65.1.0/26", 1);
        await rack.HeardFromAsync("10.65.2.0/26", 2);

        rack.Apply(
            Service("web", "type: NodePort, externalTrafficPolicy: Local, clusterIP: 10.96.0.7, clusterIPs: [10.96.0.7]"),
            Slice("web-1", "web", "IPv4", ("node1", true), ("node2", false)));
        await rack.HeardFromAsync("10.96.0.7/32", 1);
        rack.Apply(Slice("web-1", "web", "IPv4", ("node1", false), ("node2", true)));
        await rack.HeardFromAsync("10.96.0.7/32", 2);
        rack.Delete("EndpointSlice", "web-1");
        await rack.HeardFromAsync("10.96.0.7/32");

        rack.Delete("BlockAffinity", "node2-10-65-2-0-26");
        await rack.HeardFromAsync("10.65.2.0/26");

        var node = rack.Nodes[0];
        rack.Apply(Peer("locked", "peerIP: 10.192.0.99, asNumber: 63001, password: { secretKeyRef: { name: keys, key: tor } }"));
        await Until.TrueAsync("the Secret is missed", async () =>
            (await node.ExplainAsync("peer", "locked")).Contains("Secret kube-system/keys is not there"), 30, rack.Said);
        rack.Apply(Secret("keys", "tor", "sesame"));
        await Until.TrueAsync("the Secret is found", async () =>
            !(await node.ExplainAsync("peer", "locked")).Contains("is not there"), 30, rack.Said);
    }

    [NeedsFact(Needs.Daemon, Needs.Cluster, "bird", "birdc")]
    public async Task A_node_that_is_deleted_created_again_and_renamed_is_followed_by_the_others_and_by_itself()
    {
        await using var rack = await Rack.MakeAsync(ObjectPlace.Kubernetes, 2, null, [.. Rack.TorPeers(), .. Pods]);
        var (one, two) = (rack.Nodes[0], rack.Nodes[1]);
        Task IsThereAsync(bool there) => Until.TrueAsync($"node1 has a session with node2, and the block from it, as the ToR: {there}",
            async () => (await one.BgpctlAsync("peers")).Contains("Mesh_10_192_0_12") == there
                && (await one.KernelAsync("10.65.2.0/26")).Contains(Rack.Node4(2)) == there
                && (await rack.Tor.ViaAsync("10.65.2.0/26")).Contains(Rack.Node4(2)) == there, 60, rack.Said);
        await IsThereAsync(true);
        var tor = await one.SessionsAsync("Global_10_192_0_254");

        rack.Delete("Node", "node2");
        await IsThereAsync(false);
        rack.Apply(Rack.NodeObject(2));
        await IsThereAsync(true);

        rack.Delete("Node", "node2");
        rack.Delete("BlockAffinity", "node2-10-65-2-0-26");
        rack.Apply(Node("renamed", Rack.Node4(2) + "/24", Rack.Node6(2) + "/64"), Block("renamed", "10.65.2.0/26"));
        two.Name = "renamed";
        await two.ReconfigureAsync("");
        await IsThereAsync(true);
        Assert.Equal(tor, await one.SessionsAsync("Global_10_192_0_254"));
    }
}
