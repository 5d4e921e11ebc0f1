using Calico.Bgp.Control.Bird.Rendering;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Control.Tests.Bird;

/// <summary>Expected lines are what BIRD 2.0.12 printed for the same octets.</summary>
public sealed class AttributeLinesTests
{
    private static List<string> Lines(Canonical attributes) => AttributeLines.Of(attributes.ToArray());

    private static string Line(Canonical attributes) => Lines(attributes)[1];

    [Fact]
    public void Every_attribute_has_its_line_in_ascending_order() => Assert.Equal(
        [
            "\tBGP.origin: IGP",
            "\tBGP.as_path: 65014 64000 {64001 64002}",
            "\tBGP.next_hop: 10.99.0.14",
            "\tBGP.med: 77",
            "\tBGP.local_pref: 100",
            "\tBGP.atomic_aggr: ",
            "\tBGP.aggregator: 9.8.7.6 AS4200000001",
            "\tBGP.community: (65535,65281) (65535,0) (1,2)",
            "\tBGP.originator_id: 1.2.3.4",
            "\tBGP.cluster_list: 5.6.7.8 6.6.7.8",
            "\tBGP.ext_community: (rt, 65001, 200) (rt, 10.0.0.1, 5) (rt, 4200000001, 7) (unknown 0x4004, 65001, 100) (ro, 65001, 200) " +
                "(generic, 0x30c0000, 0x8) (generic, 0x80060000, 0x1) (generic, 0x43000000, 0x2)",
            "\tBGP.19 [t]: 00 02 20 01",
            "\tBGP.aigp: 16",
            "\tBGP.large_community: (1, 2, 3) (4200000000, 2, 3)",
            "\tBGP.otc: 65014",
            "\tBGP.28 [t]: 01 00 07",
            "\tBGP.63 [t]: de ad be ef",
        ], Lines(new Canonical()
            .Segments((2, [65014, 64000]), (1, [64001, 64002]))
            .NextHop("10.99.0.14").Med(77).LocalPref(100)
            .Add(AttributeType.AtomicAggregate, 0x40)
            .Add(AttributeType.Aggregator, 0xc0, [.. Canonical.Words(4200000001), 9, 8, 7, 6])
            .Communities(0xffffff01, 0xffff0000, 0x00010002)
            .OriginatorId("1.2.3.4").Clusters("5.6.7.8", "6.6.7.8")
            .Extended(
                0x0002_fde9_0000_00c8, 0x0102_0a00_0001_0005, 0x0202_fa56_ea01_0007, 0x4004_fde9_0000_0064,
                0x0003_fde9_0000_00c8, 0x030c_0000_0000_0008, 0x8006_0000_0000_0001, 0x4300_0000_0000_0002)
            .Add(AttributeType.IPv6ExtendedCommunities, 0xc0, 0, 2, 0x20, 1)
            .Add(AttributeType.Aigp, 0x80, 1, 0, 11, 0, 0, 0, 0, 0, 0, 0, 16)
            .Large(1, 2, 3, 4200000000, 2, 3)
            .Add(AttributeType.OnlyToCustomer, 0xc0, Canonical.Words(65014))
            .Add(AttributeType.PrefixSid, 0xc0, 1, 0, 7)
            .Add((AttributeType)99, 0xe0, 0xde, 0xad, 0xbe, 0xef)));

    [Fact]
    public void An_empty_path_leaves_the_space_behind_its_colon() => Assert.Equal("\tBGP.as_path: ", Line(new Canonical().Path()));

    [Fact]
    public void A_next_hop_with_a_link_local_address_has_both() =>
        Assert.Equal("\tBGP.next_hop: fd99::2 fe80::2", Line(new Canonical().NextHop("fd99::2", "fe80::2")));

    [Fact]
    public void An_unknown_attribute_that_is_not_transitive_has_no_t() =>
        Assert.Equal("\tBGP.63: 01", Line(new Canonical().Add((AttributeType)99, 0x80, 1)));

    [Theory]
    [InlineData(42, 487, 500)] // the last length that fits BIRD's buffer
    [InlineData(43, 488, 492)] // cut
    public void A_path_that_does_not_fit_a_line_is_cut(int numbers, int text, int expected)
    {
        var path = Enumerable.Repeat(4200000000u, numbers).ToList();
        // Shorten with smaller numbers until the text has the wanted length, counted with a space behind each number.
        for (var i = 0; Length() > text; i++) path[i] /= 10;
        while (Length() < text) path.Add((uint)Math.Pow(10, Math.Min(9, text - Length() - 2)));
        Assert.Equal(expected, Line(new Canonical().Path([.. path])).Length);

        int Length() => path.Sum(asn => $"{asn} ".Length);
    }

    [Fact]
    public void Many_communities_go_on_in_lines_with_two_tabs()
    {
        var lines = Lines(new Canonical().Communities([.. Enumerable.Range(0, 130).Select(i => 65000u << 16 | (uint)(10000 + i))]));
        Assert.Equal((491, 491, 491, 365), (lines[1].Length, lines[2].Length, lines[3].Length, lines[4].Length));
        Assert.EndsWith("(65000,10033)", lines[1], StringComparison.Ordinal);
        Assert.StartsWith("\t\t(65000,10034) ", lines[2], StringComparison.Ordinal);
    }

    [Fact]
    public void Many_extended_communities_wrap_earlier()
    {
        var lines = Lines(new Canonical().Extended([.. Enumerable.Range(0, 40).Select(i => 0x0002_fde8_0000_0000ul + (ulong)(10000 + i))]));
        Assert.EndsWith("(rt, 65000, 10022)", lines[1], StringComparison.Ordinal);
        Assert.StartsWith("\t\t(rt, 65000, 10023) ", lines[2], StringComparison.Ordinal);
    }

    [Fact]
    public void Many_large_communities_wrap_as_well()
    {
        var lines = Lines(new Canonical().Large([.. Enumerable.Range(0, 30).SelectMany(i => (uint[])[4200000000, (uint)i, 5])]));
        Assert.EndsWith("(4200000000, 21, 5)", lines[1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_long_cluster_list_ends_with_dots()
    {
        var line = Line(new Canonical().Clusters([.. Enumerable.Range(0, 70).Select(i => $"192.168.0.{i}")]));
        Assert.EndsWith(" 192.168.0.35 192.168.0.36 ...", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(160, 492, false)]
    [InlineData(161, 496, true)]
    public void An_unknown_value_shows_at_most_160_octets(int octets, int length, bool cut)
    {
        var line = Line(new Canonical().Add((AttributeType)99, 0xc0, new byte[octets]));
        Assert.Equal((length, cut), (line.Length, line.EndsWith(" ...", StringComparison.Ordinal)));
    }
}
