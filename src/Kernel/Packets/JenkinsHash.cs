using System.Runtime.InteropServices;
using static System.Numerics.BitOperations;

namespace Calico.Bgp.Kernel.Packets;

/// <summary>The kernel's jhash (linux/jhash.h; Bob Jenkins' lookup3), and what nf_tables makes of it.</summary>
internal static class JenkinsHash
{
    /// <summary>jhash … mod MODULUS seed 0x0: nf_tables scales the hash down, it divides nothing (reciprocal_scale).</summary>
    public static uint Mod(ReadOnlySpan<byte> key, uint modulus) => (uint)((ulong)Of(key) * modulus >> 32);

    private static uint Of(ReadOnlySpan<byte> key)
    {
        var a = 0xdeadbeef + (uint)key.Length;
        var (b, c) = (a, a);
        for (; key.Length > 12; key = key[12..])
        {
            a += MemoryMarshal.Read<uint>(key);
            b += MemoryMarshal.Read<uint>(key[4..]);
            c += MemoryMarshal.Read<uint>(key[8..]);
            Mix(ref a, ref b, ref c);
        }
        if (key.IsEmpty) return c;
        a += Tail(key, 0);
        b += Tail(key, 4);
        c += Tail(key, 8);
        return Final(a, b, c);
    }

    /// <summary>Octet by octet, the first of them lowest.</summary>
    private static uint Tail(ReadOnlySpan<byte> key, int at)
    {
        var sum = 0u;
        for (var i = 0; i < 4 && at + i < key.Length; i++) sum += (uint)key[at + i] << (8 * i);
        return sum;
    }

    private static void Mix(ref uint a, ref uint b, ref uint c)
    {
        a -= c; a ^= RotateLeft(c, 4); c += b;
        b -= a; b ^= RotateLeft(a, 6); a += c;
        c -= b; c ^= RotateLeft(b, 8); b += a;
        a -= c; a ^= RotateLeft(c, 16); c += b;
        b -= a; b ^= RotateLeft(a, 19); a += c;
        c -= b; c ^= RotateLeft(b, 4); b += a;
    }

    private static uint Final(uint a, uint b, uint c)
    {
        c ^= b; c -= RotateLeft(b, 14);
        a ^= c; a -= RotateLeft(c, 11);
        b ^= a; b -= RotateLeft(a, 25);
        c ^= b; c -= RotateLeft(b, 16);
        a ^= c; a -= RotateLeft(c, 4);
        b ^= a; b -= RotateLeft(a, 14);
        c ^= b; c -= RotateLeft(b, 24);
        return c;
    }
}
