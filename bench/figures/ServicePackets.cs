// What a pod sends to services, through the node: packets of a flow that is known, first packets of others, and TCP connections that are
// made and broken off. Beside the same to addresses that are no services', where there are none, where services are off, and where one rule
// of nft with one map leads there: what the kernel takes for a translation, whoever asks for it. All are tracked.
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using static Calico.Bgp.Bench.Figures;
using static Calico.Bgp.Bench.PolicyNode;

namespace Calico.Bgp.Bench;

internal static class ServicePackets
{
    private const string From = "10.1.0.1", FromOnce = "10.1.0.3", Node = "10.2.0.1", To = "10.2.0.2";
    private const int Flows = 40_000, Packets = 200_000, Called = 10_000, Few = 100, Callers = 4, Best = 3;
    private const ushort Port = 80;

    private static readonly TimeSpan Calling = TimeSpan.FromSeconds(1);

    public static async Task RunAsync()
    {
        Console.WriteLine("services | sent to   | packets/s known, of none | packets/s new, of none | TCP connections/s, of none");
        var tracked = await MeasureAsync(null, Others);
        var none = await MeasureAsync(0, Others);
        Tell("off", Others, tracked, none);
        Tell("0", Others, none, none);
        Tell("1 rule", new(Called), await MeasureAsync(null, new(Called), byOneRule: true), none);
        foreach (var (services, called) in ((int, Range)[])[(Called, Others), (Few, new(Few)), (Called, new(Called))])
            Tell($"{services:N0}", called, await MeasureAsync(services, called), none);

        static void Tell(string services, Range called, Rates now, Rates none) =>
            Console.WriteLine($"{services,8} | {(called == Others ? "others" : "services"),-9} | "
                + $"{now.Known,15:N0} {now.Known / none.Known,8:0.00} | {now.New,13:N0} {now.New / none.New,8:0.00} | "
                + $"{now.Calls,17:N0} {now.Calls / none.Calls,8:0.00}");
    }

    private sealed record Rates(double Known, double New, double Calls);

    /// <summary>Addresses one behind the other.</summary>
    private sealed record Range(int Count, int First = 0)
    {
        public IPEndPoint[] Ends { get; } = [.. Enumerable.Range(First, Count).Select(
            n => new IPEndPoint(IPAddress.Parse(ServiceFigures.ClusterIP(n).ToString()), Port))];
    }

    private static readonly Range Others = new(Called, First: 1 << 16);

    /// <param name="services">So many there are; null: they are off.</param>
    /// <param name="called">To whom is sent.</param>
    /// <param name="byOneRule">One of nft leads there.</param>
    private static async Task<Rates> MeasureAsync(int? services, Range called, bool byOneRule = false)
    {
        using var node = Netns.Make("bench");
        using var from = Netns.Make("from");
        using var to = Netns.Make("to");
        node.Forward();
        node.Set("net/netfilter/nf_conntrack_udp_timeout=1", "net/netfilter/nf_conntrack_tcp_timeout_close=1");
        await JoinAsync(node, "from", from, From);
        from.Ip($"addr add {FromOnce}/32 dev eth0");
        await Netns.JoinAsync(node, "to", [Node + "/24"], to, "eth0", [To + "/24"]);
        node.Tell($"route add {FromOnce} via {From}\nroute add 10.96.0.0/15 via {To}\n", "ip", "-batch", "-");
        to.Tell($"route add default via {Node}\nroute add local 10.96.0.0/15 dev lo\n", "ip", "-batch", "-");
        node.Tell("table inet tracking {\n chain in {\n type filter hook prerouting priority -150\n ct state new counter\n }\n}\n",
            "nft", "-f", "-");
        to.Tell($"table inet quiet {{\n chain in {{\n type filter hook prerouting priority -400\n ip saddr {FromOnce} drop\n }}\n}}\n",
            "nft", "-f", "-");
        if (byOneRule) node.Tell(OneRule(called), "nft", "-f", "-");
        using var child = services is not { } some ? null : await HoldElsewhereAsync(node, "services", "packets", Word(some));
        var rates = new Rates(
            Known(from, to, called, called == Others ? called.Ends[0] : new(IPAddress.Parse(To), Port)),
            await NewAsync(from, called), Calls(from, to, called));
        child?.StandardInput.Close();
        if (child != null) await child.WaitForExitAsync();
        return rates;
    }

