using Calico.Bgp.Net;

namespace Calico.Bgp.Rib.Tests;

public class BestFeedTests
{
    private static readonly Prefix One = Prefix.Parse("192.0.2.0/24"), Two = Prefix.Parse("198.51.100.0/24");

    /// <summary>Remembers whose each best route is, and may say that there is no room.</summary>
    private sealed class Follower : IBestFollower
    {
        private readonly Dictionary<Prefix, string> holds = [];
        private int told;

        public volatile bool HasNoRoom;
        public bool HasRoom => !HasNoRoom;
        public int Told => Volatile.Read(ref told);

        public string this[Prefix prefix]
        {
            get
            {
                lock (holds) return holds.GetValueOrDefault(prefix, "never told");
            }
        }

        public void Apply(ReadOnlySpan<BestChange> changes)
        {
            Interlocked.Add(ref told, changes.Length);
            lock (holds)
                foreach (var (prefix, sources) in changes) holds[prefix] = string.Join(' ', sources);
        }
    }

    private static byte[] Path(RibRig rig, int length) => rig.Attributes(editor =>
    {
        for (var i = 0; i < length; i++) editor.Prepend(new(64501));
    });

    [Fact]
    public async Task A_follower_is_told_all_first_and_then_what_moves()
    {
        using var rig = new RibRig();
        rig.Up(RibRig.Peer(1));
        rig.Up(RibRig.Peer(2));
        await rig.AnnounceAsync(1, Path(rig, 2), One, Two);
        await rig.Rib.IdleAsync();
        var follower = new Follower();
        rig.Rib.Follow(follower);
        await rig.Rib.IdleAsync();
        Assert.Equal(("1", "1", 2), (follower[One], follower[Two], follower.Told));
        await rig.AnnounceAsync(2, Path(rig, 1), One);
        await rig.WithdrawAsync(1, Two);
        await rig.Rib.IdleAsync();
        Assert.Equal(("2", "", 4), (follower[One], follower[Two], follower.Told));
    }

    [Fact]
    public async Task Routes_that_share_a_prefixs_packets_are_told_together()
    {
        using var rig = new RibRig(settings: new() { MultipathLimit = 2, MultipathRelax = true });
        var follower = new Follower();
        rig.Rib.Follow(follower);
        rig.Up(RibRig.Peer(1));
        rig.Up(RibRig.Peer(2));
        await rig.AnnounceAsync(1, Path(rig, 1), One, Two);
        await rig.AnnounceAsync(2, Path(rig, 1), One);
        await rig.Rib.IdleAsync();
        Assert.Equal(("1 2", "1"), (follower[One], follower[Two]));
    }

    [Fact]
    public async Task What_moves_while_there_is_no_room_is_told_once_even_if_it_is_gone_by_then()
    {
        using var rig = new RibRig();
        var follower = new Follower();
        rig.Rib.Follow(follower);
        rig.Up(RibRig.Peer(1));
        await rig.AnnounceAsync(1, Path(rig, 1), One);
        await rig.Rib.IdleAsync();
        follower.HasNoRoom = true;
        await rig.WithdrawAsync(1, One);
        await rig.AnnounceAsync(1, Path(rig, 2), One);
        await rig.WithdrawAsync(1, One);
        await rig.Rib.IdleAsync();
        Assert.Equal(("1", 1), (follower[One], follower.Told));
        follower.HasNoRoom = false;
        rig.Rib.Wake();
        await rig.Rib.IdleAsync();
        Assert.Equal(("", 2), (follower[One], follower.Told));
    }

    [Fact]
    public async Task Who_has_stopped_following_is_told_nothing()
    {
        using var rig = new RibRig();
        var follower = new Follower();
        rig.Rib.Follow(follower);
        rig.Rib.Unfollow(follower);
        rig.Up(RibRig.Peer(1));
        await rig.AnnounceAsync(1, Path(rig, 1), One);
        await rig.Rib.IdleAsync();
        Assert.Equal(0, follower.Told);
    }

    [Fact]
    public async Task Followers_come_and_go_without_a_word_to_the_others()
    {
        using var rig = new RibRig();
        var (first, second) = (new Follower(), new Follower());
        rig.Up(RibRig.Peer(1));
        await rig.AnnounceAsync(1, Path(rig, 1), One);
        rig.Rib.Follow(first);
        await rig.Rib.IdleAsync();
        rig.Rib.Follow(second);
        await rig.AnnounceAsync(1, Path(rig, 1), Two);
        await rig.Rib.IdleAsync();
        Assert.Equal((2, 2), (first.Told, second.Told));
        rig.Rib.Unfollow(first);
        await rig.WithdrawAsync(1, One);
        await rig.Rib.IdleAsync();
        Assert.Equal((2, 3, "1", ""), (first.Told, second.Told, first[One], second[One]));
    }

    [Fact]
    public async Task A_follower_without_room_does_not_hold_up_another()
    {
        using var rig = new RibRig();
        var (stuck, quick) = (new Follower { HasNoRoom = true }, new Follower());
        rig.Rib.Follow(stuck);
        rig.Rib.Follow(quick);
        rig.Up(RibRig.Peer(1));
        await rig.AnnounceAsync(1, Path(rig, 1), One);
        await rig.Rib.IdleAsync();
        Assert.Equal((0, "1"), (stuck.Told, quick[One]));
        stuck.HasNoRoom = false;
        rig.Rib.Wake();
        await rig.Rib.IdleAsync();
        Assert.Equal("1", stuck[One]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Whoever_joins_while_routes_move_ends_with_what_is_best(int shards)
    {
        var random = new Random(shards);
        using var rig = new RibRig(shards, slice: 3);
        for (ushort peer = 1; peer <= 3; peer++) rig.Up(RibRig.Peer(peer));
        Prefix[] prefixes = [.. Enumerable.Range(0, 40).Select(i => Prefix.Parse($"10.1.{i}.0/24"))];
        Follower[] followers = [.. Enumerable.Range(0, 20).Select(_ => new Follower())];
        for (var step = 0; step < 2000; step++)
        {
            if (step % 100 == 50) rig.Rib.Follow(followers[step / 100]);
            if (step == 1000) rig.Rib.Follow(followers[3]); // Once more: from the beginning.
            followers[random.Next(followers.Length)].HasNoRoom = random.Next(2) == 0;
            if (random.Next(50) == 0) rig.Rib.Wake();
            var (peer, prefix) = ((ushort)(1 + random.Next(3)), prefixes[random.Next(prefixes.Length)]);
            if (random.Next(3) == 0) await rig.WithdrawAsync(peer, prefix);
            else await rig.AnnounceAsync(peer, Path(rig, 1 + random.Next(4)), prefix);
        }
        foreach (var follower in followers) follower.HasNoRoom = false;
        rig.Rib.Wake();
        await rig.Rib.IdleAsync();
        var best = (await rig.ReadAsync(new(RouteSide.Best, IpFamily.IPv4))).ToDictionary(route => route.Prefix, route => $"{route.Peer}");
        foreach (var follower in followers)
            foreach (var prefix in prefixes)
                if (best.TryGetValue(prefix, out var source)) Assert.Equal(source, follower[prefix]);
                else Assert.Contains(follower[prefix], (string[])["", "never told"]);
    }
}
