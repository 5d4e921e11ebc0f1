using Calico.Bgp.Conformance.Golden;
using static Calico.Bgp.Conformance.Traps.Resource;

namespace Calico.Bgp.Conformance.Fabric;

/// <summary>The main ones of Calico's system tests once more, with FRR outside: what counts is what its kernel forwards by.</summary>
public sealed class FrrTests
{
    private const string Ranges = "serviceClusterIPs: [{ cidr: 10.96.0.0/12 }, { cidr: 'fd00:96::/112' }]";

    private static Manifest[] Peers(string more = "") =>
    [
        Peer("leaf-v4", $"peerIP: {LeafRouter.Leaf4}, asNumber: {Rack.TorAs}{more}"),
        Peer("leaf-v6", $"peerIP: '{LeafRouter.Leaf6}', asNumber: {Rack.TorAs}{more}"),
    ];

    private static Manifest Local(bool v6) => Service("local", v6
        ? "type: NodePort, externalTrafficPolicy: Local, ipFamilies: [IPv6], clusterIP: 'fd00:96::9', clusterIPs: ['fd00:96::9']"
        : "type: NodePort, externalTrafficPolicy: Local, ipFamilies: [IPv4], clusterIP: '10.96.0.9', clusterIPs: ['10.96.0.9']");

    private static Manifest Endpoints(bool v6, params int[] nodes) =>
        Slice("local-a", "local", v6 ? "IPv6" : "IPv4", [.. nodes.Select(node => ($"node{node}", (bool?)true))]);

    /// <summary>FRR's kernel sends to these nodes, all alike; none means that the route is gone.</summary>
    private static async Task ForwardsAsync(Rack rack, string prefix, params int[] nodes)
    {
        var v6 = prefix.Contains(':');
        string[] wanted = nodes.Length == 1 ? [$"via {Rack.Node(nodes[0], v6)}"]
            : [.. nodes.Select(node => $"via {Rack.Node(node, v6)} weight 1").Order(StringComparer.Ordinal)];
        await UntilAsync(rack, prefix, wanted);
    }

    private static async Task UntilAsync(Rack rack, string prefix, string[] wanted)
    {
        var right = string.Join(", ", wanted);
        await Until.SeenAsync($"FRR has {prefix} [{right}]", async () => string.Join(", ", await rack.Leaf!.ViaAsync(prefix)),
            seen => seen == right, 60, () => $"{rack.Leaf!.Said}\n{rack.Said()}");
    }

    [NeedsTheory(Needs.Daemon, "bird", "birdc", "vtysh")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Ranges_and_single_addresses_are_shared_among_nodes_and_withdrawn(bool v6)
    {
        var (range, single) = v6 ? ("fd00:96::/112", "fd00:96::9") : ("10.96.0.0/12", "10.96.0.9");
        await using var rack = await Rack.MakeAsync(2, [], [Rack.NoMesh(Ranges), .. Peers(), Local(v6), Endpoints(v6, 1)]);
        await rack.AddLeafAsync();
        await ForwardsAsync(rack, range, 1, 2);
        await ForwardsAsync(rack, single, 1);
        rack.Apply(Endpoints(v6, 1, 2));
        await ForwardsAsync(rack, single, 1, 2);
        rack.Apply(Endpoints(v6, 2));
        await ForwardsAsync(rack, single, 2);
        rack.Delete("EndpointSlice", "local-a");
        await ForwardsAsync(rack, single);
        await ForwardsAsync(rack, range, 1, 2);
        rack.Apply(Rack.NoMesh());
        await ForwardsAsync(rack, range);
    }

    [NeedsFact(Needs.Daemon, "bird", "birdc", "vtysh")]
    public async Task Blocks_go_out_and_what_FRR_announces_comes_in()
    {
        await using var rack = await Rack.MakeAsync(1, [],
            [Rack.NoMesh(), .. Peers(), Pool("pods4", "10.65.0.0/16"), Pool("pods6", "fd65::/48"), Block("node1", "10.65.1.0/26"),
                Block("node1", "fd65:0:0:1::/122")]);
        await rack.AddLeafAsync();
        await ForwardsAsync(rack, "10.65.1.0/26", 1);
        await ForwardsAsync(rack, "fd65:0:0:1::/122", 1);
        await rack.Leaf!.OriginateAsync("44.1.0.0/16", "fd44::/48");
        foreach (var (prefix, leaf) in new[] { ("44.1.0.0/16", LeafRouter.Leaf4), ("fd44::/48", LeafRouter.Leaf6) })
            await Until.TrueAsync($"the node's kernel has {prefix} via FRR", async () =>
                (await rack.Nodes[0].KernelAsync(prefix)).Contains($"via {leaf} ", StringComparison.Ordinal), 60, rack.Said);
        rack.Delete("BlockAffinity", "node1-10-65-1-0-26");
        await ForwardsAsync(rack, "10.65.1.0/26");
    }

    /// <summary>The link-bandwidth community by ready endpoints: a node with three of four gets three quarters.</summary>
    [NeedsFact(Needs.Daemon, "bird", "birdc", "vtysh")]
    public async Task A_service_is_shared_by_the_ready_endpoints_of_each_node()
    {
        await using var rack = await Rack.MakeAsync(2, [], [Rack.NoMesh(Ranges), .. Peers(), Local(false), Endpoints(false, 1, 1, 1, 2)]);
        await rack.AddLeafAsync();
        await ForwardsAsync(rack, "10.96.0.9", 1, 2);
        foreach (var node in rack.Nodes) await node.ReconfigureAsync("weighServices: true");
        await UntilAsync(rack, "10.96.0.9", [$"via {Rack.Node4(1)} weight 75", $"via {Rack.Node4(2)} weight 25"]);
        rack.Apply(Endpoints(false, 1, 2));
        await UntilAsync(rack, "10.96.0.9", [$"via {Rack.Node4(1)} weight 50", $"via {Rack.Node4(2)} weight 50"]);
    }
}
