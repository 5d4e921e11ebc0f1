using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Calico.Bgp.Conformance.Dns;

/// <summary>An answer's record.</summary>
/// <param name="Owner">Null: what was asked for.</param>
internal sealed record Record(string? Owner, ushort Type, byte[] Data, uint Ttl)
{
    public const ushort A = 1, Cname = 5, Aaaa = 28;

    public static Record Of(string address, uint ttl = 300, string? owner = null)
    {
        var octets = IPAddress.Parse(address).GetAddressBytes();
        return new(owner, octets.Length == 4 ? A : Aaaa, octets, ttl);
    }

    public static Record Alias(string to, uint ttl = 300, string? owner = null) => new(owner, Cname, Message.Name(to), ttl);
}

/// <summary>What was asked, in the octets of the query.</summary>
internal sealed record Asked(byte[] Octets, string Name, ushort Type)
{
    public ushort Id => BinaryPrimitives.ReadUInt16BigEndian(Octets);
}

/// <summary>Messages of the DNS as RFC 1035 section 4 has them, written and read without a line of the daemon's.</summary>
internal static class Message
{
    public static byte[] Name(string name)
    {
        var octets = new List<byte>();
        foreach (var label in name.Split('.', StringSplitOptions.RemoveEmptyEntries))
        {
            octets.Add((byte)label.Length);
            octets.AddRange(Encoding.ASCII.GetBytes(label));
        }
        return [.. octets, 0];
    }

    public static byte[] Query(ushort id, string name, ushort type) =>
        [(byte)(id >> 8), (byte)id, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, .. Name(name), 0, (byte)type, 0, 1];

    public static Asked Read(byte[] query)
    {
        var (at, labels) = (12, new List<string>());
        while (query[at] != 0)
        {
            labels.Add(Encoding.ASCII.GetString(query, at + 1, query[at]));
            at += query[at] + 1;
        }
        return new(query[..(at + 5)], string.Join('.', labels), BinaryPrimitives.ReadUInt16BigEndian(query.AsSpan(at + 1)));
    }

    /// <summary>With the question as it was asked.</summary>
    public static byte[] Answer(Asked to, params IReadOnlyList<Record> records)
    {
        var octets = new List<byte>(to.Octets);
        (octets[2], octets[3]) = (0x81, 0x80); // QR, RD, RA
        octets[7] = (byte)records.Count;
        octets[11] = 0;                        // no additional record
        Span<byte> rest = stackalloc byte[10];
        foreach (var (owner, type, data, ttl) in records)
        {
            octets.AddRange(owner == null ? [0xc0, 12] : Name(owner));
            BinaryPrimitives.WriteUInt16BigEndian(rest, type);
            BinaryPrimitives.WriteUInt16BigEndian(rest[2..], 1);
            BinaryPrimitives.WriteUInt32BigEndian(rest[4..], ttl);
            BinaryPrimitives.WriteUInt16BigEndian(rest[8..], (ushort)data.Length);
            octets.AddRange(rest);
            octets.AddRange(data);
        }
        return [.. octets];
    }

    public static byte[] WithId(byte[] message, int plus)
    {
        var other = (byte[])message.Clone();
        other[1] = (byte)(other[1] + plus);
        return other;
    }
}

/// <summary>A server of names in somebody's namespace, over UDP and TCP, that answers as it is told: a liar's answers, too.</summary>
internal sealed class NameServer : IDisposable
{
    private readonly Socket udp, tcp;

    public NameServer(Netns space, string address, int port)
    {
        var at = new IPEndPoint(IPAddress.Parse(address), port);
        udp = space.Socket(at.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        tcp = space.Socket(at.AddressFamily);
        udp.Bind(at);
        tcp.Bind(at);
        tcp.Listen(64);
        _ = ServeAsync(AnswerAsync);
        _ = ServeAsync(AcceptAsync);
    }

    /// <summary>The message that goes back.</summary>
    public Func<Asked, byte[]> Answers { get; set; } = asked => Message.Answer(asked);

    private static async Task ServeAsync(Func<Task> once)
    {
        while (true)
        {
            try
            {
                await once();
            }
            catch (ObjectDisposedException)
            {
                return;
            }
            catch (SocketException ended) when (ended.SocketErrorCode == SocketError.OperationAborted)
            {
                return;
            }
            catch (SocketException) { } // Whoever asked has gone.
        }
    }

    private async Task AnswerAsync()
    {
        var octets = new byte[4096];
        var anybody = new IPEndPoint(udp.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        var got = await udp.ReceiveFromAsync(octets, anybody);
        await udp.SendToAsync(Answers(Message.Read(octets[..got.ReceivedBytes])), got.RemoteEndPoint);
    }

    private async Task AcceptAsync()
    {
        using var client = await tcp.AcceptAsync();
        var octets = new byte[4096];
        var count = 0;
        while (count < 2 || count < 2 + BinaryPrimitives.ReadUInt16BigEndian(octets))
        {
            var more = await client.ReceiveAsync(octets.AsMemory(count));
            if (more == 0) return;
            count += more;
        }
        var answer = Answers(Message.Read(octets[2..count]));
        byte[] framed = [(byte)(answer.Length >> 8), (byte)answer.Length, .. answer];
        await client.SendAsync(framed.AsMemory());
        await client.ReceiveAsync(octets);
    }

    public void Dispose()
    {
        udp.Dispose();
        tcp.Dispose();
    }
}