    private static string OneRule(Range called)
    {
        var all = called.Ends.SelectMany(_ => (string[])["tcp", "udp"],
            (end, protocol) => $"{end.Address} . {protocol} . {end.Port} : {To} . {Port}");
        return "table ip bare {\n map to {\n type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service\n"
            + $" elements = {{ {string.Join(", ", all)} }}\n }}\n chain in {{\n type nat hook prerouting priority -105\n"
            + " dnat to ip daddr . ip protocol . th dport map @to\n }\n}\n";
    }

    /// <param name="from">Who sends.</param>
    /// <param name="to">Where it arrives.</param>
    /// <param name="called">The first of them is sent to.</param>
    /// <param name="answers">Who that is.</param>
    private static double Known(Netns from, Netns to, Range called, IPEndPoint answers)
    {
        using var sink = to.Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        sink.Bind(answers);
        using var socket = from.Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        (sink.ReceiveTimeout, socket.ReceiveTimeout) = (10_000, 10_000);
        socket.SendTo(new byte[64], called.Ends[0]);
        EndPoint asker = new IPEndPoint(IPAddress.Any, 0);
        sink.ReceiveFrom(new byte[64], ref asker);
        sink.SendTo(new byte[64], asker);
        EndPoint seen = new IPEndPoint(IPAddress.Any, 0);
        socket.ReceiveFrom(new byte[64], ref seen);
        if (!seen.Equals(called.Ends[0])) throw new InvalidOperationException($"expected {called.Ends[0]} to answer, got {seen}");
        return Enumerable.Range(0, Best).Max(_ => PerSecond(Packets, _ => socket, _ => called.Ends[0]));
    }

    private static async Task<double> NewAsync(Netns from, Range called)
    {
        var fresh = new List<double>();
        for (var round = 0; round < Best; round++)
        {
            await Task.Delay(TimeSpan.FromSeconds(1.5)); // those of the last round are forgotten
            Socket[] sockets = [.. Enumerable.Range(0, Flows / called.Ends.Length).Select(
                _ => from.Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp))];
            foreach (var socket in sockets) socket.Bind(new IPEndPoint(IPAddress.Parse(FromOnce), 0));
            fresh.Add(PerSecond(Flows, n => sockets[n / called.Ends.Length], n => called.Ends[n % called.Ends.Length]));
            foreach (var socket in sockets) socket.Dispose();
        }
        return fresh.Max();
    }

    private static double Calls(Netns from, Netns to, Range called)
    {
        using var listener = to.Socket(AddressFamily.InterNetwork);
        listener.Bind(new IPEndPoint(IPAddress.Any, Port));
        listener.Listen(4096);
        var accepting = new Thread(() =>
        {
            try
            {
                while (true) listener.Accept().Dispose();
            }
            catch (Exception ended) when (ended is ObjectDisposedException or SocketException) { }
        });
        accepting.Start();
        var best = Enumerable.Range(0, Best).Max(_ => CallsASecond(from, called));
        listener.Close();
        accepting.Join();
        return best;
    }

    private static double CallsASecond(Netns from, Range called)
    {
        var (count, began) = (0, Stopwatch.GetTimestamp());
        Thread[] callers = [.. Enumerable.Range(0, Callers).Select(caller => new Thread(() => from.Inside(() =>
        {
            var own = 0;
            for (var n = caller; Stopwatch.GetElapsedTime(began) < Calling; n += Callers, own++)
            {
                using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                socket.LingerState = new(true, 0);
                socket.Connect(called.Ends[n % called.Ends.Length]);
            }
            return Interlocked.Add(ref count, own);
        })))];
        foreach (var caller in callers) caller.Start();
        foreach (var caller in callers) caller.Join();
        return count / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    /// <summary>Puts as many services with one endpoint into force, and holds them until its input ends.</summary>
    public static async Task HoldAsync(int services)
    {
        await using var node = new PolicyNode(ServiceFigures.On);
        ListOf<ServicePort> ports = [new("tcp", ServiceProtocol.TCP, Port, 0), new("udp", ServiceProtocol.UDP, Port, 0)];
        await node.HoldAsync(Enumerable.Range(0, services).SelectMany(n => (Resource[])
        [
            new Service(new Metadata($"web-{n}", "default")) { ClusterIPs = [ServiceFigures.ClusterIP(n)], Ports = ports },
            new EndpointSlice(new Metadata($"web-{n}-a", "default")
            {
                Labels = Labels.From([new(EndpointSlice.ServiceNameLabel, $"web-{n}")]),
            })
            {
                Endpoints = [new([Address.Parse(To)], true, null, null, "node1", null)],
                Ports = ports,
            },
        ]));
    }
}
