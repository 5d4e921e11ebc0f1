using Calico.Bgp.Net;

namespace Calico.Bgp.Rib.Tests;

public sealed class RibTests : IDisposable
{
    private static readonly Prefix One = Prefix.Parse("192.0.2.0/24"), Six = Prefix.Parse("2001:db8::/32");
    private readonly RibRig rig = new();

    public void Dispose() => rig.Dispose();

    private byte[] Path(params uint[] path) => rig.Attributes(editor =>
    {
        foreach (var asn in path.Reverse()) editor.Prepend(new(asn));
    });

    private byte[] Path6(params uint[] path) => rig.Attributes(editor =>
    {
        editor.SetNextHop(Address.Parse("fd00::200"));
        foreach (var asn in path.Reverse()) editor.Prepend(new(asn));
    });

    [Fact]
    public async Task A_route_goes_to_everybody_but_its_source()
    {
        var (a, b) = (rig.Up(RibRig.Peer(1)), rig.Up(RibRig.Peer(2)));
        await rig.AnnounceAsync(1, Path(64501), One);
        await rig.Rib.IdleAsync();
        Assert.Empty(a.Holds);
        Assert.Equal([One], b.Holds.Keys);
    }

    [Fact]
    public async Task When_the_best_path_moves_its_new_source_loses_what_it_was_told()
    {
        var (a, b, c) = (rig.Up(RibRig.Peer(1)), rig.Up(RibRig.Peer(2)), rig.Up(RibRig.Peer(3)));
        await rig.AnnounceAsync(1, Path(64501, 1), One);
        await rig.Rib.IdleAsync();
        await rig.AnnounceAsync(2, Path(64502), One);
        await rig.Rib.IdleAsync();
        Assert.Equal([One], a.Holds.Keys);
        Assert.Empty(b.Holds);
        Assert.Equal([One], c.Holds.Keys);
        Assert.Empty(a.Complaints.Concat(b.Complaints).Concat(c.Complaints));
    }

    [Fact]
    public async Task A_peer_that_comes_late_gets_the_table_and_then_End_of_RIB()
    {
        rig.Up(RibRig.Peer(1));
        await rig.AnnounceAsync(1, Path(64501), One);
        await rig.AnnounceAsync(1, Path6(64501), Six);
        await rig.Rib.IdleAsync();
        var late = rig.Up(RibRig.Peer(2));
        await rig.Rib.IdleAsync();
        Assert.Equal([One, Six], late.Holds.Keys);
        Assert.Equal(2, late.EndsOfRib);
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(1, true)]
    [InlineData(3, false)]
    [InlineData(3, true)]
    public async Task The_end_of_the_first_table_is_told_to_a_late_peer_though_there_is_nothing_before_it(int shards, bool hasOne)
    {
        using var sharded = new RibRig(shards);
        sharded.Up(RibRig.Peer(1));
        if (hasOne) await sharded.AnnounceAsync(1, Path(64501), One);
        await sharded.Rib.IdleAsync();
        var late = sharded.Up(RibRig.Peer(2));
        await sharded.Rib.IdleAsync();
        Assert.Equal((hasOne ? 1 : 0, 2), (late.Holds.Count, late.EndsOfRib));
        Assert.Equal(2, sharded.Receivers[1].EndsOfRib);
    }

    [Fact]
    public async Task A_lost_peer_takes_its_routes_along()
    {
        rig.Up(RibRig.Peer(1));
        var other = rig.Up(RibRig.Peer(2));
        await rig.AnnounceAsync(1, Path(64501), One);
        await rig.Rib.IdleAsync();
        rig.Down(1);
        await rig.Rib.IdleAsync();
        Assert.Empty(other.Holds);
        Assert.Equal((0, 0, 0), rig.Rib.Sizes);
    }

    [Fact]
    public async Task A_change_that_the_way_out_strips_is_not_sent()
    {
        rig.Up(RibRig.Peer(1));
        var other = rig.Up(RibRig.Peer(2));
        for (var med = 0u; med < 20; med++)
        {
            await rig.AnnounceAsync(1, rig.Attributes(editor => { editor.Prepend(new(64501)); editor.SetMed(med); }), One);
            await rig.Rib.IdleAsync();
        }
        Assert.Equal(1, other.Announcements);
    }

    [Fact]
    public async Task A_refresh_sends_everything_again()
    {
        rig.Up(RibRig.Peer(1));
        var other = rig.Up(RibRig.Peer(2));
        await rig.AnnounceAsync(1, Path(64501), One);
        await rig.AnnounceAsync(1, Path6(64501), Six);
        await rig.Rib.IdleAsync();
        rig.Rib.Refresh(2, IpFamily.IPv4);
        await rig.Rib.IdleAsync();
        Assert.Equal(3, other.Announcements);
        Assert.Equal(2, other.EndsOfRib);
    }

    [Fact]
    public async Task Two_thousand_prefixes_with_the_same_attributes_take_few_messages()
    {
        rig.Up(RibRig.Peer(1));
        var other = rig.Up(RibRig.Peer(2));
        var prefixes = Enumerable.Range(0, 2000).Select(i => new Prefix(Address.FromIPv4(0x0b000000u + ((uint)i << 8)), 24)).ToArray();
        await rig.AnnounceAsync(1, Path(64501), prefixes);
        await rig.Rib.IdleAsync();
        Assert.Equal(2000, other.Holds.Count);
    }

