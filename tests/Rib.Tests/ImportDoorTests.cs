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
