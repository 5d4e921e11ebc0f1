// Figures of egress gateways: not microbenchmarks, but one long look at the real kernel, in network namespaces of their own (as root):
//   make bench ARGS=egress
// A cluster with 10,000 pods, of which 200 are on this node, and 200 choices of gateways over four nodes: how long until all is in force,
// as one of their clients and as one of the gateways; what one pod that comes costs there, and a gateway that is lost; memory. Packets
// through a node that masquerades, that is the gateway itself, and that hands them to one. And with the daemons in out/: how a thousand
// flows are dealt among four gateways, and what becomes of them when one is lost.
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Egress;
using Calico.Bgp.Resources.Policies;
using static Calico.Bgp.Bench.PolicyNode;

namespace Calico.Bgp.Bench;

internal static class EgressFigures
{
    private const int Pods = 10_000, Here = 200, Classes = 200, Gateways = 4, Rounds = 200, Packets = 40_000;
    private const string Pod4 = "192.168.0.0", Outside4 = "198.51.100.1", Node0 = "172.20.0.1";

    private enum Way { Masqueraded, Here, Away }

    public static async Task RunAsync()
    {
        Console.WriteLine("node    |   pods | choices | in force | a pod comes p50 / p99 | a pod here p50 / p99 | one gateway lost "
            + "| resident | managed");
        foreach (var role in (string[])["client", "gateway"]) await ChildAsync("inside", role);
        Console.WriteLine("way of packets | packets/s known, of masqueraded | packets/s new, of masqueraded");
        var plain = (Known: 0.0, New: 0.0);
        foreach (var way in Enum.GetValues<Way>())
        {
            var (known, fresh) = await PacketsAsync(way);
            if (way == Way.Masqueraded) plain = (known, fresh);
            Console.WriteLine($"{way,14} | {known,22:N0} {known / plain.Known,8:0.00} | {fresh,20:N0} {fresh / plain.New,8:0.00}");
        }
        await EgressFailover.RunAsync();
    }

    private static async Task ChildAsync(params string[] words)
    {
        using var space = Netns.Make("bench");
        await JoinLinkAsync(space);
        using var child = space.Inside(() => Process.Start(Environment.ProcessPath!, ["egress", .. words]));
        await child.WaitForExitAsync();
        if (child.ExitCode != 0) throw new InvalidOperationException($"egress {string.Join(' ', words)} ended with {child.ExitCode}");
    }

    private static async Task JoinLinkAsync(Netns space)
    {
        space.Tell("link add eth0 type veth peer name far0\nlink set far0 up\n", "ip", "-batch", "-");
        await space.RaiseAsync("eth0", Node0 + "/24");
    }

    /// <param name="role">What node0 is: all gateways have a replica on it, or none has.</param>
    public static async Task InsideAsync(string role)
    {
        await using var node = new PolicyNode(new("node0", new(), Egress: new() { Enabled = true }));
        await node.StartAsync();
        var inForce = await node.ApplyAsync([.. World(role == "gateway").Select(one => Change(null, one))]);
        if (node.Nftables.Status.Problems.Length > 0)
            throw new InvalidOperationException($"expected all to be taken, and {node.Nftables.Status.Problems[0]} is not");
        var comes = await RepeatAsync((i, turn) => ComeAsync(node, PodOf(Pods + i, "node1"), turn));
        var comesHere = await RepeatAsync((i, turn) => ComeAsync(node, PodOf(Pods + i, "node0"), turn));
        var began = Stopwatch.GetTimestamp();
        await node.Dataplane.TellUnheardAsync([HostOf(Gateways)]);
        await node.Dataplane.SettledAsync();
        var lost = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var (resident, managed) = (Environment.WorkingSet >> 20, GC.GetTotalMemory(true) >> 20);
        Console.WriteLine($"{role,-7} | {Pods,6:N0} | {Classes,7:N0} | {inForce,5:0} ms | {comes,21} | {comesHere,20} | {lost,13:0.0} ms | "
            + $"{resident,4} MiB | {managed,3} MiB");
        await node.Nftables.FlushAsync();
    }

    private static Task<double> ComeAsync(PolicyNode node, Pod pod, bool comes) =>
        node.ApplyAsync(comes ? Change(null, pod) : Change(pod, null));

    /// <summary>There and back again, the first tenth unheard.</summary>
    private static async Task<string> RepeatAsync(Func<int, bool, Task<double>> change)
    {
        var times = new List<double>();
        for (var round = -Rounds / 10; round < Rounds; round++)
        {
            var time = await change(Math.Abs(round / 2), round % 2 == 0);
            if (round >= 0) times.Add(time);
        }
        times.Sort();
        return string.Create(CultureInfo.InvariantCulture, $"{times[Rounds / 2]:0.00} / {times[Rounds * 99 / 100]:0.00} ms");
    }

    private static Address HostOf(int gateway) => Address.Parse($"172.20.0.{10 + gateway}");

