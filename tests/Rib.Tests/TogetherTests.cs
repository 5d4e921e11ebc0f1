using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Rib.Tests;

/// <summary>
/// Peers to whom the same happens at once are told it once: the work does not grow with their number, only what they are sent.
/// </summary>
public sealed class TogetherTests : IDisposable
{
    private const int Receivers = 40;

    private readonly RibRig rig = new();
    private readonly Counting first = new(1), second = new(2);
    private readonly Prefix[] prefixes = [.. Enumerable.Range(0, 200).Select(i => Prefix.Parse($"10.1.{i}.0/24"))];

    /// <summary>Marks each route, and counts how often it was asked.</summary>
    private sealed class Counting(ushort mark) : IFilter
    {
        private int runs;
        public int Runs => Volatile.Read(ref runs);
        public string Name => $"mark {mark}";
        public bool LooksAtPrefix => true;

        public FilterResult Run(in FilterInput route, AttributeEditor editor)
        {
            Interlocked.Increment(ref runs);
            editor.Load(route.Attributes);
            editor.AddCommunity(new(65000, mark));
            return new(FilterVerdict.AcceptChanged, route.Hints, Name);
        }
    }

    public void Dispose() => rig.Dispose();

    private async Task<RibPeer[]> UpAsync()
    {
        rig.Up(RibRig.Peer(1));
        await rig.AnnounceAsync(1, rig.Attributes(editor => editor.Prepend(new(64501))), prefixes);
        RibPeer[] peers = [.. Enumerable.Range(2, Receivers).Select(i => RibRig.Peer((ushort)i, export: first))];
        foreach (var peer in peers) rig.Up(peer);
        await rig.Rib.IdleAsync();
        return peers;
    }

    private void AllHoldWith(string community)
    {
        foreach (var receiver in rig.Receivers.Values.Where(receiver => receiver.Peer != 1))
        {
            Assert.Empty(receiver.Complaints);
            Assert.Equal(prefixes, receiver.Holds.Keys);
            Assert.All(receiver.Holds.Values, attributes => Assert.Contains(community, attributes, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task A_filter_that_changes_towards_many_runs_for_each_route_once_and_once_more_where_it_is_told()
    {
        var peers = await UpAsync();
        rig.Rib.PeersChanged([.. peers.Select(peer => peer with { Export = second })]);
        await rig.Rib.IdleAsync();
        AllHoldWith("fde80002");
        Assert.InRange(second.Runs, prefixes.Length, 2 * prefixes.Length);
    }

    [Fact]
    public async Task A_filter_that_changes_back_before_anybody_has_heard_of_it_ends_as_it_was()
    {
        var peers = await UpAsync();
        foreach (var receiver in rig.Receivers.Values) receiver.BeSlow();
        rig.Rib.PeersChanged([.. peers.Select(peer => peer with { Export = second })]);
        rig.Rib.PeersChanged([.. peers.Take(Receivers / 2)]);
        rig.Rib.PeersChanged([.. peers.Skip(Receivers / 2)]);
        foreach (var receiver in rig.Receivers.Values) receiver.BeFast();
        await rig.Rib.IdleAsync();
        AllHoldWith("fde80001");
    }

    [Fact]
    public async Task Those_of_them_that_are_slow_hold_up_nobody_and_get_the_last_state()
    {
        var peers = await UpAsync();
        var slow = rig.Receivers[3];
        slow.BeSlow();
        rig.Rib.PeersChanged([.. peers.Select(peer => peer with { Export = second })]);
        await rig.Rib.IdleAsync();
        await rig.WithdrawAsync(1, prefixes[0]);
        await rig.Rib.IdleAsync();
        Assert.Equal(prefixes.Length - 1, rig.Receivers[4].Holds.Count);
        await rig.AnnounceAsync(1, rig.Attributes(editor => editor.Prepend(new(64501))), prefixes[0]);
        slow.BeFast();
        await rig.Rib.IdleAsync();
        AllHoldWith("fde80002");
    }
}
