// Figures of network policy: not microbenchmarks, but one long look at the real kernel, in network namespaces of their own (as root):
//   make bench ARGS=policy
//   make bench ARGS="policy changes", make bench ARGS="policy packets" for one of the two
// A cluster's policies, pods and networks, of which 200 pods are on this node: how long until all is in force, beside nft with the same
// rules; what one pod that comes and one policy that is edited cost, there and at a tenth of the size; memory; and packets through a pod.
using System.Net;
using System.Net.Sockets;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Policies;
using static Calico.Bgp.Bench.Figures;
using static Calico.Bgp.Bench.PolicyNode;

namespace Calico.Bgp.Bench;

internal static class PolicyFigures
{
    /// <summary>Of the large cluster; the small one has a tenth of everything but pods on this node.</summary>
    private const int Policies = 2_000, Pods = 10_000, Networks = 50_000;
    private const int Here = 200, Selectors = 500, RulesEach = 5, SelectorsOfPod = 10, SelectorsOfNewPod = 50, Sets = 50, Groups = 100;
    private const int Rounds = 400, Packets = 40_000;

    public static async Task RunAsync()
    {
        await RunChangesAsync();
        await RunPacketsAsync();
    }

    public static async Task RunChangesAsync()
    {
        Console.WriteLine("policies |   pods |  CIDRs | in force | nft -f | a pod comes p50 / p99 | a pod here p50 / p99 "
            + "| one asked as no other p50 / p99 | a policy edited p50 / p99 | resident | managed");
        foreach (var part in (int[])[1, 10])
        {
            using var space = Netns.Make("bench");
            await ChildAsync(space, "policy", "inside", Word(part));
        }
    }

    public static async Task RunPacketsAsync()
    {
        Console.WriteLine("policies of a pod | packets/s known, of none | packets/s new, of none");
        var none = (Known: 0.0, New: 0.0);
        foreach (var policies in (int[])[0, 1, 10, 100])
        {
            var (known, fresh) = await PacketsAsync(policies);
            if (policies == 0) none = (known, fresh);
            Console.WriteLine($"{policies,17} | {known,15:N0} {known / none.Known,8:0.00} | {fresh,13:N0} {fresh / none.New,8:0.00}");
        }
    }

    public static async Task InsideAsync(int part)
    {
        var (policies, pods, networks) = (Policies / part, Pods / part, Networks / part);
        await using var node = new PolicyNode();
        await node.StartAsync();
        var inForce = await node.ApplyAsync([.. World(policies, pods, networks).Select(one => Change(null, one))]);
        if (node.Nftables.Status.Problems.Length > 0)
            throw new InvalidOperationException($"expected all to be taken, and {node.Nftables.Status.Problems[0]} is not");
        var comes = await RepeatAsync(Rounds, (i, turn) => Pod(node, NewPod(pods + i, "node1"), turn));
        var comesHere = await RepeatAsync(Rounds, (i, turn) => Pod(node, NewPod(pods + i, "node0"), turn));
        var alone = await RepeatAsync(Rounds, (i, turn) => Pod(node, AlonePod(pods + i), turn));
        var edited = await RepeatAsync(Rounds, (i, turn) =>
        {
            var (before, after) = (Policy(i * 7919 % policies, turn ? 0 : 1), Policy(i * 7919 % policies, turn ? 1 : 0));
            return node.ApplyAsync(Change(before, after));
        });
        var (resident, managed) = Memory();
        Console.WriteLine($"{policies,8:N0} | {pods,6:N0} | {networks,6:N0} | {inForce,5:0} ms | {await NftAsync(),3:0} ms | "
            + $"{comes,21} | {comesHere,20} | {alone,31} | {edited,25} | {resident,4} MiB | {managed,3} MiB");
        await node.Nftables.FlushAsync();
    }

    private static Task<double> Pod(PolicyNode node, Pod pod, bool comes) => node.ApplyAsync(comes ? Change(null, pod) : Change(pod, null));

    private static IEnumerable<Resource> World(int policies, int pods, int networks) =>
    [
        new Tier(new Metadata("default")) { Order = 1_000_000 }, new KubernetesNamespace(new Metadata("default")),
        .. Enumerable.Range(0, policies).Select(n => Policy(n, 0)),
        .. Enumerable.Range(0, pods).Select(n => AnyPod(n, n < Here ? "node0" : "node1", SelectorsOfPod)),
        .. Enumerable.Range(0, Sets).Select(n => NetworksOf(n, networks / Sets)),
    ];

    private static GlobalNetworkSet NetworksOf(int n, int count) => new(new Metadata($"set{n}")
    {
        Labels = Labels.From([new("net", $"n{n}")]),
    })
    {
        Nets = [.. Enumerable.Range(n * count, count).Select(i => new Prefix(Address.FromIPv4(0x64000000u + (uint)(i * 512)), 24))],
    };

    private static Pod AnyPod(int n, string node, int selectors) => new(new Metadata($"pod{n}", "default")
    {
        Labels = Labels.From(
        [
            new("projectcalico.org/namespace", "default"), new("group", $"g{n % Groups}"),
            .. Enumerable.Range(0, selectors).Select(i => new KeyValuePair<string, string>($"t{(n * 7 + i) % Selectors}", "")),
        ]),
    })
    {
        Node = node,
        Nets = [new Prefix(Address.FromIPv4(0x0a000000u + (uint)n), 32)],
        Profiles = ["kns.default"],
    };

