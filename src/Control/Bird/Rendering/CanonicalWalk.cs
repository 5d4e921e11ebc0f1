using System.Buffers.Binary;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Control.Bird.Rendering;

/// <summary>Steps through canonical octets, attribute by attribute, known and unknown ones, in ascending order of their type.</summary>
internal ref struct CanonicalWalk(ReadOnlySpan<byte> canonical)
{
    private ReadOnlySpan<byte> rest = canonical;

    public AttributeFlags Flags { get; private set; }
    public AttributeType Type { get; private set; }
    public ReadOnlySpan<byte> Value { get; private set; }

    // | flags (8) | type (8) | length (8, or 16 with the extended-length flag) | value |
    public bool MoveNext()
    {
        if (rest.IsEmpty) return false;
        Flags = (AttributeFlags)rest[0];
        Type = (AttributeType)rest[1];
        var wide = Flags.HasFlag(AttributeFlags.ExtendedLength);
        var length = wide ? BinaryPrimitives.ReadUInt16BigEndian(rest[2..]) : rest[2];
        var start = wide ? 4 : 3;
        Value = rest.Slice(start, length);
        rest = rest[(start + length)..];
        return true;
    }
}
