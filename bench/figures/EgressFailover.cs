// The last part of make bench ARGS=egress, with the daemons in out/: a node with a pod, four nodes that are gateways, and somebody outside
// who says whom he sees. A thousand flows are dealt; then a gateway's wire is cut while a new flow begins every two milliseconds.
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Calico.Bgp.Bench;

internal static class EgressFailover
{
    private const int Gateways = 4, Flows = 1_000, Probes = 1_500, Pace = 2, BeforeCut = 250, Port = 7000;
    private const string Daemon = "out/bgpd", Control = "out/bgpctl", Pod = "192.168.1.2", Outside = "198.51.100.1", Lost = "10.10.10.3";

    public static async Task RunAsync()
    {
        if (!File.Exists(Daemon))
        {
            Console.WriteLine($"no failover: {Daemon} is not there (make build)");
            return;
        }
        using var folder = new Scratch();
        using var bridge = Netns.Make("tor");
        using var client = Netns.Make("client");
        using var pod = Netns.Make("pod");
        using var outside = Netns.Make("outside");
        Netns[] gates = [.. Enumerable.Range(1, Gateways).Select(n => Netns.Make($"gate{n}"))];
        var daemons = new List<Background>();
        try
        {
            await WireAsync(bridge, client, pod, outside, gates);
            Directory.CreateDirectory(folder.PathOf("resources"));
            await File.WriteAllTextAsync(folder.PathOf("resources/all.yaml"), Objects);
            daemons.Add(await StartAsync(folder, client, "client", 1));
            for (var n = 1; n <= Gateways; n++) daemons.Add(await StartAsync(folder, gates[n - 1], $"gate{n}", 10 + n));
            async Task<bool> SaysAsync(string what, string each) => (await Shell.RunAsync(
                Control, "--socket", folder.PathOf("client"), "--json", what)).Output.Replace(" ", "").Split(each).Length > Gateways;
            await Until.TrueAsync("the client hears all gateways",
                async () => await SaysAsync("bfd", "\"state\":\"up\"") && await SaysAsync("egress", "\"usable\":true"), 60,
                () => string.Join('\n', daemons.Select(one => one.Said)));
            await MeasureAsync(bridge, pod, outside);
        }
        finally
        {
            foreach (var daemon in daemons) await daemon.DisposeAsync();
            foreach (var gate in gates) await gate.RemoveAsync();
        }
    }

    private static async Task WireAsync(Netns bridge, Netns client, Netns pod, Netns outside, Netns[] gates)
    {
        await bridge.BridgeAsync("br0");
        bridge.Ip("link set br0 up");
        foreach (var (name, space, address) in (IEnumerable<(string, Netns, string)>)
            [("client", client, "172.20.0.1"), ("outside", outside, "172.20.0.254"),
            .. gates.Select((gate, at) => ($"gate{at + 1}", gate, $"172.20.0.{11 + at}"))])
        {
            space.Forward();
            await Netns.JoinAsync(bridge, $"p-{name}", [], space, "eth0", [address + "/24"]);
            bridge.Ip($"link set p-{name} master br0");
        }
        client.Set("net/ipv4/fib_multipath_hash_policy=1"); // by ports, too
        await PolicyNode.JoinAsync(client, "a", pod, Pod);
        outside.Ip($"addr add {Outside}/32 dev lo");
        outside.Ip("link set lo up");
        foreach (var (gate, at) in gates.Select((gate, at) => (gate, at)))
        {
            gate.Ip("route add default via 172.20.0.254");
            gate.Ip("route add 192.168.1.0/24 via 172.20.0.1");
            outside.Ip($"route add 10.10.10.{at}/32 via 172.20.0.{11 + at}");
        }
        client.Ip("route add default via 172.20.0.254");
    }

    private static async Task<Background> StartAsync(Scratch folder, Netns space, string name, int number)
    {
        var file = folder.PathOf($"{name}.yaml");
        await File.WriteAllTextAsync(file, $$"""
            node: {{name}}
            router: { asNumber: 64512, id: 172.20.0.{{number}} }
            sources: [{ files: {{folder.PathOf("resources")}} }]
            control: { http: ["unix:{{folder.PathOf(name)}}"] }
            egress: { enabled: true }

            """);
        return Background.Start(space, folder.PathOf($"{name}.log"), null, Path.GetFullPath(Daemon), "--config", file);
    }

