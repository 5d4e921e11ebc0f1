using System.Buffers.Binary;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Calico.Bgp.Kernel;
using Calico.Bgp.Speaker.Handover;

namespace Calico.Bgp.Bgpd.Upgrade;

/// <summary>What one process says to the other.</summary>
internal enum Said : byte
{
    /// <summary>The new one: it runs, and is ready for what comes.</summary>
    Hello = 1,
    /// <summary>The old one: its state, and so many descriptors behind it.</summary>
    Offer = 2,
    /// <summary>The new one: all is there.</summary>
    Restored = 3,
    /// <summary>The old one, which sends nothing to any peer any more.</summary>
    Moments = 4,
    /// <summary>The new one, and it will go on by itself whatever becomes of the other.</summary>
    Taken = 5,
    /// <summary>The old one, which ends.</summary>
    Go = 6,
    /// <summary>The new one, which ends, in words.</summary>
    Refused = 7,
}

/// <summary>What the process that runs and the one that takes over say to each other: frames, and descriptors behind some of
/// them.</summary>
internal sealed class HandoverSocket(DescriptorSocket socket) : IDisposable
{
    /// <summary>In the environment of the new process: the number of its end.</summary>
    public const string Variable = "BGPD_HANDOVER";

    /// <summary>The state, in JSON, with what peers had sent and nobody heard: a megabyte each at most.</summary>
    private const int MostOctets = 1 << 30;

    public DescriptorSocket Descriptors => socket;

    /// <summary>The end that this process has inherited; null: it was started as any other.</summary>
    public static HandoverSocket? Inherited()
    {
        var number = Environment.GetEnvironmentVariable(Variable);
        // Not for those that we start.
        Environment.SetEnvironmentVariable(Variable, null);
        return int.TryParse(number, CultureInfo.InvariantCulture, out var descriptor) ? new(new DescriptorSocket(descriptor)) : null;
    }

    public async Task SendAsync(Said what, ReadOnlyMemory<byte> body, CancellationToken stop)
    {
        var header = new byte[5];
        header[0] = (byte)what;
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(1), body.Length);
        await SendAllAsync(header, stop);
        await SendAllAsync(body, stop);
    }

    public Task SendAsync<T>(Said what, T body, JsonTypeInfo<T> type, CancellationToken stop) =>
        SendAsync(what, JsonSerializer.SerializeToUtf8Bytes(body, type), stop);

    private async Task SendAllAsync(ReadOnlyMemory<byte> octets, CancellationToken stop)
    {
        try
        {
            while (!octets.IsEmpty) octets = octets[await socket.Socket.SendAsync(octets, SocketFlags.None, stop)..];
        }
        catch (SocketException broken)
        {
            throw new HandoverException($"the other process has ended: {broken.Message}", broken);
        }
    }

    /// <summary>What comes next; null: the other end is closed, and so is the other process.</summary>
    public async Task<(Said What, byte[] Body)?> ReceiveAsync(CancellationToken stop)
    {
        var header = new byte[5];
        if (!await ReceiveAllAsync(header, stop)) return null;
        var length = BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(1));
        if (length is < 0 or > MostOctets) throw new HandoverException($"expected a frame's length, got {length}");
        var body = new byte[length];
        return await ReceiveAllAsync(body, stop) ? ((Said)header[0], body) : null;
    }

    /// <summary>The next frame, which must be this one.</summary>
    /// <param name="other">Who is to say it, in words.</param>
    /// <exception cref="HandoverException">Another came, or none.</exception>
    public async Task<byte[]> ExpectAsync(Said what, string other, CancellationToken stop)
    {
        var came = await ReceiveAsync(stop);
        if (came is not var (said, body)) throw new HandoverException($"{other} has ended, where {what} was expected");
        if (said == Said.Refused) throw new HandoverException($"{other} refuses: {Encoding.UTF8.GetString(body)}");
        return said == what ? body : throw new HandoverException($"expected {what} of {other}, got {said}");
    }

    private async Task<bool> ReceiveAllAsync(Memory<byte> room, CancellationToken stop)
    {
        try
        {
            for (int got; !room.IsEmpty; room = room[got..])
                if ((got = await socket.Socket.ReceiveAsync(room, SocketFlags.None, stop)) == 0) return false;
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    public void Dispose() => socket.Dispose();
}
