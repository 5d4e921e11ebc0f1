using System.Buffers.Binary;

namespace Calico.Bgp.Wire.Attributes;

/// <summary>Where an attribute stands in its block.</summary>
internal readonly record struct Slot(int Start, int Header, int Length, AttributeFlags Flags, byte Type)
{
    public bool IsThere => Header != 0;
    public int ValueAt => Start + Header;
    public ReadOnlySpan<byte> Value(ReadOnlySpan<byte> block) => block.Slice(ValueAt, Length);
}

/// <summary>
/// Walks the path attributes of one UPDATE (RFC 4271 section 4.3) in a single pass: flags, duplicates, framing and leftovers
/// here, values in their codecs, the summary filled on the way. What comes out is the worst fault, the attributes to keep, and
/// those that wait for the rest of the message. The revised error handling of RFC 7606 (sections 3 and 4) is this file.
/// </summary>
internal sealed class AttributeBlock
{
    private const AttributeFlags Category = AttributeFlags.Optional | AttributeFlags.Transitive;
    private static readonly AttributeCodec?[] Codecs = [.. Enumerable.Range(0, 256).Select(x => AttributeTable.Of((byte)x))];

    private readonly Reception[] receptions = new Reception[256];
    private readonly bool[] seen = new bool[256];
    private readonly Slot[] later = new Slot[(int)AttributeType.As4Aggregator + 1];
    private byte last;

    public AttributeBlock(Negotiated session)
    {
        foreach (var codec in Codecs)
            if (codec != null) receptions[(byte)codec.Type] = codec.From(session);
    }

    /// <summary>Of no fault the penalty is <see cref="Penalty.None"/>.</summary>
    public Fault Worst { get; private set; }

    public KeptAttributes Kept { get; } = new();

    public AttributeSummary Summary;

    /// <summary>The block is canonical as it stands (but for a next hop that is not asked for): nothing dropped, moved or
    /// rewritten.</summary>
    public bool IsCanonical { get; private set; }

    /// <summary>There is something else than an MP_UNREACH_NLRI.</summary>
    public bool HasRouteAttributes { get; private set; }

    /// <summary>The leftmost AS of the path, whatever its segment.</summary>
    public uint LeftmostAs { get; set; }

    public bool Has(AttributeType type) => seen[(byte)type];

    /// <summary>An attribute that waits for the rest of the message.</summary>
    public Slot Later(AttributeType type) => later[(byte)type];

    public void Read(ReadOnlySpan<byte> block)
    {
        Reset();
        var at = 0;
        while (at < block.Length)
        {
            if (!TrySlot(block, at, out var slot))
            {
                Cut(block, at);
                return;
            }
            Receive(slot, block);
            at = slot.ValueAt + slot.Length;
        }
    }

    /// <summary>Notes a fault; the first of the worst ones stays.</summary>
    public void Blame(Fault fault)
    {
        IsCanonical = false;
        if (fault.Penalty > Worst.Penalty) Worst = fault;
    }

    public void Blame(Slot slot, Penalty penalty, byte subcode, string rule) =>
        Blame(new(penalty, (AttributeType)slot.Type, subcode, slot.Start, slot.Header + slot.Length, rule));

    private void Reset()
    {
        Array.Clear(seen);
        Array.Clear(later);
        Kept.Clear();
        Summary = default;
        Worst = default;
        IsCanonical = true;
        HasRouteAttributes = false;
        LeftmostAs = 0;
        last = 0;
    }

    // +-----------+----------+------------------+------------------+
    // | Flags (8) | Type (8) | Length (8 or 16) | Value (variable) |
    // +-----------+----------+------------------+------------------+
    private static bool TrySlot(ReadOnlySpan<byte> block, int at, out Slot slot)
    {
        slot = default;
        var rest = block[at..];
        if (rest.Length < 3) return false;
        var flags = (AttributeFlags)rest[0];
        var extended = (flags & AttributeFlags.ExtendedLength) != 0;
        if (extended && rest.Length < 4) return false;
        var length = extended ? BinaryPrimitives.ReadUInt16BigEndian(rest[2..]) : rest[2];
        slot = new(at, extended ? 4 : 3, length, flags, rest[1]);
        return rest.Length >= slot.Header + length;
    }

    // RFC 7606 section 4: an attribute that overruns the block has the routes withdrawn, unless it is the one that has the routes.
    private void Cut(ReadOnlySpan<byte> block, int at)
    {
        var type = block.Length - at > 1 ? (AttributeType)block[at + 1] : AttributeType.None;
        var lost = type is AttributeType.MpReachNlri or AttributeType.MpUnreachNlri;
        HasRouteAttributes = true;
        Blame(new(lost ? Penalty.SessionReset : Penalty.TreatAsWithdraw, type, UpdateError.MalformedAttributeList, at, block.Length - at,
            "attributes end where their total length says (RFC 7606 section 4)"));
    }

