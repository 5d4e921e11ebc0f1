using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Rib.Tests;

/// <summary>Who may hear of a route, and what its attributes become on the way out.</summary>
public class ExportDoorTests
{
    private static readonly RibPeer External = RibRig.Peer(1), OtherExternal = RibRig.Peer(2);
    private static readonly RibPeer Client = RibRig.Peer(3, inner: true, client: true), Other = RibRig.Peer(4, inner: true);
    private static readonly Address TheirHop = Address.Parse("10.0.0.200");

    private static AttributeEditor Route(Action<AttributeEditor>? edit = null)
    {
        var editor = new AttributeEditor();
        editor.LoadEmpty(Origin.Igp);
        editor.SetNextHop(TheirHop);
        editor.Prepend(new(64501));
        edit?.Invoke(editor);
        return editor;
    }

    private static AttributeSummary Dressed(RibPeer to, RibPeer from, Action<AttributeEditor>? edit, out byte[] octets,
        FilterResult said = default, IpFamily family = IpFamily.IPv4)
    {
        var editor = Route(edit);
        editor.Finish(out var before);
        ExportDoor.Dress(editor, to.Treatment, from, family, before, said);
        octets = editor.Finish(out var after).ToArray();
        return after;
    }

    private static AttributeSummary Summary(Action<AttributeEditor>? edit = null)
    {
        Route(edit).Finish(out var summary);
        return summary;
    }

    /// <summary>RFC 4456 section 6, and RFC 4271 section 9.2 for the last cell: from, to, whether it passes.</summary>
    public static TheoryData<string, string, bool> Cells => new()
    {
        { "external", "external", true }, { "external", "client", true }, { "external", "internal", true },
        { "client", "external", true }, { "client", "client", true }, { "client", "internal", true },
        { "internal", "external", true }, { "internal", "client", true }, { "internal", "internal", false },
    };

    private static RibPeer Named(string name, bool other) => name switch
    {
        "external" => other ? OtherExternal : External,
        "client" => Client with { Index = other ? (ushort)13 : (ushort)3 },
        _ => Other with { Index = other ? (ushort)14 : (ushort)4 },
    };

    [Theory]
    [MemberData(nameof(Cells))]
    public void A_reflector_passes_on_what_RFC_4456_says(string from, string to, bool passes) =>
        Assert.Equal(
            passes ? null : RouteRule.NotReflected,
            ExportDoor.Refuses(Named(to, other: true).Treatment, Named(from, other: false), Summary()));

    [Fact]
    public void Our_AS_is_prepended_once_on_the_way_out_and_not_inside()
    {
        Dressed(OtherExternal, External, null, out var outside);
        Dressed(Other, External, null, out var inside);
        Assert.Equal(1, new AttributeView(outside).AsPath.CountOf(RibRig.OwnAs));
        Assert.Equal(0, new AttributeView(inside).AsPath.CountOf(RibRig.OwnAs));
    }

    [Fact]
    public void The_next_hop_is_ours_for_an_external_peer_and_stays_for_an_internal_one()
    {
        Assert.Equal(OtherExternal.SelfIPv4, Dressed(OtherExternal, External, null, out _).NextHop);
        Assert.Equal(TheirHop, Dressed(Other, External, null, out _).NextHop);
        Assert.Equal(Other.SelfIPv4, Dressed(Other with { NextHop = NextHopMode.Self }, External, null, out _).NextHop);
    }

    [Fact]
    public void The_next_hop_stays_between_external_peers_of_one_link() =>
        Assert.Equal(TheirHop, Dressed(OtherExternal with { Interface = 2 }, External with { Interface = 2 }, null, out _).NextHop);

    [Theory]
    [InlineData(true, 2, "fe80::9")]
    [InlineData(true, 3, "fd00::1")]
    [InlineData(true, 0, "fd00::1")]
    [InlineData(false, 2, "fe80::9")]
    [InlineData(false, 3, "fd00::1")]
    public void A_link_local_next_hop_stays_on_its_link(bool inner, int link, string told)
    {
        var to = (inner ? Other with { Direct = true } : OtherExternal) with { Interface = link };
        Action<AttributeEditor>[] forms =
        [
            editor => editor.SetNextHop(Address.Parse("fe80::9")),
            editor => editor.SetNextHop(Address.Parse("fe80::9"), Address.Parse("fe80::9")),
        ];
        foreach (var form in forms)
            Assert.Equal(Address.Parse(told), Dressed(to, External with { Interface = 2 }, form, out _, family: IpFamily.IPv6).NextHop);
    }

