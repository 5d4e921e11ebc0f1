using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Calico.Bgp.Net;

namespace Calico.Bgp.Bench;

/// <summary>The far end of an IPv4 session, as little as will do: it calls, says OPEN and KEEPALIVE, and listens.</summary>
internal sealed class Neighbour : IAsyncDisposable
{
    private const int HeaderLength = 19;
    private const byte Open = 1, Update = 2, Keepalive = 4;

    private readonly Socket socket;
    private readonly Channel<(Prefix Prefix, bool Announced)> heard = Channel.CreateUnbounded<(Prefix, bool)>();
    private readonly Task reading;

    private Neighbour(Socket socket)
    {
        this.socket = socket;
        reading = Task.Run(ReadAsync);
    }

    public static async Task<Neighbour> ConnectAsync(Address to, Address from, int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Bind(new IPEndPoint(IPAddress.Parse(from.ToString()), 0));
        await socket.ConnectAsync(IPAddress.Parse(to.ToString()), port);
        // Version 4, AS 64512, no hold time, a router id, no parameters.
        await socket.SendAsync(Message(Open, [4, 0xfc, 0x00, 0, 0, 127, 10, 0, 1, 0]));
        await socket.SendAsync(Message(Keepalive, []));
        return new(socket);
    }

    private static byte[] Message(byte type, byte[] body) =>
        [.. Enumerable.Repeat((byte)0xff, 16), 0, (byte)(HeaderLength + body.Length), type, .. body];

    /// <summary>Ends when an UPDATE has said this of the prefix; what was said before of others is passed over.</summary>
    public async Task HearsAsync(Prefix prefix, bool announced)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (await heard.Reader.ReadAsync(patience.Token) != (prefix, announced)) { }
    }

    private async Task ReadAsync()
    {
        var octets = new byte[1 << 16];
        var filled = 0;
        while (true)
        {
            var count = await socket.ReceiveAsync(octets.AsMemory(filled));
            if (count == 0) break;
            filled += count;
            var at = 0;
            while (filled - at >= HeaderLength && LengthAt(octets, at) is var length && filled - at >= length)
            {
                if (octets[at + 18] == Update) Take(octets.AsSpan(at + HeaderLength, length - HeaderLength));
                at += length;
            }
            octets.AsSpan(at, filled - at).CopyTo(octets);
            filled -= at;
        }
        heard.Writer.Complete();
    }

    private static int LengthAt(byte[] octets, int at) => BinaryPrimitives.ReadUInt16BigEndian(octets.AsSpan(at + 16));

    // Withdrawn routes length (2), withdrawn routes, total path attribute length (2), path attributes, NLRI (RFC 4271 section 4.3).
    private void Take(ReadOnlySpan<byte> update)
    {
        var withdrawn = BinaryPrimitives.ReadUInt16BigEndian(update);
        Tell(update.Slice(2, withdrawn), announced: false);
        var attributes = BinaryPrimitives.ReadUInt16BigEndian(update[(2 + withdrawn)..]);
        Tell(update[(4 + withdrawn + attributes)..], announced: true);
    }

    private void Tell(ReadOnlySpan<byte> nlri, bool announced)
    {
        Span<byte> address = stackalloc byte[4];
        while (!nlri.IsEmpty)
        {
            var length = nlri[0];
            var octets = (length + 7) / 8;
            address.Clear();
            nlri.Slice(1, octets).CopyTo(address);
            heard.Writer.TryWrite((new(Address.FromIPv4(BinaryPrimitives.ReadUInt32BigEndian(address)), length), announced));
            nlri = nlri[(1 + octets)..];
        }
    }

    public async ValueTask DisposeAsync()
    {
        socket.Dispose();
        await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
