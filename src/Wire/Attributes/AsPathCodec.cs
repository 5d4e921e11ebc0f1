using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Calico.Bgp.Wire.Attributes;

/// <summary>Kinds of AS_PATH segments (RFC 4271 section 4.3 b, RFC 5065 section 3).</summary>
public enum SegmentType : byte { Set = 1, Sequence = 2, ConfederationSequence = 3, ConfederationSet = 4 }

/// <summary>
/// AS_PATH with four-octet numbers (RFC 4271 section 5.1.2; RFC 7606 section 7.2; RFC 7607 for AS 0). We are in no
/// confederation, so confederation segments come from a non-member (RFC 5065 section 5). What old speakers send is widened first.
/// </summary>
internal sealed class AsPathCodec()
    : AttributeCodec(AttributeType.AsPath, WellKnown, Penalty.TreatAsWithdraw,
        "AS_PATH is whole, non-empty sets and sequences without AS 0 (RFC 7606 section 7.2, RFC 7607, RFC 5065 section 5)")
{
    public override byte Subcode => UpdateError.MalformedAsPath;

    public override Reception From(Negotiated session) => session.FourOctetAs ? Reception.Take : Reception.Later;

    // +----------+-----------+------------------------+
    // | Type (8) | Count (8) | AS numbers (32 each)   |  as often as there is room
    // +----------+-----------+------------------------+
    public override bool Decode(ref WireReader value, ref AttributeSummary into)
    {
        var sound = true;
        var length = 0;
        var first = true;
        // The path may be summarised for the second time: joined with AS4_PATH, it may have lost its set (RFC 6793 section 4.2.3).
        into.Marks &= ~AttributeMarks.HasAsSet;
        while (value.Left > 0)
        {
            var type = (SegmentType)value.U8();
            var count = value.U8();
            var numbers = value.Take(4 * count);
            if (numbers.IsEmpty) return false;
            sound &= type is SegmentType.Sequence or SegmentType.Set && !HasZero(numbers);
            if (type == SegmentType.Set) into.Marks |= AttributeMarks.HasAsSet;
            length += WeightOf(type, count);
            if (first) into.NeighborAs = type == SegmentType.Sequence ? BinaryPrimitives.ReadUInt32BigEndian(numbers) : 0;
            into.OriginAs = type == SegmentType.Sequence ? BinaryPrimitives.ReadUInt32BigEndian(numbers[^4..]) : 0;
            first = false;
        }
        into.AsPathLength = (ushort)length;
        return sound;
    }

    /// <summary>What a segment adds to the path's length (RFC 4271 section 9.1.2.2 a, RFC 5065 section 5.3).</summary>
    internal static int WeightOf(SegmentType type, int count) => type switch
    {
        SegmentType.Sequence => count,
        SegmentType.Set => 1,
        _ => 0,
    };

    internal static bool HasZero(ReadOnlySpan<byte> numbers) => MemoryMarshal.Cast<byte, uint>(numbers).Contains(0u);

    /// <summary>The first number in the order of the octets, whatever its segment is (RFC 4271 section 6.3); 0 for an empty path.</summary>
    internal static uint LeftmostAs(ReadOnlySpan<byte> path) => path.Length < 6 ? 0 : BinaryPrimitives.ReadUInt32BigEndian(path[2..]);
}
