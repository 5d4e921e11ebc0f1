// A part of make bench ARGS=egress: packets through a node that masquerades, that is the gateway itself, and that hands them to one, with
// the rules of the whole cluster. The three stand side by side, and are asked in turns: what is said of each is the middle of its rounds,
// and of masqueraded ones the middle of the rounds' own shares: what else the machine does then says nothing of them.
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using static Calico.Bgp.Bench.PolicyNode;

namespace Calico.Bgp.Bench;

internal sealed class EgressPackets : IAsyncDisposable
{
    private const int Packets = 40_000, Rounds = 9;
    private const string Pod4 = "192.168.0.0", Outside4 = "198.51.100.1";

    public enum Way { Masqueraded, Here, Away }

    private readonly Way way;
    private readonly Netns node = Netns.Make("bench"), pod = Netns.Make("pod"), outside = Netns.Make("outside");
    private readonly Socket sink, socket;
    private Process? child;

    private EgressPackets(Way way)
    {
        this.way = way;
        sink = outside.Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket = pod.Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    }

    public static async Task RunAsync()
    {
        var sites = new List<EgressPackets>();
        try
        {
            foreach (var way in Enum.GetValues<Way>())
            {
                var site = new EgressPackets(way);
                sites.Add(site);
                await site.BeginAsync();
            }
            List<double>[] known = [.. sites.Select(_ => new List<double>())], fresh = [.. sites.Select(_ => new List<double>())];
            for (var round = 0; round < Rounds; round++)
            {
                for (var n = 0; n < sites.Count; n++) known[n].Add(sites[n].Known());
                for (var n = 0; n < sites.Count; n++) fresh[n].Add(sites[n].New());
                await Task.Delay(TimeSpan.FromSeconds(1.5)); // connections of this round are forgotten
            }
            Console.WriteLine("way of packets | packets/s known, of masqueraded | packets/s new, of masqueraded");
            for (var n = 0; n < sites.Count; n++)
                Console.WriteLine($"{sites[n].way,14} | {Middle(known[n]),22:N0} {Share(known[n], known[0]),8:0.00} "
                    + $"| {Middle(fresh[n]),20:N0} {Share(fresh[n], fresh[0]),8:0.00}");
        }
        finally
        {
            foreach (var site in sites) await site.DisposeAsync();
        }
    }

    private static double Middle(IEnumerable<double> of) => of.Order().ElementAt(Rounds / 2);

    private static double Share(List<double> of, List<double> plain) => Middle(of.Zip(plain, (one, other) => one / other));

    private async Task BeginAsync()
    {
        node.Forward();
        node.Set("net/netfilter/nf_conntrack_udp_timeout=1");
        await JoinAsync(node, "pod0", pod, Pod4);
        await Netns.JoinAsync(node, "eth0", [EgressFigures.Node0 + "/24"], outside, "eth0",
            [.. Enumerable.Range(1, EgressFigures.Gateways).Select(n => $"{EgressFigures.HostOf(n)}/24"), Outside4 + "/32"]);
        node.Ip("route add default via 172.20.0.11");
        outside.Tell($"route add {Pod4}/32 via {EgressFigures.Node0}\nroute add 10.10.0.0/16 via {EgressFigures.Node0}\n",
            "ip", "-batch", "-");
        child = await HoldElsewhereAsync(node, "egress", "packets", $"{way}");
        sink.Bind(new IPEndPoint(IPAddress.Parse(Outside4), 9));
        outside.Tell("table inet quiet {\n chain in {\n type filter hook prerouting priority -400\n udp dport >= 10000 drop\n }\n}\n",
            "nft", "-f", "-");
        socket.ReceiveTimeout = 10_000;
        socket.SendTo(new byte[64], new IPEndPoint(IPAddress.Parse(Outside4), 9));
        EndPoint asker = new IPEndPoint(IPAddress.Any, 0);
        sink.ReceiveFrom(new byte[64], ref asker);
        var seen = ((IPEndPoint)asker).Address.ToString();
        var expected = way switch { Way.Masqueraded => EgressFigures.Node0, Way.Here => "10.10.0.4", _ => Pod4 };
        if (seen != expected) throw new InvalidOperationException($"{way}: expected {expected} as the source, got {seen}");
        sink.SendTo(new byte[64], asker);
        socket.Receive(new byte[64]);
    }

    /// <summary>Of one connection, which the other has answered; the way through the node is worked off while it is sent.</summary>
    private double Known() => Send(socket, 5 * Packets, _ => 9);

    /// <summary>Each packet of another connection.</summary>
    private double New()
    {
        using var other = pod.Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        return Send(other, Packets, n => 10_000 + n);
    }

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

    public async ValueTask DisposeAsync()
    {
        if (child != null)
        {
            child.StandardInput.Close();
            await child.WaitForExitAsync();
            child.Dispose();
        }
        sink.Dispose();
        socket.Dispose();
        foreach (var space in (Netns[])[node, pod, outside]) await space.RemoveAsync();
    }
}
