using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Rib.Tests;

/// <summary>What may come in before any filter is asked.</summary>
public class ImportDoorTests
{
    private static readonly RibPeer External = RibRig.Peer(1), Internal = RibRig.Peer(2, inner: true);

    private static RouteRule? Refusal(RibPeer peer, Action<AttributeEditor> edit)
    {
        var editor = new AttributeEditor();
        editor.LoadEmpty(Origin.Igp);
        edit(editor);
        var octets = editor.Finish(out var summary);
        return ImportDoor.Refuses(peer, octets, summary);
    }

    [Fact]
    public void A_path_with_our_AS_is_a_loop_unless_it_is_allowed_that_often()
    {
        Assert.Equal(RouteRule.OwnAs, Refusal(External, editor => editor.Prepend(RibRig.OwnAs)));
        Assert.Null(Refusal(External with { AllowLocalAs = 1 }, editor => editor.Prepend(RibRig.OwnAs)));
        Assert.Equal(RouteRule.OwnAs, Refusal(External with { AllowLocalAs = 1 },
            editor => { editor.Prepend(RibRig.OwnAs); editor.Prepend(RibRig.OwnAs); }));
        Assert.Null(Refusal(External, editor => editor.Prepend(new(64501))));
    }

    [Fact]
    public void An_AS_SET_does_not_come_in_where_it_is_rejected()
    {
        // One sequence of 65002, one set of 65003 and 65004.
        byte[] path = [2, 1, 0, 0, 0xfd, 0xea, 1, 2, 0, 0, 0xfd, 0xeb, 0, 0, 0xfd, 0xec];
        byte[] octets = [0x40, 1, 1, 0, 0x40, 2, (byte)path.Length, .. path];
        var summary = new AttributeView(octets).Summarize();
        Assert.Equal(RouteRule.AsSet, ImportDoor.Refuses(External with { RejectAsSets = true }, octets, summary));
        Assert.Equal(RouteRule.AsSet, ImportDoor.Refuses(Internal with { RejectAsSets = true }, octets, summary));
        Assert.Null(ImportDoor.Refuses(External with { RejectAsSets = false }, octets, summary));
        Assert.Null(Refusal(External with { RejectAsSets = true }, editor => editor.Prepend(new(65002))));
    }

    [Fact]
    public async Task A_reload_lets_AS_SETs_in_and_their_updates_are_counted()
    {
        byte[] octets = [0x40, 1, 1, 0, 0x40, 2, 16, 2, 1, 0, 0, 0xfd, 0xea, 1, 2, 0, 0, 0xfd, 0xeb, 0, 0, 0xfd, 0xec];
        using var rig = new RibRig();
        var strict = External with { RejectAsSets = true };
        rig.Up(strict);
        await rig.AnnounceAsync(1, octets, Prefix.Parse("192.0.2.0/24"));
        await rig.AnnounceAsync(1, octets, Prefix.Parse("198.51.100.0/24"));
        await rig.Rib.IdleAsync();
        Assert.Equal((0, 2, 2), Counts());
        rig.Rib.PeerChanged(strict with { RejectAsSets = false });
        await rig.Rib.IdleAsync();
        Assert.Equal((2, 0, 2), Counts());

        (long, long, long) Counts()
        {
            var counts = rig.Rib.CountsOf(1, IpFamily.IPv4);
            return (counts.Imported, counts.Filtered, counts.AsSets);
        }
    }

    [Fact]
    public void What_we_originated_does_not_come_back_through_a_reflector()
    {
        Assert.Equal(RouteRule.OwnOriginator, Refusal(Internal, editor => editor.SetOriginatorId(Internal.LocalId)));
        Assert.Null(Refusal(Internal, editor => editor.SetOriginatorId(new(99))));
    }

    [Fact]
    public void What_has_passed_our_cluster_does_not_pass_again()
    {
        Assert.Equal(RouteRule.OwnCluster, Refusal(Internal,
            editor => { editor.PrependClusterId(Internal.ClusterId); editor.PrependClusterId(new(99)); }));
        Assert.Null(Refusal(Internal, editor => editor.PrependClusterId(new(99))));
    }

    [Fact]
    public void Graceful_shutdown_lowers_the_preference_of_an_external_route_only()
    {
        var editor = new AttributeEditor();
        editor.LoadEmpty(Origin.Igp);
        editor.AddCommunity(new(0xffff, 0x0000));
        editor.Finish(out var summary);
        Assert.True(ImportDoor.LowersPreference(External, summary));
        Assert.False(ImportDoor.LowersPreference(Internal, summary));
    }
}
