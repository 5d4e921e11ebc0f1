using Calico.Bgp.Kernel.Nflog;
using Calico.Bgp.Kernel.Nftables;
using FsCheck;
using FsCheck.Fluent;

namespace Calico.Bgp.Kernel.Tests.Nflog;

public class PacketOctetsTests
{
    private const string Udp = "0035 0050 000c 0000 01020304";

    public static readonly TheoryData<string, IpProtocol?, int?, int?> Packets = new()
    {
        { "45000020 00000000 40110000 0a000001 0a000002" + Udp, IpProtocol.Udp, 0x35, 0x50 },
        // An option of four octets before the ports.
        { "46000024 00000000 40110000 0a000001 0a000002 01010101" + Udp, IpProtocol.Udp, 0x35, 0x50 },
        // The first fragment has them, a later one does not.
        { "45000020 00002000 40110000 0a000001 0a000002" + Udp, IpProtocol.Udp, 0x35, 0x50 },
        { "45000020 00002001 40110000 0a000001 0a000002" + Udp, IpProtocol.Udp, null, null },
        { "45000020 00000000 40110000 0a000001 0a000002 0035", IpProtocol.Udp, null, null },
        { "45000020 00000000 402f0000 0a000001 0a000002" + Udp, (IpProtocol)47, null, null },
        { Six(17) + Udp, IpProtocol.Udp, 0x35, 0x50 },
        // Hop-by-hop, then destination options of sixteen octets, then a first fragment, and a later one.
        { Six(0) + "3c00010400000000" + "2c01010c0000000000000000 00000000" + "1100000100000000" + Udp, IpProtocol.Udp, 0x35, 0x50 },
        { Six(44) + "1100000900000000" + Udp, IpProtocol.Udp, null, null },
        { Six(51) + "11020000 00000000 00000000 00000000" + Udp, IpProtocol.Udp, 0x35, 0x50 },
        { Six(0) + "3c00", null, null, null },
    };

    private static string Six(byte next) =>
        $"60000000 0010{next:x2}40 fd000000000000000000000000000001 fd000000000000000000000000000002";

    private static byte[] Octets(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));

    [Theory]
    [MemberData(nameof(Packets))]
    public void A_packet_is_read_as_far_as_it_says_something(string hex, IpProtocol? protocol, int? source, int? destination)
    {
        Assert.True(PacketOctets.TryRead(Octets(hex), out var packet));
        Assert.Equal((protocol, source, destination), (packet.Protocol, (int?)packet.SourcePort, (int?)packet.DestinationPort));
        Assert.Contains(packet.Source.ToString(), (string[])["10.0.0.1", "fd00::1"]);
    }

    [Fact]
    public void Of_an_ICMP_message_the_type_and_the_code_are_read()
    {
        Assert.True(PacketOctets.TryRead(Octets("45000020 00000000 40010000 0a000001 0a000002 0301 0000"), out var packet));
        Assert.Equal(((byte?)3, (byte?)1, (ushort?)null), (packet.IcmpType, packet.IcmpCode, packet.DestinationPort));
    }

    /// <summary>Whatever is cut off, put in or turned round, nothing is read beyond the end.</summary>
    [Fact]
    public void No_octets_are_too_odd_to_be_read() => Prop.ForAll(
        (from good in Gen.Elements(Packets.Select(row => Octets((string)row[0])))
         from length in Gen.Choose(0, good.Length)
         from turned in Gen.Choose(0, 8).SelectMany(count => Gen.Choose(0, good.Length - 1).Zip(Gen.Choose(0, 255)).ArrayOf(count))
         select (good, length, turned)).ToArbitrary(), one =>
        {
            var octets = (byte[])one.good.Clone();
            foreach (var (at, value) in one.turned) octets[at] = (byte)value;
            Assert.Equal(PacketOctets.TryRead(octets.AsSpan(0, one.length), out var packet), packet != null);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));
}
