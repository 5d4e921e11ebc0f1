using System.Runtime.InteropServices;
using Calico.Bgp.Kernel.Conntrack;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Dataplane.Egress;

/// <summary>
/// Where a pod leaves by another way than it did, what it has begun to outside would leave as somebody else: its packets are dropped where
/// that can be told (<see cref="EgressRenderer"/>), or come to a gateway that knows nothing of them. Such connections are ended. Of TCP the
/// kernel's entry stays, with a mark, by which rules answer the pod that still sends with a reset, and the server where the reset would be
/// translated; any other is removed, and its next packet begins anew by the new way. What is inside of the cluster, and what others have
/// begun, goes on.
/// <para>
/// The work is in a loop of its own, behind the rules: a look through the kernel's table takes as long as that is, and what changes
/// meanwhile is one look more. What begins between the rules and the look cannot be told from what was before, and may be ended, too.
/// </para>
/// </summary>
/// <param name="settled">Ends when connections stand by what is in force, as far as others have told of them.</param>
internal sealed class MovedConnections(
    ConnectionTable connections, Loops loops, TimeProvider clock, ILogger log, EgressCounting counts,
    Func<CancellationToken, Task> settled) : IAsyncDisposable
{
    private readonly Lock guard = new();
    private readonly Bell bell = new();
    private readonly CancellationTokenSource stopping = new();
    private EgressMovedScope scope = EgressMovedScope.Nothing;
    private bool isHeld;
    private int holds;
    private Loop? loop;

    /// <summary>The change is in force. Never waits.</summary>
    public void Look(EgressMovedScope changed)
    {
        if (changed.Moves.Count == 0) return;
        lock (guard) scope = scope.With(changed);
        loop ??= loops.Start("egress moves", OnDefect.StartAgain, RunAsync, stop: stopping.Token);
        bell.Ring();
    }

    /// <summary>Connections will stand otherwise in a moment than the changes so far have it: nobody is judged by these alone.</summary>
    public void Hold()
    {
        lock (guard) (isHeld, holds) = (true, holds + 1);
    }

    /// <summary>The change that goes with it has been said.</summary>
    public void Release()
    {
        lock (guard)
        {
            if (!isHeld) return;
            isHeld = false;
        }
        bell.Ring();
    }

    private async Task RunAsync(Loop turns)
    {
        while (true)
        {
            turns.Rest();
            await bell.HeardAsync(stopping.Token).ConfigureAwait(false);
            // What has settled is what had been said by then: of a later change nothing is judged yet.
            if (Begin() is not { } asOf) continue;
            await settled(stopping.Token).ConfigureAwait(false);
            turns.Beat();
            var began = clock.GetTimestamp();
            if (Take(asOf) is { } taken) Pass(taken, asOf);
            turns.Rest();
            // Whoever else has something to do with connections has as much time.
            await Task.Delay(clock.GetElapsedTime(began), clock, stopping.Token).ConfigureAwait(false);
        }
    }

    /// <returns>Null: it is held back, and the bell rings when it is not any more.</returns>
    private int? Begin()
    {
        lock (guard) return isHeld ? null : holds;
    }

    /// <returns>Null: there is nothing, or something has come between, which has rung the bell or will.</returns>
    private EgressMovedScope? Take(int asOf)
    {
        lock (guard)
        {
            if (isHeld || holds != asOf || scope.Moves.Count == 0) return null;
            var taken = scope;
            scope = EgressMovedScope.Nothing;
            return taken;
        }
    }

    /// <summary>Something has come between: it is judged again, together with that.</summary>
    private bool IsOutdated(EgressMovedScope taken, int asOf)
    {
        lock (guard)
        {
            if (holds == asOf) return false;
            scope = scope.Moves.Count == 0 ? taken : taken.With(scope);
        }
        bell.Ring();
        return true;
    }

    private void Pass(EgressMovedScope of, int asOf)
    {
        var ended = 0;
        foreach (var family in ((IpFamily[])[IpFamily.IPv4, IpFamily.IPv6]).Where(of.MayConcern))
        {
            var found = connections.ReadStanding(family, of.Concerns, out var errno);
            if (errno != 0) Refused(errno);
            if (IsOutdated(of, asOf)) break;
            var these = found.Where(of.Ends);
            (var count, errno) = of.Marks is { } marks ? connections.Close(these, marks.Ended, marks.Both)
                : connections.Cut(these, isBarred: false);
            if (errno != 0) Refused(errno);
            ended += count;
        }
        counts.Ended(ended);
        if (ended > 0) DataplaneLog.EgressMoved(log, ended);
    }

    private void Refused(int errno) => DataplaneLog.EgressMovedRefused(log, Marshal.GetPInvokeErrorMessage(errno));

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync().ConfigureAwait(false);
        if (loop != null) await loop.Ended.ConfigureAwait(false);
        stopping.Dispose();
    }
}
