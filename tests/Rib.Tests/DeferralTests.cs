using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Rib.Tests;

/// <summary>After a restart (RFC 4724 section 4.1): what peers say waits, what is ours does not, and our End-of-RIB comes last.</summary>
public sealed class DeferralTests : IDisposable
{
    private const ushort Own = 9;
    private static readonly Prefix Ours = Prefix.Parse("203.0.113.0/24"), Theirs = Prefix.Parse("192.0.2.0/24");
    private static readonly Prefix Six = Prefix.Parse("2001:db8::/32");
    private readonly RememberingKernel kernel = new();
    private readonly RibRig rig;

    public DeferralTests()
    {
        rig = new(fib: kernel, slice: 1);
        rig.Rib.Defer(FamilySet.Both);
        rig.Rib.PeerUp(RibRig.Peer(Own) with { Name = "static1", Origin = RouteOrigin.Static, Preference = 200 }, null);
    }

    public void Dispose() => rig.Dispose();

    private byte[] Path(ushort peer, string nextHop = "10.0.0.200") => rig.Attributes(editor =>
    {
        editor.SetNextHop(Address.Parse(nextHop));
        editor.Prepend(new(64500u + peer));
    });

    private Task OwnAsync(params Prefix[] prefixes) =>
        rig.AnnounceOwnAsync(Own, rig.Attributes(static editor => editor.LoadEmpty(Origin.Igp)), prefixes);

    private static string Told(ReceivingPeer peer) => $"{string.Join(' ', peer.Holds.Keys)}, ends: {peer.EndsOfRib}";

    [Fact]
    public async Task Own_routes_are_told_at_once_and_peers_routes_and_the_end_of_the_table_when_it_is_over()
    {
        var late = rig.Up(RibRig.Peer(2));
        rig.Up(RibRig.Peer(1));
        await OwnAsync(Ours);
        await rig.AnnounceAsync(1, Path(1), Theirs);
        await rig.Rib.IdleAsync();
        Assert.Equal("203.0.113.0/24, ends: 0", Told(late));
        Assert.Null(kernel.TargetOf(Theirs));
        var later = rig.Up(RibRig.Peer(3));
        await rig.Rib.IdleAsync();
        Assert.Equal("203.0.113.0/24, ends: 0", Told(later));

        rig.Rib.EndDeferral(FamilySet.Both);
        await rig.Rib.IdleAsync();
        Assert.Equal("192.0.2.0/24 203.0.113.0/24, ends: 2", Told(late));
        Assert.Equal("192.0.2.0/24 203.0.113.0/24, ends: 2", Told(later));
        Assert.NotNull(kernel.TargetOf(Theirs));
        Assert.Equal([Theirs, Ours], late.AtEndOfRib!);
    }

    [Fact]
    public async Task Of_two_routes_the_better_one_alone_is_ever_told()
    {
        var other = rig.Up(RibRig.Peer(3));
        rig.Up(RibRig.Peer(1));
        rig.Up(RibRig.Peer(2));
        await rig.AnnounceAsync(2, Path(2), Theirs);
        await rig.Rib.IdleAsync();
        await rig.AnnounceAsync(1, Path(1), Theirs);
        rig.Rib.EndDeferral(FamilySet.Both);
        await rig.Rib.IdleAsync();
        Assert.Equal((1, Address.Parse("10.0.0.200")), (other.Announcements, kernel.GatewayOf(Theirs)));
        Assert.Equal(1, (await rig.ReadAsync(new(RouteSide.Best, IpFamily.IPv4)))[0].Peer);
    }

    [Fact]
    public async Task Each_family_waits_for_itself()
    {
        var other = rig.Up(RibRig.Peer(2));
        rig.Up(RibRig.Peer(1));
        await rig.AnnounceAsync(1, Path(1), Theirs);
        await rig.AnnounceAsync(1, Path(1, "fd00::200"), Six);
        rig.Rib.EndDeferral(FamilySet.IPv6);
        await rig.Rib.IdleAsync();
        Assert.Equal("2001:db8::/32, ends: 1", Told(other));
    }

    [Fact]
    public async Task What_is_withdrawn_before_it_was_told_leaves_nothing()
    {
        var other = rig.Up(RibRig.Peer(2));
        rig.Up(RibRig.Peer(1));
        await rig.AnnounceAsync(1, Path(1), Theirs);
        await rig.Rib.IdleAsync();
        await rig.WithdrawAsync(1, Theirs);
        await rig.Rib.IdleAsync();
        Assert.Equal((0, 0, 0), rig.Rib.Sizes);
        rig.Rib.EndDeferral(FamilySet.Both);
        await rig.Rib.IdleAsync();
        Assert.Equal((0, 2), (other.Announcements, other.EndsOfRib));
        Assert.Empty(other.Complaints);
    }

    [Fact]
    public async Task An_own_route_that_goes_leaves_its_prefix_as_told_until_it_is_over()
    {
        var other = rig.Up(RibRig.Peer(2));
        rig.Up(RibRig.Peer(1));
        await OwnAsync(Ours);
        await rig.AnnounceAsync(1, Path(1), Ours);
        await rig.Rib.IdleAsync();
        await rig.WithdrawAsync(Own, Ours);
        await rig.Rib.IdleAsync();
        rig.Rib.EndDeferral(FamilySet.Both);
        await rig.Rib.IdleAsync();
        Assert.Equal(2, other.Announcements);
        Assert.Empty(other.Complaints);
    }
}
