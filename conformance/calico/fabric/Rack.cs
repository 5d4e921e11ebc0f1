// A rack: nodes that run our daemon on the same resources, a ToR that runs BIRD, and a host behind it.
//
//                        host 198.51.100.10, fd00:198::10
//                          │
//                         tor  AS 63000, .254            BIRD, its routes go into its kernel
//        ┌──────────────── br0 10.192.0.0/24, fd00:192::/64 ───────────────┐
//     node1 .11           node2 .12            …                        AS 64512
//        │
//      pods: a veth named cali…, their addresses as /32 and /128 routes of protocol 80, as Felix leaves them
using Calico.Bgp.Conformance.Golden;
using Calico.Bgp.Conformance.Traps;

namespace Calico.Bgp.Conformance.Fabric;

internal sealed class Rack : IAsyncDisposable
{
    public const uint TorAs = 63000, NodeAs = 64512;
    public const string Tor4 = "10.192.0.254", Tor6 = "fd00:192::254", Host4 = "198.51.100.10", Host6 = "fd00:198::10";

    private readonly List<Netns> spaces = [];
    private IObjects objects = null!;

    public IObjects Objects => objects;
    public TorRouter Tor { get; private set; } = null!;
    public Netns Host { get; private set; } = null!;
    /// <summary>Null: there is none (see <see cref="AddLeafAsync"/>).</summary>
    public LeafRouter? Leaf { get; private set; }
    public IReadOnlyList<NodeRouter> Nodes { get; private set; } = [];

    public static string Node4(int node) => $"10.192.0.{10 + node}";
    public static string Node6(int node) => $"fd00:192::{10 + node}";
    public static string Node(int node, bool v6) => v6 ? Node6(node) : Node4(node);

    /// <summary>A node as the resources tell of it.</summary>
    public static Manifest NodeObject(int node, string labels = "{}", string bgp = "") => Resource.Node($"node{node}", Node4(node) + "/24",
        Node6(node) + "/64", labels, bgp);

    /// <summary>Sessions of all nodes with the ToR, in both families.</summary>
    public static Manifest[] TorPeers(string more = "") =>
    [
        Resource.Peer("tor-v4", $"peerIP: {Tor4}, asNumber: {TorAs}{more}"),
        Resource.Peer("tor-v6", $"peerIP: '{Tor6}', asNumber: {TorAs}{more}"),
    ];

    public static Manifest NoMesh(string more = "") =>
        Resource.Configuration(string.Join(", ", new[] { "nodeToNodeMeshEnabled: false", more }.Where(fields => fields.Length > 0)));

    /// <summary>Nodes and ToR with the given resources, and every session up that <paramref name="torHears"/> names.</summary>
    /// <param name="nodes"></param>
    /// <param name="torHears">Nodes that peer with the ToR; null is all.</param>
    /// <param name="objects"></param>
    public static Task<Rack> MakeAsync(int nodes, int[]? torHears, params Manifest[] objects) =>
        MakeAsync(ObjectPlace.Asked, nodes, torHears, objects);

    /// <param name="place">Where the objects lie.</param>
    public static async Task<Rack> MakeAsync(ObjectPlace place, int nodes, int[]? torHears, params Manifest[] objects)
    {
        var rack = new Rack();
        try
        {
            await rack.BuildAsync(place, nodes, torHears ?? [.. Enumerable.Range(1, nodes)], objects);
            return rack;
        }
        catch
        {
            await rack.DisposeAsync();
            throw;
        }
    }

    private async Task BuildAsync(ObjectPlace place, int nodes, int[] torHears, Manifest[] manifests)
    {
        var numbers = Enumerable.Range(1, nodes).ToArray();
        var tor = await SpaceAsync("tor");
        Host = await SpaceAsync("host");
        await Netns.JoinAsync(tor, "host0", ["198.51.100.1/24", "fd00:198::1/64"], Host, "eth0", [Host4 + "/24", Host6 + "/64"]);
        await Host.IpAsync("route add default via 198.51.100.1");
        await Host.IpAsync("route add default via fd00:198::1");
        await tor.BridgeAsync("br0");
        await tor.IpAsync("link set br0 up");
        objects = await place.MakeAsync((role, address) => BesideAsync(tor, role, address));
        objects.Apply([.. new Cluster().Apply(numbers.Select(number => NodeObject(number))).Apply(manifests).Objects]);
        Nodes = [.. await Task.WhenAll(numbers.Select(number => NodeAsync(tor, number)))];
        await tor.IpAsync($"addr add {Tor4}/24 dev br0");
        await tor.IpAsync($"addr add {Tor6}/64 dev br0 nodad");
        Tor = new(tor, torHears);
        await Task.WhenAll(Nodes.Select(node => node.StartAsync()).Append(Tor.StartAsync()));
        foreach (var number in torHears)
            foreach (var name in TorRouter.SessionsWith(number))
                await Until.TrueAsync($"the ToR and node{number} have a session ({name})", () => Tor.IsUpAsync(name), 60, Said);
    }

