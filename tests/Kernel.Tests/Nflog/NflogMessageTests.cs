using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Kernel.Nflog;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Tests.Nflog;

/// <summary>What a kernel with CONFIG_NETFILTER_NETLINK_GLUE_CT tells of a logged packet's connection.</summary>
public class NflogMessageTests
{
    private const byte Tcp = 6, Forward = 2;

    /// <summary>A packet from 10.0.0.9 to 10.65.0.3:80.</summary>
    private static readonly byte[] Packet =
    [
        0x45, 0, 0, 40, 0, 0, 0, 0, 64, Tcp, 0, 0, 10, 0, 0, 9, 10, 65, 0, 3,
        0x9c, 0x40, 0, 80, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 2, 0, 0, 0, 0, 0, 0,
    ];

    /// <param name="asked">The destination that its client said; null: the connection is not told.</param>
    /// <param name="info">enum ip_conntrack_info.</param>
    private static NflogEntry Read(byte[]? asked, ushort port, uint info)
    {
        var message = new NetlinkMessage(NflogMessage.Logged, NetlinkFlags.Request).Header(new NetfilterHeader(2, 0, 0))
            .Attribute(1, [0x08, 0, Forward, 0]).Attribute(9, Packet).Attribute(10, "denied\0"u8);
        if (asked != null)
        {
            using (message.OpenNested(18)) // CT
            using (message.OpenNested(1))  // TUPLE_ORIG
            {
                using (message.OpenNested(1)) message.Attribute(1, [10, 0, 0, 9]).Attribute(2, asked);
                using (message.OpenNested(2)) message.Attribute(1, [Tcp]).Attribute(3, [(byte)(port >> 8), (byte)port]);
            }
            message.BigEndian(19, info);
        }
        Assert.True(NflogMessage.TryRead(message.Numbered(1).Span[16..], out var entry));
        return entry;
    }

    [Theory]
    [InlineData(2u, true)]
    [InlineData(0u, true)]
    [InlineData(3u, false)] // an answer: what its client asked for is where it comes from
    public void Where_the_destination_was_translated_what_the_client_asked_for_is_told(uint info, bool isTold) =>
        Assert.Equal(isTold ? new AskedEnd(Address.Parse("10.96.0.10"), 443) : null, Read([10, 96, 0, 10], 443, info).Asked);

    [Fact]
    public void Another_port_of_the_same_address_is_a_translation_too() =>
        Assert.Equal(new AskedEnd(Address.Parse("10.65.0.3"), 8080), Read([10, 65, 0, 3], 8080, 2).Asked);

    [Fact]
    public void What_goes_where_it_was_sent_has_asked_for_nothing_else()
    {
        Assert.Null(Read([10, 65, 0, 3], 80, 2).Asked);
        Assert.Null(Read(null, 0, 2).Asked);
    }
}