    private static string Objects => string.Join("---\n",
    [
        NodeOf("client", 1, ""), .. Enumerable.Range(1, Gateways).Select(n => NodeOf($"gate{n}", 10 + n, "egress: 'true'")),
        "apiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata: { name: pods }\nspec: { cidr: 192.168.0.0/16 }\n",
        "apiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata: { name: red }\nspec: { cidr: 10.10.10.0/29, blockSize: 32 }\n",
        "apiVersion: operator.tigera.io/v1\nkind: EgressGateway\nmetadata: { name: red, namespace: edge }\n"
            + "spec: { ipPools: [{ name: red }], template: { spec: { nodeSelector: { egress: 'true' } } } }\n",
        "apiVersion: v1\nkind: Namespace\nmetadata: { name: default, annotations: { egress.projectcalico.org/selector: all(), "
            + "egress.projectcalico.org/namespaceSelector: all() } }\n",
        "apiVersion: v1\nkind: Namespace\nmetadata: { name: edge }\n",
        "apiVersion: v1\nkind: Pod\nmetadata: { name: a, namespace: default }\nspec: { nodeName: client }\n"
            + $"status: {{ podIP: {Pod} }}\n",
    ]);

    private static string NodeOf(string name, int number, string labels) => "apiVersion: projectcalico.org/v3\nkind: Node\n"
        + $"metadata: {{ name: {name}, labels: {{ {labels} }} }}\nspec: {{ bgp: {{ ipv4Address: 172.20.0.{number}/24 }} }}\n";

    private static async Task MeasureAsync(Netns bridge, Netns pod, Netns outside)
    {
        using var server = outside.Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        server.Bind(new IPEndPoint(IPAddress.Parse(Outside), Port));
        new Thread(() => Answer(server)) { IsBackground = true }.Start();
        var flows = Sockets(pod, Flows);
        var before = flows.Select(Ask).ToArray();
        var dealt = before.GroupBy(seen => seen?.Split(':')[0]).ToDictionary(one => one.Key ?? "nobody", one => one.Count());
        Console.WriteLine($"{Flows:N0} flows over {Gateways} gateways: "
            + string.Join(", ", dealt.OrderBy(one => one.Key, StringComparer.Ordinal).Select(one => $"{one.Key} {one.Value}"))
            + $"; at most {dealt.Values.Max(Off):0.0} % from the mean");
        var probes = Sockets(pod, Probes);
        var (sent, cut) = (new long[Probes], 0L);
        for (var n = 0; n < Probes; n++)
        {
            if (n == BeforeCut)
            {
                bridge.Ip($"link set p-gate{Gateways} nomaster");
                cut = Stopwatch.GetTimestamp();
            }
            sent[n] = Stopwatch.GetTimestamp();
            probes[n].Send(new byte[1]);
            await Task.Delay(Pace);
        }
        await Task.Delay(500); // the last answers
        var lost = Enumerable.Range(0, Probes).Where(n => probes[n].Available == 0).ToArray();
        var last = lost.Length == 0 ? 0 : Stopwatch.GetElapsedTime(cut, sent[lost[^1]]).TotalMilliseconds;
        Console.WriteLine($"one gateway cut off, a new flow every {Pace} ms and more: {lost.Length} of {Probes:N0} lost, the last of them "
            + $"{last:0} ms after the cut, of {lost.LastOrDefault() - BeforeCut + 1} until then");
        var after = flows.Select(Ask).ToArray();
        var others = Enumerable.Range(0, Flows).Where(n => before[n]?.StartsWith(Lost + ":", StringComparison.Ordinal) == false).ToArray();
        var (unbroken, moved) = (others.Count(n => after[n] == before[n]),
            Enumerable.Range(0, Flows).Except(others).Count(n => after[n]?.StartsWith(Lost + ":", StringComparison.Ordinal) == false));
        Console.WriteLine($"flows of the other three: {unbroken:N0} of {others.Length:N0} unbroken; of the lost one's "
            + $"{Flows - others.Length}: {moved} by others from then on");
        foreach (var one in flows.Concat(probes)) one.Dispose();
    }

    /// <summary>In per cent of what each gateway would have.</summary>
    private static double Off(int count) => Math.Abs(count - (Flows / Gateways)) * 100.0 / (Flows / Gateways);

    private static Socket[] Sockets(Netns pod, int count) => pod.Inside(() => Enumerable.Range(0, count).Select(_ =>
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 3_000 };
        socket.Connect(new IPEndPoint(IPAddress.Parse(Outside), Port));
        return socket;
    }).ToArray());

    /// <returns>Whom the server saw; null: there was no answer.</returns>
    private static string? Ask(Socket flow)
    {
        var octets = new byte[64];
        try
        {
            flow.Send(new byte[1]);
            return Encoding.ASCII.GetString(octets, 0, flow.Receive(octets));
        }
        catch (SocketException)
        {
            return null;
        }
    }

    /// <summary>To the end of its socket.</summary>
    private static void Answer(Socket server)
    {
        var octets = new byte[64];
        try
        {
            while (true)
            {
                EndPoint asker = new IPEndPoint(IPAddress.Any, 0);
                server.ReceiveFrom(octets, ref asker);
                server.SendTo(Encoding.ASCII.GetBytes($"{asker}"), asker);
            }
        }
        catch (Exception ended) when (ended is ObjectDisposedException or SocketException) { }
    }
}
