using System.Buffers;
using Calico.Bgp.Net;
using static Calico.Bgp.Wire.Tests.Hex;

namespace Calico.Bgp.Wire.Tests;

public class UpdateEncoderTests
{
    private const string Marker = "ffffffffffffffffffffffffffffffff";
    private const string Mandatory = "40 01 01 00 40 02 06 02 01 0000fdea 40 03 04 0a630001";
    private static readonly EncodeContext New = new(true, 4096, false, FamilySet.None);

    private static string Announce(EncodeContext context, IpFamily family, string attributes, string nlri) =>
        string.Join(" | ", Samples.Announce(context, family, Octets(attributes), Octets(nlri)).Select(x => Text(x)));

    private static string Write(Action<UpdateEncoder, ArrayBufferWriter<byte>> write)
    {
        var into = new ArrayBufferWriter<byte>();
        write(new(New), into);
        return Text(into.WrittenSpan);
    }

    private static string Same(string hex) => Text(Octets(hex));

    [Fact]
    public void IPv4_goes_into_the_fields_of_Rfc4271() =>
        Assert.Equal(Same(Marker + "002f 02 0000 0014" + Mandatory + "18 c61201"), Announce(New, IpFamily.IPv4, Mandatory, "18 c61201"));

    [Fact]
    public void IPv6_goes_into_MP_REACH_which_comes_first() =>
        Assert.Equal(
            Same(Marker + "0043 02 0000 002c 80 0e 1c 0002 01 10 20010db8000000000000000000000001 00 30 20010db80001"
                + "40 01 01 00 40 02 06 02 01 0000fdea"),
            Announce(New, IpFamily.IPv6, "40 01 01 00 40 02 06 02 01 0000fdea 40 03 10 20010db8000000000000000000000001",
                "30 20010db80001"));

    [Theory]
    [InlineData(true, true)]
    [InlineData(false, false)]
    public void Rfc8950_puts_IPv4_behind_an_IPv6_next_hop_where_the_peer_can_take_it(bool can, bool written)
    {
        var seen = Announce(New with { ExtendedNextHop = can }, IpFamily.IPv4,
            "40 01 01 00 40 02 00 40 03 10 20010db8000000000000000000000001", "18 c61201");
        Assert.Equal(written, seen.Contains(Same("0001 01 10 20010db8000000000000000000000001 00 18 c61201"), StringComparison.Ordinal));
    }

    [Fact]
    public void A_prefix_behind_the_wrong_kind_of_next_hop_is_not_sent() =>
        Assert.Equal("", Announce(New, IpFamily.IPv6, Mandatory, "30 20010db80001"));

    [Theory]
    [InlineData("40 02 0a 02 02 0000fdea 00011170", "40 02 06 02 02 fdea 5ba0", "c0 11 0a 02 02 0000fdea 00011170")]
    [InlineData("40 02 0a 02 02 0000fdea 0000fdeb", "40 02 06 02 02 fdea fdeb", "")]
    [InlineData("40 02 0c 03 01 00011170 02 01 00011171", "40 02 08 03 01 5ba0 02 01 5ba0", "c0 11 06 02 01 00011171")]
    public void Rfc6793_4_2_2_tells_an_old_speaker_AS_TRANS_and_the_truth_beside_it(string path, string said, string truth)
    {
        var rest = "40 03 04 0a630001 c0 07 08 00011170 0a000001 c0 20 0c 000000010000000200000003";
        var narrow = "40 01 01 00" + said + "40 03 04 0a630001 c0 07 06 5ba0 0a000001" + truth
            + "c0 12 08 00011170 0a000001 c0 20 0c 000000010000000200000003";
        Assert.EndsWith(Same(narrow + "18 c61201"), Announce(New with { FourOctetAs = false }, IpFamily.IPv4, "40 01 01 00" + path + rest,
            "18 c61201"), StringComparison.Ordinal);
    }

    [Fact]
    public void Withdrawals_and_end_of_rib_are_of_their_family()
    {
        Assert.Equal(Same(Marker + "001b 02 0004 18 c61201 0000"),
            Write((x, into) => x.Withdraw(IpFamily.IPv4, Octets("18 c61201"), into)));
        Assert.Equal(Same(Marker + "0021 02 0000 000a 80 0f 07 0002 01 18 20010d"),
            Write((x, into) => x.Withdraw(IpFamily.IPv6, Octets("18 20010d"), into)));
        Assert.Equal(Same(Marker + "0017 02 0000 0000"), Write((x, into) => x.EndOfRib(IpFamily.IPv4, into)));
        Assert.Equal(Same(Marker + "001d 02 0000 0006 80 0f 03 0002 01"), Write((x, into) => x.EndOfRib(IpFamily.IPv6, into)));
    }

    [Theory]
    [InlineData(4096, 2)]
    [InlineData(65535, 1)]
    public void Two_thousand_prefixes_of_one_set_take_as_few_messages_as_can_be(int max, int messages)
    {
        byte[] nlri = [.. Enumerable.Range(0, 2000).SelectMany(i => (byte[])[16, (byte)(i >> 8), (byte)i])];
        var sent = Samples.Announce(New with { MaxMessageLength = max }, IpFamily.IPv4, Octets(Mandatory), nlri);
        Assert.Equal(messages, sent.Count);
    }

    [Theory]
    [InlineData(4000, true)]
    [InlineData(4100, false)]
    public void Attributes_that_no_message_holds_are_withheld(int octets, bool written)
    {
        byte[] attributes = [.. Octets(Mandatory), 0xf0, 99, (byte)(octets >> 8), (byte)octets, .. new byte[octets]];
        Assert.Equal(written, Samples.Announce(New, IpFamily.IPv4, attributes, Octets("18 c61201")).Count > 0);
    }

    [Fact]
    public void Encoding_allocates_nothing()
    {
        var encoder = new UpdateEncoder(New with { FourOctetAs = false });
        var into = new OutBuffer();
        var (attributes, nlri) = (Octets(Mandatory + "c0 07 08 00011170 0a000001"), Octets("18 c61201"));
        encoder.Announce(IpFamily.IPv4, attributes, nlri, into);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) encoder.Announce(IpFamily.IPv4, attributes, nlri, into);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        into.Release();
    }
}
