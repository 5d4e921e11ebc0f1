using Calico.Bgp.Net;
using Calico.Bgp.Wire.Capabilities;
using Calico.Bgp.Wire.Messages;
using FsCheck.Xunit;
using static Calico.Bgp.Wire.Tests.Hex;

namespace Calico.Bgp.Wire.Tests;

public class OpenCodecTests
{
    private static string Decode(string body)
    {
        var refusal = OpenCodec.Decode(Octets(body), out var open);
        return refusal == null
            ? $"AS {open!.MyAs}"
            : $"{(byte)refusal.Code}/{refusal.Subcode}:{Convert.ToHexStringLower(refusal.Data.Span)}";
    }

    [Theory]
    [InlineData("05 fdea 005a 0a630002 00", "2/1:0004")]
    [InlineData("04 fdea 005a 0a630002 00", "AS 65002")]
    [InlineData("04 5ba0 005a 0a630002 08 0206 4104 00010000", "AS 65536")]
    [InlineData("04 fdea 005a 0a630002 08 0206 4104 00000000", "2/2:")]   // RFC 7607
    [InlineData("04 0000 005a 0a630002 00", "2/2:")]
    [InlineData("04 fdea 0001 0a630002 00", "2/6:")]
    [InlineData("04 fdea 0000 0a630002 00", "AS 65002")]
    [InlineData("04 fdea 005a 00000000 00", "2/3:")]
    [InlineData("04 fdea 005a 0a630002 0a", "2/0:")]                      // overruns the message
    [InlineData("04 fdea 005a 0a630002 00 0200", "2/0:")]                 // leftovers
    [InlineData("04 fdea 005a 0a630002 04 0302 0000", "2/4:")]            // unknown parameter
    [InlineData("04 fdea 005a 0a630002 01 02", "2/0:")]                   // parameter header cut
    [InlineData("04 fdea 005a 0a630002 04 0202 4104", "2/0:")]            // capability overruns its parameter
    [InlineData("04 fdea 005a 0a630002 02 0200", "AS 65002")]
    [InlineData("04 fdea 005a 0a630002 ff", "2/0:")]                      // CVE-2022-43681
    [InlineData("04 fdea 005a 0a630002 ffff", "2/0:")]                    // CVE-2022-40318
    [InlineData("04 fdea 005a 0a630002 ffff 0002 0001", "2/0:")]          // CVE-2022-40302
    [InlineData("04 fdea 005a 0a630002 ffff 0009 020006 410400010000", "AS 65536")] // RFC 9072
    public void An_open_is_taken_or_refused_as_its_rfc_says(string body, string expected) => Assert.Equal(expected, Decode(body));

    [Theory]
    [InlineData("4102 fdea", "2/0:")]      // we would read AS paths with the wrong width
    [InlineData("0103 000100", "2/0:")]
    [InlineData("4503 000101", "2/0:")]
    [InlineData("4001 00", "AS 65002")]    // a damaged graceful restart is no graceful restart
    [InlineData("4904 40616263", "AS 65002")]
    public void A_malformed_capability_refuses_the_open_only_where_messages_would_be_misread(string capability, string expected)
    {
        var length = Octets(capability).Length;
        Assert.Equal(expected, Decode($"04 fdea 005a 0a630002 {length + 2:x2} 02 {length:x2} {capability}"));
    }

    [Theory]
    [InlineData("4504 00010104", "")]
    [InlineData("4508 00010104 00020103", "ipv6 Both")]
    public void Rfc7911_ignores_a_tuple_whose_direction_nobody_defined(string capability, string expected)
    {
        var length = Octets(capability).Length;
        OpenCodec.Decode(Octets($"04 fdea 005a 0a630002 {length + 2:x2} 02 {length:x2} {capability}"), out var open);
        Assert.Equal(expected, string.Join(' ', open!.Capabilities.AddPath.Select(x => $"{x.Family} {x.Direction}")));
    }

    [Fact]
    public void Capabilities_of_all_kinds_come_back_as_they_went()
    {
        var open = new OpenMessage(new(4200000000), 90, new(0x0a630001), Full);
        var message = OpenCodec.Encode(open);
        Assert.Null(MessageHeader.Check(message, false, out var type, out var length));
        Assert.Equal((MessageType.Open, message.Length), (type, length));
        Assert.Null(OpenCodec.Decode(message.AsSpan(19), out var back));
        Assert.Equal(message, OpenCodec.Encode(back!));
        Assert.Equal((open.MyAs, open.HoldTime, open.Identifier), (back!.MyAs, back.HoldTime, back.Identifier));
        Assert.Equal(Full.GracefulRestart, back.Capabilities.GracefulRestart);
        Assert.Equal(Full.LongLived, back.Capabilities.LongLived);
        Assert.Equal(Full.AddPath, back.Capabilities.AddPath);
        Assert.Equal(Full.ExtendedNextHop, back.Capabilities.ExtendedNextHop);
        Assert.Equal(Full.Multiprotocol, back.Capabilities.Multiprotocol);
        Assert.Equal(Full.Fqdn, back.Capabilities.Fqdn);
    }

    [Fact]
    public void More_than_255_octets_of_capabilities_take_the_form_of_Rfc9072()
    {
        var families = Enumerable.Range(1, 60).Select(i => new Family((ushort)i, 1)).ToList();
        var message = OpenCodec.Encode(new(new(65001), 90, new(1), new() { Multiprotocol = families }));
        Assert.Equal("ff ff 01 6b 02 01 68", Text(message.AsSpan(28, 7)));
        Assert.Null(OpenCodec.Decode(message.AsSpan(19), out var back));
        Assert.Equal(families, back!.Capabilities.Multiprotocol);
    }

    [Fact]
    public void Two_different_roles_are_noted_for_the_session_to_refuse()
    {
        OpenCodec.Decode(Octets("04 fdea 005a 0a630002 08 0206 090103 090100"), out var open);
        Assert.Equal((Role.Customer, true), (open!.Capabilities.Role, open.Capabilities.RolesDiffer));
    }

    [Property]
    public void No_octets_make_the_decoder_throw(byte[] tail)
    {
        OpenCodec.Decode(tail, out _);
        OpenCodec.Decode([.. Octets("04 fdea 005a 0a630002"), (byte)tail.Length, .. tail], out _);
        var block = tail.Length > 250 ? tail[..250] : tail;
        OpenCodec.Decode([.. Octets("04 fdea 005a 0a630002"), (byte)(block.Length + 2), 2, (byte)block.Length, .. block], out _);
    }

    private static readonly CapabilitySet Full = new()
    {
        Multiprotocol = [Family.IPv4Unicast, Family.IPv6Unicast],
        RouteRefresh = true,
        EnhancedRouteRefresh = true,
        ExtendedMessages = true,
        FourOctetAs = new Asn(4200000000),
        ExtendedNextHop = [new(Family.IPv4Unicast, 2)],
        GracefulRestart = new(true, true, 120, [new(Family.IPv4Unicast, true), new(Family.IPv6Unicast, false)]),
        LongLived = [new(Family.IPv4Unicast, true, 86400)],
        AddPath = [new(Family.IPv4Unicast, AddPathDirection.Both), new(Family.IPv6Unicast, AddPathDirection.Receive)],
        Role = Role.Customer,
        Fqdn = new("node1", "example.net"),
    };
}
