namespace Calico.Bgp.Net;

/// <summary>An address prefix. Host bits are always zero: the constructor clears them.</summary>
public readonly record struct Prefix : IComparable<Prefix>
{
    public Address Address { get; }
    public byte Length { get; }

    /// <param name="length">0 to 32 (IPv4) or 128 (IPv6).</param>
    public Prefix(Address address, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, address.Family.Bits());
        Address = address.Masked(length);
        Length = (byte)length;
    }

    public static readonly Prefix DefaultIPv4 = new(Address.AnyIPv4, 0);
    public static readonly Prefix DefaultIPv6 = new(Address.AnyIPv6, 0);

    public IpFamily Family => Address.Family;
    public bool IsHost => Length == Family.Bits();

    /// <summary>The last address inside.</summary>
    public Address Last
    {
        get
        {
            var ones = new Address(ulong.MaxValue, ulong.MaxValue, Family);
            var (all, net) = (ones.Masked(Family.Bits()), ones.Masked(Length));
            return new(Address.High | (all.High & ~net.High), Address.Low | (all.Low & ~net.Low), Family);
        }
    }

    public bool Contains(Address address) => address.Family == Family && address.Masked(Length) == Address;
    public bool Contains(Prefix other) => other.Length >= Length && Contains(other.Address);

    /// <summary>The NLRI form of RFC 4271 section 4.3: the length, then as many octets as it needs. Returns their count.</summary>
    public int WriteNlri(Span<byte> into)
    {
        Span<byte> octets = stackalloc byte[16];
        Address.Write(octets);
        var count = (Length + 7) / 8;
        into[0] = Length;
        octets[..count].CopyTo(into[1..]);
        return 1 + count;
    }

    public static bool TryParse(ReadOnlySpan<char> text, out Prefix prefix)
    {
        prefix = default;
        var slash = text.IndexOf('/');
        if (slash < 0 || !Address.TryParse(text[..slash], out var address)) return false;
        var bits = text[(slash + 1)..];
        if (bits is ['0', _, ..] || !byte.TryParse(bits, System.Globalization.NumberStyles.None, null, out var length)) return false;
        if (length > address.Family.Bits()) return false;
        prefix = new(address, length);
        return true;
    }

    /// <summary>Whether the text of a prefix says an address inside of it: 10.0.0.1/8.</summary>
    public static bool HasHostBits(ReadOnlySpan<char> text) =>
        TryParse(text, out var prefix) && Address.TryParse(text[..text.IndexOf('/')], out var said) && said != prefix.Address;

    /// <exception cref="FormatException">The text is no prefix.</exception>
    public static Prefix Parse(string text) =>
        TryParse(text, out var prefix) ? prefix : throw new FormatException($"expected a prefix such as 192.0.2.0/24, got \"{text}\"");

    public int CompareTo(Prefix other)
    {
        var order = Address.CompareTo(other.Address);
        return order != 0 ? order : Length.CompareTo(other.Length);
    }

    public static bool operator <(Prefix a, Prefix b) => a.CompareTo(b) < 0;
    public static bool operator >(Prefix a, Prefix b) => a.CompareTo(b) > 0;
    public static bool operator <=(Prefix a, Prefix b) => a.CompareTo(b) <= 0;
    public static bool operator >=(Prefix a, Prefix b) => a.CompareTo(b) >= 0;

    public override string ToString() => $"{Address}/{Length}";
}
