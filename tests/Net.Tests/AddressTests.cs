namespace Calico.Bgp.Net.Tests;

public class AddressTests
{
    [Theory]
    [InlineData("192.0.2.1")]
    [InlineData("0.0.0.0")]
    [InlineData("2001:db8::1")]
    [InlineData("::")]
    [InlineData("fe80::1")]
    public void An_address_is_written_as_it_was_read(string text) => Assert.Equal(text, Address.Parse(text).ToString());

    [Theory]
    [InlineData("1")]
    [InlineData("10.1")]
    [InlineData("0x7f.0.0.1")]
    [InlineData("192.0.2.256")]
    [InlineData("fe80::1%eth0")]
    [InlineData("")]
    [InlineData("2001:db8::1::")]
    public void What_no_router_writes_is_no_address(string text) => Assert.False(Address.TryParse(text, out _));

    [Theory]
    [InlineData("10.1.2.3/8", "10.0.0.0/8")]
    [InlineData("2001:db8::ff/64", "2001:db8::/64")]
    [InlineData("0.0.0.0/0", "0.0.0.0/0")]
    public void A_prefix_clears_its_host_bits(string text, string expected) => Assert.Equal(expected, Prefix.Parse(text).ToString());

    [Theory]
    [InlineData("10.0.0.0/33")]
    [InlineData("10.0.0.0")]
    [InlineData("10.0.0.0/-1")]
    [InlineData("10.0.0.0/ 8")]
    [InlineData("2001:db8::/129")]
    public void What_is_no_prefix_is_refused(string text) => Assert.False(Prefix.TryParse(text, out _));

    [Theory]
    [InlineData("fe80::1", true)]
    [InlineData("febf::1", true)]
    [InlineData("fec0::1", false)]
    [InlineData("169.254.0.1", false)]
    public void Link_local_is_fe80_10(string text, bool expected) => Assert.Equal(expected, Address.Parse(text).IsLinkLocal);

    [Theory]
    [InlineData("4200000000", 4200000000)]
    [InlineData("64086.59904", 4200000000)]
    [InlineData("0.1", 1)]
    public void An_AS_number_may_be_written_with_a_dot(string text, uint expected)
    {
        Assert.True(Asn.TryParse(text, out var asn));
        Assert.Equal(expected, asn.Value);
    }

    [Fact]
    public void A_mac_address_is_written_with_colons() =>
        Assert.Equal("02:00:5e:10:00:ff", MacAddress.FromOctets([2, 0, 0x5e, 0x10, 0, 0xff]).ToString());

    [Theory]
    [InlineData("010.0.0.9")] // octal to inet_aton(3): 8.0.0.9
    [InlineData("10.0.0.09")]
    [InlineData("10.00.0.9")]
    [InlineData("::ffff:010.0.0.9")]
    public void A_number_with_a_needless_zero_in_front_is_no_part_of_an_address(string text) => Assert.False(Address.TryParse(text, out _));

    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("10.0.0.100")]
    [InlineData("100.200.0.10")]
    [InlineData("::ffff:10.0.0.9")]
    [InlineData("2001:0db8::0009")]
    public void Other_zeros_are(string text) => Assert.True(Address.TryParse(text, out _));
}
