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

        public void Take(ReadOnlySpan<BestChange> changes)
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
        rig.Rib.Follow(null);
        rig.Up(RibRig.Peer(1));
        await rig.AnnounceAsync(1, Path(rig, 1), One);
        await rig.Rib.IdleAsync();
        Assert.Equal(0, follower.Told);
    }
}