    [Theory]
    [InlineData(false, "10.0.0.1")]
    [InlineData(true, "fd00::9")]
    public void An_IPv6_next_hop_of_an_IPv4_route_is_for_those_who_can_take_one_and_ours_for_others(bool extended, string told)
    {
        foreach (var to in (RibPeer[])[Other, Client, OtherExternal with { Interface = 2 }])
        {
            var able = to with { Encode = to.Encode with { ExtendedNextHop = extended } };
            var from = External with { Interface = 2 };
            Assert.Equal(
                Address.Parse(told), Dressed(able, from, editor => editor.SetNextHop(Address.Parse("fd00::9")), out _).NextHop);
        }
    }

    [Fact]
    public void LOCAL_PREF_is_for_internal_peers_only()
    {
        Assert.False(Dressed(OtherExternal, External, editor => editor.SetLocalPref(200), out _).Has(AttributeMarks.HasLocalPref));
        Assert.Equal(200u, Dressed(Other, External, editor => editor.SetLocalPref(200), out _).LocalPref);
        Assert.Equal(100u, Dressed(Other, External, null, out _).LocalPref);
    }

    [Fact]
    public void A_received_MED_is_not_for_another_AS_and_one_that_the_filter_set_is()
    {
        Assert.False(Dressed(OtherExternal, External, editor => editor.SetMed(5), out _).Has(AttributeMarks.HasMed));
        var said = new FilterResult(FilterVerdict.AcceptChanged, default, "", MedSet: true);
        Assert.Equal(5u, Dressed(OtherExternal, External, editor => editor.SetMed(5), out _, said).Med);
        Assert.Equal(5u, Dressed(Other, External, editor => editor.SetMed(5), out _).Med);
    }

    [Fact]
    public void A_reflected_route_gets_its_originator_once_and_our_cluster_in_front()
    {
        var first = Dressed(Other, Client, null, out _);
        Assert.Equal((Client.PeerId.Value, 1), (first.OriginatorId, (int)first.ClusterListLength));
        var again = Dressed(Other, Client, editor => { editor.SetOriginatorId(new(7)); editor.PrependClusterId(new(9)); }, out var octets);
        Assert.Equal((7u, 2), (again.OriginatorId, (int)again.ClusterListLength));
        Assert.True(new AttributeView(octets).HasCluster(Other.ClusterId));
    }

    [Fact]
    public void What_a_reflector_added_does_not_leave_the_AS()
    {
        var left = Dressed(External, Client, editor => { editor.SetOriginatorId(new(7)); editor.PrependClusterId(new(9)); }, out _);
        Assert.False(left.Has(AttributeMarks.HasOriginatorId));
        Assert.Equal(0, left.ClusterListLength);
    }

    [Theory]
    [InlineData(0xffffff01u, null, RouteRule.NoExport)]
    [InlineData(0xffffff02u, RouteRule.NoAdvertise, RouteRule.NoAdvertise)]
    [InlineData(0xffffff03u, null, RouteRule.NoExportSubconfed)]
    [InlineData(0x00010001u, null, null)]
    public void Well_known_communities_keep_a_route_inside(uint community, RouteRule? internally, RouteRule? externally)
    {
        var marked = Summary(editor => editor.AddCommunity(new((ushort)(community >> 16), (ushort)community)));
        Assert.Equal(internally, ExportDoor.Refuses(Other.Treatment, External, marked));
        Assert.Equal(externally, ExportDoor.Refuses(OtherExternal.Treatment, External, marked));
    }

    [Theory]
    [InlineData("10.0.0.1", false, null, null)]
    [InlineData("0.0.0.0", false, RouteRule.NoNextHop, RouteRule.NoNextHop)]
    [InlineData(null, false, RouteRule.NoNextHop, RouteRule.NoNextHop)]
    [InlineData("fd00::1", false, RouteRule.NextHopFamily, null)]
    [InlineData("fd00::1", true, null, null)]
    public void A_next_hop_must_be_there_and_of_a_family_that_the_session_carries(
        string? nextHop, bool extended, RouteRule? four, RouteRule? six)
    {
        var to = (Other with { Encode = Other.Encode with { ExtendedNextHop = extended } }).Treatment;
        var told = nextHop == null ? null : (Address?)Address.Parse(nextHop);
        Assert.Equal(four, ExportDoor.Refuses(to, IpFamily.IPv4, told));
        if (told is not { IsIPv4: true, IsUnspecified: false }) Assert.Equal(six, ExportDoor.Refuses(to, IpFamily.IPv6, told));
    }
}
