using System.Buffers;
using System.Text.Json;

namespace Calico.Bgp.Sources.Kubernetes;

/// <summary>
/// JSON as it comes in from a connection, of which only what has not been read yet is held: a list of a hundred thousand objects is never
/// there as a whole.
/// </summary>
internal sealed class JsonFeed(Stream stream) : IDisposable
{
    private const int FirstSize = 32 << 10;
    /// <summary>etcd takes no object above 1.5 MB, and nothing of ours comes near that.</summary>
    private const int LargestValue = 64 << 20;

    private byte[] buffer = ArrayPool<byte>.Shared.Rent(FirstSize);
    private int start, end;

    public ReadOnlySpan<byte> Unread => buffer.AsSpan(start, end - start);

    /// <summary>Nothing more will come.</summary>
    public bool IsEnded { get; private set; }

    /// <summary>Where the reader stands at <see cref="Unread"/>'s first octet.</summary>
    public JsonReaderState State { get; private set; } = new(new() { MaxDepth = 256, AllowMultipleValues = true });

    public Utf8JsonReader Reader => new(Unread, IsEnded, State);

    /// <summary>What this reader has read will not be asked for again.</summary>
    public void Advance(in Utf8JsonReader reader)
    {
        start += (int)reader.BytesConsumed;
        State = reader.CurrentState;
    }

    /// <summary>Waits for more; at the end of the stream <see cref="IsEnded"/> instead.</summary>
    /// <exception cref="JsonException">One value is larger than anything that is read.</exception>
    public async ValueTask FillAsync(CancellationToken stop)
    {
        MakeRoom();
        var read = await stream.ReadAsync(buffer.AsMemory(end), stop).ConfigureAwait(false);
        end += read;
        IsEnded = read == 0;
    }

    /// <summary>Who rests with nothing half read holds no large buffer: a watch does for hours.</summary>
    private void MakeRoom()
    {
        var held = end - start;
        var wanted = held == 0 ? FirstSize : held * 2 > buffer.Length ? buffer.Length * 2 : buffer.Length;
        if (wanted > LargestValue) throw new JsonException($"expected values of at most {LargestValue} octets");
        if (wanted != buffer.Length && !(held == 0 && buffer.Length <= FirstSize * 2)) Renew(wanted);
        else if (start > 0) buffer.AsSpan(start, held).CopyTo(buffer);
        (start, end) = (0, held);
    }

    private void Renew(int size)
    {
        var larger = ArrayPool<byte>.Shared.Rent(size);
        Unread.CopyTo(larger);
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = larger;
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(buffer);
}
