// Two nodes with pods, somebody outside, and somebody behind the first node: what each of C.3's flows needs.
//
//   pods ── cali… ── node1 ── eth0 ─┐
//                    │              ├─ (bridge) tor ── outside: 198.51.100.1, 203.0.113.1
//                  eth1     node2 ──┘
//                    │       └── cali… ── pods
//                  behind: 10.50.0.1
//
// Addresses of pods are routed: nothing is translated unless a service is asked for.
using System.Net;
using System.Net.Sockets;
using Calico.Bgp.Conformance.Packets;

namespace Calico.Bgp.Conformance.Policy;

internal sealed partial class PolicySite : IAsyncDisposable
{
    /// <summary>Seconds for what comes at once on a machine with nothing else to do.</summary>
    public const int Patience = 60;

    /// <summary>Where everybody listens.</summary>
    public static readonly int[] Ports = [22, 53, 80, 81, 443, 2222, 8080];

    private readonly List<Netns> spaces = [];
    private readonly List<Listener> listeners = [];
    private readonly Dictionary<Place, Netns> homes = [];
    private readonly Scratch folder = new();

    public Netns Node { get; private set; } = null!;
    public Netns Other { get; private set; } = null!;
    public Netns Tor { get; private set; } = null!;
    public Arrivals Arrivals { get; } = new();

    public Town Town { get; } = new();
    public Prober Prober => new(Arrivals, place => homes[place]);

    public static async Task<PolicySite> MakeAsync(params PodPlace[] pods)
    {
        var site = new PolicySite();
        Directory.CreateDirectory(site.Resources);
        site.Node = await site.SpaceAsync("n");
        site.Other = await site.SpaceAsync("o");
        site.Tor = await site.SpaceAsync("t");
        await site.WireAsync(await site.SpaceAsync("x"), await site.SpaceAsync("y"));
        foreach (var pod in (PodPlace[])[.. pods, Knocker, Door]) await site.AddAsync(pod);
        return site;
    }

    private async Task<Netns> SpaceAsync(string role)
    {
        var space = await Netns.MakeAsync(role);
        spaces.Add(space);
        space.Forward();
        // Answers that the kernel makes by itself are what refusals are known by: none may be kept back.
        // The masks are asked for the whole machine's bound too (icmp_msgs_per_sec), which other tests share.
        space.Set("net/ipv4/icmp_ratelimit=0", "net/ipv6/icmp/ratelimit=0", "net/ipv4/icmp_ratemask=0", "net/ipv6/icmp/ratemask=127");
        // Source ports come again after some ten thousand probes: what was tracked of the earlier one is to be forgotten by then.
        space.Set("net/netfilter/nf_conntrack_udp_timeout=2", "net/netfilter/nf_conntrack_udp_timeout_stream=2",
            "net/netfilter/nf_conntrack_icmp_timeout=2", "net/netfilter/nf_conntrack_icmpv6_timeout=2");
        return space;
    }

    private async Task WireAsync(Netns outside, Netns behind)
    {
        await Tor.BridgeAsync("br0");
        Do(Tor, "addr add 172.20.0.254/24 dev br0", "addr add fd20::fe/64 dev br0 nodad", "link set br0 up");
        await Netns.JoinAsync(Tor, "p1", [], Node, "eth0", ["172.20.0.1/24", "fd20::1/64"]);
        await Netns.JoinAsync(Tor, "p2", [], Other, "eth0", ["172.20.0.2/24", "fd20::2/64"]);
        await Netns.JoinAsync(Tor, "out0", ["198.51.100.254/24", "fd98::fe/64"], outside, "eth0", ["198.51.100.1/24", "fd98::1/64"]);
        await Netns.JoinAsync(Node, "eth1", ["10.50.0.254/24", "fd50::fe/64"], behind, "eth0", ["10.50.0.1/24", "fd50::1/64"]);
        Do(Tor, "link set p1 master br0", "link set p2 master br0",
            "route add 203.0.113.1/32 via 198.51.100.1", "route add 2001:db8:1::1/128 via fd98::1",
            "route add 10.50.0.0/24 via 172.20.0.1", "route add fd50::/64 via fd20::1",
            // Addresses of services come to the first node; the nodes themselves hand them to their default route.
            "route add 10.96.0.0/16 via 172.20.0.1", "route add fd96::/112 via fd20::1",
            "route add 192.168.1.0/24 via 172.20.0.1", "route add fd01::1:0/112 via fd20::1",
            "route add 192.168.2.0/24 via 172.20.0.2", "route add fd01::2:0/112 via fd20::2");
        foreach (var node in (Netns[])[Node, Other])
            Do(node, "route add default via 172.20.0.254", "route add default via fd20::fe");
        Do(Node, "route add 192.168.2.0/24 via 172.20.0.2", "route add fd01::2:0/112 via fd20::2");
        Do(Other, "route add 192.168.1.0/24 via 172.20.0.1", "route add fd01::1:0/112 via fd20::1");
        Do(outside, "addr add 203.0.113.1/32 dev lo", "addr add 2001:db8:1::1/128 dev lo nodad",
            "route add default via 198.51.100.254", "route add default via fd98::fe");
        Do(behind, "route add default via 10.50.0.254", "route add default via fd50::fe");
        Settle(Place.Node1, Node);
        Settle(Place.Node2, Other);
        Settle(Place.Outside, outside);
        Settle(Place.Customer, outside);
        Settle(Place.Behind, behind);
    }

