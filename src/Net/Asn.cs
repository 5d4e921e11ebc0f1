using System.Globalization;

namespace Calico.Bgp.Net;

/// <summary>An autonomous system number of four octets (RFC 6793).</summary>
public readonly record struct Asn(uint Value) : IComparable<Asn>
{
    /// <summary>AS_TRANS, 23456: stands for a number that two octets do not hold (RFC 6793 section 9).</summary>
    public static readonly Asn Trans = new(23456);

    public bool FitsTwoOctets => Value <= ushort.MaxValue;

    /// <summary>Takes asplain (<c>4200000000</c>) and asdot (<c>64086.59904</c>), RFC 5396.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out Asn asn)
    {
        asn = default;
        var dot = text.IndexOf('.');
        if (dot < 0)
        {
            if (!uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var plain)) return false;
            asn = new(plain);
            return true;
        }
        if (!ushort.TryParse(text[..dot], NumberStyles.None, CultureInfo.InvariantCulture, out var high)) return false;
        if (!ushort.TryParse(text[(dot + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var low)) return false;
        asn = new((uint)high << 16 | low);
        return true;
    }

    public int CompareTo(Asn other) => Value.CompareTo(other.Value);
    public static bool operator <(Asn a, Asn b) => a.Value < b.Value;
    public static bool operator >(Asn a, Asn b) => a.Value > b.Value;
    public static bool operator <=(Asn a, Asn b) => a.Value <= b.Value;
    public static bool operator >=(Asn a, Asn b) => a.Value >= b.Value;

    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}
