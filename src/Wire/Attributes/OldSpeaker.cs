using System.Buffers.Binary;

namespace Calico.Bgp.Wire.Attributes;

/// <summary>
/// Gives the four-octet AS_PATH and AGGREGATOR of an UPDATE from a speaker that knows only two octets (RFC 6793 section 4.2.3):
/// its own AS_PATH widened, and where AS4_PATH remembers more of the numbers, joined with that.
/// </summary>
internal sealed class OldSpeaker
{
    private const uint Trans = 23456;
    private byte[] side = [];
    private int used;

    /// <summary>The values that the kept attributes of these sessions point into.</summary>
    public ReadOnlySpan<byte> Side => side.AsSpan(0, used);

    /// <summary>Adds both attributes to the block's kept ones.</summary>
    public void Read(AttributeBlock block, ReadOnlySpan<byte> octets)
    {
        used = 0;
        if (side.Length < 4 * octets.Length) side = new byte[4 * octets.Length];
        var trusted = ReadAggregator(block, octets);
        var path = block.Later(AttributeType.AsPath);
        var codec = AttributeTable.Of((byte)AttributeType.AsPath)!;
        if (!path.IsThere || !block.AreFlagsRight(codec, path)) return;
        var start = used;
        if (!Widen(path.Value(octets)))
        {
            block.Blame(path, codec.Malformed, codec.Subcode, codec.Rule);
            return;
        }
        if (!block.IsSound(codec, path, Side[start..])) return;
        if (trusted) start = Merge(start, block, octets);
        Keep(block, codec, path, start);
    }

    // AS4_AGGREGATOR beside an AGGREGATOR other than AS_TRANS: an old speaker made the latter and left the AS4 attributes, which are stale.
    private bool ReadAggregator(AttributeBlock block, ReadOnlySpan<byte> octets)
    {
        var slot = block.Later(AttributeType.Aggregator);
        var codec = AttributeTable.Of((byte)AttributeType.Aggregator)!;
        if (!slot.IsThere) return true;
        if (!block.AreFlagsRight(codec, slot)) return true;
        var value = new WireReader(slot.Value(octets));
        uint asn = value.U16();
        var id = value.U32();
        if (!value.Exact || asn == 0)
        {
            block.Blame(slot, codec.Malformed, codec.Subcode, codec.Rule);
            return true;
        }
        var trusted = asn == Trans || !block.Has(AttributeType.As4Aggregator);
        if (trusted && TryAs4Aggregator(block, octets, out var asn4, out var id4)) (asn, id) = (asn4, id4);
        var start = used;
        Put(asn);
        Put(id);
        Keep(block, codec, slot, start);
        return trusted;
    }

    private static bool TryAs4Aggregator(AttributeBlock block, ReadOnlySpan<byte> octets, out uint asn, out uint id)
    {
        (asn, id) = (0, 0);
        var slot = block.Later(AttributeType.As4Aggregator);
        var codec = AttributeTable.Of((byte)AttributeType.As4Aggregator)!;
        if (!slot.IsThere || !block.AreFlagsRight(codec, slot)) return false;
        var value = new WireReader(slot.Value(octets));
        (asn, id) = (value.U32(), value.U32());
        if (value.Exact && asn != 0) return true;
        block.Blame(slot, codec.Malformed, codec.Subcode, codec.Rule);
        return false;
    }

    // +----------+-----------+----------------------+
    // | Type (8) | Count (8) | AS numbers (16 each) |  as often as there is room
    // +----------+-----------+----------------------+
    private bool Widen(ReadOnlySpan<byte> path)
    {
        var reader = new WireReader(path);
        while (reader.Left > 0)
        {
            side[used++] = reader.U8();
            var count = side[used++] = reader.U8();
            var numbers = new WireReader(reader.Take(2 * count));
            if (numbers.Left == 0) return false;
            while (numbers.Left > 0) Put(numbers.U16());
        }
        return true;
    }

    // Where AS4_PATH is the longer one, old speakers have cut the path since, and it is not used.
    private int Merge(int start, AttributeBlock block, ReadOnlySpan<byte> octets)
    {
        var slot = block.Later(AttributeType.As4Path);
        var codec = AttributeTable.Of((byte)AttributeType.As4Path)!;
        if (!slot.IsThere || !block.AreFlagsRight(codec, slot)) return start;
        var as4 = slot.Value(octets);
        if (!IsSoundAs4(as4))
        {
            block.Blame(slot, Penalty.AttributeDiscard, codec.Subcode, codec.Rule);
            return start;
        }
        var lead = new AsPathView(Side[start..]).Length - new AsPathView(as4).Length;
        if (lead < 0) return start;
        var joined = Join(new(side.AsSpan(start, used - start)), lead, new(as4));
        var reader = new WireReader(Side[joined..]);
        AttributeTable.Of((byte)AttributeType.AsPath)!.Decode(ref reader, ref block.Summary);
        return joined;
    }

    /// <summary>The first <paramref name="lead"/> numbers of the path that came, then AS4_PATH.</summary>
    private int Join(AsPathView path, int lead, AsPathView as4)
    {
        var joined = used;
        var open = -1;
        foreach (var segment in path)
        {
            if (lead == 0) break;
            var count = segment.Type == SegmentType.Set ? segment.Count : Math.Min(lead, segment.Count);
            Append(segment, count, ref open);
            lead -= segment.Type == SegmentType.Set ? 1 : count;
        }
        // RFC 6793 section 3: confederation segments have no place in AS4_PATH and are passed over.
        foreach (var segment in as4)
            if (segment.Type is SegmentType.Sequence or SegmentType.Set) Append(segment, segment.Count, ref open);
        return joined;
    }

    private static bool IsSoundAs4(ReadOnlySpan<byte> as4)
    {
        var reader = new WireReader(as4);
        if (!As4PathCodec.IsWellFramed(ref reader)) return false;
        foreach (var segment in new AsPathView(as4))
            if (AsPathCodec.HasZero(segment.Octets)) return false;
        return true;
    }

    // Two sequences in a row are one, as far as its count can say so.
    private void Append(AsPathSegment segment, int count, ref int open)
    {
        var sequences = open >= 0 && side[open] == (byte)SegmentType.Sequence && segment.Type == SegmentType.Sequence;
        if (sequences && side[open + 1] + count <= 255) side[open + 1] += (byte)count;
        else
        {
            open = used;
            side[used++] = (byte)segment.Type;
            side[used++] = (byte)count;
        }
        segment.Octets[..(4 * count)].CopyTo(side.AsSpan(used));
        used += 4 * count;
    }

    private void Keep(AttributeBlock block, AttributeCodec codec, Slot slot, int start)
    {
        if (codec.Type == AttributeType.AsPath) block.LeftmostAs = AsPathCodec.LeftmostAs(Side[start..]);
        var flags = codec.Flags | AttributeBlock.PartialOf(codec, slot.Flags);
        block.Kept.Add(new((byte)codec.Type, flags, FromSide: true, start, used - start));
    }

    private void Put(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(side.AsSpan(used), value);
        used += 4;
    }
}