    private void Receive(Slot slot, ReadOnlySpan<byte> block)
    {
        if (seen[slot.Type])
        {
            Repeated(slot);
            return;
        }
        seen[slot.Type] = true;
        HasRouteAttributes |= slot.Type != (byte)AttributeType.MpUnreachNlri;
        if (Codecs[slot.Type] is not { } codec) Unknown(slot);
        else if (receptions[slot.Type] == Reception.Later) Wait(slot);
        else if (AreFlagsRight(codec, slot)) Receive(codec, slot, block);
    }

    // RFC 7606 section 3 g: the first counts, but of two with prefixes neither can be told to be right.
    private void Repeated(Slot slot)
    {
        var fatal = (AttributeType)slot.Type is AttributeType.MpReachNlri or AttributeType.MpUnreachNlri;
        Blame(slot, fatal ? Penalty.SessionReset : Penalty.AttributeDiscard, UpdateError.MalformedAttributeList,
            "an attribute stands in an UPDATE once (RFC 7606 section 3 g)");
    }

    // RFC 4271 section 5 (kept with the partial bit, or quietly ignored) and section 6.3 (well-known ones must be recognised).
    private void Unknown(Slot slot)
    {
        if ((slot.Flags & AttributeFlags.Optional) == 0)
            Blame(slot, Penalty.SessionReset, UpdateError.UnrecognizedWellKnown,
                "a well-known attribute is one that we know (RFC 4271 section 6.3)");
        else if ((slot.Flags & AttributeFlags.Transitive) == 0) IsCanonical = false;
        else
        {
            Summary.Marks |= AttributeMarks.HasUnknown;
            Keep(slot, Category | AttributeFlags.Partial);
        }
    }

    // The one that waits may prove canonical: then its place and its flags must have been.
    private void Wait(Slot slot)
    {
        later[slot.Type] = slot;
        IsCanonical &= slot.Type == (byte)AttributeType.NextHop && slot.Flags == AttributeFlags.Transitive && slot.Type > last;
        last = slot.Type;
    }

    public bool AreFlagsRight(AttributeCodec codec, Slot slot)
    {
        if ((slot.Flags & Category) == codec.Flags) return true;
        Blame(slot, codec.WrongFlags, UpdateError.AttributeFlags, "an attribute's flags are those of its kind (RFC 7606 section 3 c)");
        return false;
    }

    private void Receive(AttributeCodec codec, Slot slot, ReadOnlySpan<byte> block)
    {
        var reception = receptions[slot.Type];
        if (reception == Reception.Ignore) IsCanonical = false;
        else if (reception == Reception.Discard) Blame(slot, Penalty.AttributeDiscard, codec.Subcode, codec.Rule);
        else if (IsSound(codec, slot, slot.Value(block)))
        {
            if (reception == Reception.Take) KeepKnown(codec, slot, block);
            else Blame(slot, Penalty.AttributeDiscard, codec.Subcode, codec.Rule);
        }
    }

    public bool IsSound(AttributeCodec codec, Slot slot, ReadOnlySpan<byte> value)
    {
        var reader = new WireReader(value);
        var sound = codec.Decode(ref reader, ref Summary);
        if (sound && reader.Exact) return true;
        Blame(slot, codec.Malformed, reader.Exact ? codec.Subcode : UpdateError.AttributeLength, codec.Rule);
        return false;
    }

    private void KeepKnown(AttributeCodec codec, Slot slot, ReadOnlySpan<byte> block)
    {
        if (slot.Type == (byte)AttributeType.AsPath) LeftmostAs = AsPathCodec.LeftmostAs(slot.Value(block));
        Keep(slot, codec.Flags | PartialOf(codec, slot.Flags));
    }

    /// <summary>RFC 4271 section 5: what an AS before us set on a transitive attribute, we must not clear.</summary>
    public static AttributeFlags PartialOf(AttributeCodec codec, AttributeFlags received) =>
        codec.Flags == Category ? received & AttributeFlags.Partial : AttributeFlags.None;

    private void Keep(Slot slot, AttributeFlags flags)
    {
        var canonical = slot.Length > byte.MaxValue ? flags | AttributeFlags.ExtendedLength : flags;
        IsCanonical &= slot.Flags == canonical && slot.Type > last;
        last = slot.Type;
        Kept.Add(new(slot.Type, flags, FromSide: false, slot.ValueAt, slot.Length));
    }
}