    /// <summary>One process for all the commands.</summary>
    public static void Do(Netns space, params string[] commands) => space.Tell(string.Join('\n', commands) + "\n", "ip", "-batch", "-");

    private void Settle(Place place, Netns space)
    {
        homes.Add(place, space);
        foreach (var address in (string[])[place.IPv4, place.IPv6]) listeners.Add(new(space, address, Ports, Arrivals));
    }

    public async Task AddAsync(PodPlace pod)
    {
        var (place, space) = (Town.Add(pod), await SpaceAsync("p"));
        await PodLink.AddAsync(pod.Node == 1 ? Node : Other, space, pod.Link, place.IPv4, place.IPv6);
        Settle(place, space);
    }

    /// <summary>On the first node a pod's veth becomes another's, with the addresses: what has been begun with them knows nothing of
    /// that.</summary>
    public void GiveAway(PodPlace pod, PodPlace to)
    {
        var place = Town[pod.FullName];
        Do(Node, $"link set {pod.Link} down", $"link set {pod.Link} name {to.Link}", $"link set {to.Link} up",
            $"addr add fe80::1/64 dev {to.Link} nodad", $"route add {place.IPv4}/32 dev {to.Link}",
            $"route add {place.IPv6}/128 dev {to.Link}");
    }

    public Netns HomeOf(string place) => homes[Town[place]];

    /// <summary>For TCP, with somebody's address.</summary>
    public Socket SocketOf(Place place, bool isIPv6, int port = 0)
    {
        var address = place.Address(isIPv6);
        var socket = homes[place].Socket(address.AddressFamily);
        socket.Bind(new IPEndPoint(address, port));
        return socket;
    }

    /// <summary>Datagrams that nobody waits for, as fast as they go.</summary>
    public void Flood(Place from, IPEndPoint to, int count)
    {
        using var socket = homes[from].Inside(() => new Socket(to.AddressFamily, SocketType.Dgram, ProtocolType.Udp));
        socket.Bind(new IPEndPoint(from.Address(to.AddressFamily == AddressFamily.InterNetworkV6), 0));
        for (var i = 0; i < count; i++) socket.SendTo(new byte[16], to);
    }

    /// <summary>The town's services, in place of those that were there.</summary>
    /// <param name="mode">nftables, iptables-nft or iptables-legacy.</param>
    public void WriteServices(string mode = "nftables")
    {
        if (mode == "nftables") Node.Tell(Service.Nft(Town.Services), "nft", "-f", "-");
        else
            foreach (var isIPv6 in (bool[])[false, true])
                Node.Tell(Service.Iptables(Town.Services, isIPv6), $"{(isIPv6 ? "ip6" : "ip")}{mode[2..]}-restore");
    }

    public string Resources => PathOf("resources");

    public string PathOf(string name) => folder.PathOf(name);

    public async ValueTask DisposeAsync()
    {
        foreach (var daemon in daemons) await daemon.DisposeAsync();
        foreach (var listener in listeners) listener.Dispose();
        foreach (var space in spaces) await space.RemoveAsync();
        folder.Dispose();
    }
}
