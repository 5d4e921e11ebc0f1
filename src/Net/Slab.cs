using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Calico.Bgp.Net;

/// <summary>
/// Rows of one struct type in chunked arrays, named by 4-byte handles. The garbage collector sees one object a chunk however
/// many rows there are, rows never move, and a freed row is handed out again. Handle 0 is never handed out: it means none.
/// </summary>
/// <remarks>Not thread-safe: a slab belongs to one loop.</remarks>
public sealed class Slab<T> where T : unmanaged
{
    private const int ChunkBits = 13;
    private const int ChunkRows = 1 << ChunkBits;
    private T[][] chunks = [];
    private uint[] free = new uint[64];
    private int freeCount;
    private uint next = 1;

    /// <summary>Rows in use.</summary>
    public int Count => (int)next - 1 - freeCount;

    /// <summary>Every handle ever handed out is below this one: the bound for a walk.</summary>
    public uint End => next;

    /// <summary>Octets that the chunks take.</summary>
    public long Octets => (long)chunks.Length * ChunkRows * Unsafe.SizeOf<T>() + free.Length * sizeof(uint);

    public ref T this[uint handle]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(chunks[handle >> ChunkBits]), handle & (ChunkRows - 1));
    }

    /// <summary>A zeroed row.</summary>
    public uint Add()
    {
        if (freeCount > 0)
        {
            var reused = free[--freeCount];
            this[reused] = default;
            return reused;
        }
        var handle = next++;
        EnsureChunk(handle);
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
        if (freeCount == free.Length) Array.Resize(ref free, free.Length * 2);
        free[freeCount++] = handle;
    }

    private void EnsureChunk(uint handle)
    {
        var need = (int)(handle >> ChunkBits) + 1;
        if (need <= chunks.Length) return;
        var from = chunks.Length;
        Array.Resize(ref chunks, need);
        for (var i = from; i < need; i++) chunks[i] = new T[ChunkRows];
    }
}
