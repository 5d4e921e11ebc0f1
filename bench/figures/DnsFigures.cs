// Figures of rules by names: not microbenchmarks, but one long look at the real kernel, in network namespaces of their own (as root):
//   make bench ARGS=dns
// A pod looks names up at a server behind its node, each leads to another address, and connects there at once: how long a lookup takes,
// without a policy, where the response waits until the address is open, and where a packet does that is denied meanwhile; whether the first
// SYN passes, with the cores idle and with all of them busy; and how many lookups a second go through the queue.
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Calico.Bgp.Dataplane.Dns;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Bench;

internal static class DnsFigures
{
    private const string Pod = "10.1.0.1", Gateway = "198.51.100.1", Server = "198.51.100.53", Targets = "10.77.0.0/16";
    private const int Lookups = 4_000, InFlow = 20_000, AtOnce = 64, Port = 7000;

    /// <summary>A SYN that is lost is sent again after a second.</summary>
    private static readonly TimeSpan FirstSyn = TimeSpan.FromMilliseconds(900), Patience = TimeSpan.FromSeconds(3);

    private static int lastName;

    public static async Task RunAsync()
    {
        using var node = Netns.Make("bench");
        using var pod = Netns.Make("pod");
        using var outside = Netns.Make("outside");
        node.Forward();
        await PolicyNode.JoinAsync(node, "pod", pod, Pod);
        await Netns.JoinAsync(node, "eth0", [Gateway + "/24"], outside, "eth0", [Server + "/24"]);
        node.Ip($"route add {Targets} via {Server}");
        outside.Tell($"route add {Pod}/32 via {Gateway}\nroute add local {Targets} dev lo\n", "ip", "-batch", "-");
        using var names = outside.Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        using var door = outside.Socket(AddressFamily.InterNetwork);
        names.Bind(new IPEndPoint(IPAddress.Parse(Server), 53));
        door.Bind(new IPEndPoint(IPAddress.Any, Port));
        door.Listen(512);
        Begin(() => Answer(names));
        Begin(() => Accept(door));

        Console.WriteLine($"{"",-35} | {"p50",7} | {"p99",7} | first SYN passed of {Lookups:N0}");
        var bare = Measure(pod, "no policy");
        var (held, ofHeld) = await MeasureAsync(node, pod, "rules by names", "hold");
        var (delayed, ofDelayed) = await MeasureAsync(node, pod, "denied packets wait", "deny-delay");
        Console.WriteLine($"lookups a second, {AtOnce} at a time: {bare:N0} with no policy, {held:N0} with rules by names, "
            + $"{delayed:N0} where denied packets wait");
        Console.Write(ofHeld + ofDelayed);
    }

    /// <returns>Lookups a second, and what the node says in the end.</returns>
    private static async Task<(double, string)> MeasureAsync(Netns node, Netns pod, string what, string mode)
    {
        using var holder = await PolicyNode.HoldElsewhereAsync(node, "dns", mode);
        var flow = Measure(pod, what);
        holder.StandardInput.Close();
        var said = await holder.StandardOutput.ReadToEndAsync();
        await holder.WaitForExitAsync();
        return (flow, $"{what}: {said}");
    }

    /// <returns>Lookups a second.</returns>
    private static double Measure(Netns pod, string what) => pod.Inside(() =>
    {
        Look(Lookups / 4, connects: true);
        Tell(what, Look(Lookups, connects: false));
        Tell(what + ", a connect each", Look(Lookups, connects: true));
        using (var over = new CancellationTokenSource())
        {
            for (var core = 0; core < Environment.ProcessorCount; core++)
                Begin(() => { while (!over.IsCancellationRequested) { } });
            Tell(what + ", all cores busy", Look(Lookups, connects: true));
            over.Cancel();
        }
        return Flow();
    });

    /// <summary>To the end of its socket.</summary>
    private static void Begin(Action work) => new Thread(() =>
    {
        try
        {
            work();
        }
        catch (Exception ended) when (ended is ObjectDisposedException or SocketException) { }
    })
    { IsBackground = true }.Start();

    private static void Tell(string what, (double Half, double Most, int? Passed) times) =>
        Console.WriteLine($"{what,-35} | {times.Half,4:0} µs | {times.Most,4:0} µs | {times.Passed:N0}");

