using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Calico.Bgp.Lab;

/// <summary>One packet there and back, by a raw socket of our own: ICMP echo (RFC 792), ICMPv6 echo (RFC 4443, 4.1).</summary>
internal sealed record Ping(string From, string To, string Address)
{
    private const int TokenOctets = 8;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
    private static long tokens = (long)Environment.ProcessId << 20;

    public static readonly Ping[] All =
    [
        new("pod1", "pod2", Topology.PodIPv4(2)), new("pod1", "pod2", Topology.PodIPv6(2)), new("pod2", "pod1", Topology.PodIPv4(1)),
        new("pod2", "pod1", Topology.PodIPv6(1)), new("pod1", "host", Topology.HostIPv4), new("pod1", "host", Topology.HostIPv6),
        new("pod2", "host", Topology.HostIPv4), new("pod2", "host", Topology.HostIPv6),
    ];

    /// <summary>Milliseconds; null: no answer.</summary>
    public async Task<double?> SendAsync()
    {
        var to = IPAddress.Parse(Address);
        var v4 = to.AddressFamily == AddressFamily.InterNetwork;
        var token = Interlocked.Increment(ref tokens);
        using var patience = new CancellationTokenSource(Patience);
        using var socket = Space.Socket(Space.NameOf(From), to.AddressFamily, SocketType.Raw, v4 ? ProtocolType.Icmp : ProtocolType.IcmpV6);
        try
        {
            await socket.ConnectAsync(new IPEndPoint(to, 0), patience.Token);
            var sent = TimeProvider.System.GetTimestamp();
            await socket.SendAsync(Request(v4 ? (byte)8 : (byte)128, token), patience.Token);
            await AnsweredAsync(socket, v4 ? (byte)0 : (byte)129, token, patience.Token);
            return TimeProvider.System.GetElapsedTime(sent).TotalMilliseconds;
        }
        catch (Exception nobody) when (nobody is OperationCanceledException or SocketException)
        {
            return null;
        }
    }

    /// <summary>A raw socket hears every ICMP message from the other side: ours has the token at its end.</summary>
    private static async Task AnsweredAsync(Socket socket, byte type, long token, CancellationToken stop)
    {
        var octets = new byte[256];
        while (true)
        {
            var count = await socket.ReceiveAsync(octets, stop);
            if (count < EchoOctets) continue;
            var echo = octets.AsSpan(count - EchoOctets, EchoOctets);
            if (echo[0] == type && BinaryPrimitives.ReadInt64BigEndian(echo[^TokenOctets..]) == token) return;
        }
    }

    private const int EchoOctets = 8 + TokenOctets;

    /// <summary>Type, code 0, checksum (of ICMPv6 the kernel's work: it overwrites ours), identifier, number 0, token.</summary>
    private static byte[] Request(byte type, long token)
    {
        var octets = new byte[EchoOctets];
        octets[0] = type;
        BinaryPrimitives.WriteUInt16BigEndian(octets.AsSpan(4), (ushort)token);
        BinaryPrimitives.WriteInt64BigEndian(octets.AsSpan(8), token);
        var sum = 0u;
        for (var i = 0; i < octets.Length; i += 2) sum += BinaryPrimitives.ReadUInt16BigEndian(octets.AsSpan(i));
        while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
        BinaryPrimitives.WriteUInt16BigEndian(octets.AsSpan(2), (ushort)~sum);
        return octets;
    }
}
