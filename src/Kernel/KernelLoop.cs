using System.Buffers;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Kernel.Routes;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Kernel;

/// <summary>
/// The only writer of the kernel's tables. A thread of its own, because the kernel works inside send(): a batch takes about a
/// millisecond, and a million routes seconds, which no thread of the pool should spend. Callers meet a bounded queue and snapshots.
/// </summary>
public sealed class KernelLoop(KernelOptions options, TimeProvider clock, ILogger<KernelLoop> log) : IKernel, IAsyncDisposable
{
    private const int QueuedBatches = 32, LargestBatch = 1024, MostHops = 256, ShownRefusals = 100, SliceRows = 1024;

    private readonly record struct Wishes(RouteWish[] Array, int Count);

    private readonly Channel<Wishes> wishes = Channel.CreateBounded<Wishes>(new BoundedChannelOptions(QueuedBatches) { SingleReader = true });
    private readonly Channel<Action<Reconciler>> questions = Channel.CreateUnbounded<Action<Reconciler>>();
    private readonly List<TaskCompletionSource> untilSettled = [];
    private readonly ManualResetEventSlim signal = new();
    private readonly CancellationTokenSource stopping = new();
    private readonly TaskCompletionSource started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private NetlinkSocket? write, read, watched;
    private Task watching = Task.CompletedTask;
    private Thread? thread;
    private Reconciler? reconciler;
    private volatile KernelSnapshot current = KernelSnapshot.Empty;
    private volatile KernelStatus status = new(0, 0, 0, 0, 0, 0, []);

    public KernelSnapshot Current => current;

    public event Action<KernelSnapshot>? Changed;

    public KernelStatus Status => status;

    /// <summary>Starts in the network namespace of the calling thread; ends when everything has been read once.</summary>
    /// <exception cref="System.ComponentModel.Win32Exception">The kernel gives no netlink sockets.</exception>
    public Task StartAsync(CancellationToken stop)
    {
        write = new(0, 4 << 20);
        read = new(0, 4 << 20);
        watched = new(NetlinkSocket.AllGroups, options.WatchBuffer);
        if (!watched.IgnoreRoutesOf(write.Port)) KernelLog.NoFilter(log);
        var watch = new KernelWatch(watched, signal.Set);
        watching = watch.RunAsync(stopping.Token);
        var made = reconciler = new Reconciler(options, clock, log, write, read);
        thread = new Thread(() => Run(watch, made)) { IsBackground = true, Name = "kernel loop" };
        thread.Start();
        return started.Task.WaitAsync(stop);
    }

    public async ValueTask WishAsync(ReadOnlyMemory<RouteWish> wishes, CancellationToken stop = default)
    {
        for (var left = wishes; !left.IsEmpty; left = left[Math.Min(LargestBatch, left.Length)..])
        {
            var count = Math.Min(LargestBatch, left.Length);
            var array = ArrayPool<RouteWish>.Shared.Rent(count);
            left.Span[..count].CopyTo(array);
            Check(array.AsSpan(0, count));
            await this.wishes.Writer.WriteAsync(new(array, count), stop).ConfigureAwait(false);
            signal.Set();
        }
    }

    private static void Check(ReadOnlySpan<RouteWish> batch)
    {
        foreach (var wish in batch)
        {
            if (wish.Target is not { } target) continue;
            if (target.Hops is { IsDefault: false, Length: > MostHops } hops)
                throw new ArgumentException($"a route leads over at most {MostHops} hops, not {hops.Length} ({wish.Prefix})", nameof(batch));
            if (target.Type is not (RouteType.Unicast or RouteType.Blackhole or RouteType.Unreachable or RouteType.Prohibit))
                throw new ArgumentException($"routes of type {target.Type} are the kernel's own ({wish.Prefix})", nameof(batch));
        }
    }

    public ValueTask SweepAsync(CancellationToken stop = default) => SettleAsync(reconciler => reconciler.Sweep(), stop);

    public ValueTask FlushAsync(CancellationToken stop = default) => SettleAsync(reconciler => reconciler.Desired.Flush(), stop);

    /// <summary>Ends when all that was asked before has been written, or refused.</summary>
    public ValueTask SettledAsync(CancellationToken stop = default) => SettleAsync(_ => { }, stop);

    private ValueTask SettleAsync(Action<Reconciler> first, CancellationToken stop)
    {
        var settled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Ask(reconciler =>
        {
            first(reconciler);
            untilSettled.Add(settled);
        });
        return new(AnswerAsync(settled.Task, stop));
    }

    public async IAsyncEnumerable<OwnRoute> OwnRoutes([EnumeratorCancellation] CancellationToken stop = default)
    {
        foreach (var family in (IpFamily[])[IpFamily.IPv4, IpFamily.IPv6])
        {
            for (uint from = 1; from != 0;)
            {
                var slice = new TaskCompletionSource<(List<OwnRoute> Routes, uint Next)>(TaskCreationOptions.RunContinuationsAsynchronously);
                var first = from;
                Ask(reconciler => slice.SetResult(Slice(reconciler.Desired, family, first)));
                (var routes, from) = await AnswerAsync(slice.Task, stop).ConfigureAwait(false);
                foreach (var route in routes) yield return route;
            }
        }
    }

