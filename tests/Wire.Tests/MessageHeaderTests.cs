using Calico.Bgp.Wire.Messages;
using static Calico.Bgp.Wire.Tests.Hex;

namespace Calico.Bgp.Wire.Tests;

public class MessageHeaderTests
{
    private const string Marker = "ffffffffffffffffffffffffffffffff";

    private static string Check(string header, bool extended = false) =>
        MessageHeader.Check(Octets(header), extended, out _, out _) is { } error
            ? $"{(byte)error.Code}/{error.Subcode}:{Convert.ToHexStringLower(error.Data.Span)}"
            : "good";

    [Theory]
    [InlineData("0013 04", "good")]
    [InlineData("0014 04", "1/2:0014")]
    [InlineData("001d 01", "good")]
    [InlineData("001c 01", "1/2:001c")]
    [InlineData("0016 02", "1/2:0016")]
    [InlineData("0017 02", "good")]
    [InlineData("0014 03", "1/2:0014")]
    [InlineData("0016 05", "1/2:0016")]
    [InlineData("0012 04", "1/2:0012")]
    [InlineData("0000 02", "1/2:0000")]
    [InlineData("1000 02", "good")]
    [InlineData("1001 02", "1/2:1001")]
    [InlineData("0013 00", "1/3:00")]
    [InlineData("0013 06", "1/3:06")]
    public void Rfc4271_6_1_gives_a_bad_header_its_subcode_and_data(string tail, string expected) =>
        Assert.Equal(expected, Check(Marker + tail));

    [Theory]
    [InlineData("ffff 02", "good")]
    [InlineData("1001 03", "good")]
    [InlineData("1001 01", "1/2:1001")]
    [InlineData("1001 04", "1/2:1001")]
    public void Rfc8654_lets_all_but_OPEN_and_KEEPALIVE_grow(string tail, string expected) =>
        Assert.Equal(expected, Check(Marker + tail, true));

    [Fact]
    public void A_marker_that_is_not_all_ones_is_1_1() => Assert.Equal("1/1:", Check("fffffffffffffffffffffffffffffffe" + "0013 04"));

    [Fact]
    public void A_keepalive_is_a_header() => Assert.Equal(Octets(Marker + "0013 04"), Keepalive.Octets.ToArray());
}
