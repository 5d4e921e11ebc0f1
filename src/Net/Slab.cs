using System.Runtime.CompilerServices;

namespace Calico.Bgp.Net;

/// <summary>
/// Rows of one struct type in chunks, named by 4-byte handles. Rows are outside the garbage-collected heap (<see cref="TableMemory"/>),
/// they never move, and a freed row is handed out again. Handle 0 is never handed out: it means none.
/// </summary>
/// <remarks>Not thread-safe: a slab belongs to one loop, which also ends it. A handle that was never handed out must not be asked
/// for.</remarks>
public sealed unsafe class Slab<T> : IDisposable where T : unmanaged
{
    private const int ChunkBits = 13;
    private const int ChunkRows = 1 << ChunkBits;
    private nint[] chunks = [];
    /// <summary>The first of the freed rows, each of which holds the handle of the next.</summary>
    private uint free;
    private int freeCount;
    private uint next = 1;

    /// <summary>Rows in use.</summary>
    public int Count => (int)next - 1 - freeCount;

    /// <summary>Every handle ever handed out is below this one: the bound for a walk.</summary>
    public uint End => next;

    /// <summary>Octets that the chunks take.</summary>
    public long Octets => (long)chunks.Length * ChunkRows * sizeof(T);

    public ref T this[uint handle]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref ((T*)chunks[handle >> ChunkBits])[handle & (ChunkRows - 1)];
    }

    /// <summary>A zeroed row.</summary>
    public uint Add()
    {
        if (free != 0)
        {
            var reused = free;
            ref var row = ref this[reused];
            free = Unsafe.As<T, uint>(ref row);
            freeCount--;
            row = default;
            return reused;
        }
        var handle = next++;
        if (handle >> ChunkBits >= (uint)chunks.Length) EnsureChunk(handle);
        return handle;
    }

    /// <summary>Makes the row of a handle that another slab handed out usable here: for columns kept beside a table.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref T Column(uint handle)
    {
        if (handle >> ChunkBits >= (uint)chunks.Length) EnsureChunk(handle);
        return ref this[handle];
    }

    /// <summary>The column's value, or default where no row was ever written there.</summary>
    public T Peek(uint handle) => handle >> ChunkBits < (uint)chunks.Length ? this[handle] : default;

    public void Remove(uint handle)
    {
        if (sizeof(T) < sizeof(uint)) throw new NotSupportedException($"a row of {sizeof(T)} octets has no room for the list of free ones");
        Unsafe.As<T, uint>(ref this[handle]) = free;
        free = handle;
        freeCount++;
    }

    public void Dispose()
    {
        foreach (var chunk in chunks) TableMemory.Return(chunk, ChunkRows * sizeof(T));
        (chunks, next, free, freeCount) = ([], 1, 0, 0);
    }

    private void EnsureChunk(uint handle)
    {
        var need = (int)(handle >> ChunkBits) + 1;
        if (need <= chunks.Length) return;
        var from = chunks.Length;
        Array.Resize(ref chunks, need);
        for (var i = from; i < need; i++) chunks[i] = TableMemory.Allocate(ChunkRows * sizeof(T));
    }
}
