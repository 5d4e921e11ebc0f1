using Calico.Bgp.Net;
using Calico.Bgp.Wire.Attributes;
using static Calico.Bgp.Wire.Tests.Hex;

namespace Calico.Bgp.Wire.Tests;

public class AttributeViewTests
{
    [Theory]
    [InlineData("", "", 0, null, null)]
    [InlineData("02 02 0000fdea 00011170", "65002 70000", 2, 65002u, 70000u)]
    [InlineData("02 01 0000fdea 01 02 0000fc00 0000fc01", "65002 {64512 64513}", 2, 65002u, null)]
    [InlineData("01 01 0000fc00 02 01 0000fdea", "{64512} 65002", 2, null, 65002u)]
    [InlineData("03 02 00000001 00000002 04 01 00000003 02 01 0000fdea", "(1 2) [3] 65002", 1, null, 65002u)]
    [InlineData("02 05 0000fdea", "", 0, null, null)]    // cut: never thrown over
    public void A_path_says_what_the_decision_and_people_ask(string hex, string text, int length, uint? first, uint? last)
    {
        var path = new AsPathView(Octets(hex));
        Assert.Equal((text, length, first, last), (path.ToString(), path.Length, path.First?.Value, path.Last?.Value));
    }

    [Fact]
    public void An_AS_is_counted_in_segments_of_every_kind() =>
        Assert.Equal(3, new AsPathView(Octets("02 02 00000001 00000001 01 01 00000001")).CountOf(new(1)));

    [Fact]
    public void A_set_lists_what_it_has()
    {
        var view = new AttributeView(Octets("40 03 04 0a630002 c0 07 08 0000fdea 0a000001 c0 08 08 ffffff01 00010002 80 0a 04 0a630001"
            + "c0 10 08 4004fde900000001 80 1a 0b 01 000b 000000000000000a c0 20 0c 00000001 00000002 00000003 c0 23 04 0000fdea"));
        Assert.Equal([Community.NoExport, new(1, 2)], view.Communities);
        Assert.True(view.HasCommunity(new(1, 2)));
        Assert.False(view.HasCommunity(new(1, 3)));
        Assert.Equal([new(1, 2, 3)], view.LargeCommunities);
        Assert.Equal([new(0x4004fde900000001)], view.ExtendedCommunities);
        Assert.Equal([new(0x0a630001)], view.ClusterList);
        Assert.True(view.HasCluster(new(0x0a630001)));
        Assert.Equal((new Asn(65002), new RouterId(0x0a000001)), view.Aggregator);
        Assert.Equal((65002u, 10ul), (view.Otc, view.Aigp));
        Assert.Equal((Address.Parse("10.99.0.2"), null), view.NextHop);
    }

    [Fact]
    public void What_is_absent_is_empty()
    {
        var view = new AttributeView([]);
        Assert.False(view.TryGet(AttributeType.Origin, out _));
        Assert.Empty(view.Communities);
        Assert.Null(view.Aggregator);
        Assert.Equal((null, null), view.NextHop);
        Assert.Equal(default, view.Summarize());
    }

    [Fact]
    public void Well_known_communities_become_marks() =>
        Assert.Equal(
            AttributeMarks.NoExport | AttributeMarks.NoAdvertise | AttributeMarks.NoExportSubconfed | AttributeMarks.GracefulShutdown
                | AttributeMarks.LlgrStale | AttributeMarks.NoLlgr | AttributeMarks.Blackhole,
            Samples.Summary(Octets("c0 08 1c ffffff01 ffffff02 ffffff03 ffff0000 ffff0006 ffff0007 ffff029a")).Marks);
}