    private static Pod NewPod(int n, string node) => AnyPod(n, node, SelectorsOfNewPod);

    /// <summary>No policy selects it.</summary>
    private static Pod AlonePod(int n) => new(new Metadata($"pod{n}", "default")
    {
        Labels = Labels.From([new("projectcalico.org/namespace", "default"), new("job", "job")]),
    })
    {
        Node = "node0",
        Nets = [new Prefix(Address.FromIPv4(0x0a000000u + (uint)n), 32)],
        Profiles = ["kns.default"],
    };

    /// <summary>A pod here has one in a hundred of them.</summary>
    private static NetworkPolicy Policy(int n, int edit) => new(new Metadata($"policy{n}", "default"))
    {
        Spec = new()
        {
            Tier = "default",
            AppliesTo = Selector.Parse($"projectcalico.org/namespace == 'default' && group == 'g{n % Groups}'"),
            Types = PolicyTypes.Ingress,
            WorkloadsOnly = true,
            Ingress = [.. Enumerable.Range(0, RulesEach).Select(i => Rule(n, i, edit))],
        },
    };

    private static PolicyRule Rule(int n, int i, int edit) => new()
    {
        Action = RuleAction.Allow,
        Protocol = (byte)IpProtocol.Tcp,
        Source = new()
        {
            In = Selector.Parse(i == 0 && n % 4 == 0 ? $"net == 'n{n / 4 % Sets}'" : $"has(t{(n * RulesEach + i) % Selectors})"),
        },
        Destination = new() { Ports = [new PortMatch((ushort)(1_000 + i), (ushort)(1_000 + i + edit))] },
    };

    private const string From4 = "10.1.0.1", To4 = "10.1.0.2";

    /// <summary>One pod sends to another past as many policies, of which the last allows it: of a connection that is known, because the
    /// other has answered, and each packet of another one.</summary>
    private static async Task<(double Known, double New)> PacketsAsync(int policies)
    {
        using var node = Netns.Make("bench");
        using var from = Netns.Make("from");
        using var to = Netns.Make("to");
        node.Forward();
        node.Set("net/netfilter/nf_conntrack_udp_timeout=1");
        await JoinAsync(node, "from", from, From4);
        await JoinAsync(node, "to", to, To4);
        using var child = await HoldElsewhereAsync(node, "policy", "packets", Word(policies));
        using var sink = to.Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        sink.Bind(new IPEndPoint(IPAddress.Any, 9));
        to.Tell("table inet quiet {\n chain in {\n type filter hook prerouting priority -400\n udp dport != 9 drop\n }\n}\n",
            "nft", "-f", "-");
        using var socket = from.Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.SendTo(new byte[64], new IPEndPoint(IPAddress.Parse(To4), 9));
        EndPoint asker = new IPEndPoint(IPAddress.Any, 0);
        sink.ReceiveFrom(new byte[64], ref asker);
        sink.SendTo(new byte[64], asker);
        socket.Receive(new byte[64]);
        var end = new IPEndPoint(IPAddress.Parse(To4), 9);
        var known = Best(() => PerSecond(5 * Packets, _ => socket, _ => end));
        var fresh = new List<double>();
        for (var round = 0; round < 3; round++)
        {
            await Task.Delay(TimeSpan.FromSeconds(1.5)); // those of the last round are forgotten
            using var other = from.Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            fresh.Add(PerSecond(Packets, _ => other, n =>
            {
                end.Port = 10_000 + n;
                return end;
            }));
        }
        child.StandardInput.Close();
        await child.WaitForExitAsync();
        return (known, fresh.Max());
    }

    private static double Best(Func<double> once) => Enumerable.Range(0, 3).Max(_ => once());

    private static PolicyRule AllowFrom(string app, IpProtocol protocol) => new()
    {
        Action = RuleAction.Allow,
        Protocol = (byte)protocol,
        Source = new() { In = Selector.Parse($"app == '{app}'") },
    };

    /// <summary>Puts policies of a pod into force, and holds them until its input ends.</summary>
    public static async Task HoldAsync(int policies)
    {
        await using var node = new PolicyNode();
        await node.HoldAsync(
        [
            new Tier(new Metadata("default")) { Order = 1_000_000 },
            new KubernetesNamespace(new Metadata("default")), PodAt("from", From4), PodAt("to", To4),
            .. Enumerable.Range(0, policies).Select(n => new NetworkPolicy(new Metadata($"p{n:000}", "default"))
            {
                Spec = new()
                {
                    Tier = "default",
                    AppliesTo = Selector.Parse("app == 'to'"),
                    Types = PolicyTypes.Ingress,
                    WorkloadsOnly = true,
                    Ingress =
                    [
                        AllowFrom("from", IpProtocol.Tcp), AllowFrom(n == policies - 1 ? "from" : "nobody", IpProtocol.Udp),
                    ],
                },
            }),
        ]);
    }
}
