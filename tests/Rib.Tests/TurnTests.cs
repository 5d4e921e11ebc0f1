using Calico.Bgp.Net;

namespace Calico.Bgp.Rib.Tests;

/// <summary>Who takes a shard's turn: its thread, or whoever brings a few routes while it rests.</summary>
public sealed class TurnTests
{
    private static Prefix Numbered(int number) => Prefix.Parse($"10.1.{number}.0/24");

    [Fact]
    public async Task A_few_routes_are_dealt_with_by_who_brings_them_while_the_shard_rests()
    {
        using var rig = new RibRig();
        rig.Up(RibRig.Peer(1));
        var receiver = rig.Up(RibRig.Peer(2));
        var attributes = rig.Attributes(_ => { });
        var here = 0;
        // The shard may still be on its way to rest: then its thread does it, which is right too.
        for (var round = 0; round < 1000 && here < 10; round++)
        {
            await rig.Rib.IdleAsync();
            var (caller, before) = (Environment.CurrentManagedThreadId, receiver.Announcements);
            var done = rig.AnnounceAsync(1, attributes, Numbered(round % 256));
            if (receiver.SentOn == caller && receiver.Announcements > before) here++;
            await done;
            await rig.Rib.IdleAsync();
            await rig.WithdrawAsync(1, Numbered(round % 256));
        }
        await rig.Rib.IdleAsync();
        Assert.Equal(10, here);
        Assert.Empty(receiver.Holds);
        Assert.Empty(receiver.Complaints);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public async Task Many_bring_few_routes_at_once_while_the_shard_has_work_of_its_own(int shards)
    {
        const int Sources = 4, Rounds = 3000, Prefixes = 32;
        using var rig = new RibRig(shards);
        for (ushort source = 1; source <= Sources; source++) rig.Up(RibRig.Peer(source));
        var receiver = rig.Up(RibRig.Peer(9));
        var attributes = rig.Attributes(_ => { });
        var held = new HashSet<int>[Sources + 1];

        var bringing = Task.WhenAll(Enumerable.Range(1, Sources).Select(source => Task.Run(async () =>
        {
            var random = new Random(source);
            var mine = held[source] = [];
            for (var round = 0; round < Rounds; round++)
            {
                var number = random.Next(Prefixes);
                if (mine.Add(number)) await rig.AnnounceAsync((ushort)source, attributes, Numbered(number));
                else
                {
                    mine.Remove(number);
                    await rig.WithdrawAsync((ushort)source, Numbered(number));
                }
            }
        })));
        for (var round = 0; !bringing.IsCompleted; round++)
        {
            if (round % 3 == 0) rig.Rib.Refresh(9, IpFamily.IPv4);
            if (round % 3 == 1) rig.Rib.Reimport(1);
            if (round % 50 == 0) receiver.BeSlow();
            if (round % 50 == 25) receiver.BeFast();
            await rig.ReadAsync(new RouteRequest(RouteSide.Accepted, IpFamily.IPv4));
        }
        await bringing;
        receiver.BeFast();
        await rig.Rib.IdleAsync();

        var all = held.Skip(1).SelectMany(numbers => numbers).Distinct().Select(Numbered).Order();
        Assert.Equal(all, receiver.Holds.Keys);
        Assert.Empty(receiver.Complaints);
    }
}
