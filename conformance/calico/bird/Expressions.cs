// Expressions of BIRD's filter language, as far as Calico's configurations use them. What has no meaning in them throws.
using System.Collections.Immutable;
using System.Net;

namespace Calico.Bgp.Conformance.Bird;

internal abstract record Expression
{
    public abstract object? Evaluate(Frame frame);

    public bool Truth(Frame frame) =>
        Evaluate(frame) is bool truth ? truth : throw new BirdException(
            $"a condition is true or false, not {Operations.Show(Evaluate(frame))}");
}

internal sealed record Constant(object Value) : Expression
{
    public override object Evaluate(Frame frame) => Value;
}

internal sealed record Variable(string Name) : Expression
{
    public override object? Evaluate(Frame frame) => frame[Name];
}

internal sealed record Defined(Expression Of) : Expression
{
    public override object Evaluate(Frame frame) => Of is Variable { Name: var name } ? frame.Has(name) : Of.Evaluate(frame) != null;
}

internal sealed record Not(Expression Of) : Expression
{
    public override object Evaluate(Frame frame) => !Of.Truth(frame);
}

/// <summary>A pair or a triple: communities.</summary>
internal sealed record CommunityOf(ImmutableArray<Expression> Parts) : Expression
{
    public override object Evaluate(Frame frame)
    {
        var parts = Parts.Select(part => part.Evaluate(frame) as uint? ?? throw new BirdException("a community consists of numbers"))
            .ToArray();
        return parts.Length == 2 ? new Community(parts[0], parts[1]) : new LargeCommunity(parts[0], parts[1], parts[2]);
    }
}

internal sealed record Binary(string Sign, Expression Left, Expression Right) : Expression
{
    public override object Evaluate(Frame frame) => Sign switch
    {
        "&&" => Left.Truth(frame) && Right.Truth(frame),
        "||" => Left.Truth(frame) || Right.Truth(frame),
        _ => Operations.Apply(Sign, Left.Evaluate(frame), Right.Evaluate(frame)),
    };
}

internal static class Operations
{
    public static object Apply(string sign, object? left, object? right) => (sign, left, right) switch
    {
        (_, null, _) or (_, _, null) => throw new BirdException($"{Show(left)} {sign} {Show(right)}: one of them is not defined"),
        // BIRD's numbers have 32 bits and wrap.
        ("+", uint l, uint r) => unchecked(l + r),
        ("-", uint l, uint r) => unchecked(l - r),
        ("<", uint l, uint r) => l < r,
        (">", uint l, uint r) => l > r,
        ("<=", uint l, uint r) => l <= r,
        (">=", uint l, uint r) => l >= r,
        ("=", _, _) when left.GetType() == right.GetType() => left.Equals(right),
        ("!=", _, _) when left.GetType() == right.GetType() => !left.Equals(right),
        ("~", _, _) => Matches(left, right),
        ("!~", _, _) => !Matches(left, right),
        _ => throw new BirdException($"{Show(left)} {sign} {Show(right)} has no meaning here"),
    };

    private static bool Matches(object left, object right) => (left, right) switch
    {
        (IPNetwork net, IPNetwork outer) => PrefixPattern.Within(net, outer),
        (IPNetwork net, ImmutableArray<PrefixPattern> set) => set.Any(pattern => pattern.Matches(net)),
        (IPAddress address, IPNetwork net) => address.AddressFamily == net.BaseAddress.AddressFamily && net.Contains(address),
        (Source source, ImmutableArray<Source> set) => set.Contains(source),
        (uint number, ImmutableArray<uint> set) => set.Contains(number),
        (string text, string pattern) => Glob.Matches(pattern, text),
        (ImmutableArray<uint> path, PathMask mask) => mask.Matches(path),
        (Community community, ImmutableArray<Community> list) => list.Contains(community),
        (LargeCommunity community, ImmutableArray<LargeCommunity> list) => list.Contains(community),
        _ => throw new BirdException($"{Show(left)} ~ {Show(right)} has no meaning here"),
    };

    public static string Show(object? value) => value == null ? "what is not defined" : $"{value.GetType().Name} {value}";
}
