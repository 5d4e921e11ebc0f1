using Calico.Bgp.Net;

namespace Calico.Bgp.Control.Bird.Expressions;

/// <summary>A set constant: <c>[1, 3..5]</c>, <c>[(65001,*)]</c>, or of prefixes <c>[10.0.0.0/8{16,24}]</c>.</summary>
internal abstract class ValueSet
{
    public abstract bool Has(Value value);
}

/// <summary>Ranges of one ordered type, both ends included.</summary>
internal sealed class RangeSet(ValueKind kind, IReadOnlyList<(UInt128 Low, UInt128 High)> ranges) : ValueSet
{
    public override bool Has(Value value) => Holds(value.Kind) && Has(value.Bits);

    /// <summary>Identifiers are written like addresses, and pairs may be looked for in sets of numbers' kind only by their own.</summary>
    public bool Holds(ValueKind of) => of == kind || of == ValueKind.Quad && kind == ValueKind.Ip;

    public bool Has(UInt128 bits)
    {
        foreach (var (low, high) in ranges) if (low <= bits && bits <= high) return true;
        return false;
    }

    public override string ToString() => $"[{string.Join(", ", ranges.Select(Text))}]";

    private string Text((UInt128 Low, UInt128 High) range) =>
        range.Low == range.High ? One(range.Low) : $"{One(range.Low)}..{One(range.High)}";

    private string One(UInt128 bits) =>
        new Value(kind, bits, kind == ValueKind.Ip ? (object)(bits > uint.MaxValue ? IpFamily.IPv6 : IpFamily.IPv4) : null).ToString();
}

/// <summary>A prefix with the lengths that it stands for.</summary>
internal readonly record struct PrefixRange(Prefix Prefix, int Shortest, int Longest)
{
    /// <summary>Shorter prefixes that cover ours count as well where their length is allowed.</summary>
    public bool Has(Prefix candidate)
    {
        if (candidate.Family != Prefix.Family || candidate.Length < Shortest || candidate.Length > Longest) return false;
        return candidate.Length >= Prefix.Length ? Prefix.Contains(candidate) : candidate.Contains(Prefix);
    }

    public override string ToString() =>
        Shortest == Prefix.Length && Longest == Prefix.Length ? Prefix.ToString() : $"{Prefix}{{{Shortest},{Longest}}}";
}

/// <summary>A set of prefixes; an address counts as the prefix of itself alone.</summary>
internal sealed class PrefixSet(IReadOnlyList<PrefixRange> ranges) : ValueSet
{
    public override bool Has(Value value) => value.Kind switch
    {
        ValueKind.Prefix => Has(value.Prefix),
        ValueKind.Ip => Has(new Prefix(value.Address, value.Address.Family.Bits())),
        _ => false,
    };

    private bool Has(Prefix prefix)
    {
        foreach (var range in ranges) if (range.Has(prefix)) return true;
        return false;
    }

    public override string ToString() => $"[{string.Join(", ", ranges)}]";
}
