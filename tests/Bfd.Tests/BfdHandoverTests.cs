namespace Calico.Bgp.Bfd.Tests;

/// <summary>One process's sessions go over into another one's, on the same wire and ports, and the neighbour notices nothing.</summary>
public sealed class BfdHandoverTests : BfdWire
{
    /// <summary>Slow enough for a machine that is busy with other tests.</summary>
    private static readonly BfdTimes Slow = new(TimeSpan.FromMilliseconds(200), TimeSpan.FromMilliseconds(200), 20);

    [NeedsTheory(Needs.Namespaces)]
    [InlineData("10.0.0.1", "10.0.0.2", false)]
    [InlineData("fd00::1", "fd00::2", false)]
    [InlineData("10.0.0.1", "10.0.0.2", true)]
    public async Task The_neighbour_sees_one_session(string ours, string theirs, bool multihop)
    {
        var (old, heir, neighbour) = (Made(), Made(), Made());
        Want(near, old, Target(near, theirs, multihop));
        Want(far, neighbour, Target(far, ours, multihop) with { Remark = [7, 0, 255] });
        await UpAsync(old, neighbour);
        await Until.TrueAsync("what the neighbour says is heard", () => old.Current[0].RemoteRemark.Count == 3, 20, () => Said(old));
        var (was, seen) = (old.Current[0], neighbour.Current[0]);

        heir.Expect(await old.HandAsync(lends: false));
        Assert.Equal((BfdState.Up, was.LocalDiscriminator), (heir.Current[0].State, heir.Current[0].LocalDiscriminator));
        Assert.Equal([7, 0, 255], heir.Current[0].RemoteRemark);
        Want(near, heir, Target(near, theirs, multihop));
        var handed = await old.HandAsync(lends: true);
        near.Inside(() =>
        {
            heir.Adopt(handed);
            return true;
        });
        await Until.TrueAsync("it hears the neighbour", () => heir.Current is [{ Counters.Received: > 0 }], 20, () => Said(heir));
        await old.FallSilentAsync();
        var heard = heir.Current[0].Counters.Received;
        await Until.TrueAsync("it goes on", () => heir.Current[0].Counters.Received > heard + 25, 30, () => Said(heir, neighbour));
        Assert.Equal(Seen(seen), Seen(neighbour.Current[0]));
        var now = heir.Current[0];
        Assert.Equal((was.Since, was.LocalDiscriminator, 0), (now.Since, now.LocalDiscriminator, now.Losses));
        Assert.Equal(handed[0].Port, Assert.Single(await heir.HandAsync(lends: false)).Port);
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task Where_the_other_process_does_not_go_on_the_first_one_does()
    {
        var (old, neighbour) = (Made(), Made());
        Want(near, old, Target(near, "10.0.0.2"));
        Want(far, neighbour, Target(far, "10.0.0.1"));
        await UpAsync(old, neighbour);
        var seen = neighbour.Current[0];
        await old.HandAsync(lends: true);
        old.TakeBack();
        var heard = neighbour.Current[0].Counters.Received;
        await Until.TrueAsync("it goes on", () => neighbour.Current[0].Counters.Received > heard + 25, 30, () => Said(old, neighbour));
        Assert.Equal(Seen(seen), Seen(neighbour.Current[0]));
        // A loss is one again.
        await neighbour.FallSilentAsync();
        await Until.TrueAsync("the neighbour is lost", () => old.Current is [{ Losses: 1 }], 20, () => Said(old));
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task Who_comes_to_his_neighbour_later_than_the_others_finds_the_session_too()
    {
        var (old, heir, neighbour) = (Made(), Made(), Made());
        BfdTarget[] Both(Netns from, string peer) => [Target(from, peer), Target(from, peer, multihop: true)];
        Want(near, old, Both(near, "10.0.0.2"));
        Want(far, neighbour, Both(far, "10.0.0.1"));
        await Until.TrueAsync(
            "both are up", () => neighbour.Current is [{ State: BfdState.Up }, { State: BfdState.Up }], 20, () => Said(old, neighbour));
        var seen = neighbour.Current.Select(Seen).ToArray();
        heir.Expect(await old.HandAsync(lends: false));
        Want(near, heir, Target(near, "10.0.0.2"));
        var handed = await old.HandAsync(lends: true);
        near.Inside(() =>
        {
            heir.Adopt(handed);
            return true;
        });
        await old.FallSilentAsync();
        // Longer than the neighbour would be patient.
        await GoesOnAsync();
        Want(near, heir, Both(near, "10.0.0.2"));
        await GoesOnAsync();
        Assert.Equal(seen, neighbour.Current.Select(Seen));

        Task GoesOnAsync()
        {
            var heard = neighbour.Current.Select(one => one.Counters.Received).ToArray();
            return Until.TrueAsync(
                "it goes on", () => neighbour.Current.Zip(heard).All(pair => pair.First.Counters.Received > pair.Second + 25), 30,
                () => Said(heir, neighbour));
        }
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task Whom_nobody_comes_to_want_is_told_so_after_a_while()
    {
        var (old, heir, neighbour) = (Made(), Made(), Made());
        heir.ForOwners = TimeSpan.Zero;
        Want(near, old, Target(near, "10.0.0.2"));
        Want(far, neighbour, Target(far, "10.0.0.1"));
        await UpAsync(old, neighbour);
        heir.Expect(await old.HandAsync(lends: false));
        var handed = await old.HandAsync(lends: true);
        near.Inside(() =>
        {
            heir.Adopt(handed);
            return true;
        });
        await old.FallSilentAsync();
        await Until.TrueAsync(
            "it is told", () => neighbour.Current is [{ RemoteState: BfdState.AdminDown, Losses: 0 }], 20, () => Said(heir, neighbour));
        await Until.TrueAsync("it is not watched", () => heir.Current is [], 20, () => Said(heir));
    }

    private static (DateTimeOffset, int, int, uint) Seen(BfdSessionStatus by) => (by.Since, by.Ups, by.Losses, by.RemoteDiscriminator);

    private static BfdTarget Target(Netns from, string peer, bool multihop = false) => Target(from, peer, Slow, multihop);

    private static Task UpAsync(BfdLoop a, BfdLoop b) => Until.TrueAsync(
        "both are up", () => a.Current is [{ State: BfdState.Up }] && b.Current is [{ State: BfdState.Up }], 20, () => Said(a, b));
}
