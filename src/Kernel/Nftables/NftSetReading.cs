using System.Buffers.Binary;
using System.Collections.Immutable;
using Calico.Bgp.Kernel.Netlink;

namespace Calico.Bgp.Kernel.Nftables;

/// <summary>What the kernel tells of a set and of a base chain's place.</summary>
internal static class NftSetReading
{
    private const uint Anonymous = 1, Interval = 4, Map = 8, Timeout = 16, Dynamic = 32, SixBits = 0x3f;

    public static NftSet Read(ReadOnlySpan<byte> attributes)
    {
        var flags = Number(attributes, 3);                            // FLAGS
        var timeout = AttributeReader.Find(attributes, 11);           // TIMEOUT
        var value = (flags & Map) != 0 ? Types(Number(attributes, 6)) : default; // DATA_TYPE
        return new(AttributeReader.Text(AttributeReader.Find(attributes, 2)), Types(Number(attributes, 4)), (flags & Interval) != 0, [],
            value)
        {
            Comment = NftMessage.ReadComment(AttributeReader.Find(attributes, 13), 7), // USERDATA
            Anonymous = (flags & Anonymous) != 0,
            Dynamic = (flags & (Timeout | Dynamic)) != 0,
            Timeout = BinaryPrimitives.TryReadUInt64BigEndian(timeout, out var milliseconds)
            ? TimeSpan.FromMilliseconds(milliseconds) : null,
            Size = Number(AttributeReader.Find(attributes, 9), 1),    // DESC, SIZE
        };
    }

    private static uint Number(ReadOnlySpan<byte> attributes, ushort type) =>
        AttributeReader.BigEndian(AttributeReader.Find(attributes, type));

    private static ImmutableArray<NftType> Types(uint number)
    {
        if (number == (uint)NftType.Verdict) return [NftType.Verdict];
        var parts = new List<NftType>();
        for (; number != 0; number >>= 6) parts.Insert(0, (NftType)(number & SixBits));
        return [.. parts];
    }

    public static NftHook? Hook(ReadOnlySpan<byte> attributes)
    {
        var hook = AttributeReader.Find(attributes, 4); // HOOK
        if (hook.IsEmpty) return null;
        var (point, priority) = (AttributeReader.BigEndian(AttributeReader.Find(hook, 1)),
            AttributeReader.BigEndian(AttributeReader.Find(hook, 2)));
        return new(AttributeReader.Text(AttributeReader.Find(attributes, 7)), (NftHookPoint)point, (int)priority); // TYPE
    }
}
