namespace Calico.Bgp.Control.Bird.Expressions;

/// <summary>
/// The operator <c>~</c>. Where BIRD wants the member on the left (<c>(65001,1) ~ bgp_community</c>), the other order, which
/// BIRD takes and answers with nothing, means the same here.
/// </summary>
internal static class Matching
{
    public static Value Match(Value left, Value right) => (left.Kind, right.Kind) switch
    {
        (ValueKind.Error, _) or (_, ValueKind.Error) => Value.Error,
        (ValueKind.Path, ValueKind.PathMask) => Value.Of(right.Mask.Matches(left.Path)),
        (ValueKind.Int, ValueKind.Path) => Value.Of(InPath(right, left)),
        (ValueKind.Path, ValueKind.Int) => Value.Of(InPath(left, right)),
        (ValueKind.Path, ValueKind.Set) => Numbers(left, right.Set),
        (ValueKind.Text, ValueKind.Text) => Value.Of(Pattern.Matches(right.Text, left.Text)),
        (ValueKind.Prefix, ValueKind.Prefix) => Value.Of(right.Prefix.Contains(left.Prefix)),
        (ValueKind.Ip, ValueKind.Prefix) => Value.Of(right.Prefix.Contains(left.Address)),
        (var list, ValueKind.Set) when IsList(list) => Members(left, right.Set),
        (_, ValueKind.Set) => Member(left, right.Set),
        (var member, var list) when Fits(member, list) => Value.Of(right.Members.Contains(left.Bits)),
        (var list, var member) when Fits(member, list) => Value.Of(left.Members.Contains(right.Bits)),
        _ => Value.Error,
    };

    private static bool IsList(ValueKind kind) =>
        kind is ValueKind.Communities or ValueKind.ExtendedCommunities or ValueKind.LargeCommunities;

    private static bool Fits(ValueKind member, ValueKind list) => (member, list) switch
    {
        (ValueKind.Pair or ValueKind.Quad or ValueKind.Ip, ValueKind.Communities) => true,
        (ValueKind.Extended, ValueKind.ExtendedCommunities) => true,
        (ValueKind.Large, ValueKind.LargeCommunities) => true,
        _ => false,
    };

    private static bool InPath(Value path, Value asn) => path.Path.Any(segment => segment.Numbers.Contains(asn.Number));

    private static Value Numbers(Value path, ValueSet set) =>
        set is RangeSet ranges && ranges.Holds(ValueKind.Int)
            ? Value.Of(path.Path.Any(segment => segment.Numbers.Any(asn => ranges.Has(asn))))
            : Value.Error;

    private static Value Members(Value list, ValueSet set) =>
        set is RangeSet ranges ? Value.Of(list.Members.Any(member => ranges.Has(member))) : Value.Error;

    private static Value Member(Value value, ValueSet set) => set switch
    {
        RangeSet ranges => ranges.Holds(value.Kind) ? Value.Of(ranges.Has(value.Bits)) : Value.Error,
        _ => value.Kind is ValueKind.Prefix or ValueKind.Ip ? Value.Of(set.Has(value)) : Value.Error,
    };
}
