using System.Net;

namespace Calico.Bgp.Conformance.Golden;

/// <summary>Prefixes by their bits.</summary>
internal static class Bits
{
    public static int Length(IPAddress address) => address.GetAddressBytes().Length * 8;

    public static IPNetwork Host(IPAddress address) => new(address, Length(address));

    /// <summary>An address's prefix of a length.</summary>
    public static IPNetwork Cut(IPAddress address, int length)
    {
        var bytes = address.GetAddressBytes();
        for (var bit = length; bit < bytes.Length * 8; bit++) bytes[bit / 8] &= (byte)~Mask(bit);
        return new(new(bytes), length);
    }

    /// <summary>The other half of the prefix above.</summary>
    public static IPNetwork Sibling(IPNetwork prefix)
    {
        var bytes = prefix.BaseAddress.GetAddressBytes();
        bytes[(prefix.PrefixLength - 1) / 8] ^= Mask(prefix.PrefixLength - 1);
        return new(new(bytes), prefix.PrefixLength);
    }

    public static IPNetwork LastHost(IPNetwork prefix)
    {
        var bytes = prefix.BaseAddress.GetAddressBytes();
        for (var bit = prefix.PrefixLength; bit < bytes.Length * 8; bit++) bytes[bit / 8] |= Mask(bit);
        return Host(new(bytes));
    }

    private static byte Mask(int bit) => (byte)(0x80 >> bit % 8);
}
