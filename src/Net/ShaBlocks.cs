using System.Buffers.Binary;

namespace Calico.Bgp.Net;

/// <summary>What the hashes of FIPS 180-4 with blocks of 64 octets have in common: the padding, and the words around a block.</summary>
internal static class ShaBlocks
{
    private const int Size = 64;

    /// <summary>One block into the state.</summary>
    public delegate void Compress(Span<uint> state, ReadOnlySpan<byte> block);

    /// <param name="octets">The message.</param>
    /// <param name="state">As it begins.</param>
    /// <param name="compress">The hash's own part.</param>
    /// <param name="hash">Takes the state's words, the largest octet first.</param>
    public static void Hash(ReadOnlySpan<byte> octets, Span<uint> state, Compress compress, Span<byte> hash)
    {
        var rest = octets;
        for (; rest.Length >= Size; rest = rest[Size..]) compress(state, rest);

        // Padding (section 5.1.1): one bit, zeros, and the length in bits at a block's end.
        Span<byte> last = stackalloc byte[2 * Size];
        last.Clear();
        rest.CopyTo(last);
        last[rest.Length] = 0x80;
        var padded = rest.Length < Size - sizeof(ulong) ? Size : 2 * Size;
        BinaryPrimitives.WriteUInt64BigEndian(last[(padded - sizeof(ulong))..], (ulong)octets.Length * 8);
        compress(state, last);
        if (padded > Size) compress(state, last[Size..]);
        for (var word = 0; word < state.Length; word++) BinaryPrimitives.WriteUInt32BigEndian(hash[(4 * word)..], state[word]);
    }

    /// <summary>A block's working variables into the state.</summary>
    public static void Add(Span<uint> state, ReadOnlySpan<uint> worked)
    {
        for (var word = 0; word < state.Length; word++) state[word] += worked[word];
    }
}
