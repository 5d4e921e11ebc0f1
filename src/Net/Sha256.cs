using System.Buffers.Binary;
using System.Numerics;

namespace Calico.Bgp.Net;

/// <summary>
/// SHA-256 (FIPS 180-4) for names and texts, not for secrets. The framework's own asks OpenSSL: 5 MiB resident that nothing else here
/// needs, and a process that aborts on a machine that has none.
/// </summary>
public static class Sha256
{
    public const int Size = 32;

    // The first 32 bits of the fractional parts of the cube roots of the first 64 primes (section 4.2.2).
    private static readonly uint[] Constants = Roots(64, Math.Cbrt);

    // Those of the square roots of the first eight (section 5.3.3).
    private static readonly uint[] Start = Roots(8, Math.Sqrt);

    /// <summary>Writes the hash of these octets to the first 32 of <paramref name="hash"/>.</summary>
    public static void Hash(ReadOnlySpan<byte> octets, Span<byte> hash)
    {
        Span<uint> state = stackalloc uint[8];
        Start.CopyTo(state);
        ShaBlocks.Hash(octets, state, Compress, hash);
    }

    // Section 6.2.2.
    private static void Compress(Span<uint> state, ReadOnlySpan<byte> block)
    {
        Span<uint> w = stackalloc uint[64];
        for (var t = 0; t < 16; t++) w[t] = BinaryPrimitives.ReadUInt32BigEndian(block[(4 * t)..]);
        for (var t = 16; t < 64; t++)
        {
            var (older, newer) = (w[t - 15], w[t - 2]);
            var s0 = BitOperations.RotateRight(older, 7) ^ BitOperations.RotateRight(older, 18) ^ older >> 3;
            var s1 = BitOperations.RotateRight(newer, 17) ^ BitOperations.RotateRight(newer, 19) ^ newer >> 10;
            w[t] = w[t - 16] + s0 + w[t - 7] + s1;
        }
        var (a, b, c, d, e, f, g, h) = (state[0], state[1], state[2], state[3], state[4], state[5], state[6], state[7]);
        for (var t = 0; t < 64; t++)
        {
            var sum1 = BitOperations.RotateRight(e, 6) ^ BitOperations.RotateRight(e, 11) ^ BitOperations.RotateRight(e, 25);
            var first = h + sum1 + (e & f ^ ~e & g) + Constants[t] + w[t];
            var sum0 = BitOperations.RotateRight(a, 2) ^ BitOperations.RotateRight(a, 13) ^ BitOperations.RotateRight(a, 22);
            var second = sum0 + (a & b ^ a & c ^ b & c);
            (h, g, f, e, d, c, b, a) = (g, f, e, d + first, c, b, a, first + second);
        }
        ShaBlocks.Add(state, [a, b, c, d, e, f, g, h]);
    }

    // A double has 53 bits: 4 before the point at most, and 32 of those behind it.
    private static uint[] Roots(int count, Func<double, double> root) =>
        [.. Primes().Take(count).Select(prime => (uint)(ulong)((root(prime) - Math.Floor(root(prime))) * (1L << 32)))];

    private static IEnumerable<int> Primes() =>
        Enumerable.Range(2, 400).Where(number => Enumerable.Range(2, number - 2).All(divisor => number % divisor != 0));
}
