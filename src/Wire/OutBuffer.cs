using System.Buffers;

namespace Calico.Bgp.Wire;

/// <summary>
/// Messages encoded once for all members of an export group, and shared by their connections until the last one has sent them.
/// Most octets are for everybody; a range may leave one peer out (split horizon) or be for one peer alone.
/// </summary>
public sealed class OutBuffer : IBufferWriter<byte>
{
    /// <summary>Octets [Start, End): for all but <paramref name="Peer"/>, or for that one only.</summary>
    public readonly record struct Exception(int Start, int End, ushort Peer, bool Only);

    private byte[] octets;
    private int references = 1;

    /// <summary>Whole messages only, once the buffer is handed out.</summary>
    public int Length { get; private set; }

    /// <summary>Little, for few: who queues it may send it on his own thread, which is sooner done than to wake another.</summary>
    public bool IsPrompt { get; init; }

    /// <summary>In ascending order, never overlapping.</summary>
    public List<Exception> Exceptions { get; } = [];

    public OutBuffer(int capacity = 1 << 16) => octets = ArrayPool<byte>.Shared.Rent(capacity);

    public Span<byte> Written => octets.AsSpan(0, Length);

    public void Advance(int count) => Length += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return octets.AsMemory(Length);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return octets.AsSpan(Length);
    }

    private void Reserve(int more)
    {
        if (octets.Length - Length >= Math.Max(more, 1)) return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(octets.Length * 2, Length + more));
        Written.CopyTo(larger);
        ArrayPool<byte>.Shared.Return(octets);
        octets = larger;
    }

    /// <summary>One more holder; each holder calls <see cref="Release"/> once. The creator is the first.</summary>
    public OutBuffer Share()
    {
        Interlocked.Increment(ref references);
        return this;
    }

    public void Release()
    {
        if (Interlocked.Decrement(ref references) != 0) return;
        ArrayPool<byte>.Shared.Return(octets);
        octets = [];
    }

    /// <summary>The octets from <paramref name="start"/> to the present end; what follows on an exception of the same kind becomes part of
    /// it.</summary>
    public void Except(int start, ushort peer, bool only)
    {
        if (Length == start) return;
        if (Exceptions is [.., var last] && last.End == start && last.Peer == peer && last.Only == only)
            Exceptions[^1] = last with { End = Length };
        else
            Exceptions.Add(new(start, Length, peer, only));
    }

    /// <summary>Adds to <paramref name="segments"/> what this peer gets; returns the number of octets.</summary>
    public int SegmentsFor(ushort peer, IList<ArraySegment<byte>> segments)
    {
        var total = 0;
        var at = 0;
        foreach (var exception in Exceptions)
        {
            if (exception.Only == (exception.Peer == peer)) continue;
            Add(at, exception.Start);
            at = exception.End;
        }
        Add(at, Length);
        return total;

        void Add(int from, int to)
        {
            if (to <= from) return;
            segments.Add(new(octets, from, to - from));
            total += to - from;
        }
    }
}
