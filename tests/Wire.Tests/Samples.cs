using System.Buffers;
using System.Buffers.Binary;
using Calico.Bgp.Net;
using Calico.Bgp.Wire.Attributes;
using FsCheck;
using FsCheck.Fluent;

namespace Calico.Bgp.Wire.Tests;

/// <summary>FsCheck generators of what a correct peer sends: attribute sets in canonical octets, prefixes, and whole UPDATEs of
/// them.</summary>
internal static class Samples
{
    /// <summary>How many samples a property takes.</summary>
    public const int Cases = 150;

    /// <summary>The samples must grow with FsCheck's size but stay deterministic from run to run.</summary>
    public const string Seed = "7,11";

    private static readonly Gen<uint> Number = Gen.Choose(1, 70000).Select(x => (uint)x);
    private static readonly Gen<byte> Octet = Gen.Choose(0, 255).Select(x => (byte)x);

    private static readonly string[] NextHops =
    [
        "c0000201", "20010db8000000000000000000000001", "20010db8000000000000000000000001fe800000000000000000000000000001",
    ];

    /// <summary>Attributes by their type; the next hop among them has 4, 16 or 32 octets. As an internal peer sends them.</summary>
    public static Gen<SortedDictionary<byte, byte[]>> AttributeSets =>
        from origin in Gen.Choose(0, 2)
        from path in Path
        from nextHop in Gen.Elements(NextHops)
        from optional in Gen.SubListOf(Optional.Keys.ToArray())
        from values in Gen.CollectToSequence(optional, type => Optional[type].Select(value => KeyValuePair.Create(type, value)))
        select Join(values.ToDictionary(), [(byte)origin], path, Convert.FromHexString(nextHop));

    private static SortedDictionary<byte, byte[]> Join(Dictionary<byte, byte[]> optional, byte[] origin, byte[] path, byte[] nextHop) =>
        new(optional) { [1] = origin, [2] = path, [3] = nextHop };

    public static Gen<byte[]> Canonical => AttributeSets.Select(x => Octets(x));

    /// <summary>At least one prefix, the default route.</summary>
    public static Gen<byte[]> Nlri(IpFamily family, bool addPath = false) =>
        PrefixOf(family, addPath).ListOf().Select(x => (byte[])[.. x.SelectMany(y => y), .. addPath ? new byte[4] : [], 0]);

    /// <summary>None that nobody may announce.</summary>
    private static Gen<byte[]> PrefixOf(IpFamily family, bool addPath) =>
        from length in Gen.Choose(0, family.Bits())
        from id in Gen.ArrayOf(Octet, addPath ? 4 : 0)
        from first in family == IpFamily.IPv4 ? Gen.OneOf(Gen.Choose(1, 126), Gen.Choose(128, 223)) : Gen.Choose(1, 0xfd)
        from others in Gen.ArrayOf(Octet, Math.Max(0, (length + 7) / 8 - 1))
        select (byte[])[.. id, (byte)length, .. length > 0 ? new[] { (byte)first } : [], .. others];

    private static Gen<byte[]> Path => SomeSegment.ListOf().Select(x => (byte[])[.. Segment(2, [65001]), .. x.Take(4).SelectMany(y => y)]);

    private static Gen<byte[]> SomeSegment =>
        from type in Gen.Choose(1, 2)
        from count in Gen.OneOf(Gen.Choose(1, 5), Gen.Constant(255))
        from numbers in Gen.ArrayOf(Number, count)
        select Segment((byte)type, numbers);

    /// <summary>Beside the mandatory three, everything that crosses an internal session unchanged.</summary>
    private static readonly Dictionary<byte, Gen<byte[]>> Optional = new()
    {
        [4] = Gen.ArrayOf(Octet, 4),
        [5] = Gen.ArrayOf(Octet, 4),
        [6] = Gen.Constant(Array.Empty<byte>()),
        [7] = Number.Zip(Gen.ArrayOf(Octet, 4), (asn, id) => (byte[])[.. Big(asn), .. id]),
        [8] = Items(4),
        [9] = Gen.ArrayOf(Octet, 4),
        [10] = Items(4),
        [16] = Items(8),
        [25] = Items(20),
        [26] = Gen.ArrayOf(Octet, 8).Select(x => (byte[])[1, 0, 11, .. x]),
        [32] = Items(12),
        [35] = Number.Select(x => Big(x)),
        [99] = Gen.Choose(0, 400).SelectMany(x => Gen.ArrayOf(Octet, x)),
        [250] = Gen.Choose(0, 4).SelectMany(x => Gen.ArrayOf(Octet, x)),
    };

    private static Gen<byte[]> Items(int size) =>
        Gen.OneOf(Gen.Choose(1, 4), Gen.Choose(20, 90)).SelectMany(x => Gen.ArrayOf(Octet, x * size));

    public static byte[] Big(uint value)
    {
        var octets = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(octets, value);
        return octets;
    }

    public static byte[] Segment(byte type, params IReadOnlyCollection<uint> numbers) =>
        [type, (byte)numbers.Count, .. numbers.SelectMany(Big)];

    /// <summary>In the order given, each with its kind's flags.</summary>
    public static byte[] Octets(IEnumerable<KeyValuePair<byte, byte[]>> attributes) =>
        [.. attributes.SelectMany(x => Attribute(x.Key, x.Value))];

    private static byte[] Attribute(byte type, byte[] value)
    {
        var flags = type switch { 1 or 2 or 3 or 5 or 6 => 0x40, 4 or 9 or 10 or 26 => 0x80, 99 or 250 => 0xe0, _ => 0xc0 };
        return value.Length > 255
            ? [(byte)(flags | 0x10), type, (byte)(value.Length >> 8), (byte)value.Length, .. value]
            : [(byte)flags, type, (byte)value.Length, .. value];
    }

    /// <summary>An UPDATE's body.</summary>
    public static byte[] Body(ReadOnlySpan<byte> withdrawn, ReadOnlySpan<byte> attributes, ReadOnlySpan<byte> nlri) =>
        [(byte)(withdrawn.Length >> 8), (byte)withdrawn.Length, .. withdrawn, (byte)(attributes.Length >> 8), (byte)attributes.Length,
            .. attributes, .. nlri];

    /// <summary>Whole messages out of what an encoder wrote.</summary>
    public static List<byte[]> Split(ReadOnlySpan<byte> octets)
    {
        var messages = new List<byte[]>();
        while (!octets.IsEmpty)
        {
            Assert.Null(MessageHeader.Check(octets, true, out var type, out var length));
            Assert.Equal(MessageType.Update, type);
            messages.Add(octets[..length].ToArray());
            octets = octets[length..];
        }
        return messages;
    }

    public static List<byte[]> Announce(EncodeContext context, IpFamily family, byte[] attributes, byte[] nlri)
    {
        var into = new ArrayBufferWriter<byte>();
        return new UpdateEncoder(context).Announce(family, attributes, nlri, into) ? Split(into.WrittenSpan) : [];
    }

    public static AttributeSummary Summary(ReadOnlySpan<byte> canonical) => new AttributeView(canonical).Summarize();
}
