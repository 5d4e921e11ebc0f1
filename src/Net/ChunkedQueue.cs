using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Calico.Bgp.Net;

/// <summary>
/// A queue that may grow to millions and shrink again: in chunks that are let go as they are emptied, where one array that doubles would
/// leave as much again behind it for the garbage collector's large-object heap.
/// </summary>
/// <remarks>Not thread-safe: it belongs to one loop.</remarks>
public sealed class ChunkedQueue<T> where T : unmanaged
{
    private const int ChunkLength = 4096;
    private readonly Queue<T[]> chunks = new();
    private T[] tail = [];
    private T[]? spare;
    private int first, used;

    public int Count { get; private set; }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Enqueue(T item)
    {
        if ((uint)used >= (uint)tail.Length) AddChunk();
        tail[used++] = item;
        Count++;
    }

    private void AddChunk()
    {
        // The first few are all that most queues ever see.
        tail = chunks.Count == 0 && tail.Length == 0 ? new T[256] : spare ?? new T[ChunkLength];
        (spare, used) = (null, 0);
        chunks.Enqueue(tail);
    }

    /// <summary>The next ones, at most <paramref name="most"/> and perhaps fewer than there are; taken out. Valid until the next
    /// <see cref="Enqueue"/>.</summary>
    public ReadOnlySpan<T> Take(int most)
    {
        if (Count == 0) return [];
        var chunk = chunks.Peek();
        var taken = chunk.AsSpan(first, Math.Min(most, (chunk == tail ? used : chunk.Length) - first));
        (first, Count) = (first + taken.Length, Count - taken.Length);
        if (Count == 0) (first, used) = (0, 0);
        else if (first == chunk.Length)
        {
            chunks.Dequeue();
            (spare, first) = (chunk.Length == ChunkLength ? chunk : spare, 0);
        }
        return taken;
    }

    public bool TryDequeue([MaybeNullWhen(false)] out T item)
    {
        var taken = Take(1);
        item = taken.IsEmpty ? default : taken[0];
        return !taken.IsEmpty;
    }
}
