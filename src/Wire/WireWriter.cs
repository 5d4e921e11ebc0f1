using System.Buffers.Binary;

namespace Calico.Bgp.Wire;

/// <summary>
/// A big-endian cursor that fills a span. What does not fit is left out and remembered. Lengths that stand before what they
/// measure are marks: taken before the content is written, filled in after it.
/// </summary>
public ref struct WireWriter(Span<byte> into)
{
    private readonly Span<byte> octets = into;

    public int Length { get; private set; }

    /// <summary>Something did not fit; what was written is not to be used.</summary>
    public bool Overrun { get; private set; }

    public readonly Span<byte> Written => octets[..Length];

    public void U8(byte value)
    {
        if (Room(1) is { IsEmpty: false } room) room[0] = value;
    }

    public void U16(ushort value)
    {
        if (Room(2) is { IsEmpty: false } room) BinaryPrimitives.WriteUInt16BigEndian(room, value);
    }

    public void U32(uint value)
    {
        if (Room(4) is { IsEmpty: false } room) BinaryPrimitives.WriteUInt32BigEndian(room, value);
    }

    public void U64(ulong value)
    {
        if (Room(8) is { IsEmpty: false } room) BinaryPrimitives.WriteUInt64BigEndian(room, value);
    }

    public void Octets(scoped ReadOnlySpan<byte> value)
    {
        if (Room(value.Length) is { IsEmpty: false } room) value.CopyTo(room);
    }

    /// <summary>Leaves room for a length of <paramref name="width"/> octets (1 or 2).</summary>
    public int Mark(int width)
    {
        Room(width);
        return Length;
    }

    /// <summary>Fills in the length that <see cref="Mark"/> left room for: of all that was written since.</summary>
    public void Close(int mark, int width)
    {
        if (Overrun) return;
        var length = Length - mark;
        if (width == 2) BinaryPrimitives.WriteUInt16BigEndian(octets[(mark - 2)..], (ushort)length);
        else octets[mark - 1] = (byte)length;
        Overrun |= length >= 1 << (8 * width);
    }

    private Span<byte> Room(int count)
    {
        if (octets.Length - Length < count)
        {
            Overrun = true;
            return default;
        }
        var room = octets.Slice(Length, count);
        Length += count;
        return room;
    }
}
