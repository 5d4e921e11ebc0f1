using Calico.Bgp.Dataplane.Dns;
using Calico.Bgp.Net;
using FsCheck;
using FsCheck.Fluent;

namespace Calico.Bgp.Dataplane.Tests.Dns;

public class DnsPacketTests
{
    private const string Udp = "0035 8000 000a 0000 abcd", Tcp = "0035 8000 00000007 00000000 5018 0000 00000000 abcd",
        Four = "0a000001 0a000002", Six = "fd000000000000000000000000000001 fd000000000000000000000000000002";

    public static readonly TheoryData<string, bool, string> Packets = new()
    {
        { "45000020 00000000 4011 0000" + Four + Udp, false, "abcd" },
        // Behind the packet's end, and behind the datagram's, is padding.
        { "4500001e 00000000 4011 0000" + Four + Udp + "eeee", false, "abcd" },
        { "45000020 00000000 4011 0000" + Four + Udp + "eeee", false, "abcd" },
        { "46000024 00000000 4011 0000" + Four + "01010101" + Udp, false, "abcd" },
        { "4500002a 00000000 4006 0000" + Four + Tcp, true, "abcd" },
        // What the kernel has put together to more than 64 KiB says no length.
        { "45000000 00000000 4006 0000" + Four + Tcp, true, "abcd" },
        { "60000000 000a 11 40" + Six + Udp, false, "abcd" },
        { "60000000 0012 00 40" + Six + "1100010400000000" + Udp, false, "abcd" },
        { "60000000 0016 06 40" + Six + Tcp, true, "abcd" },
    };

    private static byte[] Octets(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));

    [Theory]
    [MemberData(nameof(Packets))]
    public void What_UDP_and_TCP_carry_is_found_in_both_families(string hex, bool isTcp, string data)
    {
        Assert.True(DnsPacket.TryRead(Octets(hex), out var packet));
        Assert.Equal((isTcp, 0x35, 0x8000, data, isTcp ? 7u : 0),
            (packet.IsTcp, packet.SourcePort, packet.DestinationPort, Convert.ToHexStringLower(packet.Data), packet.Sequence));
        Assert.Equal(packet.Source.IsIPv4 ? (Address.Parse("10.0.0.1"), Address.Parse("10.0.0.2"))
            : (Address.Parse("fd00::1"), Address.Parse("fd00::2")), (packet.Source, packet.Destination));
    }

    [Theory]
    [InlineData("")]
    [InlineData("45000020 00002001 4011 0000" + Four + Udp)]
    [InlineData("45000020 00002000 4011 0000" + Four + Udp)]
    [InlineData("45000020 00000000 4001 0000" + Four + Udp)]
    [InlineData("45000020 00000000 4011 0000" + Four + "0035 8000 000b 0000 abcd")]
    [InlineData("45000020 00000000 4011 0000" + Four + "0035 8000 0007 0000 abcd")]
    [InlineData("45000028 00000000 4006 0000" + Four + "0035 8000 00000007 00000000 6018 0000 00000000")]
    [InlineData("60000000 0012 00 40" + Six + "1101010400000000" + "0035 8000")]
    [InlineData("60000000 000a 2c 40" + Six + Udp)]
    public void What_is_a_fragment_cut_off_or_something_else_is_none(string hex) =>
        Assert.False(DnsPacket.TryRead(Octets(hex), out _));

    [Fact]
    public void No_octets_make_it_throw() => Prop.ForAll<byte[], bool>((octets, six) =>
    {
        if (octets.Length > 0) octets[0] = (byte)(six ? 0x60 : 0x45);
        DnsPacket.TryRead(octets, out _);
    }).QuickCheckThrowOnFailure();
}
