using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Wire.Tests;

/// <summary>
/// Every attribute code with every combination of flags and many lengths (the shape of CVE-2023-38283 and its like): a session
/// ends only for an unrecognised well-known attribute (RFC 4271 section 6.3) and for prefixes that cannot be told
/// (RFC 7606 section 3 j).
/// </summary>
public class AttributeSweepTests
{
    private static readonly int[] Lengths = [0, 1, 2, 3, 4, 7, 8, 255, 256, 3000];
    private static readonly byte[] Mandatory = Hex.Octets("40 01 01 00 40 02 06 02 01 0000fdea 40 03 04 0a630002");
    private static readonly HashSet<int> Known =
        [.. Enum.GetValues<AttributeType>().Where(x => x != AttributeType.None).Select(x => (int)x)];

    public static TheoryData<int> Flags() => [.. Enumerable.Range(0, 16).Select(x => x << 4)];

    [Theory]
    [MemberData(nameof(Flags))]
    public void Only_what_an_rfc_names_ends_the_session(int flags)
    {
        foreach (var session in Sessions.All.Where(x => x.AddPathReceive == FamilySet.None))
        {
            var decoder = new UpdateDecoder(session);
            for (var type = 0; type < 256; type++)
                foreach (var length in Lengths)
                    foreach (byte fill in (byte[])[0, 1, 0x40, 0xff]) Sweep(decoder, (byte)flags, type, length, fill);
        }
    }

    private static void Sweep(UpdateDecoder decoder, byte flags, int type, int length, byte fill)
    {
        if (length > 255) flags |= 0x10;
        byte[] header = (flags & 0x10) != 0 ? [flags, (byte)type, (byte)(length >> 8), (byte)length] : [flags, (byte)type, (byte)length];
        byte[] value = [.. Enumerable.Repeat(fill, length)];
        // At the front, so that for the mandatory ones it is the first that counts.
        var update = decoder.Decode(Samples.Body([], [.. header, .. value, .. Mandatory], [24, 198, 18, 1]));
        var subcode = update.Reset?.Subcode ?? 0;
        Assert.True(Expected(type, flags, length).Contains(subcode),
            $"type {type} flags {flags:x2} length {length} filled with {fill:x2}: 3/{subcode}");
    }

    // 0: no reset. What a long MP attribute costs depends on what its octets happen to say.
    private static int[] Expected(int type, byte flags, int length) => type switch
    {
        14 when length < 5 => [9],
        15 when length < 3 => [9],
        14 or 15 => [0, 9],
        _ when !Known.Contains(type) && (flags & 0x80) == 0 => [2],
        _ => [0],
    };
}