    [Fact]
    public async Task A_slow_peer_does_not_hold_up_the_others_and_gets_the_last_state_when_it_reads_again()
    {
        rig.Up(RibRig.Peer(1));
        var (quick, slow) = (rig.Up(RibRig.Peer(2)), rig.Up(RibRig.Peer(3)));
        await rig.AnnounceAsync(1, Path(64501), One);
        await rig.Rib.IdleAsync();
        slow.BeSlow();
        for (var i = 1u; i < 50; i++)
        {
            await rig.AnnounceAsync(1, Path(64501, i), One);
            await rig.AnnounceAsync(1, Path6(64501, i), Six);
            await rig.Rib.IdleAsync();
        }
        Assert.True(slow.Announcements < 10, $"the slow peer was sent {slow.Announcements} announcements");
        Assert.Equal(99, quick.Announcements);
        await rig.WithdrawAsync(1, Six);
        slow.BeFast();
        await rig.Rib.IdleAsync();
        Assert.Equal(quick.Holds, slow.Holds);
        Assert.Empty(slow.Complaints);
    }

    [Fact]
    public async Task A_route_without_a_way_to_its_next_hop_is_not_used_until_there_is_one()
    {
        rig.Up(RibRig.Peer(1));
        var other = rig.Up(RibRig.Peer(2));
        await rig.AnnounceAsync(1, Path(64501), One);
        rig.Rib.NextHopsChanged(new FlatNetwork(Address.Parse("10.0.0.200")));
        await rig.Rib.IdleAsync();
        Assert.Empty(other.Holds);
        var route = Assert.Single(await rig.ReadAsync(new(RouteSide.Accepted, IpFamily.IPv4)));
        Assert.Equal((false, Reason.NextHopUnresolvable), (route.Best, route.Reason));
        rig.Rib.NextHopsChanged(new FlatNetwork());
        await rig.Rib.IdleAsync();
        Assert.Equal([One], other.Holds.Keys);
    }

    [Fact]
    public async Task What_an_enhanced_refresh_does_not_confirm_is_gone_when_it_ends()
    {
        rig.Up(RibRig.Peer(1));
        var other = rig.Up(RibRig.Peer(2));
        var two = Prefix.Parse("198.51.100.0/24");
        await rig.AnnounceAsync(1, Path(64501), One, two);
        await rig.RefreshAsync(1, IpFamily.IPv4, begins: true);
        await rig.AnnounceAsync(1, Path(64501), two);
        await rig.Rib.IdleAsync();
        Assert.Equal([One, two], other.Holds.Keys);
        await rig.RefreshAsync(1, IpFamily.IPv4, begins: false);
        await rig.Rib.IdleAsync();
        Assert.Equal([two], other.Holds.Keys);
    }

    private static readonly Prefix[] Five = [.. Enumerable.Range(0, 5).Select(i => Prefix.Parse($"10.1.{i}.0/24"))];

    [Fact]
    public async Task A_refresh_that_a_change_of_filters_overtakes_is_still_ended()
    {
        rig.Up(RibRig.Peer(1));
        var told = RibRig.Peer(2) with { EnhancedRefresh = true };
        var other = rig.Up(told);
        await rig.AnnounceAsync(1, Path(64501), Five);
        await rig.Rib.IdleAsync();
        other.BeSlow();
        rig.Rib.Refresh(2, IpFamily.IPv4);
        rig.Rib.PeerChanged(told with { NextHop = NextHopMode.Keep });
        await rig.Rib.IdleAsync();
        Assert.Equal([1], other.RefreshMarks);
        other.BeFast();
        await rig.Rib.IdleAsync();
        Assert.Equal([1, 2], other.RefreshMarks);
        Assert.Equal(Five, other.Holds.Keys);
    }

    [Fact]
    public async Task A_refresh_that_is_asked_for_while_one_is_on_its_way_comes_behind_it()
    {
        using var rig = new RibRig(slice: 1);
        rig.Up(RibRig.Peer(1));
        var other = rig.Up(RibRig.Peer(2) with { EnhancedRefresh = true });
        await rig.AnnounceAsync(1, Path(64501), Five);
        await rig.Rib.IdleAsync();
        other.IsTired = true;
        rig.Rib.Refresh(2, IpFamily.IPv4);
        await rig.Rib.IdleAsync();
        rig.Rib.Refresh(2, IpFamily.IPv4);
        await rig.WithdrawAsync(1, Five[0], Five[4]);
        await rig.Rib.IdleAsync();
        other.IsTired = false;
        other.BeFast();
        await rig.Rib.IdleAsync();
        Assert.Equal([1, 2], other.RefreshMarks);
        Assert.Equal(Five[1..4], other.Holds.Keys);
        Assert.Empty(other.Complaints);
        // Five at first, one and then the three that are left, and these three once more.
        Assert.Equal(12, other.Announcements);
    }
}
