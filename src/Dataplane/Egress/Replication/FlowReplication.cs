using System.Collections.Immutable;
using System.ComponentModel;
using System.Net.Sockets;
using Calico.Bgp.Kernel.Conntrack;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Dataplane.Egress.Replication;

/// <summary>
/// <c>egress.replicateFlows</c>: of a pinned gateway the node that has the address gives its flows to the others, each of which has them in
/// its own kernel, so that the one that the address comes to goes on with them. Each node asks the others (<see cref="FlowTaker"/>),
/// and is asked by them (<see cref="FlowPort"/>); the kernel itself is the store, at both ends.
/// </summary>
/// <param name="changed">Called when <see cref="IsBehind"/> has changed; must not block.</param>
/// <param name="isBehind">At first: this process does not go on where another has just stopped.</param>
internal sealed class FlowReplication(
    Loops loops, TimeProvider clock, ILogger log, EgressCounting counts, Action changed, bool isBehind, CancellationToken stop)
    : IAsyncDisposable
{
    /// <summary>For so long flows are waited for: what begins meanwhile begins at the other node.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <summary>And for so long while they come: of those behind the moment the kernel would go on with what it has seen itself.</summary>
    private static readonly TimeSpan LongestPatience = TimeSpan.FromSeconds(30);

    /// <summary>For so long what an address's last flows are is told by who had it.</summary>
    private static readonly TimeSpan Late = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan BeforeAnotherTry = TimeSpan.FromSeconds(2), BetweenLooks = TimeSpan.FromMilliseconds(500);

    /// <summary>Then those who have come to be told are looked for.</summary>
    private const int MostAtOnce = 512;

    private readonly CancellationTokenSource stopping = CancellationTokenSource.CreateLinkedTokenSource(stop);
    private readonly Bell bell = new();
    private readonly Lock judging = new();
    private readonly Dictionary<Address, long> late = [];
    private readonly SortedDictionary<Address, string> refused = [];
    private volatile ReplicationPlan? plan;
    private volatile bool isBehind = isBehind;
    private volatile string? problem;
    private ImmutableDictionary<string, FlowTaker> takers = ImmutableDictionary<string, FlowTaker>.Empty;
    private ImmutableDictionary<Address, FlowPort> ports = ImmutableDictionary<Address, FlowPort>.Empty;
    private volatile ImmutableHashSet<Address> telling = [];
    private ConnectionTable? table;
    private FlowCopies? copies;
    private FlowListener? listener;
    private Loop? loop, hearing;
    private volatile TaskCompletionSource? settling;
    private bool wasAlone;
    private long? waitsSince;

    /// <summary>Flows of others are waited for: addresses stay with who has them.</summary>
    public bool IsBehind => isBehind;

    /// <summary>Null: no gateway is shared with anybody.</summary>
    public EgressReplicationView? View => plan is not { } now ? problem == null ? null : new(false, problem, []) : new(isBehind, problem,
    [
        .. from peer in now.Peers
           let taker = takers.GetValueOrDefault(peer.Node)
           where taker != null
           select new EgressReplicationPeerView(peer.Node, peer.Shared, taker.View,
               ports.Values.Select(port => port.Given(peer.Node)).OfType<EgressGivenView>().OrderBy(one => one.Since).LastOrDefault()),
    ]);

    /// <summary>Called on the dataplane's loop, when what makes flows is in force; never waits.</summary>
    /// <param name="newer">Null: no gateway is shared with anybody.</param>
    public void Want(ReplicationPlan? newer)
    {
        plan = newer == null || table != null || TryBegin() ? newer : null;
        if (table != null) settling = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Judge();
        bell.Ring();
    }

    /// <summary>With this addresses come or go, and the flows of this node's own pods with them.</summary>
    public bool MovesBy(ReplicationPlan? newer) => (plan?.Held ?? []) != (newer?.Held ?? []);

    /// <summary>Flows of addresses that have come or gone stand as what was wanted last has them. Whoever ends connections that stand
    /// otherwise waits for it.</summary>
    public Task SettledAsync(CancellationToken stop) => settling?.Task.WaitAsync(stop) ?? Task.CompletedTask;

    /// <summary>In the network namespace of the calling thread.</summary>
    private bool TryBegin()
    {
        try
        {
            table = new();
            listener = new(loops) { NotOf = () => table.Port };
            listener.Start();
        }
        catch (Win32Exception impossible)
        {
            if (problem != impossible.Message) DataplaneLog.FlowsNotGiven(log, impossible.Message);
            problem = impossible.Message;
            table?.Dispose();
            table = null;
            return false;
        }
        copies = new(table, clock);
        loop = loops.Start("flow replication", OnDefect.EndProcess, RunAsync, stop: stopping.Token);
        hearing = loops.Start("flow news", OnDefect.StartAgain, HearAsync, stop: stopping.Token);
        return true;
    }

    /// <summary>What programs of the node have written is heard by this, and need not be told of.</summary>
    public uint WrittenBy => table?.Port ?? 0;

    private async Task HearAsync(Loop turns)
    {
        var lost = listener!.Lost;
        while (await turns.NewsAsync(listener.Flows, stopping.Token).ConfigureAwait(false))
        {
            var (of, outboxes) = (telling, ports.Values.SelectMany(port => port.Outboxes).ToArray());
            for (var left = MostAtOnce; left > 0 && listener.Flows.TryRead(out var news); left--)
                if (of.Contains(news.Flow.Key.Leaving))
                    foreach (var outbox in outboxes) outbox.Tell(news);
            if (listener.Lost == lost) continue;
            lost = listener.Lost;
            foreach (var outbox in outboxes) outbox.Overrun();
        }
    }

    private async Task RunAsync(Loop turns)
    {
        try
        {
            while (true)
            {
                var (settled, now) = (settling, plan);
                Tell(now);
                copies!.Have(now);
                settled?.TrySetResult();
                await HaveAsync(turns, now).ConfigureAwait(false);
                foreach (var outbox in ports.Values.SelectMany(port => port.Outboxes)) outbox.Bell.Ring();
                turns.Rest();
                var patience = isBehind ? BetweenLooks : refused.Count + late.Count > 0 ? BeforeAnotherTry : Timeout.InfiniteTimeSpan;
                await bell.HeardAsync(patience, clock, stopping.Token).ConfigureAwait(false);
                turns.Beat();
                Judge();
            }
        }
        finally
        {
            await HaveAsync(turns, null).ConfigureAwait(false);
        }
    }

    /// <summary>Of which addresses flows are told.</summary>
    private void Tell(ReplicationPlan? now)
    {
        var held = now?.Held ?? [];
        foreach (var gone in telling.Except(held)) late.TryAdd(gone, clock.GetTimestamp());
        foreach (var one in late.Where(one => held.Contains(one.Key) || clock.GetElapsedTime(one.Value) >= Late).ToArray())
            late.Remove(one.Key);
        telling = [.. held, .. late.Keys];
    }

    private async Task HaveAsync(Loop turns, ReplicationPlan? now)
    {
        foreach (var (node, taker) in takers.ToArray())
            if (now?.Peers.FirstOrDefault(one => one.Node == node) is not { } peer || !taker.IsFor(now, peer))
            {
                takers = takers.Remove(node);
                await turns.WaitForAsync(taker.DisposeAsync().AsTask()).ConfigureAwait(false);
            }
        foreach (var peer in now?.Peers ?? [])
            if (!takers.ContainsKey(peer.Node))
                takers = takers.SetItem(peer.Node, new(now!, peer, copies!, loops, clock, log, counts, Judge));
        foreach (var (own, port) in ports.ToArray())
            if (now?.Own.Contains(own) != true || now.Port != port.Number)
            {
                ports = ports.Remove(own);
                await turns.WaitForAsync(port.DisposeAsync().AsTask()).ConfigureAwait(false);
            }
        foreach (var gone in refused.Keys.Where(one => now?.Own.Contains(one) != true).ToArray()) refused.Remove(gone);
        foreach (var own in now?.Own ?? [])
            if (!ports.ContainsKey(own)) Open(own, now!.Port);
        problem = refused.Count == 0 ? null : string.Join("; ", refused.Values);
    }

    private void Open(Address own, ushort number)
    {
        try
        {
            ports = ports.SetItem(own, new(own, number, table!, () => plan, loops, clock, log, counts));
            refused.Remove(own);
        }
        catch (SocketException taken)
        {
            var words = $"{own} port {number} is not to be had, and tried again: {taken.Message}";
            if (refused.GetValueOrDefault(own) != words) DataplaneLog.FlowsNotGiven(log, words);
            refused[own] = words;
        }
    }

    /// <summary>Whether the flows are here without which no address is taken from a node behind this one in the order.</summary>
    private void Judge()
    {
        lock (judging)
        {
            var before = isBehind;
            isBehind = IsBehindBy(plan);
            if (isBehind == before) return;
        }
        changed();
    }

    private bool IsBehindBy(ReplicationPlan? now)
    {
        if (now == null || !now.Peers.Any(peer => peer.IsLater)) return false;
        if (now.IsAlone)
        {
            var begins = !wasAlone;
            (wasAlone, waitsSince) = (true, null);
            foreach (var taker in begins ? takers.Values : []) taker.Begin();
            return true;
        }
        (wasAlone, waitsSince) = (false, wasAlone ? clock.GetTimestamp() : waitsSince ?? clock.GetTimestamp());
        if (!isBehind) return false;
        var later = now.Peers.Where(peer => peer.IsLater)
            .ToLookup(peer => takers.GetValueOrDefault(peer.Node)?.View.IsWhole == true);
        if (later[true].Any() && later[false].All(peer => peer.Hosts.All(now.Unheard.Contains))) return false;
        var patience = later[false].Any(peer => takers.GetValueOrDefault(peer.Node)?.IsListening == true) ? LongestPatience : Patience;
        if (clock.GetElapsedTime(waitsSince!.Value) < patience) return true;
        counts.Unwaited();
        DataplaneLog.FlowsNotWaitedFor(log, string.Join(", ", later[false].Select(peer => peer.Node)), patience.TotalSeconds);
        return false;
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync().ConfigureAwait(false);
        if (listener != null) await listener.DisposeAsync().ConfigureAwait(false);
        if (hearing != null) await hearing.Ended.ConfigureAwait(false);
        if (loop != null) await loop.Ended.ConfigureAwait(false);
        table?.Dispose();
        stopping.Dispose();
    }
}
