using System.ComponentModel;
using Calico.Bgp.Kernel.Conntrack;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Dataplane.Egress;

/// <param name="Logged">Flows since the daemon has begun.</param>
/// <param name="Lost">How many flows, at least, are not in the log because they came faster than they were heard.</param>
/// <param name="Problem">Why none is written; null: they are.</param>
public sealed record EgressFlowLogView(long Logged, long Lost, string? Problem);

/// <summary>
/// <c>egress.flowLog</c>: on the gateway's node a line for each connection that begins to leave by it, so that the log of a firewall, which
/// sees the gateway's address and port, can be joined with the pod. The kernel tells of each once (<see cref="ConnectionListener"/>), and
/// only while somebody asks. Whose it is the dataplane's loop says, behind the round that brought the pod. What came too fast is counted,
/// and said once a minute.
/// </summary>
/// <param name="ask">Null: there is nothing to know.</param>
/// <param name="copies">What comes through that socket is another node's, which tells of it (<see cref="Replication"/>).</param>
/// <param name="stop">Whoever answers ends.</param>
internal sealed class EgressFlowLog(
    Loops loops, TimeProvider clock, ILogger log, Func<CancellationToken, Task<EgressFlows?>> ask,
    Func<uint> copies, CancellationToken stop)
    : IAsyncDisposable
{
    private const int MostAtOnce = 512;

    private static readonly TimeSpan BeforeAnotherTry = TimeSpan.FromSeconds(10), Minute = TimeSpan.FromMinutes(1);

    private readonly CancellationTokenSource stopping = CancellationTokenSource.CreateLinkedTokenSource(stop);
    private volatile ConnectionListener? listener;
    private volatile string? problem;
    private Loop? loop;
    private Task ending = Task.CompletedTask;
    private long? triedAt, saidAt;
    private long lostBefore, said, logged;
    private EgressFlows? now, before;

    /// <summary>Null: it is off, or this node is no gateway.</summary>
    public EgressFlowLogView? View => listener == null && problem == null ? null : new(Interlocked.Read(ref logged), Lost, problem);

    private long Lost => Interlocked.Read(ref lostBefore) + (listener?.Lost ?? 0);

    /// <summary>Called on the dataplane's loop before what makes flows is in force; never waits.</summary>
    public void Listen(bool isWanted)
    {
        if (!isWanted) problem = null;
        if (isWanted == (listener != null)) return;
        if (isWanted) Begin();
        else End();
    }

    private void Begin()
    {
        if (!ending.IsCompleted || (triedAt is { } at && clock.GetElapsedTime(at) < BeforeAnotherTry)) return;
        triedAt = clock.GetTimestamp();
        var made = new ConnectionListener(loops) { NotOf = copies };
        try
        {
            made.Start();
        }
        catch (Win32Exception refused)
        {
            ending = made.DisposeAsync().AsTask();
            if (problem != refused.Message) DataplaneLog.FlowsUnheard(log, refused.Message);
            problem = refused.Message;
            return;
        }
        (listener, triedAt, problem) = (made, null, null);
        loop = loops.Start("egress flows", OnDefect.StartAgain, turns => RunAsync(turns, made), stop: stopping.Token);
    }

    private void End()
    {
        if (listener is not { } ended) return;
        ending = EndAsync(ended, loop);
        listener = null;
    }

    private async Task EndAsync(ConnectionListener ended, Loop? its)
    {
        await ended.DisposeAsync().ConfigureAwait(false);
        Interlocked.Add(ref lostBefore, ended.Lost);
        if (its != null) await its.Ended.ConfigureAwait(false);
        SayLost(atOnce: true);
    }

    private async Task RunAsync(Loop turns, ConnectionListener from)
    {
        var batch = new List<TrackedConnection>(MostAtOnce);
        while (await turns.NewsAsync(from.Begun, stopping.Token).ConfigureAwait(false))
        {
            while (batch.Count < MostAtOnce && from.Begun.TryRead(out var one)) batch.Add(one);
            var asked = ask(stopping.Token);
            await turns.WaitForAsync(asked).ConfigureAwait(false);
            Know(await asked.ConfigureAwait(false));
            foreach (var one in batch) Tell(one);
            batch.Clear();
            SayLost(atOnce: false);
        }
    }

    /// <summary>A pod may send, and be gone before it is asked whose that was.</summary>
    private void Know(EgressFlows? newest)
    {
        if (newest == null || newest == now) return;
        (before, now) = (now, newest);
    }

    private void Tell(TrackedConnection one)
    {
        if ((now?.Of(one) is { Pod: not null } known ? known : before?.Of(one) ?? now?.Of(one)) is not { } flow) return;
        Interlocked.Increment(ref logged);
        DataplaneLog.EgressFlow(log, flow.Pod?.Namespace ?? "-", flow.Pod?.Name ?? "-", flow.Source.Address, Port(flow.Source),
            flow.Gateway, flow.Leaving.Address, Port(flow.Leaving), flow.Destination.Address, Port(flow.Destination), flow.ProtocolWord);
    }

    private static string Port(EgressFlowEnd of) => of.Port?.ToString() ?? "-";

    private void SayLost(bool atOnce)
    {
        if (Lost - said is not (> 0 and var more)) return;
        if (!atOnce && saidAt is { } at && clock.GetElapsedTime(at) < Minute) return;
        (saidAt, said) = (clock.GetTimestamp(), said + more);
        DataplaneLog.FlowsLost(log, more);
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync().ConfigureAwait(false);
        End();
        await ending.ConfigureAwait(false);
        stopping.Dispose();
    }
}
