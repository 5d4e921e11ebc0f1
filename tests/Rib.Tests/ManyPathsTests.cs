using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Wire;

namespace Calico.Bgp.Rib.Tests;

/// <summary>Receivers that are told several paths of a prefix (RFC 7911).</summary>
public sealed class ManyPathsTests : IDisposable
{
    private static readonly Prefix One = Prefix.Parse("192.0.2.0/24"), Two = Prefix.Parse("198.51.100.0/24");
    private readonly RibRig rig = new(slice: 2);

    public ManyPathsTests()
    {
        for (ushort peer = 1; peer <= 4; peer++) rig.Up(RibRig.Peer(peer));
    }

    public void Dispose() => rig.Dispose();

    private static RibPeer Told(ushort index, int paths) =>
        RibRig.Peer(index) with { PathsIPv4 = new(paths), Encode = new(true, 4096, false, FamilySet.Both) };

    private Task AnnounceAsync(ushort peer, int length, params Prefix[] prefixes) => rig.AnnounceAsync(
        peer, rig.Attributes(editor =>
        {
            for (var i = 0; i < length; i++) editor.Prepend(new(64500u + peer));
        }), prefixes);

    /// <summary>First octets of what is told are the same for all; the path's length says whose it is.</summary>
    private static uint[] IdsOf(ReceivingPeer receiver, Prefix prefix) =>
        [.. receiver.Paths.Where(path => path.Key.Prefix == prefix).OrderBy(path => path.Value.Length).Select(path => path.Key.Id)];

    [Fact]
    public async Task All_paths_are_told_beside_each_other_but_those_that_came_from_there()
    {
        var all = rig.Up(Told(9, int.MaxValue));
        for (ushort peer = 1; peer <= 3; peer++) await AnnounceAsync(peer, peer, One);
        await AnnounceAsync(9, 1, One);
        await rig.Rib.IdleAsync();
        Assert.Equal(3, IdsOf(all, One).Distinct().Count());
        Assert.Empty(all.Holds);
        Assert.Equal(4, (await rig.ReadAsync(new(RouteSide.Accepted, IpFamily.IPv4))).Count);
        var sent = await rig.ReadAsync(new(RouteSide.Sent, IpFamily.IPv4, Peer: 9));
        Assert.Equal(IdsOf(all, One).Order(), sent.Select(route => route.PathId).Order());
        Assert.Single(await rig.ReadAsync(new(RouteSide.Sent, IpFamily.IPv4, Peer: 4)));
    }

    [Fact]
    public async Task A_path_keeps_its_identifier_whatever_comes_and_goes_beside_it()
    {
        var all = rig.Up(Told(9, int.MaxValue));
        await AnnounceAsync(2, 2, One);
        await rig.Rib.IdleAsync();
        var id = Assert.Single(IdsOf(all, One));
        await AnnounceAsync(1, 1, One);
        await AnnounceAsync(3, 3, One);
        await rig.Rib.IdleAsync();
        Assert.Equal(id, IdsOf(all, One)[1]);
        await rig.WithdrawAsync(1, One);
        await AnnounceAsync(2, 4, One);
        await rig.Rib.IdleAsync();
        Assert.Equal(id, IdsOf(all, One)[1]);
        await rig.WithdrawAsync(3, One);
        await rig.Rib.IdleAsync();
        Assert.Equal([id], IdsOf(all, One));
        Assert.Empty(all.Complaints);
    }

    [Fact]
    public async Task Only_the_best_few_are_told_where_few_are_asked_for()
    {
        var two = rig.Up(Told(9, 2));
        for (ushort peer = 1; peer <= 4; peer++) await AnnounceAsync(peer, 5 - peer, One);
        await rig.Rib.IdleAsync();
        Assert.Equal([1, 2], two.Paths.Values.Select(octets => octets.Split("0000fbf").Length - 1).Order());
        await rig.WithdrawAsync(4, One);
        await rig.Rib.IdleAsync();
        Assert.Equal([2, 3], two.Paths.Values.Select(octets => octets.Split("0000fbf").Length - 1).Order());
    }

    [Fact]
    public async Task A_path_behind_the_best_one_says_nothing_to_who_is_told_one()
    {
        var (all, one) = (rig.Up(Told(9, int.MaxValue)), rig.Receivers[4]);
        await AnnounceAsync(1, 1, One);
        await rig.Rib.IdleAsync();
        for (var length = 2; length < 12; length++)
        {
            await AnnounceAsync(2, length, One);
            await rig.Rib.IdleAsync();
        }
        Assert.Equal((1, 11), (one.Announcements, all.Announcements));
    }

    [Fact]
    public async Task Another_filter_takes_back_what_it_rejects_path_by_path()
    {
        var all = rig.Up(Told(9, int.MaxValue));
        rig.Up(Told(8, int.MaxValue));
        for (ushort peer = 1; peer <= 3; peer++) await AnnounceAsync(peer, peer, One, Two);
        await rig.Rib.IdleAsync();
        Assert.Equal(6, all.Paths.Count);
        rig.Rib.PeerChanged(Told(9, int.MaxValue) with { Export = RejectAll.Instance });
        await rig.Rib.IdleAsync();
        Assert.Empty(all.Paths);
        Assert.Equal(6, rig.Receivers[8].Paths.Count);
        // How many are told moves with the configuration, while the session stands.
        rig.Rib.PeerChanged(Told(9, 1));
        await rig.Rib.IdleAsync();
        Assert.Equal([One, Two], all.Paths.Keys.Select(key => key.Prefix).Order());
        rig.Rib.PeerChanged(Told(9, 2));
        await rig.Rib.IdleAsync();
        Assert.Equal(4, all.Paths.Count);
        Assert.Equal(6, rig.Receivers[8].Paths.Count);
        Assert.Empty(all.Complaints);
    }

    [Fact]
    public async Task Equal_ones_are_those_that_packets_may_be_shared_out_among()
    {
        var equal = rig.Up(Told(9, 1) with { PathsIPv4 = PathsTold.Equal });
        Task From(ushort peer, int length, uint neighbour) => rig.AnnounceAsync(peer, rig.Attributes(editor =>
        {
            for (var i = 1; i < length; i++) editor.Prepend(new(64600));
            editor.Prepend(new(neighbour));
        }), One);
        await From(1, 2, 64501);
        await From(2, 2, 64501);
        await From(3, 3, 64501);
        await From(4, 2, 64502);
        await rig.Rib.IdleAsync();
        Assert.Equal(2, equal.Paths.Count);
        await From(3, 2, 64501);
        await rig.Rib.IdleAsync();
        Assert.Equal(3, equal.Paths.Count);
        await From(1, 1, 64501);
        await rig.Rib.IdleAsync();
        Assert.Single(equal.Paths);
        Assert.Empty(equal.Complaints);
    }
}
