using Calico.Bgp.Net;
using Calico.Bgp.Wire.Attributes;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using static Calico.Bgp.Wire.Tests.Hex;

namespace Calico.Bgp.Wire.Tests;

public class AttributeEditorTests
{
    private const string Route = "40 01 01 00  40 02 06 02 01 0000fdea  40 03 04 0a630002";

    private static string Edit(string canonical, Action<AttributeEditor> edits)
    {
        var editor = new AttributeEditor();
        editor.Load(Octets(canonical));
        edits(editor);
        return Text(editor.Finish(out _));
    }

    private static string Same(string hex) => Text(Octets(hex));

    [Fact]
    public void Nothing_edited_is_nothing_changed() => Assert.Equal(Same(Route), Edit(Route, _ => { }));

    [Fact]
    public void An_own_route_has_an_origin_and_an_empty_path()
    {
        var editor = new AttributeEditor();
        editor.LoadEmpty(Origin.Incomplete);
        Assert.Equal(Same("40 01 01 02 40 02 00"), Text(editor.Finish(out var summary)));
        Assert.Equal((Origin.Incomplete, 0, 0), (summary.Origin, summary.AsPathLength, summary.NextHopLength));
    }

    [Fact]
    public void New_attributes_take_their_place() =>
        Assert.Equal(
            Same(Route + "80 04 04 0000000a 40 05 04 00000064 c0 08 04 fde90001 80 09 04 0a630009 80 0a 04 0a630001 c0 23 04 0000fdea"),
            Edit(Route, x =>
            {
                x.SetOtc(65002);
                x.AddCommunity(new(65001, 1));
                x.PrependClusterId(new(0x0a630001));
                x.SetOriginatorId(new(0x0a630009));
                x.SetLocalPref(100);
                x.SetMed(10);
            }));

    [Fact]
    public void What_is_set_to_null_goes() => Assert.Equal(Same(Route), Edit(Route + "80 04 04 0000000a 40 05 04 00000064", x =>
    {
        x.SetMed(null);
        x.SetLocalPref(null);
    }));

    [Fact]
    public void A_prepended_AS_joins_the_first_sequence() =>
        Assert.Equal(Same("40 02 0e 02 03 0000fde9 0000fde9 0000fdea"), Edit("40 02 06 02 01 0000fdea", x => x.Prepend(new(65001), 2)));

    [Fact]
    public void An_AS_before_a_set_opens_a_sequence() =>
        Assert.Equal(Same("40 02 0c 02 01 0000fde9 01 01 0000fdea"), Edit("40 02 06 01 01 0000fdea", x => x.Prepend(new(65001))));

    [Fact]
    public void Rfc4271_5_1_2_opens_a_segment_after_255()
    {
        var editor = new AttributeEditor();
        editor.LoadEmpty(Origin.Igp);
        editor.Prepend(new(65001), 254);
        editor.Prepend(new(65002), 3);
        var view = new AttributeView(editor.Finish(out var summary));
        Assert.Equal((257, 257, 65002u), (view.AsPath.Length, summary.AsPathLength, summary.NeighborAs));
        var counts = new List<int>();
        foreach (var segment in view.AsPath) counts.Add(segment.Count);
        Assert.Equal([2, 255], counts);
    }

    [Fact]
    public void A_community_is_added_once() =>
        Assert.Equal(Same("c0 08 08 00010001 00010002"), Edit("c0 08 04 00010001", x =>
        {
            x.AddCommunity(new(1, 1));
            x.AddCommunity(new(1, 2));
        }));

    [Fact]
    public void Without_its_last_community_the_attribute_goes() =>
        Assert.Equal("", Edit("c0 08 04 00010001", x => x.RemoveCommunities(y => y.High == 1)));

    [Fact]
    public void Communities_of_all_kinds_are_removed_by_pattern() =>
        Assert.Equal(
            Same("c0 10 08 0002fde900000001 c0 20 0c 000000010000000200000003"),
            Edit("c0 10 10 4004fde900000001 0002fde900000001 c0 20 18 000000010000000200000003 000000050000000200000003", x =>
            {
                x.RemoveExtendedCommunities(y => !y.IsTransitive);
                x.RemoveLargeCommunities(y => y.Global == 5);
            }));

    [Fact]
    public void A_long_value_takes_the_long_form() =>
        Assert.StartsWith("d0 08 01 00 00 01 00 00", Edit("", x =>
        {
            for (ushort i = 0; i < 64; i++) x.AddCommunity(new(1, i));
        }), StringComparison.Ordinal);

    [Fact]
    public void A_next_hop_is_4_16_or_32_octets()
    {
        Assert.Equal(Same("40 03 04 c0000201"), Edit("", x => x.SetNextHop(Address.Parse("192.0.2.1"))));
        Assert.Equal(Same("40 03 10 20010db8000000000000000000000001"),
            Edit("40 03 04 0a630002", x => x.SetNextHop(Address.Parse("2001:db8::1"))));
        Assert.Equal(35, Octets(Edit("", x => x.SetNextHop(Address.Parse("2001:db8::1"), Address.Parse("fe80::1")))).Length);
    }

    public sealed record Change(string Name, Action<AttributeEditor> To)
    {
        public override string ToString() => Name;
    }

    private static class Arbitraries
    {
        public static Arbitrary<byte[]> Canonical() => Samples.Canonical.ToArbitrary();

        public static Arbitrary<Change> Changes() => Gen.Elements<Change>(
            new("prepend", x => x.Prepend(new(65001), 3)), new("med", x => x.SetMed(7)), new("no med", x => x.SetMed(null)),
            new("pref", x => x.SetLocalPref(1)),
            new("otc", x => x.SetOtc(65002)), new("strip 8", x => x.RemoveCommunities(y => y.Low % 2 == 0)),
            new("add 8", x => x.AddCommunity(Community.NoExport)),
            new("strip 32", x => x.RemoveLargeCommunities(y => y.Data2 % 2 == 0)), new("add 32", x => x.AddLargeCommunity(new(1, 2, 3))),
            new("strip 16", x => x.RemoveExtendedCommunities(y => !y.IsTransitive)),
            new("add 16", x => x.AddExtendedCommunity(new(0x0002fde900000001))),
            new("cluster", x => x.PrependClusterId(new(1))),
            new("originator", x => x.SetOriginatorId(new(9))),
            new("next hop", x => x.SetNextHop(Address.Parse("192.0.2.9"))), new("remove", x => x.Remove(AttributeType.Aggregator)),
            new("origin", x => x.SetOrigin(Origin.Egp))).ToArbitrary();
    }

    [Property(Arbitrary = [typeof(Arbitraries)], MaxTest = Samples.Cases, Replay = Samples.Seed)]
    public void The_result_of_any_edits_is_canonical_and_its_summary_is_its_own(byte[] canonical, Change[] changes)
    {
        var editor = new AttributeEditor();
        editor.Load(canonical);
        foreach (var change in changes) change.To(editor);
        editor.SetNextHop(Address.Parse("192.0.2.1"));
        var edited = editor.Finish(out var summary).ToArray();
        Assert.Equal(Samples.Summary(edited), summary);
        var update = new UpdateDecoder(Sessions.Internal with { ExtendedMessages = true }).Decode(Samples.Body([], edited, [0]));
        Assert.Equal(Penalty.None, update.Damage.Penalty);
        Assert.Equal(edited, update.Announced.Attributes.ToArray());
        Assert.Equal(summary, update.Announced.Summary);
    }
}
