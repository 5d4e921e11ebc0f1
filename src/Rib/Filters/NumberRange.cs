using Calico.Bgp.Net;

namespace Calico.Bgp.Rib.Filters;

/// <summary>Numbers between the two, both included: what <c>eq</c>, <c>ge</c> and <c>le</c> say.</summary>
public readonly record struct NumberRange(uint Least, uint Most)
{
    public bool Has(uint number) => number >= Least && number <= Most;

    /// <summary>An AS number, or several: <c>65001</c>, <c>64512-65534</c>.</summary>
    public static bool TryParseAs(ReadOnlySpan<char> text, out NumberRange range)
    {
        range = default;
        var dash = text.IndexOf('-');
        if (!Asn.TryParse(dash < 0 ? text : text[..dash], out var least)) return false;
        var most = least;
        if (dash >= 0 && !Asn.TryParse(text[(dash + 1)..], out most)) return false;
        range = new(least.Value, most.Value);
        return least <= most;
    }

    public static bool AnyHas(ReadOnlySpan<NumberRange> ranges, uint number)
    {
        foreach (var range in ranges)
            if (range.Has(number)) return true;
        return false;
    }

    public override string ToString() => Least == Most ? $"{Least}" : $"{Least}-{Most}";
}
