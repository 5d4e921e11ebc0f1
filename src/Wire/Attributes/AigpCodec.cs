namespace Calico.Bgp.Wire.Attributes;

/// <summary>
/// AIGP (RFC 7311). Its sessions are internal ones by default (section 3.1), on others it counts as unknown and is dropped.
/// Only the AIGP TLV says anything; without one, or malformed in any way, the attribute is discarded (section 3.1).
/// </summary>
internal sealed class AigpCodec()
    : AttributeCodec(AttributeType.Aigp, OptionalNonTransitive, Penalty.AttributeDiscard,
        "AIGP is whole TLVs, the one of type 1 with eleven octets (RFC 7311 section 3)")
{
    private const byte Metric = 1;
    private const int HeaderOctets = 3, MetricOctets = 11;

    public override Penalty WrongFlags => Penalty.AttributeDiscard;

    public override Reception From(Negotiated session) => session.Internal ? Reception.Take : Reception.Ignore;

    // +----------+--------------------------------+---------------------+
    // | Type (8) | Length (16), of the whole TLV  | Value (64 for AIGP) |  as often as there is room
    // +----------+--------------------------------+---------------------+
    public override bool Decode(ref WireReader value, ref AttributeSummary into)
    {
        if (!TryMetric(value.Rest(), out _)) return false;
        into.Marks |= AttributeMarks.HasAigp;
        return true;
    }

    /// <summary>The first AIGP TLV's metric; false where there is none, or a TLV is cut.</summary>
    internal static bool TryMetric(ReadOnlySpan<byte> attribute, out ulong metric)
    {
        metric = 0;
        var found = false;
        var reader = new WireReader(attribute);
        while (reader.Left > 0)
        {
            var type = reader.U8();
            var length = reader.U16();
            if (reader.Overrun || length < HeaderOctets || (type == Metric && length != MetricOctets)) return false;
            var value = new WireReader(reader.Take(length - HeaderOctets));
            if (reader.Overrun) return false;
            if (type != Metric || found) continue;
            found = true;
            metric = value.U64();
        }
        return found;
    }
}
