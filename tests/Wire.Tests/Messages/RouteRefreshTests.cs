using Calico.Bgp.Wire.Messages;
using static Calico.Bgp.Wire.Tests.Hex;

namespace Calico.Bgp.Wire.Tests;

public class RouteRefreshTests
{
    [Fact]
    public void A_request_names_its_family() =>
        Assert.Equal("00 17 05 00 02 00 01", Text(RouteRefreshCodec.Encode(new(Family.IPv6Unicast)).AsSpan(16)));

    [Theory]
    [InlineData("0001 00 01", true)]
    [InlineData("0019 00 41", true)]
    [InlineData("0001 ff 01", true)]
    [InlineData("0001 00 01 0180ffff00", true)]   // RFC 5291's filters, which were not negotiated
    [InlineData("0001 01 01 00", false)]          // RFC 7313 section 5
    [InlineData("0001 00", false)]
    public void Only_a_bracket_of_the_wrong_length_is_an_error(string body, bool good) =>
        Assert.Equal(good, RouteRefreshCodec.Decode(Octets(body), out _) == null);

    [Fact]
    public void Rfc7313_returns_the_message_as_data()
    {
        var error = RouteRefreshCodec.Decode(Octets("0001 02 01 aa"), out _)!;
        Assert.Equal("7/1 ffffffffffffffffffffffffffffffff00180500010201aa",
            $"{(byte)error.Code}/{error.Subcode} {Convert.ToHexStringLower(error.Data.Span)}");
    }
}
