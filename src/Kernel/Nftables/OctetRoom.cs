namespace Calico.Bgp.Kernel.Nftables;

/// <summary>
/// Octets of keys and values that come and go together, a few in one array: of tens of thousands of such things, a tenth of the objects.
/// Any of them keeps its whole array, so that arrays are small.
/// </summary>
/// <param name="expected">How many octets they will be all together; more get another array.</param>
public sealed class OctetRoom(int expected)
{
    private const int Most = 256;

    private byte[] all = [];
    private int used, left = expected;

    private NftOctets Take(int length, out Span<byte> into)
    {
        if (used + length > all.Length) (all, used) = (new byte[Math.Max(Math.Min(left, Most), length)], 0);
        into = all.AsSpan(used, length);
        (used, left) = (used + length, left - length);
        return new(all, used - length, length);
    }

    /// <param name="room">Null: they stand by themselves.</param>
    /// <param name="length">How many.</param>
    /// <param name="into">Where they are, zeros, to be filled at once: nobody changes them afterwards.</param>
    internal static NftOctets Take(OctetRoom? room, int length, out Span<byte> into)
    {
        if (room != null) return room.Take(length, out into);
        var octets = new byte[length];
        into = octets;
        return new(octets);
    }
}
