using System.Collections.Immutable;
using Calico.Bgp.Kernel.Netlink;

namespace Calico.Bgp.Kernel.Nftables;

/// <summary>What the kernel tells of a set and of a base chain's place.</summary>
internal static class NftSetReading
{
    private const uint Interval = 4, Map = 8, SixBits = 0x3f;

    public static NftSet Read(ReadOnlySpan<byte> attributes)
    {
        var flags = AttributeReader.BigEndian(AttributeReader.Find(attributes, 3)); // FLAGS
        var value = AttributeReader.BigEndian(AttributeReader.Find(attributes, 6)); // DATA_TYPE
        var key = Key(AttributeReader.BigEndian(AttributeReader.Find(attributes, 4))); // KEY_TYPE
        return new(AttributeReader.Text(AttributeReader.Find(attributes, 2)), key, (flags & Interval) != 0, [], (flags & Map) != 0 ? (NftType)value : null)
        {
            Comment = NftMessage.ReadComment(AttributeReader.Find(attributes, 13), 7), // USERDATA
        };
    }

    private static ImmutableArray<NftType> Key(uint number)
    {
        var parts = new List<NftType>();
        for (; number != 0; number >>= 6) parts.Insert(0, (NftType)(number & SixBits));
        return [.. parts];
    }

    public static NftHook? Hook(ReadOnlySpan<byte> attributes)
    {
        var hook = AttributeReader.Find(attributes, 4); // HOOK
        if (hook.IsEmpty) return null;
        var (point, priority) = (AttributeReader.BigEndian(AttributeReader.Find(hook, 1)), AttributeReader.BigEndian(AttributeReader.Find(hook, 2)));
        return new(AttributeReader.Text(AttributeReader.Find(attributes, 7)), (NftHookPoint)point, (int)priority); // TYPE
    }
}
