using System.Buffers.Binary;
using System.Numerics;

namespace Calico.Bgp.Net;

/// <summary>SHA-1 (FIPS 180-4) for names that others make with it, not for secrets. Ours for the reason of <see cref="Sha256"/>.</summary>
public static class Sha1
{
    public const int Size = 20;

    /// <summary>Writes the hash of these octets to the first 20 of <paramref name="hash"/>.</summary>
    public static void Hash(ReadOnlySpan<byte> octets, Span<byte> hash)
    {
        Span<uint> state = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0]; // section 5.3.1
        ShaBlocks.Hash(octets, state, Compress, hash);
    }

    // Section 6.1.2.
    private static void Compress(Span<uint> state, ReadOnlySpan<byte> block)
    {
        Span<uint> w = stackalloc uint[80];
        for (var t = 0; t < 16; t++) w[t] = BinaryPrimitives.ReadUInt32BigEndian(block[(4 * t)..]);
        for (var t = 16; t < 80; t++) w[t] = BitOperations.RotateLeft(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
        var (a, b, c, d, e) = (state[0], state[1], state[2], state[3], state[4]);
        for (var t = 0; t < 80; t++)
        {
            var (mixed, constant) = t switch
            {
                < 20 => (b & c ^ ~b & d, 0x5a827999u),
                < 40 => (b ^ c ^ d, 0x6ed9eba1u),
                < 60 => (b & c ^ b & d ^ c & d, 0x8f1bbcdcu),
                _ => (b ^ c ^ d, 0xca62c1d6u),
            };
            (e, d, c, b, a) = (d, c, BitOperations.RotateLeft(b, 30), a, BitOperations.RotateLeft(a, 5) + mixed + e + constant + w[t]);
        }
        ShaBlocks.Add(state, [a, b, c, d, e]);
    }
}
