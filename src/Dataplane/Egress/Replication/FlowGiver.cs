using System.Collections.Immutable;
using System.Net.Sockets;
using Calico.Bgp.Kernel.Conntrack;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Egress.Replication;

/// <summary>
/// Tells one node the flows of what this node holds: all of them at first, and then what becomes of them, a moment later, so that of a flow
/// that has changed thrice one word is said and of one that has come and gone none. Of those that would be forgotten soon at the other
/// node it tells again before that, and of all again once in an hour, because the kernel does not tell how long a flow has been
/// silent, nor the end of each (one that began while nobody listened has no news).
/// </summary>
internal sealed class FlowGiver(
    Socket to, FlowOutbox outbox, ConnectionTable table, Func<ReplicationPlan?> current, TimeProvider clock, EgressCounting counts)
{
    private const uint RefreshedBelow = 2 * FlowCopies.LeastLeft;

    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(50), Quiet = TimeSpan.FromSeconds(1),
        Stuck = TimeSpan.FromSeconds(10), BetweenRefreshes = TimeSpan.FromSeconds(100), BetweenLists = TimeSpan.FromHours(1),
        // Whoever had the address before does not remove anything for a while: somebody may still send by him.
        Settled = TimeSpan.FromSeconds(15);

    private readonly List<byte> octets = [];
    private ListOf<Address> held = [];
    private long refreshed, listed;
    private long? grown;
    private volatile EgressGivenView view = new(clock.GetUtcNow(), 0, 0, 0);

    public EgressGivenView View => view with { Waiting = outbox.Waiting };

    /// <summary>Ends when the other node is not there any more.</summary>
    public async Task RunAsync(Loop loop, CancellationToken stop)
    {
        FlowFrames.Write(new FlowFrame.Hello(FlowFrames.Version), octets);
        outbox.Overrun();
        var isFirst = true;
        while (true)
        {
            if (current() is not { } now) return;
            TellWaiting();
            if (isFirst || now.Held != held) TellHeld(now.Held);
            isFirst = false;
            Again();
            if (octets.Count == 0) FlowFrames.Write(FlowFrame.Alive.It, octets);
            await SendAsync(loop, stop).ConfigureAwait(false);
            loop.Rest();
            if (await outbox.Bell.HeardAsync(Quiet, clock, stop).ConfigureAwait(false))
                await Task.Delay(Moment, clock, stop).ConfigureAwait(false);
            loop.Beat();
        }
    }

    /// <summary>What waits of addresses that are given up goes before the word that they are.</summary>
    private void TellWaiting()
    {
        if (!outbox.Take(out var gone, out var flows))
        {
            List();
            return;
        }
        foreach (var some in gone.Chunk(FlowFrames.MostFlows)) FlowFrames.Write(new FlowFrame.Gone([.. some]), octets);
        foreach (var some in flows.Chunk(FlowFrames.MostFlows)) FlowFrames.Write(new FlowFrame.Flows([.. some]), octets);
        counts.FlowsGiven(gone.Length + flows.Length);
        if (gone.Length + flows.Length > 0) view = view with { Told = view.Told + gone.Length + flows.Length };
    }

    private void TellHeld(ListOf<Address> now)
    {
        var isMore = now.Except(held).Any();
        held = now;
        FlowFrames.Write(new FlowFrame.Held(now), octets);
        if (isMore) grown = clock.GetTimestamp();
        List();
    }

    private void Again()
    {
        if (clock.GetElapsedTime(listed) >= BetweenLists || (grown is { } since && clock.GetElapsedTime(since) >= Settled))
        {
            grown = null;
            List();
        }
        else if (clock.GetElapsedTime(refreshed) >= BetweenRefreshes)
        {
            outbox.Begin();
            Walk(one => one.Left < RefreshedBelow);
        }
    }

    private void List()
    {
        outbox.Begin();
        FlowFrames.Write(FlowFrame.Begin.It, octets);
        var count = Walk(_ => true);
        FlowFrames.Write(FlowFrame.Whole.It, octets);
        listed = clock.GetTimestamp();
        view = view with { Since = clock.GetUtcNow(), Listed = count, Told = 0 };
    }

    private long Walk(Predicate<Flow> which)
    {
        refreshed = clock.GetTimestamp();
        var some = ImmutableArray.CreateBuilder<Flow>(FlowFrames.MostFlows);
        var count = 0L;
        foreach (var family in held.Select(one => one.Family).Distinct())
            table.WalkFlows(family, one =>
            {
                if (!held.Contains(one.Key.Leaving) || !which(one)
                    || FlowOutbox.Worth(new(FlowTurn.Changed, one)) is not { Turn: FlowTurn.Changed }) return;
                some.Add(one);
                count++;
                if (some.Count == FlowFrames.MostFlows) Tell();
            });
        if (some.Count > 0) Tell();
        counts.FlowsGiven(count);
        return count;

        void Tell()
        {
            FlowFrames.Write(new FlowFrame.Flows(some.ToImmutable()), octets);
            some.Clear();
        }
    }

    private async Task SendAsync(Loop loop, CancellationToken stop)
    {
        using var stuck = new CancellationTokenSource(Stuck, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stuck.Token, stop);
        ReadOnlyMemory<byte> left = octets.ToArray();
        octets.Clear();
        loop.Rest();
        while (left.Length > 0)
        {
            var count = await to.SendAsync(left, either.Token).ConfigureAwait(false);
            left = left[count..];
            stuck.CancelAfter(Stuck);
        }
        loop.Beat();
    }
}