    private async Task<NodeRouter> NodeAsync(Netns tor, int number)
    {
        var space = await SpaceAsync($"node{number}");
        await Netns.JoinAsync(tor, $"node{number}", [], space, "eth0", [Node4(number) + "/24", Node6(number) + "/64"]);
        await tor.IpAsync($"link set node{number} master br0");
        await space.IpAsync($"route add default via {Tor4} metric 4096");
        await space.IpAsync($"route add default via {Tor6} metric 4096");
        return new(space, number, objects.Source);
    }

    /// <summary>A namespace with an address on the nodes' wire.</summary>
    private async Task<Netns> BesideAsync(Netns tor, string role, string address)
    {
        var space = await SpaceAsync(role);
        await Netns.JoinAsync(tor, role, [], space, "eth0", [address + "/24"]);
        await tor.IpAsync($"link set {role} master br0");
        return space;
    }

    private async Task<Netns> SpaceAsync(string role)
    {
        var made = await Netns.MakeAsync(role);
        lock (spaces) spaces.Add(made);
        made.Forward();
        return made;
    }

    /// <summary>A second switch, FRR, on the same wire; every node is a neighbour of it in both families.</summary>
    public async Task AddLeafAsync()
    {
        var space = await SpaceAsync("leaf");
        await Netns.JoinAsync(Tor.Namespace, "leaf", [], space, "eth0", [LeafRouter.Leaf4 + "/24", LeafRouter.Leaf6 + "/64"]);
        await Tor.Namespace.IpAsync("link set leaf master br0");
        Leaf = new(space, Nodes.Count);
        await Leaf.StartAsync();
    }

    /// <summary>A pod on a node: its wire, its addresses, and the node's routes to them.</summary>
    public async Task<Netns> PodAsync(int node, string name, string address4, string? address6 = null)
    {
        var pod = await SpaceAsync(name);
        var space = Nodes[node - 1].Namespace;
        var link = "cali" + name;
        await Netns.JoinAsync(space, link, ["fe80::ecee:eeff:feee:eeee/64"], pod, "eth0", address6 == null ? [address4 + "/32"]
            : [address4 + "/32", address6 + "/128"]);
        space.Set($"net/ipv4/conf/{link}/proxy_arp=1", $"net/ipv4/neigh/{link}/proxy_delay=0");
        await space.IpAsync($"route add {address4}/32 dev {link} proto 80 metric 1024");
        await pod.IpAsync("route add 169.254.1.1 dev eth0 scope link");
        await pod.IpAsync("route add default via 169.254.1.1 dev eth0");
        if (address6 == null) return pod;
        await space.IpAsync($"route add {address6}/128 dev {link} proto 80 metric 1024");
        await pod.IpAsync("route add default via fe80::ecee:eeff:feee:eeee dev eth0");
        return pod;
    }

    public void Apply(params Manifest[] manifests) => objects.Apply(manifests);

    public void Delete(string kind, string name) => objects.Delete(kind, name);

    /// <summary>The ToR's next hops for a prefix become these nodes; none means that the route is gone.</summary>
    public async Task HeardFromAsync(string prefix, params int[] nodes)
    {
        var wanted = string.Join(' ', nodes.Select(node => Node(node, prefix.Contains(':'))).Order(StringComparer.Ordinal));
        await Until.SeenAsync($"the ToR has {prefix} from [{wanted}]", () => Tor.ViaAsync(prefix), seen => seen == wanted, 60, Said);
    }

    public string Said() =>
        string.Join('\n', Nodes.Select(node => $"--- node{node.Number}:\n{node.Said}").Append($"--- tor:\n{Tor?.Said}"));

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(Nodes.Select(node => node.DisposeAsync().AsTask()));
        if (Tor != null) await Tor.DisposeAsync();
        if (Leaf != null) await Leaf.DisposeAsync();
        if (objects != null) await objects.DisposeAsync();
        foreach (var space in spaces) await space.RemoveAsync();
    }
}
