namespace Calico.Bgp.Net;

/// <summary>
/// Octet strings in 64 KiB chunks outside the garbage-collected heap (<see cref="TableMemory"/>), named by 4-byte positions. Freed
/// places are kept in lists by size and handed out again; a place never moves.
/// </summary>
/// <remarks>Not thread-safe: a store belongs to one loop, which also ends it.</remarks>
public sealed unsafe class OctetStore : IDisposable
{
    private const int ChunkBits = 16;
    private const int Unit = 8; // sizes and positions are multiples of it, so positions reach 32 GiB
    private readonly List<nint> chunks = [];
    private readonly Dictionary<int, Stack<uint>> free = [];
    private int at = 1 << ChunkBits;

    public long Octets => (long)chunks.Count << ChunkBits;

    public uint Add(ReadOnlySpan<byte> octets)
    {
        var size = Rounded(octets.Length);
        if (!free.TryGetValue(size, out var places) || !places.TryPop(out var place)) place = Fresh(size);
        octets.CopyTo(new Span<byte>((byte*)chunks[Chunk(place)] + Offset(place), octets.Length));
        return place;
    }

    public void Remove(uint place, int length)
    {
        var size = Rounded(length);
        if (!free.TryGetValue(size, out var places)) free[size] = places = new();
        places.Push(place);
    }

    public ReadOnlySpan<byte> this[uint place, int length] => new((byte*)chunks[Chunk(place)] + Offset(place), length);

    public void Dispose()
    {
        foreach (var chunk in chunks) TableMemory.Return(chunk, 1 << ChunkBits);
        chunks.Clear();
        free.Clear();
        at = 1 << ChunkBits;
    }

    // Beyond half a KiB sizes are powers of two, so that the rare long sets can take each other's places.
    private static int Rounded(int length) =>
        length <= 512 ? (Math.Max(length, 1) + Unit - 1) / Unit * Unit : (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)length);

    private uint Fresh(int size)
    {
        if (at + size > 1 << ChunkBits)
        {
            chunks.Add(TableMemory.Allocate(1 << ChunkBits));
            at = 0;
        }
        var place = (uint)(((long)(chunks.Count - 1) << ChunkBits | (uint)at) / Unit);
        at += size;
        return place;
    }

    private static int Chunk(uint place) => (int)((long)place * Unit >> ChunkBits);
    private static int Offset(uint place) => (int)((long)place * Unit & ((1 << ChunkBits) - 1));
}
