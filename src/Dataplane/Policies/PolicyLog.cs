using System.ComponentModel;
using Calico.Bgp.Kernel.Nflog;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Dataplane.Policies;

/// <summary>
/// Hears what rules of policies log while any does, has it named, and writes it to the log. However much there is: a rule tells of so many
/// packets a second and no more (<see cref="LogPrefix"/>), who listens keeps a bounded number of them, here they are taken a batch at a
/// time with a pause behind it, each batch is one question to the dataplane's loop, and of lines so many a minute are written
/// (<see cref="FlowRing"/>). What is too much is counted.
/// </summary>
/// <param name="stop">Whoever answers ends.</param>
/// <param name="judges">Who has told of each; null: no rule of ours.</param>
internal sealed class PolicyLog(
    Loops loops, TimeProvider clock, ILogger log,
    Func<List<LoggedPacket>, CancellationToken, Task<List<(bool IsDenied, FlowJudge By)?>>> judges, CancellationToken stop)
    : IAsyncDisposable
{
    private const int MostAtOnce = 256;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100), BeforeAnotherTry = TimeSpan.FromSeconds(10);

    private readonly FlowRing denied = new(clock), logged = new(clock);
    private readonly CancellationTokenSource stopping = CancellationTokenSource.CreateLinkedTokenSource(stop);
    private volatile NflogListener? listener;
    private Loop? loop;
    private Task ending = Task.CompletedTask;
    private long? triedAt;
    private long lostBefore;
    private volatile DeniedView view = DeniedView.Off;

    public DeniedView Denied => view with { Lost = Volatile.Read(ref lostBefore) + (listener?.Lost ?? 0) };

    /// <summary>Called on the dataplane's loop after each round; never waits.</summary>
    public void Listen(bool isWanted)
    {
        if (isWanted == (listener != null)) return;
        if (isWanted) Begin();
        else End();
    }

    private void Begin()
    {
        if (!ending.IsCompleted || (triedAt is { } at && clock.GetElapsedTime(at) < BeforeAnotherTry)) return;
        triedAt = clock.GetTimestamp();
        var made = new NflogListener(loops, clock);
        try
        {
            made.Start(PolicyFacts.LogGroup);
        }
        catch (Win32Exception refused)
        {
            ending = made.DisposeAsync().AsTask();
            if (view.Problem != refused.Message) DataplaneLog.Deaf(log, refused.Message);
            view = view with { Problem = refused.Message };
            return;
        }
        (listener, triedAt, view) = (made, null, view with { Problem = null });
        loop = loops.Start("policy log", OnDefect.StartAgain, turns => RunAsync(turns, made), stop: stopping.Token);
    }

    private void End()
    {
        if (listener is not { } ended) return;
        Volatile.Write(ref lostBefore, lostBefore + ended.Lost);
        listener = null;
        ending = EndAsync(ended, loop);
    }

    private static async Task EndAsync(NflogListener listener, Loop? loop)
    {
        await listener.DisposeAsync().ConfigureAwait(false);
        if (loop != null) await loop.Ended.ConfigureAwait(false);
    }

    private async Task RunAsync(Loop turns, NflogListener from)
    {
        var batch = new List<LoggedPacket>(MostAtOnce);
        while (await turns.NewsAsync(from.Packets, stopping.Token).ConfigureAwait(false))
        {
            while (batch.Count < MostAtOnce && from.Packets.TryRead(out var packet)) batch.Add(packet);
            var asked = judges(batch, stopping.Token);
            await turns.WaitForAsync(asked).ConfigureAwait(false);
            var told = await asked.ConfigureAwait(false);
            for (var i = 0; i < batch.Count; i++)
                if (told[i] is var (isDenied, by)) Tell(batch[i], isDenied, by);
            batch.Clear();
            EndMinutes();
            view = view with { Flows = denied.Flows };
            turns.Rest();
            await Task.Delay(Pause, clock, stopping.Token).ConfigureAwait(false);
        }
    }

    private void Tell(LoggedPacket packet, bool isDenied, FlowJudge by)
    {
        if ((isDenied ? denied : logged).Add(packet, by) is not var (flow, packets)) return;
        if (isDenied) DataplaneLog.Denied(log, flow.Ends, WhereOf(flow), by.Reason, packets);
        else DataplaneLog.Logged(log, flow.Ends, WhereOf(flow), by.Reason, packets);
    }

    private static string WhereOf(PolicyFlow flow)
    {
        var way = $"{flow.Ends.In ?? "this host"} to {flow.Ends.Out ?? "this host"}";
        return flow.By.Program is { } program ? $"{$"{program} {flow.By.Endpoint}".TrimEnd()}, {way}" : way;
    }

    private void EndMinutes()
    {
        if (denied.EndMinute() is > 0 and var unsaid) DataplaneLog.Unsaid(log, unsaid, "denied");
        if (logged.EndMinute() is > 0 and var more) DataplaneLog.Unsaid(log, more, "logged");
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync().ConfigureAwait(false);
        End();
        await ending.ConfigureAwait(false);
        stopping.Dispose();
    }
}
