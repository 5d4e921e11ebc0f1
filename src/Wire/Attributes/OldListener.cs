using Calico.Bgp.Net;

namespace Calico.Bgp.Wire.Attributes;

/// <summary>
/// Says canonical octets in the words of a peer that knows only two-octet AS numbers (RFC 6793 section 4.2.2): AS_TRANS where a
/// number does not fit, and then the whole truth in AS4_PATH and AS4_AGGREGATOR, which travel through it unread.
/// </summary>
internal sealed class OldListener
{
    private byte[] octets = [];
    private byte[] value = [];

    public ReadOnlySpan<byte> Translate(ReadOnlySpan<byte> canonical)
    {
        // Both attributes may come twice, the second time in the four octets that they have.
        if (octets.Length < 2 * canonical.Length + 16) octets = new byte[4 * canonical.Length + 16];
        if (value.Length < canonical.Length) value = new byte[2 * canonical.Length];
        var view = new AttributeView(canonical);
        var at = 0;
        var truthTold = false;
        foreach (var attribute in view)
        {
            if (!truthTold && attribute.Type > AttributeType.As4Aggregator)
            {
                at += WriteTruth(view, at);
                truthTold = true;
            }
            var said = attribute.Type switch
            {
                AttributeType.AsPath => Narrow(view.AsPath),
                AttributeType.Aggregator => Narrow(attribute.Value),
                _ => attribute.Value,
            };
            at += KeptAttributes.Write((byte)attribute.Type, attribute.Flags, said, octets.AsSpan(at));
        }
        if (!truthTold) at += WriteTruth(view, at);
        return octets.AsSpan(0, at);
    }

    private int WriteTruth(AttributeView view, int at)
    {
        var start = at;
        if (Needs(view.AsPath)) at += Write(AttributeType.As4Path, WithoutConfederation(view.AsPath), at);
        if (view.Aggregator is { As.FitsTwoOctets: false } && view.TryGet(AttributeType.Aggregator, out var aggregator))
            at += Write(AttributeType.As4Aggregator, aggregator, at);
        return at - start;
    }

    private int Write(AttributeType type, ReadOnlySpan<byte> said, int at) =>
        KeptAttributes.Write((byte)type, AttributeTable.FlagsOf(type), said, octets.AsSpan(at));

    private static bool Needs(AsPathView path)
    {
        foreach (var segment in path)
            for (var i = 0; i < segment.Count; i++)
                if (!segment[i].FitsTwoOctets) return true;
        return false;
    }

    private ReadOnlySpan<byte> Narrow(AsPathView path)
    {
        var writer = new WireWriter(value);
        foreach (var segment in path)
        {
            writer.U8((byte)segment.Type);
            writer.U8((byte)segment.Count);
            for (var i = 0; i < segment.Count; i++) writer.U16(Narrow(segment[i]));
        }
        return writer.Written;
    }

    private ReadOnlySpan<byte> Narrow(ReadOnlySpan<byte> aggregator)
    {
        var reader = new WireReader(aggregator);
        var writer = new WireWriter(value);
        writer.U16(Narrow(new Asn(reader.U32())));
        writer.U32(reader.U32());
        return writer.Written;
    }

    private static ushort Narrow(Asn asn) => (ushort)(asn.FitsTwoOctets ? asn : Asn.Trans).Value;

    // RFC 6793 section 3: AS4_PATH never carries them.
    private ReadOnlySpan<byte> WithoutConfederation(AsPathView path)
    {
        var writer = new WireWriter(value);
        foreach (var segment in path)
        {
            if (segment.Type is not (SegmentType.Sequence or SegmentType.Set)) continue;
            writer.U8((byte)segment.Type);
            writer.U8((byte)segment.Count);
            writer.Octets(segment.Octets);
        }
        return writer.Written;
    }
}
