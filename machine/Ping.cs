using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Calico.Bgp.Machine;

/// <summary>One packet there and back, by a raw socket of our own: ICMP echo (RFC 792), ICMPv6 echo (RFC 4443 section 4.1).</summary>
public static class Ping
{
    private const int TokenOctets = 8, EchoOctets = 8 + TokenOctets;
    private static long tokens = (long)Environment.ProcessId << 20;

    /// <summary>By which a packet is known again, whatever was translated on its way.</summary>
    public static long NewToken() => Interlocked.Increment(ref tokens);

    /// <summary>The token of an ICMP message that has one: it stands at the end.</summary>
    public static long? TokenOf(ReadOnlySpan<byte> received) =>
        received.Length < EchoOctets ? null : BinaryPrimitives.ReadInt64BigEndian(received[^TokenOctets..]);

    public static Socket Socket(Netns space, AddressFamily family) =>
        space.Socket(family, SocketType.Raw, family == AddressFamily.InterNetwork ? ProtocolType.Icmp : ProtocolType.IcmpV6);

    /// <summary>Waits for the answer.</summary>
    /// <param name="from"></param>
    /// <param name="source">Null: what the kernel chooses.</param>
    /// <param name="to"></param>
    /// <param name="token"></param>
    /// <param name="stop"></param>
    /// <returns>How long it took.</returns>
    /// <exception cref="SocketException">There is no way.</exception>
    public static async Task<TimeSpan> SendAsync(Netns from, IPAddress? source, IPAddress to, long token, CancellationToken stop)
    {
        var v4 = to.AddressFamily == AddressFamily.InterNetwork;
        using var socket = Socket(from, to.AddressFamily);
        if (source != null) socket.Bind(new IPEndPoint(source, 0));
        await socket.ConnectAsync(new IPEndPoint(to, 0), stop);
        var sent = TimeProvider.System.GetTimestamp();
        await socket.SendAsync(Request(v4 ? (byte)8 : (byte)128, token), stop);
        await AnsweredAsync(socket, v4 ? (byte)0 : (byte)129, token, stop);
        return TimeProvider.System.GetElapsedTime(sent);
    }

    /// <summary>A raw socket hears every ICMP message from the other side: ours has the token at its end.</summary>
    private static async Task AnsweredAsync(Socket socket, byte type, long token, CancellationToken stop)
    {
        var octets = new byte[256];
        while (true)
        {
            var count = await socket.ReceiveAsync(octets, stop);
            if (TokenOf(octets.AsSpan(0, count)) == token && octets[count - EchoOctets] == type) return;
        }
    }

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
