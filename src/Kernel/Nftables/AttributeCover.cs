using Calico.Bgp.Kernel.Netlink;

namespace Calico.Bgp.Kernel.Nftables;

/// <summary>
/// Whether what the kernel tells back says all that we had sent. It adds defaults, handles and figures, in an order of its own; so
/// attributes are looked up by type, and those that come several times (a list's elements) are compared one by one, none more, none less.
/// </summary>
internal static class AttributeCover
{
    public static bool Covers(ReadOnlySpan<byte> told, ReadOnlySpan<byte> sent)
    {
        var wanted = new AttributeReader(sent);
        var met = new Dictionary<ushort, int>();
        var any = false;
        while (wanted.Next(out var type, out var value))
        {
            any = true;
            var nth = met[type] = met.GetValueOrDefault(type) + 1;
            if (!Nth(told, type, nth, out var actual) || !Same(actual, value)) return false;
        }
        return any && IsExact(told, met);
    }

    private static bool Same(ReadOnlySpan<byte> told, ReadOnlySpan<byte> sent) =>
        sent.SequenceEqual(told) || sent.IsEmpty || (IsNest(sent) && IsNest(told) && Covers(told, sent));

    /// <summary>Nothing beyond what we sent in a list: one more expression is another rule.</summary>
    private static bool IsExact(ReadOnlySpan<byte> told, Dictionary<ushort, int> met) =>
        met.Count != 1 || !met.TryGetValue(ListElement, out var sent) || !Nth(told, ListElement, sent + 1, out _);

    private const ushort ListElement = 1;

    private static bool Nth(ReadOnlySpan<byte> told, ushort wanted, int nth, out ReadOnlySpan<byte> found)
    {
        var reader = new AttributeReader(told);
        while (reader.Next(out var type, out found))
            if (type == wanted && --nth == 0) return true;
        return false;
    }

    private static bool IsNest(ReadOnlySpan<byte> octets)
    {
        var reader = new AttributeReader(octets);
        var length = 0;
        while (reader.Next(out _, out var value)) length += 4 + NetlinkMessage.Align(value.Length);
        return length >= octets.Length && length > 0;
    }
}
