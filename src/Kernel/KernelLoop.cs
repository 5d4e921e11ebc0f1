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
public sealed class KernelLoop(KernelOptions options, Loops loops, TimeProvider clock, ILogger<KernelLoop> log)
    : IKernel, IRouteClaims, IKernelObjects, IAsyncDisposable
{
    private const int QueuedBatches = 32, LargestBatch = 1024, MostHops = 256, ShownRefusals = 100,
        ShownOfOthers = 4096, SliceRows = 1024, QueuedQuestions = 64;

    /// <summary>A turn may read all that the kernel has, several times over while it changes.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly record struct Wishes(RouteWish[] Array, int Count, OwnerRoutes? Of);

    private readonly Channel<Wishes> wishes =
        Channel.CreateBounded<Wishes>(new BoundedChannelOptions(QueuedBatches) { SingleReader = true });
    private readonly Channel<KernelQuestion> questions =
        Channel.CreateBounded<KernelQuestion>(new BoundedChannelOptions(QueuedQuestions) { SingleReader = true });
    private readonly List<TaskCompletionSource> untilSettled = [];
    private readonly ManualResetEventSlim signal = new();
    private readonly CancellationTokenSource stopping = new();
    private readonly TaskCompletionSource started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private NetlinkSocket? write, read, watched;
    private Loop? loop, watching;
    private Reconciler? reconciler;
    private volatile bool isHeld = options.IsHeld;
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
        // Deaf, or with tables that are no longer the kernel's, it would write nonsense; begun anew, everything is read.
        watching = loops.Start("kernel watch", OnDefect.EndProcess, turns => watch.RunAsync(turns, stopping.Token), stop: stopping.Token);
        var made = reconciler = new Reconciler(options, clock, log, write, read);
        loop = loops.StartThread("kernel", OnDefect.EndProcess, turns => Run(turns, watch, made), patience: Patience);
        return started.Task.WaitAsync(stop);
    }

    /// <summary>Nobody else writes any more (<see cref="KernelOptions.IsHeld"/>): what has been wished for is written from now
    /// on.</summary>
    public void BeginWriting()
    {
        isHeld = false;
        signal.Set();
    }

    public ValueTask WishAsync(ReadOnlyMemory<RouteWish> wishes, CancellationToken stop = default) => WishAsync(null, wishes, stop);

    private async ValueTask WishAsync(OwnerRoutes? of, ReadOnlyMemory<RouteWish> wishes, CancellationToken stop)
    {
        for (var left = wishes; !left.IsEmpty; left = left[Math.Min(LargestBatch, left.Length)..])
        {
            var count = Math.Min(LargestBatch, left.Length);
            var array = ArrayPool<RouteWish>.Shared.Rent(count);
            left.Span[..count].CopyTo(array);
            Check(array.AsSpan(0, count));
            await this.wishes.Writer.WriteAsync(new(array, count, of), stop).ConfigureAwait(false);
            signal.Set();
        }
    }

    private static void Check(ReadOnlySpan<RouteWish> batch)
    {
        foreach (var wish in batch)
        {
            if (wish.Target is not { } target) continue;
            if (target.Hops is { IsDefault: false, Length: > MostHops } hops)
                throw new ArgumentException($"a route leads over at most {MostHops} hops, not {hops.Length} ({wish.Prefix})",
                    nameof(batch));
            if (target.Type is not (RouteType.Unicast or RouteType.Blackhole or RouteType.Unreachable or RouteType.Prohibit))
                throw new ArgumentException($"routes of type {target.Type} are the kernel's own ({wish.Prefix})", nameof(batch));
        }
    }

    public ValueTask SweepAsync(CancellationToken stop = default) => SettleAsync(reached => new KernelQuestion.Sweep(null, reached), stop);

    public ValueTask FlushAsync(CancellationToken stop = default) => SettleAsync(reached => new KernelQuestion.Flush(null, reached), stop);

    public async ValueTask<IRouteClaim> ClaimAsync(string owner, uint table, CancellationToken stop = default)
    {
        var claimed = new TaskCompletionSource<OwnerRoutes>(TaskCreationOptions.RunContinuationsAsynchronously);
        await AskAsync(new KernelQuestion.Claim(owner, table, claimed), claimed.Task, stop).ConfigureAwait(false);
        return new Claim(this, await claimed.Task.ConfigureAwait(false), owner, table);
    }

    public async ValueTask<ImmutableArray<LeftRoute>> LeftAsync(CancellationToken stop = default)
    {
        var found = new TaskCompletionSource<ImmutableArray<LeftRoute>>(TaskCreationOptions.RunContinuationsAsynchronously);
        await AskAsync(new KernelQuestion.Left(found), found.Task, stop).ConfigureAwait(false);
        return await found.Task.ConfigureAwait(false);
    }

    public async ValueTask<IObjectClaim> ClaimObjectsAsync(string owner, CancellationToken stop = default)
    {
        var claimed = new TaskCompletionSource<OwnerObjects>(TaskCreationOptions.RunContinuationsAsynchronously);
        await AskAsync(new KernelQuestion.ClaimObjects(owner, claimed), claimed.Task, stop).ConfigureAwait(false);
        return new ObjectClaim(this, await claimed.Task.ConfigureAwait(false));
    }

    private sealed class ObjectClaim(KernelLoop loop, OwnerObjects objects) : IObjectClaim
    {
        public string Owner => objects.Name;

        public ValueTask WantAsync(IReadOnlyCollection<KernelObject> all, CancellationToken stop = default) =>
            loop.SettleAsync(reached => new KernelQuestion.Want(objects, [.. all], reached), stop);
    }

    private sealed class Claim(KernelLoop loop, OwnerRoutes routes, string owner, uint table) : IRouteClaim
    {
        public string Owner => owner;
        public uint Table => table;

        public ValueTask WishAsync(ReadOnlyMemory<RouteWish> wishes, CancellationToken stop = default) => loop.WishAsync(
            routes, Array.ConvertAll(wishes.ToArray(), wish => wish.Target is { } target ? wish with
            { Target = target with { Table = table } } : wish), stop);

        public ValueTask SweepAsync(CancellationToken stop = default) =>
            loop.SettleAsync(reached => new KernelQuestion.Sweep(routes, reached), stop);

        public ValueTask FlushAsync(CancellationToken stop = default) =>
            loop.SettleAsync(reached => new KernelQuestion.Flush(routes, reached), stop);
    }

    /// <summary>Ends when all that was asked before has been written, or refused.</summary>
    public ValueTask SettledAsync(CancellationToken stop = default) => SettleAsync(reached => new KernelQuestion.Settle(reached), stop);

    private async ValueTask SettleAsync(Func<TaskCompletionSource, KernelQuestion> question, CancellationToken stop)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await AskAsync(question(reached), reached.Task, stop).ConfigureAwait(false);
    }

    public async IAsyncEnumerable<OwnRoute> OwnRoutes([EnumeratorCancellation] CancellationToken stop = default)
    {
        for (var (owner, owners) = (0, 1); owner < owners; owner++)
            foreach (var family in (IpFamily[])[IpFamily.IPv4, IpFamily.IPv6])
            {
                for (uint from = 1; from != 0;)
                {
                    var slice = new TaskCompletionSource<RowSlice>(TaskCreationOptions.RunContinuationsAsynchronously);
                    await AskAsync(new KernelQuestion.Rows(owner, family, from, slice), slice.Task, stop).ConfigureAwait(false);
                    (var routes, from, owners) = await slice.Task.ConfigureAwait(false);
                    foreach (var route in routes) yield return route;
                }
            }
    }

    private static RowSlice Slice(RouteOwners owners, KernelQuestion.Rows asked)
    {
        var (owner, family) = (owners.All[asked.Owner], asked.Family);
        var (desired, rows) = (owner.Desired, owner.Desired.Rows(family));
        var routes = new List<OwnRoute>();
        var until = Math.Min(rows.End, asked.From + SliceRows);
        for (var handle = asked.From; handle < until; handle++)
        {
            if (!rows.IsUsed(handle)) continue;
            var row = new RowName(family, handle);
            routes.Add(new(
                rows[handle], desired.TargetOf(rows.Wanted(handle)), desired.TargetOf(rows.Installed(handle)), desired.Refusals.Words(row),
                owner.Name));
        }
        return new(routes, until < rows.End ? until : 0, owners.All.Count);
    }

    private async Task AskAsync(KernelQuestion question, Task answer, CancellationToken stop)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, stopping.Token);
        await questions.Writer.WriteAsync(question, either.Token).ConfigureAwait(false);
        signal.Set();
        await answer.WaitAsync(either.Token).ConfigureAwait(false);
    }

    private void Run(Loop loop, KernelWatch watch, Reconciler reconciler)
    {
        try
        {
            using var timer = clock.CreateTimer(_ => signal.Set(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            while (!stopping.IsCancellationRequested) RoundAndWait(loop, watch, reconciler, timer);
        }
        catch (Exception defect)
        {
            started.TrySetException(defect);
            wishes.Writer.TryComplete(defect);
            stopping.Cancel();
            throw;
        }
    }

    private void RoundAndWait(Loop loop, KernelWatch watch, Reconciler reconciler, ITimer timer)
    {
        loop.Beat();
        signal.Reset();
        // Wishes that were queued before a question are in force when it is answered.
        var asked = questions.Reader.Count;
        var taken = TakeNews(watch, reconciler) | TakeWishes(reconciler) | TakeQuestions(reconciler, asked);
        reconciler.IsHeld = isHeld;
        var worked = reconciler.Round();
        Publish(reconciler, idle: !worked && reconciler.IsSettled);
        if (reconciler.IsRead) started.TrySetResult();
        if (taken | worked) return;
        if (reconciler.Wait() is { } wait) timer.Change(wait, Timeout.InfiniteTimeSpan);
        loop.Rest();
        signal.Wait();
    }

    private static bool TakeNews(KernelWatch watch, Reconciler reconciler)
    {
        var any = false;
        while (watch.TryTake(out var news))
        {
            reconciler.Apply(news);
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
            var of = batch.Of ?? reconciler.Owners.First;
            foreach (ref readonly var wish in batch.Array.AsSpan(0, batch.Count)) reconciler.Want(of, wish);
            ArrayPool<RouteWish>.Shared.Return(batch.Array, clearArray: true);
            any = true;
        }
        return any;
    }

    private bool TakeQuestions(Reconciler reconciler, int count)
    {
        for (var i = 0; i < count && questions.Reader.TryRead(out var question); i++) Answer(reconciler, question);
        return count > 0;
    }

    private void Answer(Reconciler reconciler, KernelQuestion question)
    {
        switch (question)
        {
            case KernelQuestion.Rows rows:
                rows.Slice.SetResult(Slice(reconciler.Owners, rows));
                return;
            case KernelQuestion.Claim claim:
                claim.Claimed.SetResult(reconciler.Claim(claim.Owner, claim.Table));
                return;
            case KernelQuestion.Left left:
                left.Found.SetResult([.. reconciler.View.Left(options.Protocol)]);
                return;
            case KernelQuestion.ClaimObjects claim:
                claim.Claimed.SetResult(reconciler.Objects.Claim(claim.Owner));
                return;
            case KernelQuestion.Want want:
                reconciler.Objects.Want(want.Of, want.All);
                break;
            case KernelQuestion.Sweep(var of, _):
                reconciler.Sweep(of ?? reconciler.Owners.First);
                break;
            case KernelQuestion.Flush(var of, _):
                foreach (var owner in reconciler.Owners.All)
                    if (of == null || of == owner) owner.Desired.Flush();
                break;
        }
        untilSettled.Add(((KernelQuestion.Settle)question).Reached);
    }

    private void Publish(Reconciler reconciler, bool idle)
    {
        status = new(reconciler.Wanted, reconciler.Installed, reconciler.Pending, reconciler.Writes, reconciler.Failures,
            reconciler.Resyncs,
            Refusals(reconciler, idle))
        {
            RefusedObjects = idle ? reconciler.Objects.List(ShownOfOthers) : status.RefusedObjects,
            Beside = reconciler.View.BesideChanged ? [.. reconciler.View.AllBeside.OrderBy(route => route.Prefix)] : status.Beside,
        };
        reconciler.View.BesideChanged = false;
        if (reconciler.IsRead && reconciler.View.Publish(out var snapshot)) Tell(snapshot);
        if (!idle || untilSettled.Count == 0) return;
        foreach (var settled in untilSettled) settled.TrySetResult();
        untilSettled.Clear();
    }

    private ImmutableArray<KernelRefusal> Refusals(Reconciler reconciler, bool idle) =>
        (idle ? reconciler.NewRefusals(ShownRefusals, ShownOfOthers) : null) ?? status.Refusals;

    private void Tell(KernelSnapshot snapshot)
    {
        current = snapshot;
        Changed?.Invoke(snapshot);
    }

    /// <summary>The routes stay.</summary>
    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync().ConfigureAwait(false);
        questions.Writer.TryComplete();
        wishes.Writer.TryComplete();
        signal.Set();
        watched?.Dispose();
        if (watching != null) await watching.Ended.ConfigureAwait(false);
        if (loop != null) await loop.Ended.ConfigureAwait(false);
        reconciler?.Dispose();
        write?.Dispose();
        read?.Dispose();
    }
}