    private static IEnumerable<Resource> World(bool isGateway) =>
    [
        NodeOf("node0", Address.Parse(Node0), isGateway), NodeOf("node1", Address.Parse("172.20.0.2"), false),
        .. Enumerable.Range(1, Gateways).Select(n => NodeOf($"gate{n}", HostOf(n), true)),
        PoolOf("pods", "192.168.0.0/16", nat: true), new KubernetesNamespace(new Metadata("edge")),
        .. Enumerable.Range(0, Classes).Select(n => PoolOf($"pool{n:000}", $"10.10.{n}.0/29", nat: false)),
        .. Enumerable.Range(0, Classes).Select(n => new EgressGateway(new Metadata($"gw{n:000}", "edge"))
        {
            Pools = [new($"pool{n:000}", null)],
            GivenLabels = Labels.From([new("code", $"gw{n:000}")]),
            NodeSelector = Labels.From([new("egress", "yes")]),
        }),
        .. Enumerable.Range(0, Classes).Select(n => new KubernetesNamespace(new Metadata($"space{n:000}"))
        {
            Egress = new() { Gateway = new(Selector.Parse($"code == 'gw{n:000}'"), Selector.Parse("projectcalico.org/name == 'edge'"), 0) },
        }),
        .. Enumerable.Range(0, Pods).Select(n => PodOf(n, n < Here ? "node0" : "node1")),
    ];

    private static Node NodeOf(string name, Address address, bool isGateway) => new(new Metadata(name)
    {
        Labels = isGateway ? Labels.From([new("egress", "yes")]) : Labels.Empty,
    })
    {
        IPv4 = new(address, Prefix.Parse("172.20.0.0/24")),
    };

    private static IPPool PoolOf(string name, string cidr, bool nat) => new(new Metadata(name))
    {
        Cidr = Prefix.Parse(cidr),
        BlockSize = nat ? 26 : 32,
        NatOutgoing = nat,
    };

    private static Pod PodOf(int n, string node) => new(new Metadata($"pod{n}", $"space{n % Classes:000}"))
    {
        Node = node,
        Nets = [new Prefix(Address.FromIPv4(0xc0a80000u + (uint)n), 32)],
    };

    /// <summary>Of a connection that is known, because the other has answered, and each packet of another one.</summary>
    private static async Task<(double Known, double New)> PacketsAsync(Way way)
    {
        using var node = Netns.Make("bench");
        using var pod = Netns.Make("pod");
        using var outside = Netns.Make("outside");
        node.Forward();
        node.Set("net/netfilter/nf_conntrack_udp_timeout=1");
        await JoinAsync(node, "pod0", pod, Pod4);
        await Netns.JoinAsync(node, "eth0", [Node0 + "/24"], outside, "eth0",
            [.. Enumerable.Range(1, Gateways).Select(n => $"{HostOf(n)}/24"), Outside4 + "/32"]);
        node.Ip("route add default via 172.20.0.11");
        outside.Tell($"route add {Pod4}/32 via {Node0}\nroute add 10.10.0.0/16 via {Node0}\n", "ip", "-batch", "-");
        using var child = await HoldElsewhereAsync(node, "egress", "packets", $"{way}");
        using var sink = outside.Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        sink.Bind(new IPEndPoint(IPAddress.Parse(Outside4), 9));
        outside.Tell("table inet quiet {\n chain in {\n type filter hook prerouting priority -400\n udp dport >= 10000 drop\n }\n}\n",
            "nft", "-f", "-");
        using var socket = pod.Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.ReceiveTimeout = 10_000;
        socket.SendTo(new byte[64], new IPEndPoint(IPAddress.Parse(Outside4), 9));
        EndPoint asker = new IPEndPoint(IPAddress.Any, 0);
        sink.ReceiveFrom(new byte[64], ref asker);
        var (expected, seen) = (way switch { Way.Masqueraded => Node0, Way.Here => "10.10.0.4", _ => Pod4 }, ((IPEndPoint)asker).Address);
        if ($"{seen}" != expected) throw new InvalidOperationException($"{way}: expected {expected} as the source, got {seen}");
        sink.SendTo(new byte[64], asker);
        socket.Receive(new byte[64]);
        var known = Enumerable.Range(0, 3).Max(_ => Send(socket, 5 * Packets, _ => 9));
        var fresh = new List<double>();
        for (var round = 0; round < 3; round++)
        {
            await Task.Delay(TimeSpan.FromSeconds(1.5)); // those of the last round are forgotten
            using var other = pod.Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            fresh.Add(Send(other, Packets, n => 10_000 + n));
        }
        child.StandardInput.Close();
        await child.WaitForExitAsync();
        return (known, fresh.Max());
    }

    /// <summary>The way through the node is worked off while it is sent.</summary>
    private static double Send(Socket socket, int packets, Func<int, int> port)
    {
        var to = new IPEndPoint(IPAddress.Parse(Outside4), 9);
        var octets = new byte[64];
        var began = Stopwatch.GetTimestamp();
        for (var n = 0; n < packets; n++)
        {
            to.Port = port(n);
            socket.SendTo(octets, to);
        }
        return packets / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    /// <summary>The whole cluster, with the one pod that sends.</summary>
    public static async Task HoldAsync(string way)
    {
        var asked = Enum.Parse<Way>(way);
        await using var node = new PolicyNode(new("node0", new() { Enabled = true },
            Egress: asked == Way.Masqueraded ? null : new() { Enabled = true }));
        await node.HoldAsync(World(asked == Way.Here));
    }
}
