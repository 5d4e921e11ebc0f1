using System.Buffers.Binary;

namespace Calico.Bgp.Wire.Attributes;

/// <summary>One attribute of a set that is being put together: its value stands in the message, or in scratch space at the side.</summary>
internal readonly record struct KeptAttribute(byte Type, AttributeFlags Flags, bool FromSide, int Start, int Length);

/// <summary>The attributes that an UPDATE's routes keep, and how they become canonical octets
/// (see <see cref="AttributeEditor"/>).</summary>
internal sealed class KeptAttributes
{
    private readonly KeptAttribute[] attributes = new KeptAttribute[257];
    private int count;

    public void Clear() => count = 0;

    /// <summary>In ascending order of the types, wherever it came in the message: mostly at the end.</summary>
    public void Add(KeptAttribute attribute)
    {
        var at = count++;
        for (; at > 0 && attributes[at - 1].Type > attribute.Type; at--) attributes[at] = attributes[at - 1];
        attributes[at] = attribute;
    }

    /// <summary>Writes the canonical octets with the given next hop.</summary>
    public ReadOnlySpan<byte> Compose(ReadOnlySpan<byte> block, ReadOnlySpan<byte> side, ReadOnlySpan<byte> nextHop, ref byte[] into)
    {
        Reserve(block.Length + side.Length + nextHop.Length, ref into);
        var at = 0;
        var pending = true;
        foreach (var attribute in attributes.AsSpan(0, count))
        {
            if (pending && attribute.Type > (byte)AttributeType.NextHop)
            {
                at += Write((byte)AttributeType.NextHop, AttributeFlags.Transitive, nextHop, into.AsSpan(at));
                pending = false;
            }
            var value = (attribute.FromSide ? side : block).Slice(attribute.Start, attribute.Length);
            at += Write(attribute.Type, attribute.Flags, value, into.AsSpan(at));
        }
        if (pending) at += Write((byte)AttributeType.NextHop, AttributeFlags.Transitive, nextHop, into.AsSpan(at));
        return into.AsSpan(0, at);
    }

    /// <summary>One attribute in canonical form; returns its octets' count.</summary>
    public static int Write(byte type, AttributeFlags flags, ReadOnlySpan<byte> value, Span<byte> into)
    {
        into[1] = type;
        if (value.Length <= byte.MaxValue)
        {
            into[0] = (byte)(flags & ~AttributeFlags.ExtendedLength);
            into[2] = (byte)value.Length;
            value.CopyTo(into[3..]);
            return 3 + value.Length;
        }
        into[0] = (byte)(flags | AttributeFlags.ExtendedLength);
        BinaryPrimitives.WriteUInt16BigEndian(into[2..], (ushort)value.Length);
        value.CopyTo(into[4..]);
        return 4 + value.Length;
    }

    // No header grows by more than one octet, and there are at most 256 of them.
    private static void Reserve(int octets, ref byte[] into)
    {
        if (into.Length < octets + 512) into = new byte[octets + 4096];
    }
}