    /// <summary>To each name an address that nobody has had.</summary>
    private static void Answer(Socket names)
    {
        var octets = new byte[512];
        var asker = new SocketAddress(AddressFamily.InterNetwork);
        for (ushort told = 0; ; told++)
        {
            var count = names.ReceiveFrom(octets, SocketFlags.None, asker);
            (octets[2], octets[3], octets[7]) = (0x81, 0x80, 1); // QR, RD, RA; a record
            ReadOnlySpan<byte> record = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 10, 77, (byte)(told >> 8), (byte)told];
            record.CopyTo(octets.AsSpan(count));
            names.SendTo(octets.AsSpan(0, count + record.Length), SocketFlags.None, asker);
        }
    }

    private static void Accept(Socket door)
    {
        while (true) door.Accept().Dispose();
    }

    private static string NewName() => $"n{++lastName}";

    private static byte[] Query(int id, string name) =>
    [
        (byte)(id >> 8), (byte)id, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0,
        (byte)name.Length, .. Encoding.ASCII.GetBytes(name), 7, .. "example"u8, 3, .. "org"u8, 0, 0, 1, 0, 1,
    ];

    private static Socket Asking()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp)
        {
            ReceiveTimeout = (int)Patience.TotalMilliseconds,
        };
        socket.Connect(new IPEndPoint(IPAddress.Parse(Server), 53));
        return socket;
    }

    /// <summary>One after the other, each name once.</summary>
    /// <returns>Microseconds.</returns>
    private static (double Half, double Most, int? Passed) Look(int lookups, bool connects)
    {
        using var asking = Asking();
        var (times, octets, passed) = (new double[lookups], new byte[512], 0);
        for (var n = 0; n < lookups; n++)
        {
            using var next = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            var query = Query(n, NewName());
            var began = Stopwatch.GetTimestamp();
            asking.Send(query);
            var count = asking.Receive(octets);
            times[n] = Stopwatch.GetElapsedTime(began).TotalMicroseconds;
            if (connects && Passes(next, octets.AsSpan(count - 4, 4))) passed++;
        }
        Array.Sort(times);
        return (times[lookups / 2], times[lookups * 99 / 100], connects ? passed : null);
    }

    private static bool Passes(Socket socket, ReadOnlySpan<byte> address)
    {
        var began = Stopwatch.GetTimestamp();
        try
        {
            socket.Connect(new IPEndPoint(new IPAddress(address), Port));
            return Stopwatch.GetElapsedTime(began) < FirstSyn;
        }
        catch (SocketException)
        {
            return false; // What is denied is refused at once.
        }
    }

    /// <returns>Lookups a second.</returns>
    private static double Flow()
    {
        using var asking = Asking();
        var octets = new byte[512];
        var began = Stopwatch.GetTimestamp();
        for (int asked = 0, answered = 0; answered < InFlow; answered++)
        {
            for (; asked < InFlow && asked - answered < AtOnce; asked++) asking.Send(Query(asked, NewName()));
            asking.Receive(octets);
        }
        return InFlow / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    /// <param name="mode">Of <c>policy.dns.mode</c>.</param>
    public static async Task InsideAsync(string mode)
    {
        if (!DomainPattern.TryParse("*.example.org", out var pattern, out var error)) throw new FormatException(error);
        DnsSettings dns = new() { Mode = mode == "deny-delay" ? DnsMode.DenyDelay : DnsMode.Hold };
        await using var node = new PolicyNode(PolicyNode.Policies with { Policy = new() { Enabled = true, Dns = dns } });
        await node.HoldAsync(
        [
            new Tier(new Metadata("default")) { Order = 1_000_000 },
            new KubernetesNamespace(new Metadata("default")), PolicyNode.PodAt("pod", Pod),
            new FelixConfiguration(new Metadata(FelixConfiguration.Default))
            {
                FilterDenyAction = DenyAction.Reject,
                DnsTrustedServers = [new DnsServer(Address.Parse(Server), null, DnsServer.DefaultPort)],
            },
            new NetworkPolicy(new Metadata("names", "default"))
            {
                Spec = new()
                {
                    Tier = "default",
                    AppliesTo = Selector.Parse("app == 'pod'"),
                    Types = PolicyTypes.Egress,
                    WorkloadsOnly = true,
                    Egress =
                    [
                        Allow(IpProtocol.Udp, new() { Ports = [new PortMatch(DnsServer.DefaultPort, DnsServer.DefaultPort)] }),
                        Allow(IpProtocol.Tcp, new() { Domains = [pattern], In = RuleEntity.Nobody }),
                    ],
                },
            },
        ]);
        var counts = node.Dataplane.Dns.Counts;
        Console.WriteLine($"held {counts.Held:N0} of {counts.Responses:N0} responses, "
            + $"{counts.HeldFor.TotalMicroseconds / Math.Max(counts.Held, 1):0} µs each; "
            + $"{counts.Unprogrammed:N0} went on before their address was open, {counts.Unasked:N0} were not asked for; "
            + $"{counts.Delayed:N0} denied packets waited");
    }

    private static PolicyRule Allow(IpProtocol protocol, RuleEntity to) => new()
    {
        Action = RuleAction.Allow,
        Protocol = (byte)protocol,
        Destination = to,
    };
}
