using Calico.Bgp.Control.Bird.Rendering;
using Calico.Bgp.Net;

namespace Calico.Bgp.Control.Bird.Expressions;

/// <summary>
/// What can be asked of a value behind a dot: <c>net.len</c>, <c>bgp_path.last</c>, <c>(65001,1).asn</c>. A missing list is an
/// empty one.
/// </summary>
internal static class Methods
{
    public static Expression ParseAll(Tokens tokens, Expression of)
    {
        while (tokens.Accept(".")) of = ParseOne(tokens, of);
        return of;
    }

    private static Expression ParseOne(Tokens tokens, Expression of)
    {
        var name = tokens.Next.Kind == TokenKind.Word ? tokens.Next.Text : "";
        if (name == "mask") return ParseMask(tokens, of);
        var (kind, get) = Find(name, of.Kind);
        if (get == null)
        {
            if (name is "len") tokens.Fail("filter preevaluation, line 1: Prefix, path, clist or eclist expected");
            tokens.Unexpected();
            return Expression.Of(Value.Error);
        }
        tokens.Take();
        return new(kind, route => of.Evaluate(route) is var value && value.Fails ? value : get(value), of.Constant);
    }

    private static (ValueKind Kind, Func<Value, Value>? Get) Find(string name, ValueKind of) => (name, of) switch
    {
        ("len", ValueKind.Prefix) => (ValueKind.Int, value => Value.Of((uint)value.Prefix.Length)),
        ("ip", ValueKind.Prefix) => (ValueKind.Ip, value => Value.Of(value.Prefix.Address)),
        ("type", ValueKind.Prefix) => (ValueKind.NetType, value => new(ValueKind.NetType, value.Prefix.Family == IpFamily.IPv4 ? 1u : 2)),

        ("len", ValueKind.Path) => (ValueKind.Int, value => Value.Of(Length(value))),
        ("first", ValueKind.Path) => (ValueKind.Int, value => Value.Of(First(value))),
        ("last", ValueKind.Path) => (ValueKind.Int, value => Value.Of(Last(value))),
        ("last_nonaggregated", ValueKind.Path) => (ValueKind.Int, value => Value.Of(LastBeforeSets(value))),

        ("len", ValueKind.Communities or ValueKind.ExtendedCommunities or ValueKind.LargeCommunities) =>
            (ValueKind.Int, value => Value.Of((uint)(value.Kind == ValueKind.Void ? 0 : value.Members.Count))),

        ("asn", ValueKind.Pair) => (ValueKind.Int, value => Value.Of(value.Number >> 16)),
        ("data", ValueKind.Pair) => (ValueKind.Int, value => Value.Of(value.Number & 0xffff)),
        ("asn", ValueKind.Large) => (ValueKind.Int, value => Value.Of((uint)(value.Bits >> 64))),
        ("data1", ValueKind.Large) => (ValueKind.Int, value => Value.Of((uint)(value.Bits >> 32))),
        ("data2", ValueKind.Large) => (ValueKind.Int, value => Value.Of((uint)value.Bits)),
        _ => (ValueKind.Error, null),
    };

    private static IReadOnlyList<PathSegment> Segments(Value path) => path.Kind == ValueKind.Void ? [] : path.Path;

    /// <summary>As the decision counts (RFC 4271 section 9.1.2.2 a, RFC 5065 section 5.3).</summary>
    private static uint Length(Value path) => (uint)Segments(path).Sum(segment => segment.Type switch
    {
        PathSegmentType.Sequence => segment.Numbers.Length,
        PathSegmentType.Set => 1,
        _ => 0,
    });

    private static uint First(Value path) =>
        Segments(path) is [{ Type: PathSegmentType.Sequence, Numbers: [var asn, ..] }, ..] ? asn : 0;

    private static uint Last(Value path) =>
        Segments(path) is [.., { Type: PathSegmentType.Sequence, Numbers: [.., var asn] }] ? asn : 0;

    /// <summary>The last number before the first set.</summary>
    private static uint LastBeforeSets(Value path) =>
        Segments(path).TakeWhile(segment => !segment.IsSet).LastOrDefault() is { Numbers: [.., var asn] } ? asn : 0;

    // address.mask(length)
    private static Expression ParseMask(Tokens tokens, Expression of)
    {
        tokens.Take();
        tokens.Expect("(", "'('");
        var length = ExpressionParser.Parse(tokens);
        tokens.Expect(")");
        ExpressionParser.Require(tokens, of, ValueKind.Ip, 1, "IP_MASK");
        ExpressionParser.Require(tokens, length, ValueKind.Int, 2, "IP_MASK");
        return new(ValueKind.Ip, route => Mask(of.Evaluate(route), length.Evaluate(route)), of.Constant && length.Constant);
    }

    private static Value Mask(Value address, Value length)
    {
        if (address.Kind != ValueKind.Ip || length.Kind != ValueKind.Int) return Value.Error;
        var bits = Math.Min(length.Number, (uint)address.Address.Family.Bits());
        return Value.Of(new Prefix(address.Address, (int)bits).Address);
    }
}
