namespace Calico.Bgp.Rib;

/// <summary>
/// Octet strings of attribute sets in 64 KiB chunks, named by 4-byte positions. Freed places are kept in lists by size and
/// handed out again; a place never moves.
/// </summary>
internal sealed class OctetStore
{
    private const int ChunkBits = 16;
    private const int Unit = 8; // sizes and positions are multiples of it, so positions reach 32 GiB
    private readonly List<byte[]> chunks = [];
    private readonly Dictionary<int, Stack<uint>> free = [];
    private int at = 1 << ChunkBits;

    public long Octets => chunks.Sum(chunk => (long)chunk.Length);

    public uint Add(ReadOnlySpan<byte> octets)
    {
        var size = Rounded(octets.Length);
        if (!free.TryGetValue(size, out var places) || !places.TryPop(out var place)) place = Fresh(size);
        octets.CopyTo(chunks[Chunk(place)].AsSpan(Offset(place)));
        return place;
    }

    public void Remove(uint place, int length)
    {
        var size = Rounded(length);
        if (!free.TryGetValue(size, out var places)) free[size] = places = new();
        places.Push(place);
    }

    public ReadOnlySpan<byte> this[uint place, int length] => chunks[Chunk(place)].AsSpan(Offset(place), length);

    // Beyond half a KiB sizes are powers of two, so that the rare long sets can take each other's places.
    private static int Rounded(int length) =>
        length <= 512 ? (Math.Max(length, 1) + Unit - 1) / Unit * Unit : (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)length);

    private uint Fresh(int size)
    {
        if (at + size > 1 << ChunkBits)
        {
            chunks.Add(new byte[1 << ChunkBits]);
            at = 0;
        }
        var place = (uint)(((long)(chunks.Count - 1) << ChunkBits | (uint)at) / Unit);
        at += size;
        return place;
    }

    private static int Chunk(uint place) => (int)((long)place * Unit >> ChunkBits);
    private static int Offset(uint place) => (int)((long)place * Unit & ((1 << ChunkBits) - 1));
}
