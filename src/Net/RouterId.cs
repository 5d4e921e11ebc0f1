namespace Calico.Bgp.Net;

/// <summary>A BGP identifier: four octets, written as an IPv4 address, non-zero (RFC 6286). Also the form of a cluster id.</summary>
public readonly record struct RouterId(uint Value) : IComparable<RouterId>
{
    public static bool TryParse(ReadOnlySpan<char> text, out RouterId id)
    {
        var good = Address.TryParse(text, out var address) && address.IsIPv4;
        id = good ? new(address.IPv4Bits) : default;
        return good;
    }

    public int CompareTo(RouterId other) => Value.CompareTo(other.Value);
    public static bool operator <(RouterId a, RouterId b) => a.Value < b.Value;
    public static bool operator >(RouterId a, RouterId b) => a.Value > b.Value;
    public static bool operator <=(RouterId a, RouterId b) => a.Value <= b.Value;
    public static bool operator >=(RouterId a, RouterId b) => a.Value >= b.Value;

    public override string ToString() => Address.FromIPv4(Value).ToString();
}
