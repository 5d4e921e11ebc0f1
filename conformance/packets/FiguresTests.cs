// Figures, not verdicts: run when asked for, CONFORMANCE_FIGURES=1, and printed. On a busy machine they are worth little.
using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Xunit.Abstractions;

namespace Calico.Bgp.Conformance.Packets;

public sealed class FiguresTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const int Seconds = 3, Rounds = 3, WarmUp = 50, Edits = 1000;
    private const string Figures = "CONFORMANCE_FIGURES";
    private Site site = null!;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Asked + Figures) == null) site = await Site.MakeAsync();
    }

    public async Task DisposeAsync()
    {
        if (site != null) await site.DisposeAsync();
    }

    private const string SameByNft = """
        table inet same {
          set masq4 {
            type ipv4_addr
            flags interval
            elements = { 100.64.0.0/16, 192.168.0.0/16 }
          }
          set pools4 {
            type ipv4_addr
            flags interval
            elements = { 10.0.0.0/8, 100.64.0.0/16, 172.16.0.0/16, 192.168.0.0/16, 203.0.113.0/24 }
          }
          chain postrouting {
            type nat hook postrouting priority srcnat + 10; policy accept;
            ip saddr @masq4 ip daddr != @pools4 masquerade fully-random
          }
        }

        """;

    [NeedsFact(Needs.Asked + Figures, Needs.Daemon, "nft", "curl")]
    public async Task Packets_through_the_masquerade_beside_the_same_rule_by_nft()
    {
        site.Write(Site.Pools());
        await site.StartAsync();
        await site.Daemon!.DisposeAsync();
        var theirsFile = site.PathOf("same.nft");
        await File.WriteAllTextAsync(theirsFile, SameByNft);
        foreach (var newConnections in (bool[])[false, true])
        {
            var (ours, theirs) = (new List<double>(), new List<double>());
            for (var round = 1; round <= Rounds; round++)
            {
                // Ours was written by the daemon and stays; the other one takes its place for its turn.
                ours.Add(await RateAsync(newConnections));
                await site.Node.DoAsync("nft", "delete", "table", "inet", "bgpd");
                await site.Node.DoAsync("nft", "-f", theirsFile);
                theirs.Add(await RateAsync(newConnections));
                await site.Node.DoAsync("nft", "delete", "table", "inet", "same");
                await site.StartAsync();
                await site.Daemon.DisposeAsync();
            }
            output.WriteLine(
                $"{(newConnections ? "a connection each" : "one connection")}, best of {Rounds}: ours {ours.Max():n0} packets/s, "
                    + $"by nft -f {theirs.Max():n0} ({ours.Max() / theirs.Max():p0})");
        }
    }

    /// <summary>Packets a second that arrive outside, sent by a raw socket so that each may be a connection of its own.</summary>
    private async Task<double> RateAsync(bool newConnections)
    {
        using var socket = site["nat"].Socket(AddressFamily.InterNetwork, SocketType.Raw, ProtocolType.Udp);
        socket.SetSocketOption(SocketOptionLevel.IP, SocketOptionName.HeaderIncluded, true);
        var to = new IPEndPoint(IPAddress.Parse(Site.Outside4), 0);
        var packet = Packet(IPAddress.Parse("192.168.1.2"), to.Address);
        var before = await ArrivedAsync();
        var clock = Stopwatch.StartNew();
        for (var number = 0u; clock.Elapsed.TotalSeconds < Seconds; number++)
        {
            if (newConnections) BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(20), number * 2654435761u | 0x0400_0400);
            socket.SendTo(packet, to);
        }
        return (await ArrivedAsync() - before) / clock.Elapsed.TotalSeconds;
    }

    private static byte[] Packet(IPAddress from, IPAddress to)
    {
        var octets = new byte[20 + 8 + 12];
        (octets[0], octets[8], octets[9]) = (0x45, 64, 17);
        BinaryPrimitives.WriteUInt16BigEndian(octets.AsSpan(2), (ushort)octets.Length);
        from.TryWriteBytes(octets.AsSpan(12), out _);
        to.TryWriteBytes(octets.AsSpan(16), out _);
        BinaryPrimitives.WriteUInt32BigEndian(octets.AsSpan(20), 40000u << 16 | 9);
        BinaryPrimitives.WriteUInt16BigEndian(octets.AsSpan(24), 8 + 12);
        return octets;
    }

    private async Task<long> ArrivedAsync()
    {
        var lines = (await site.Outside.DoAsync("cat", "/proc/net/dev")).Split('\n');
        var fields = lines.Single(line => line.TrimStart().StartsWith("eth0:", StringComparison.Ordinal))
            .Split([' ', ':'], StringSplitOptions.RemoveEmptyEntries);
        return long.Parse(fields[2]);
    }

    [NeedsFact(Needs.Asked + Figures, Needs.Daemon, "nft", "curl")]
    public async Task From_a_files_edit_to_the_kernel()
    {
        site.Write(Site.Pools());
        await site.StartAsync();
        using var http = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, stop) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(site.PathOf("http")), stop);
                return new NetworkStream(socket, ownsSocket: true);
            },
        });
        var times = new List<double>();
        for (var edit = 1; edit <= WarmUp + Edits; edit++)
        {
            var wanted = $"\"transactions\":{edit + 1},";
            var resources = Site.Pools().Replace("\"203.0.113.0/24\", natOutgoing: false",
                $"\"203.0.113.0/24\", natOutgoing: {(edit % 2 == 1 ? "true" : "false")}");
            var clock = Stopwatch.StartNew();
            site.Write(resources);
            // Millisecond by millisecond: this measures, it does not wait.
            while (!(await http.GetStringAsync("http://bgpd/v1/nat")).Contains(wanted) && clock.Elapsed.TotalSeconds < 10)
                await Task.Delay(1);
            if (edit > WarmUp) times.Add(clock.Elapsed.TotalMilliseconds);
        }
        times.Sort();
        output.WriteLine(
            $"a file's edit to acknowledgement, {Edits} edits: p50 {times[Edits / 2]:0.0} ms, p99 {times[Edits * 99 / 100]:0.0} ms, "
                + $"worst {times[^1]:0.0} ms "
            + "(the file is written, renamed, noticed and read as a whole; "
            + "that it is in force is asked over HTTP, millisecond by millisecond)");
    }
}
