using Calico.Bgp.Kernel.Netlink;

namespace Calico.Bgp.Kernel.Tests.Netlink;

public class NetlinkReaderTests
{
    [Fact]
    public void An_answer_carries_the_kernels_words()
    {
        // errno -101, the request's header (capped), NLMSGERR_ATTR_MSG "Nexthop has invalid gateway"
        var body = Octets.Of("9bffffff 2c000000 1800 0506 01000000 00000000 2000 0100"
            + Convert.ToHexString("Nexthop has invalid gateway\0"u8));
        var answer = new NetlinkAnswer(new NetlinkHeader(0, MessageType.Error, (NetlinkFlags)0x300, 1, 0), body);
        Assert.Equal(101, answer.Errno);
        Assert.Equal("Network is unreachable: Nexthop has invalid gateway", answer.Words);
    }

    [Fact]
    public void Of_want_of_rights_the_capability_is_named()
    {
        var body = Octets.Of("ffffffff 2c000000 1800 0506 01000000 00000000"); // errno -1
        var answer = new NetlinkAnswer(new NetlinkHeader(0, MessageType.Error, (NetlinkFlags)0x100, 1, 0), body);
        Assert.Equal("Operation not permitted (root or CAP_NET_ADMIN is needed)", answer.AdvisedWords);
    }

    [Fact]
    public void Messages_end_at_a_length_that_cannot_be()
    {
        var messages = new NetlinkReader(Octets.Of("14000000 0300 0200 05000000 00000000 00000000"
            + "ff000000 0300 0200 06000000 00000000"));
        Assert.True(messages.Next(out var header, out var body));
        Assert.Equal((5u, 4), (header.Sequence, body.Length));
        Assert.False(messages.Next(out _, out _));
    }

    [Fact]
    public void Nested_attributes_get_their_length_when_they_close()
    {
        var message = new NetlinkMessage();
        using (message.Open(9)) message.Attribute(5, 1u);
        Assert.Equal("0c0009000800050001000000", Octets.Text(message.Attributes));
    }
}
