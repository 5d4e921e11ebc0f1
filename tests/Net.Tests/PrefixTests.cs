namespace Calico.Bgp.Net.Tests;

public class PrefixTests
{
    [Theory]
    [InlineData("10.0.0.0/8", "10.255.255.255")]
    [InlineData("192.0.2.1/32", "192.0.2.1")]
    [InlineData("0.0.0.0/0", "255.255.255.255")]
    [InlineData("2001:db8::/32", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff")]
    [InlineData("2001:db8::/65", "2001:db8::7fff:ffff:ffff:ffff")]
    [InlineData("2001:db8::1/128", "2001:db8::1")]
    [InlineData("::/0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")]
    public void The_last_address_has_ones_where_the_prefix_says_nothing(string prefix, string last) =>
        Assert.Equal(Address.Parse(last), Prefix.Parse(prefix).Last);

    [Theory]
    [InlineData("2001:db8::1", "2001:db8::1", 128)]
    [InlineData("2001:db8::1", "2001:db8::", 127)]
    [InlineData("2001:db8::", "2001:db8:0:0:8000::", 64)]
    [InlineData("10.0.0.0", "10.0.0.1", 31)]
    [InlineData("10.0.0.0", "138.0.0.0", 0)]
    public void Common_bits_are_counted_from_the_first(string one, string other, int bits) =>
        Assert.Equal(bits, Address.Parse(one).CommonBits(Address.Parse(other)));

    [Fact]
    public void Masks_of_every_length_keep_the_first_bits_alone()
    {
        var ones = Address.Parse("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
        for (var length = 0; length <= 128; length++)
            Assert.Equal(length == 0 ? 0 : UInt128.MaxValue << (128 - length), ones.Masked(length).Bits);
    }

    [Theory]
    [InlineData("10.0.0.0/08")]
    [InlineData("010.0.0.0/8")]
    [InlineData("2001:db8::/032")]
    public void A_number_with_a_needless_zero_in_front_is_no_part_of_a_prefix(string text) => Assert.False(Prefix.TryParse(text, out _));

    [Fact]
    public void The_default_route_has_the_length_0() => Assert.True(Prefix.TryParse("0.0.0.0/0", out _));
}
