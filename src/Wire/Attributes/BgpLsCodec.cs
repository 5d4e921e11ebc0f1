namespace Calico.Bgp.Wire.Attributes;

/// <summary>
/// BGP-LS (RFC 9552 section 5.3). It says nothing about unicast routes and is not transitive, so it goes no further; damage in
/// it, its flags included, is no reason to lose the routes it came with (section 8.2.2).
/// </summary>
internal sealed class BgpLsCodec()
    : AttributeCodec(AttributeType.BgpLs, OptionalNonTransitive, Penalty.AttributeDiscard,
        "the BGP-LS attribute is optional and not transitive (RFC 9552 section 5.3)")
{
    public override Penalty WrongFlags => Penalty.AttributeDiscard;

    public override Reception From(Negotiated session) => Reception.Ignore;

    public override bool Decode(ref WireReader value, ref AttributeSummary into) => true;
}
