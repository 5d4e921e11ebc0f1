using Calico.Bgp.Wire.Messages;
using static Calico.Bgp.Wire.Tests.Hex;

namespace Calico.Bgp.Wire.Tests;

public class NotificationTests
{
    private static Notification Decode(string body) => NotificationCodec.Decode(Octets(body));

    [Theory]
    [InlineData("04 00", "Hold timer expired")]
    [InlineData("02 02", "Bad peer AS")]
    [InlineData("06 02", "Administrative shutdown")]
    [InlineData("06 02 03 627965", "Administrative shutdown: bye")]
    [InlineData("06 04 04 1b5b306d", "Administrative reset: \\u001b[0m")]  // a terminal would obey
    [InlineData("06 02 09 627965", "Administrative shutdown")]             // CVE-2019-16159: the length octet lies
    [InlineData("06 09 0602", "Hard reset: Administrative shutdown")]
    [InlineData("63 07", "Unknown error 99.7")]
    [InlineData("", "Unknown error 0.0")]
    public void A_notification_says_what_the_rfc_calls_it(string body, string expected) => Assert.Equal(expected, Decode(body).Describe());

    [Fact]
    public void A_shutdown_text_is_cut_at_255_octets_and_never_inside_a_character()
    {
        var sent = Notification.Cease(CeaseSubcode.AdministrativeShutdown, new string('é', 200));
        Assert.Equal((254, 255), (sent.Data.Span[0], sent.Data.Length));
        Assert.Equal(new string('é', 127), NotificationCodec.Decode(NotificationCodec.Encode(sent).AsSpan(19)).Text);
    }

    [Fact]
    public void Only_shutdown_and_reset_carry_a_text() =>
        Assert.True(Notification.Cease(CeaseSubcode.PeerDeconfigured, "why").Data.IsEmpty);

    [Fact]
    public void What_was_encoded_is_decoded_the_same()
    {
        var sent = new Notification(ErrorCode.UpdateMessage, 9, Octets("80 0e 00"));
        Assert.Equal("ffffffffffffffffffffffffffffffff001803030980" + "0e00", Convert.ToHexStringLower(NotificationCodec.Encode(sent)));
        Assert.Equal(sent, NotificationCodec.Decode(NotificationCodec.Encode(sent).AsSpan(19)));
    }

    [Fact]
    public void Data_that_no_message_holds_is_cut() =>
        Assert.Equal(4096, NotificationCodec.Encode(new(ErrorCode.UpdateMessage, 2, new byte[9000])).Length);
}
