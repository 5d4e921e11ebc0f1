namespace Calico.Bgp.Bfd.Tests;

/// <summary>RFC 5880 section 4.1, and what of section 6.8.6's list needs no session.</summary>
public class ControlPacketTests
{
    // Version 1, no diagnostic; Up; multiplier 3; 24 octets; 00000001 says to 00000002: 50 ms, 50 ms, no echo.
    private const string Sound = "20 c0 03 18 00000001 00000002 0000c350 0000c350 00000000";

    [Fact]
    public void A_packet_is_read_as_the_rfc_draws_it()
    {
        Assert.Equal(Discard.None, Read("28 f0 05 18 0a0b0c0d 01020304 000186a0 00002710 00000007", out var packet));
        Assert.Equal(new(
            (BfdDiagnostic)8, BfdState.Up, ControlFlags.Poll | ControlFlags.Final, 5, 0x0a0b0c0d, 0x01020304, 100_000, 10_000), packet);
    }

    [Fact]
    public void What_is_written_is_read_again()
    {
        Assert.Equal(Discard.None, Read(Sound, out var packet));
        var again = new byte[ControlPacket.Octets];
        packet.Write(again);
        Assert.Equal(Octets(Sound), again);
    }

    [Theory]
    [InlineData("20 c0 03 18 00000001 00000002 0000c350 0000c350 000000", Discard.TooShort)]
    [InlineData("", Discard.TooShort)]
    [InlineData("00 c0 03 18 00000001 00000002 0000c350 0000c350 00000000", Discard.Version)]
    [InlineData("40 c0 03 18 00000001 00000002 0000c350 0000c350 00000000", Discard.Version)]
    [InlineData("20 c0 03 17 00000001 00000002 0000c350 0000c350 00000000", Discard.Length)]          // less than the fields
    [InlineData("20 c0 03 19 00000001 00000002 0000c350 0000c350 00000000", Discard.Length)]          // more than came
    [InlineData("20 c4 03 18 00000001 00000002 0000c350 0000c350 00000000", Discard.Length)]          // the A bit, and no section
    [InlineData("20 c4 03 1a 00000001 00000002 0000c350 0000c350 00000000 0000", Discard.Authentication)]
    [InlineData("20 c0 00 18 00000001 00000002 0000c350 0000c350 00000000", Discard.Multiplier)]
    [InlineData("20 c1 03 18 00000001 00000002 0000c350 0000c350 00000000", Discard.Multipoint)]
    [InlineData("20 c0 03 18 00000000 00000002 0000c350 0000c350 00000000", Discard.MyDiscriminator)]
    [InlineData("20 c0 03 18 00000001 00000000 0000c350 0000c350 00000000", Discard.YourDiscriminator)] // Up knows us
    [InlineData("20 80 03 18 00000001 00000000 0000c350 0000c350 00000000", Discard.YourDiscriminator)] // Init too
    [InlineData("20 40 03 18 00000001 00000000 0000c350 0000c350 00000000", Discard.None)]            // Down need not
    [InlineData("27 00 03 18 00000001 00000000 0000c350 0000c350 00000000", Discard.None)]            // nor AdminDown
    [InlineData("20 c0 03 18 00000001 00000002 0000c350 0000c350 00000000 ffff", Discard.None)]       // what follows is nobody's
    public void Rfc5880_6_8_6_says_what_is_discarded(string hex, object expected) => Assert.Equal(expected, Read(hex, out _));

    private static Discard Read(string hex, out ControlPacket packet) => ControlPacket.Read(Octets(hex), out packet);

    private static byte[] Octets(string hex) => Convert.FromHexString(hex.Replace(" ", ""));
}
