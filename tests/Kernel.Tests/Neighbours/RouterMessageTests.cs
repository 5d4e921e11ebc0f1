using Calico.Bgp.Kernel.Neighbours;
using Calico.Bgp.Net;
using FsCheck;
using FsCheck.Fluent;

namespace Calico.Bgp.Kernel.Tests.Neighbours;

public class RouterMessageTests
{
    private static readonly MacAddress Mac = new(0xdedda9a11a74);
    private static readonly Address Neighbour = Address.Parse("fe80::2");

    // +------+------+----------+----------+----------+----------+--------------+----------------+-----------------------+
    // | 134  | code | checksum | hop lim. | flags    | lifetime | reachable 32 | retransmit 32  | source link-layer     |
    // +------+------+----------+----------+----------+----------+--------------+----------------+-----------------------+
    [Fact]
    public void An_advertisement_says_that_there_is_a_router_and_that_it_is_nobodys_way_out()
    {
        Assert.Equal("8600000000000000000000000000000001 01dedda9a11a74".Replace(" ", ""),
            Convert.ToHexStringLower(RouterMessage.Advertisement(Mac)));
        Assert.Equal("86000000000000000000000000000000", Convert.ToHexStringLower(RouterMessage.Advertisement(null)));
    }

    [Fact]
    public void A_solicitation_says_who_asks() =>
        Assert.Equal("85000000000000000101dedda9a11a74", Convert.ToHexStringLower(RouterMessage.Solicitation(Mac)));

    [Theory]
    // FRR's: hop limit 64, lifetime 0, with its link-layer address
    [InlineData("86004d21 40000000 00000000 00000000 01014ac7ebd2b2f3", "fe80::2", RouterWord.Advertisement)]
    // BIRD's, with a prefix and an MTU
    [InlineData("86000000 40000708 00000000 00000000 030440c0 00015180 00003840 00000000 20010db8000000000000000000000000"
        + "05010000000005dc", "fe80::2", RouterWord.Advertisement)]
    [InlineData("85000000 00000000", "::", RouterWord.Solicitation)]
    public void What_others_send_is_read(string hex, string from, RouterWord what)
    {
        Assert.True(RouterMessage.TryRead(Octets.Of(hex), Address.Parse(from), out var read));
        Assert.Equal(what, read);
    }

    [Theory]
    [InlineData("86000000 40000000 00000000 000000", "fe80::2")]                              // one octet is missing
    [InlineData("86010000 40000000 00000000 00000000", "fe80::2")]                            // code 1
    [InlineData("86000000 40000000 00000000 00000000", "2001:db8::2")]                        // no router's own address
    [InlineData("86000000 40000000 00000000 00000000 01004ac7ebd2b2f3", "fe80::2")]           // an option without length
    [InlineData("86000000 40000000 00000000 00000000 01024ac7ebd2b2f3", "fe80::2")]           // an option beyond the end
    [InlineData("86000000 40000000 00000000 00000000 01", "fe80::2")]                         // half an option
    [InlineData("85000000 00000000 01014ac7ebd2b2f3", "::")]                                  // from nobody, with a link-layer address
    [InlineData("88000000 00000000 00000000 00000000", "fe80::2")]                            // a neighbour advertisement
    public void What_the_rfc_has_dropped_is_dropped(string hex, string from) =>
        Assert.False(RouterMessage.TryRead(Octets.Of(hex), Address.Parse(from), out _));

    [Fact]
    public void No_octets_make_the_reader_throw() => Prop.ForAll<byte[], byte>((octets, type) =>
    {
        if (octets.Length > 0) octets[0] = (byte)(133 + type % 2);
        RouterMessage.TryRead(octets, Neighbour, out _);
    }).QuickCheckThrowOnFailure();
}
