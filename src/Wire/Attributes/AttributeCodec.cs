namespace Calico.Bgp.Wire.Attributes;

/// <summary>What becomes of an attribute before its value is looked at.</summary>
internal enum Reception : byte
{
    /// <summary>Checked and kept.</summary>
    Take,
    /// <summary>Checked, so that damage in it counts, and dropped.</summary>
    CheckAndDiscard,
    /// <summary>Dropped unread: it has no business on this session ("attribute discard").</summary>
    Discard,
    /// <summary>Dropped unread and without a word: optional, not transitive, and of no use to us.</summary>
    Ignore,
    /// <summary>Read after the walk, when what it depends on is known.</summary>
    Later,
}

/// <summary>
/// One path attribute: its flags, what it costs when it is malformed, and its value. Framing, flags, duplicates and leftovers
/// are the walker's (<see cref="AttributeBlock"/>), so a codec says only what is special.
/// </summary>
/// <param name="rule">What its RFC asks for, for the log.</param>
internal abstract class AttributeCodec(AttributeType type, AttributeFlags flags, Penalty malformed, string rule)
{
    protected const AttributeFlags WellKnown = AttributeFlags.Transitive;
    protected const AttributeFlags OptionalTransitive = AttributeFlags.Optional | AttributeFlags.Transitive;
    protected const AttributeFlags OptionalNonTransitive = AttributeFlags.Optional;

    public AttributeType Type { get; } = type;
    public AttributeFlags Flags { get; } = flags;
    public Penalty Malformed { get; } = malformed;
    public string Rule { get; } = rule;

    /// <summary>RFC 7606 section 3 c: treat-as-withdraw, unless the attribute's own specification says otherwise.</summary>
    public virtual Penalty WrongFlags => Penalty.TreatAsWithdraw;

    /// <summary>Subcode of UPDATE errors for a wrong value, where the error has to end the session after all.</summary>
    public virtual byte Subcode => UpdateError.OptionalAttribute;

    public virtual Reception From(Negotiated session) => Reception.Take;

    /// <summary>Reads the value and notes what the decision wants to know; false where the value says what it must not.</summary>
    public abstract bool Decode(ref WireReader value, ref AttributeSummary into);
}

/// <summary>Subcodes of UPDATE errors (RFC 4271 section 6.3).</summary>
internal static class UpdateError
{
    public const byte MalformedAttributeList = 1;
    public const byte UnrecognizedWellKnown = 2;
    public const byte MissingWellKnown = 3;
    public const byte AttributeFlags = 4;
    public const byte AttributeLength = 5;
    public const byte InvalidOrigin = 6;
    public const byte InvalidNextHop = 8;
    public const byte OptionalAttribute = 9;
    public const byte InvalidNetworkField = 10;
    public const byte MalformedAsPath = 11;
}
