using Calico.Bgp.Dataplane.Egress;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane.Tests.Egress;

/// <summary>What a node says of its gateways behind its packets of BFD.</summary>
public sealed class GatewayRemarkTests
{
    private const int Room = 488;

    private static ResourceKey Gateway(int number) => new("edge", $"gateway{number}");

    private static ResourceKey[] Gateways(int count) => [.. Enumerable.Range(0, count).Select(Gateway)];

    [Fact]
    public void What_is_written_is_read_again_and_one_who_has_nothing_to_say_says_nothing()
    {
        Assert.Equal(0, GatewayRemark.Of(isBehind: false, [], Room).Write().Count);
        foreach (var isBehind in (bool[])[true, false])
            foreach (var count in (int[])[isBehind ? 0 : 1, 2, 120])
            {
                var said = GatewayRemark.Of(isBehind, Gateways(count), Room);
                var octets = said.Write();
                Assert.InRange(octets.Count, 8, Room);
                Assert.Equal(said, GatewayRemark.Read(octets.Items));
                Assert.Equal((isBehind, count), (said.IsBehind, said.Failing!.Value.Count));
                Assert.Contains(GatewayRemark.NumberOf(Gateway(0)), count > 0 ? said.Failing!.Value : [GatewayRemark.NumberOf(Gateway(0))]);
            }
    }

    /// <summary>Another release has to know it: edge/gateway0 has the SHA-1 that begins with these octets.</summary>
    [Fact]
    public void It_is_said_in_these_octets() => Assert.Equal("62677065010100016c7c026f",
        Convert.ToHexStringLower(GatewayRemark.Of(isBehind: true, Gateways(1), Room).Write().Items));

    [Fact]
    public void Of_more_than_there_is_room_for_it_is_said_that_there_are_some()
    {
        var said = GatewayRemark.Of(isBehind: false, Gateways(121), Room);
        Assert.Equal((8, said), (said.Write().Count, GatewayRemark.Read(said.Write().Items)));
        Assert.Null(said.Failing);
    }

    [Theory]
    [InlineData("")]
    [InlineData("62677065")]
    [InlineData("00000000000000000000000000000000")]
    [InlineData("6267706502010000")] // another version
    [InlineData("6267706501040000")] // a flag that nobody knows
    [InlineData("626770650101000100")] // half a gateway
    [InlineData("62677065010100006c7c026f")] // more than it counts
    [InlineData("6267706501020001" + "6c7c026f")] // too many to be named, and one is
    [InlineData("626770650100ffff6c7c026f")]
    public void What_is_none_is_none(string octets) => Assert.Null(GatewayRemark.Read(Convert.FromHexString(octets)));
}