    private static (List<OwnRoute> Routes, uint Next) Slice(Desired desired, IpFamily family, uint from)
    {
        var rows = desired.Rows(family);
        var routes = new List<OwnRoute>();
        var until = Math.Min(rows.End, from + SliceRows);
        for (var handle = from; handle < until; handle++)
        {
            if (!rows.IsUsed(handle)) continue;
            var row = new RowName(family, handle);
            routes.Add(new(rows[handle], desired.TargetOf(rows.Wanted(handle)), desired.TargetOf(rows.Installed(handle)), desired.Refusals.Words(row)));
        }
        return (routes, until < rows.End ? until : 0);
    }

    private async Task AnswerAsync(Task answer, CancellationToken stop)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, stopping.Token);
        await answer.WaitAsync(either.Token).ConfigureAwait(false);
    }

    private async Task<T> AnswerAsync<T>(Task<T> answer, CancellationToken stop)
    {
        await AnswerAsync((Task)answer, stop).ConfigureAwait(false);
        return await answer.ConfigureAwait(false);
    }

    private void Ask(Action<Reconciler> question)
    {
        ObjectDisposedException.ThrowIf(!questions.Writer.TryWrite(question), this);
        signal.Set();
    }

    private void Run(KernelWatch watch, Reconciler reconciler)
    {
        try
        {
            using var timer = clock.CreateTimer(_ => signal.Set(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            while (!stopping.IsCancellationRequested) RoundAndWait(watch, reconciler, timer);
        }
        catch (Exception e)
        {
            KernelLog.Stopped(log, e);
            started.TrySetException(e);
            wishes.Writer.TryComplete(e);
            stopping.Cancel();
        }
    }

    private void RoundAndWait(KernelWatch watch, Reconciler reconciler, ITimer timer)
    {
        signal.Reset();
        // Wishes that were queued before a question are in force when it is answered.
        var asked = questions.Reader.Count;
        var taken = TakeNews(watch, reconciler) | TakeWishes(reconciler) | TakeQuestions(reconciler, asked);
        var worked = reconciler.Round();
        Publish(reconciler, idle: !worked && reconciler.IsSettled);
        if (reconciler.IsRead) started.TrySetResult();
        if (taken | worked) return;
        if (reconciler.Wait() is { } wait) timer.Change(wait, Timeout.InfiniteTimeSpan);
        signal.Wait();
    }

    private static bool TakeNews(KernelWatch watch, Reconciler reconciler)
    {
        var any = false;
        while (watch.TryTake(out var news))
        {
            reconciler.Take(news);
            KernelWatch.Return(news);
            any = true;
        }
        return any;
    }

    private bool TakeWishes(Reconciler reconciler)
    {
        var any = false;
        for (var batches = 0; batches < QueuedBatches && wishes.Reader.TryRead(out var batch); batches++)
        {
            foreach (ref readonly var wish in batch.Array.AsSpan(0, batch.Count)) reconciler.Take(wish);
            ArrayPool<RouteWish>.Shared.Return(batch.Array, clearArray: true);
            any = true;
        }
        return any;
    }

    private bool TakeQuestions(Reconciler reconciler, int count)
    {
        for (var i = 0; i < count && questions.Reader.TryRead(out var question); i++) question(reconciler);
        return count > 0;
    }

    private void Publish(Reconciler reconciler, bool idle)
    {
        var desired = reconciler.Desired;
        status = new(desired.WantedCount, desired.InstalledCount, desired.Pending, reconciler.Writes, reconciler.Failures, reconciler.Resyncs,
            Refusals(reconciler, idle));
        if (reconciler.IsRead && reconciler.View.Publish(out var snapshot)) Tell(snapshot);
        if (!idle || untilSettled.Count == 0) return;
        foreach (var settled in untilSettled) settled.TrySetResult();
        untilSettled.Clear();
    }

    private ImmutableArray<KernelRefusal> Refusals(Reconciler reconciler, bool idle)
    {
        if (!idle || !reconciler.Desired.Refusals.Changed) return status.Refusals;
        reconciler.Desired.Refusals.Changed = false;
        return reconciler.ListRefusals(ShownRefusals);
    }

    private void Tell(KernelSnapshot snapshot)
    {
        current = snapshot;
        try
        {
            Changed?.Invoke(snapshot);
        }
        catch (Exception e)
        {
            KernelLog.SubscriberFailed(log, e);
        }
    }

    /// <summary>The routes stay.</summary>
    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync().ConfigureAwait(false);
        questions.Writer.TryComplete();
        wishes.Writer.TryComplete();
        signal.Set();
        watched?.Dispose();
        await watching.ConfigureAwait(false);
        thread?.Join();
        reconciler?.Dispose();
        write?.Dispose();
        read?.Dispose();
    }
}
