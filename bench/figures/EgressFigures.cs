// Figures of egress gateways: not microbenchmarks, but one long look at the real kernel, in network namespaces of their own (as root):
//   make bench ARGS=egress
// A cluster with 10,000 pods, of which 200 are on this node, and 200 choices of gateways over four nodes: how long until all is in force,
// as one of their clients and as one of the gateways; what one pod that comes costs there, and a gateway that is lost; memory. Packets
// through a node that masquerades, that is the gateway itself, and that hands them to one. And with the daemons in out/: how a thousand
// flows are dealt among four gateways, and what becomes of them when one is lost.
using System.Diagnostics;
using System.Globalization;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Egress;
using Calico.Bgp.Resources.Policies;
using static Calico.Bgp.Bench.PolicyNode;

namespace Calico.Bgp.Bench;

internal static class EgressFigures
{
    private const int Pods = 10_000, Here = 200, Classes = 200, Rounds = 200;
    public const int Gateways = 4;
    public const string Node0 = "172.20.0.1";

    public static async Task RunAsync()
    {
        Console.WriteLine("node    |   pods | choices | in force | a pod comes p50 / p99 | a pod here p50 / p99 | one gateway lost "
            + "| resident | managed");
        foreach (var role in (string[])["client", "gateway"]) await ChildAsync("inside", role);
        await EgressPackets.RunAsync();
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

    public static Address HostOf(int gateway) => Address.Parse($"172.20.0.{10 + gateway}");

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

    /// <summary>The whole cluster, with the one pod that sends.</summary>
    public static async Task HoldAsync(string way)
    {
        var asked = Enum.Parse<EgressPackets.Way>(way);
        await using var node = new PolicyNode(new("node0", new() { Enabled = true },
            Egress: asked == EgressPackets.Way.Masqueraded ? null : new() { Enabled = true }));
        await node.HoldAsync(World(asked == EgressPackets.Way.Here));
    }
}
