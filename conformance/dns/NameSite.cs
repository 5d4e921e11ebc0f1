// A node under the daemon, pods on it, servers of names outside, and a network of addresses there that all are answered at.
//
//   red/a, red/b ── node1 ── tor ── outside: 198.51.100.53 and .54 serve names; 10.77.0.0/16, fd77::/64 accept on port 7000
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Calico.Bgp.Conformance.Policy;

namespace Calico.Bgp.Conformance.Dns;

internal sealed partial class NameSite : IAsyncDisposable
{
    public const string Trusted4 = "198.51.100.53", Trusted6 = "fd98::53", Other4 = "198.51.100.54";
    public const int Port = 7000;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Of <c>policy.dns</c>: where all cores are busy, 250 ms may not do for the daemon and the kernel.</summary>
    public const string Patient = "deadline: 3s";

    private readonly List<IDisposable> servers = [];
    private int asked;

    public PolicySite Site { get; private set; } = null!;
    public NameServer Trusted { get; private set; } = null!;
    public NameServer TrustedOf6 { get; private set; } = null!;
    public NameServer Other { get; private set; } = null!;

    public static async Task<NameSite> MakeAsync()
    {
        var site = new NameSite { Site = await PolicySite.MakeAsync(new("red", "a"), new("red", "b")) };
        var outside = site.Site.HomeOf("outside");
        PolicySite.Do(outside, $"addr add {Trusted4}/24 dev eth0", $"addr add {Other4}/24 dev eth0",
            $"addr add {Trusted6}/64 dev eth0 nodad", "route add local 10.77.0.0/16 dev lo", "route add local fd77::/64 dev lo");
        PolicySite.Do(site.Site.Tor, "route add 10.77.0.0/16 via 198.51.100.1", "route add fd77::/64 via fd98::1");
        (site.Trusted, site.TrustedOf6, site.Other) = (site.Serve(Trusted4), site.Serve(Trusted6), site.Serve(Other4));
        site.Accept(outside, IPAddress.Any);
        site.Accept(outside, IPAddress.IPv6Any);
        return site;
    }

    public NameServer Serve(string address, int port = 53)
    {
        var server = new NameServer(Site.HomeOf("outside"), address, port);
        servers.Add(server);
        return server;
    }

    /// <summary>Whoever comes is let in, and hears what he says.</summary>
    private void Accept(Netns space, IPAddress address)
    {
        var socket = space.Socket(address.AddressFamily);
        if (address.AddressFamily == AddressFamily.InterNetworkV6) socket.DualMode = false;
        socket.Bind(new IPEndPoint(address, Port));
        socket.Listen(512);
        servers.Add(socket);
        _ = AcceptAsync(socket);
    }

    private static async Task AcceptAsync(Socket socket)
    {
        try
        {
            while (true) _ = EchoAsync(await socket.AcceptAsync());
        }
        catch (Exception ended) when (ended is ObjectDisposedException or SocketException) { }
    }

    private static async Task EchoAsync(Socket client)
    {
        using var _ = client;
        try
        {
            var octets = new byte[16];
            while (await client.ReceiveAsync(octets) is > 0 and var count) await client.SendAsync(octets.AsMemory(0, count));
        }
        catch (SocketException) { }
    }

    /// <summary>What is denied is refused at once, so that nobody waits to be sure that it is.</summary>
    /// <param name="more">Further settings of FelixConfiguration's.</param>
    public string Objects(string servers = $"\"{Trusted4}\", \"[{Trusted6}]:53\"", string more = "") => Site.Town.Objects(
        felix: $", nftablesFilterDenyAction: Reject, dnsTrustedServers: [{servers}]{more}");

    /// <summary>Of the pods that a selector selects: the DNS, and besides what the rule says.</summary>
    public static string Egress(string name, string rule, string selector = "projectcalico.org/namespace == 'red'") => Yaml.Global(name,
        $"selector: \"{selector}\", types: [Egress], egress: [{{ action: Allow, protocol: UDP, destination: {{ ports: [53] }} }}, "
        + $"{{ action: Allow, protocol: TCP, destination: {{ ports: [53] }} }}, {rule}]");

