using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Calico.Bgp.Net;

/// <summary>The two families this daemon routes; the values index arrays of two.</summary>
public enum IpFamily : byte { IPv4 = 0, IPv6 = 1 }

public static class IpFamilyExtensions
{
    /// <summary>Bits of an address: 32 or 128.</summary>
    public static int Bits(this IpFamily family) => family == IpFamily.IPv4 ? 32 : 128;

    /// <summary>Octets of an address: 4 or 16.</summary>
    public static int Octets(this IpFamily family) => family == IpFamily.IPv4 ? 4 : 16;

    /// <summary><c>ipv4</c> or <c>ipv6</c>, as bgpd.yaml and birdc spell it.</summary>
    public static string Word(this IpFamily family) => family == IpFamily.IPv4 ? "ipv4" : "ipv6";
}

/// <summary>
/// An IPv4 or IPv6 address. The bits are left-aligned in both families, so that containment is one mask. Two halves and no UInt128:
/// code in which that type occurs is not compiled ahead of time, and addresses occur everywhere.
/// </summary>
/// <param name="High">The first 64 bits, the first of all in the top bit; the 32 low bits of an IPv4 address are zero.</param>
/// <param name="Low">The other 64; zero in an IPv4 address.</param>
public readonly record struct Address(ulong High, ulong Low, IpFamily Family) : IComparable<Address>
{
    private static readonly SearchValues<char> DottedQuad = SearchValues.Create("0123456789.");

    public static readonly Address AnyIPv4 = new(0, 0, IpFamily.IPv4);
    public static readonly Address AnyIPv6 = new(0, 0, IpFamily.IPv6);

    public Address(UInt128 bits, IpFamily family) : this((ulong)(bits >> 64), (ulong)bits, family) { }

    /// <summary>All of the bits as one number, for arithmetic.</summary>
    public UInt128 Bits => new(High, Low);

    public static Address FromIPv4(uint bits) => new((ulong)bits << 32, 0, IpFamily.IPv4);

    /// <summary>4 octets make an IPv4 address, 16 an IPv6 one.</summary>
    /// <exception cref="ArgumentException">Any other length.</exception>
    public static Address FromOctets(ReadOnlySpan<byte> octets) => octets.Length switch
    {
        4 => FromIPv4(BinaryPrimitives.ReadUInt32BigEndian(octets)),
        16 => new(BinaryPrimitives.ReadUInt64BigEndian(octets), BinaryPrimitives.ReadUInt64BigEndian(octets[8..]), IpFamily.IPv6),
        _ => throw new ArgumentException($"an address has 4 or 16 octets, not {octets.Length}", nameof(octets)),
    };

    /// <summary>An IPv4-mapped IPv6 address (::ffff:a.b.c.d), which dual-stack sockets hand out, becomes IPv4.</summary>
    public static Address From(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        Span<byte> octets = stackalloc byte[16];
        address.TryWriteBytes(octets, out var length);
        return FromOctets(octets[..length]);
    }

    public IPAddress ToIPAddress()
    {
        Span<byte> octets = stackalloc byte[16];
        return new IPAddress(octets[..Write(octets)]);
    }

    public uint IPv4Bits => (uint)(High >> 32);
    public bool IsUnspecified => (High | Low) == 0;
    public bool IsIPv4 => Family == IpFamily.IPv4;
    public bool IsLoopback => IsIPv4 ? IPv4Bits >> 24 == 127 : High == 0 && Low == 1;
    public bool IsMulticast => IsIPv4 ? IPv4Bits >> 28 == 0xe : High >> 56 == 0xff;
    /// <summary>fe80::/10 (RFC 4291); IPv4's 169.254/16 has no scope and does not count.</summary>
    public bool IsLinkLocal => !IsIPv4 && High >> 54 == 0xfe80 >> 6;

    /// <summary>The bits from <paramref name="length"/> on are zero in it.</summary>
    public Address Masked(int length) => new(High & Ones(length), Low & Ones(length - 64), Family);

    /// <summary>The bit of that number; 0 is the first.</summary>
    public bool Bit(int number) => ((number < 64 ? High >> (63 - number) : Low >> (127 - number)) & 1) != 0;

    /// <summary>How many bits are the same from the first on; 128 in the same address.</summary>
    public int CommonBits(Address other) =>
        High != other.High ? System.Numerics.BitOperations.LeadingZeroCount(High ^ other.High)
            : 64 + System.Numerics.BitOperations.LeadingZeroCount(Low ^ other.Low);

    private static ulong Ones(int count) => count <= 0 ? 0 : ulong.MaxValue << Math.Max(64 - count, 0);

    /// <summary>Writes 4 or 16 octets in network order and returns how many.</summary>
    public int Write(Span<byte> into)
    {
        if (IsIPv4) { BinaryPrimitives.WriteUInt32BigEndian(into, IPv4Bits); return 4; }
        BinaryPrimitives.WriteUInt64BigEndian(into, High);
        BinaryPrimitives.WriteUInt64BigEndian(into[8..], Low);
        return 16;
    }

    public static bool TryParse(ReadOnlySpan<char> text, out Address address)
    {
        address = default;
        // IPAddress also takes "1", "0x7f.1", scoped addresses, and "[::1]:80" without its port; none of them is how a router writes an
        // address.
        if (text.IndexOfAny('%', '[') >= 0) return false;
        if (text.IndexOf(':') < 0 && (text.Count('.') != 3 || text.ContainsAnyExcept(DottedQuad))) return false;
        if (HasOctal(text)) return false;
        if (!IPAddress.TryParse(text, out var parsed)) return false;
        if (parsed.AddressFamily is not (AddressFamily.InterNetwork or AddressFamily.InterNetworkV6)) return false;
        Span<byte> octets = stackalloc byte[16];
        parsed.TryWriteBytes(octets, out var length);
        address = FromOctets(octets[..length]);
        return true;
    }

    /// <summary>
    /// A number of a dotted quad begins with a needless zero: octal to inet_aton(3) and IPAddress, decimal to others (CVE-2021-29921), so
    /// 010.0.0.9 is nobody's address (Go's net.ParseIP refuses it too).
    /// </summary>
    private static bool HasOctal(ReadOnlySpan<char> text)
    {
        if (text.IndexOf('.') < 0) return false;
        var quad = text[(text.LastIndexOf(':') + 1)..];
        for (var i = 0; i + 1 < quad.Length; i++)
            if (quad[i] == '0' && quad[i + 1] != '.' && (i == 0 || quad[i - 1] == '.')) return true;
        return false;
    }

    /// <exception cref="FormatException">The text is no address.</exception>
    public static Address Parse(string text) =>
        TryParse(text, out var address) ? address : throw new FormatException($"expected an IPv4 or IPv6 address, got \"{text}\"");

    public int CompareTo(Address other)
    {
        if (Family != other.Family) return Family < other.Family ? -1 : 1;
        return High != other.High ? High.CompareTo(other.High) : Low.CompareTo(other.Low);
    }

    public static bool operator <(Address a, Address b) => a.CompareTo(b) < 0;
    public static bool operator >(Address a, Address b) => a.CompareTo(b) > 0;
    public static bool operator <=(Address a, Address b) => a.CompareTo(b) <= 0;
    public static bool operator >=(Address a, Address b) => a.CompareTo(b) >= 0;

    public override string ToString() => ToIPAddress().ToString();
}
