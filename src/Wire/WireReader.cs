using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Calico.Bgp.Wire;

/// <summary>
/// A big-endian cursor over received octets. Past the end it yields zeros and remembers that it did, so a codec reads
/// its fields in wire order and whoever walks asks once, at the end, whether they were there.
/// </summary>
public ref struct WireReader(ReadOnlySpan<byte> octets)
{
    private ReadOnlySpan<byte> rest = octets;

    /// <summary>Something was read that was not there.</summary>
    public bool Overrun { get; private set; }

    public readonly int Left => rest.Length;

    /// <summary>Everything was read and nothing is left: the length was right.</summary>
    public readonly bool Exact => !Overrun && rest.IsEmpty;

    /// <summary>The next octet without taking it; zero at the end, which is no overrun.</summary>
    public readonly byte Peek() => rest.IsEmpty ? (byte)0 : rest[0];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public byte U8()
    {
        if (rest.IsEmpty) return (byte)Fail();
        var value = rest[0];
        rest = rest[1..];
        return value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ushort U16()
    {
        if (rest.Length < 2) return (ushort)Fail();
        var value = BinaryPrimitives.ReadUInt16BigEndian(rest);
        rest = rest[2..];
        return value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint U32()
    {
        if (rest.Length < 4) return Fail();
        var value = BinaryPrimitives.ReadUInt32BigEndian(rest);
        rest = rest[4..];
        return value;
    }

    public ulong U64()
    {
        if (rest.Length < 8) return Fail();
        var value = BinaryPrimitives.ReadUInt64BigEndian(rest);
        rest = rest[8..];
        return value;
    }

    /// <summary>The next octets; empty where there are not that many.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ReadOnlySpan<byte> Take(int count)
    {
        if (rest.Length < count)
        {
            Fail();
            return default;
        }
        var taken = rest[..count];
        rest = rest[count..];
        return taken;
    }

    /// <summary>All that is left.</summary>
    public ReadOnlySpan<byte> Rest() => Take(rest.Length);

    private uint Fail()
    {
        Overrun = true;
        rest = default;
        return 0;
    }
}