    public static string Names(params string[] names) =>
        $"{{ action: Allow, protocol: TCP, destination: {{ domains: [{string.Join(", ", names.Select(name => $"\"{name}\""))}] }} }}";

    public async Task StartAsync(string objects, string policy = $"policy: {{ dns: {{ {Patient} }} }}")
    {
        Site.Configuration = policy + "\n";
        Site.Write(objects);
        await Site.StartAsync();
        await Site.InForceAsync();
    }

    public async Task<byte[]> AskAsync(string pod, string server, string name, ushort type = Record.A, bool tcp = false, int port = 53)
    {
        var query = Message.Query((ushort)Interlocked.Increment(ref asked), name, type);
        var to = new IPEndPoint(IPAddress.Parse(server), port);
        using var patience = new CancellationTokenSource(Patience);
        var octets = new byte[4096];
        using var socket = Site.HomeOf(pod).Socket(to.AddressFamily, tcp ? SocketType.Stream : SocketType.Dgram,
            tcp ? ProtocolType.Tcp : ProtocolType.Udp);
        await socket.ConnectAsync(to, patience.Token);
        if (!tcp)
        {
            await socket.SendAsync(query, patience.Token);
            return octets[..await socket.ReceiveAsync(octets, patience.Token)];
        }
        // The length by itself, and the message in two segments.
        socket.NoDelay = true;
        await socket.SendAsync(new byte[] { 0, (byte)query.Length }, patience.Token);
        await socket.SendAsync(query.AsMemory(0, 7), patience.Token);
        await socket.SendAsync(query.AsMemory(7), patience.Token);
        var count = 0;
        while (count < 2 || count < 2 + BinaryPrimitives.ReadUInt16BigEndian(octets))
            count += await socket.ReceiveAsync(octets.AsMemory(count), patience.Token) is > 0 and var more ? more
                : throw new EndOfStreamException("the server has closed the connection");
        return octets[2..count];
    }

    /// <summary>Null: it is refused.</summary>
    public async Task<Socket?> ConnectAsync(string pod, string address)
    {
        var to = new IPEndPoint(IPAddress.Parse(address), Port);
        var socket = Site.HomeOf(pod).Socket(to.AddressFamily);
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            await socket.ConnectAsync(to, patience.Token);
            return socket;
        }
        catch (SocketException denied) when (denied.SocketErrorCode is SocketError.ConnectionRefused or SocketError.HostUnreachable
            or SocketError.NetworkUnreachable)
        {
            socket.Dispose();
            return null;
        }
    }

    public async Task<bool> IsOpenAsync(string pod, string address)
    {
        using var socket = await ConnectAsync(pod, address);
        return socket != null;
    }

    public static async Task<bool> GoesOnAsync(Socket socket)
    {
        using var patience = new CancellationTokenSource(Patience);
        await socket.SendAsync(new byte[] { 7 }, patience.Token);
        return await socket.ReceiveAsync(new byte[1], patience.Token) == 1;
    }

    /// <summary>What the daemon says of names: its log, and what it has counted.</summary>
    public async Task<string> HeardAsync() => await Site.LogAsync() + string.Join('\n', (await Site.HttpAsync("/metrics")).Split('\n')
        .Where(line => line.StartsWith("calico_bgp_dns_", StringComparison.Ordinal)));

    /// <summary>What the kernel's counters of denials have counted, all together.</summary>
    public async Task<long> DeniedAsync()
    {
        var listing = await Site.Node.DoAsync("nft", "list", "counters", "table", "inet", "bgpd");
        return Counter().Matches(listing).Where(one => one.Groups[1].Value.Contains("-deny-", StringComparison.Ordinal))
            .Sum(one => long.Parse(one.Groups[2].Value, System.Globalization.CultureInfo.InvariantCulture));
    }

    [GeneratedRegex(@"counter (\S+) \{\s+packets (\d+)")]
    private static partial Regex Counter();

    public async ValueTask DisposeAsync()
    {
        foreach (var server in servers) server.Dispose();
        await Site.DisposeAsync();
    }
}
