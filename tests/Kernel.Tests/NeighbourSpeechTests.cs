using Calico.Bgp.Kernel.Neighbours;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Tests;

public class NeighbourSpeechTests
{
    private static readonly MacAddress Ours = new(0x0200000000aa);
    private static readonly Address Claimed = Address.Parse("172.20.0.64"), Asker = Address.Parse("172.20.0.254"),
        Six = Address.Parse("fd20::64");

    private const string Question = "ffffffffffff" + "0200000000bb" + "0806" + "0001" + "0800" + "0604" + "0001" + "0200000000bb"
        + "ac1400fe" + "000000000000" + "ac140040";

    private static string Hex(byte[] octets) => Convert.ToHexStringLower(octets);

    [Fact]
    public void An_announcement_goes_to_everybody_as_a_question_for_what_the_asker_has() => Assert.Equal(
        "ffffffffffff" + "0200000000aa" + "0806" + "0001" + "0800" + "06" + "04" + "0001" + "0200000000aa" + "ac140040" + "000000000000"
            + "ac140040", Hex(NeighbourSpeech.Announcement(Claimed, Ours)));

    [Fact]
    public void A_question_is_read_and_answered_to_whoever_has_asked()
    {
        var question = Convert.FromHexString(Question);
        Assert.True(NeighbourSpeech.TryReadQuestion(question, out var asked, out var asker, out var mac));
        Assert.Equal((Claimed, Asker), (asked, asker));
        Assert.Equal(
            "0200000000bb" + "0200000000aa" + "0806" + "0001" + "0800" + "0604" + "0002" + "0200000000aa" + "ac140040" + "0200000000bb"
                + "ac1400fe",
            Hex(NeighbourSpeech.Answer(asked, Ours, asker, mac)));
    }

    [Theory]
    [InlineData(21, 2)] // an answer
    [InlineData(13, 0)] // no ARP
    [InlineData(18, 8)] // no MAC address
    [InlineData(41, 254)] // who asks for what he has announces it
    public void What_is_no_question_is_passed_over(int at, byte octet)
    {
        var frame = Convert.FromHexString(Question);
        frame[at] = octet;
        Assert.False(NeighbourSpeech.TryReadQuestion(frame, out _, out _, out _));
        Assert.False(NeighbourSpeech.TryReadQuestion(frame.AsSpan(0, 41), out _, out _, out _));
    }

    [Fact]
    public void An_advertisement_overrides_what_was_known_and_says_whether_it_was_asked_for()
    {
        const string six = "fd200000000000000000000000000064";
        Assert.Equal("88000000" + "20000000" + six + "0201" + "0200000000aa", Hex(NeighbourSpeech.Advertise(Six, Ours, isAsked: false)));
        Assert.Equal("88000000" + "60000000" + six + "0201" + "0200000000aa", Hex(NeighbourSpeech.Advertise(Six, Ours, isAsked: true)));
        Assert.Equal("ff02::1:ff00:64", $"{NeighbourSpeech.SolicitedGroup(Six)}");
    }

    private const string Solicitation = "3333ff000064" + "0200000000bb" + "86dd" + "60000000" + "0020" + "3a" + "ff"
        + "fd2000000000000000000000000000fe" + "ff0200000000000000000001ff000064" + "87000000" + "00000000"
        + "fd200000000000000000000000000064" + "0101" + "0200000000bb";

    [Fact]
    public void A_solicitation_is_read()
    {
        Assert.True(NeighbourSpeech.TryReadSolicitation(Convert.FromHexString(Solicitation), out var asked, out var asker));
        Assert.Equal((Six, Address.Parse("fd20::fe")), (asked, asker));
    }

    [Theory]
    [InlineData(54, 136)] // an advertisement
    [InlineData(55, 1)] // no code that there is
    [InlineData(21, 254)] // it has come from farther
    [InlineData(20, 17)] // no ICMPv6
    public void What_is_no_solicitation_is_passed_over(int at, byte octet)
    {
        var frame = Convert.FromHexString(Solicitation);
        frame[at] = octet;
        Assert.False(NeighbourSpeech.TryReadSolicitation(frame, out _, out _));
        Assert.False(NeighbourSpeech.TryReadSolicitation(Convert.FromHexString(Solicitation).AsSpan(0, 77), out _, out _));
    }
}
