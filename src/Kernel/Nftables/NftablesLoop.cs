using System.Collections.Immutable;
using System.ComponentModel;
using System.Threading.Channels;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Kernel.Nftables;

/// <summary>
/// The only writer of our table of nf_tables: takes the newest wish, puts it into force, and puts right what others do to it.
/// </summary>
public sealed class NftablesLoop(string name, Loops loops, TimeProvider clock, ILogger<NftablesLoop> log) : INftables, IAsyncDisposable
{
    private const int ShownProblems = 100, Buffer = 4 << 20;

    /// <summary>Whoever fights us over the table does not get all of our time.</summary>
    private static readonly TimeSpan BetweenRepairs = TimeSpan.FromMilliseconds(100);

    private abstract record Order
    {
        public sealed record Apply(ImmutableArray<NftChange> Changes, TaskCompletionSource Done) : Order;
        public sealed record Counters(string Prefix, TaskCompletionSource<ImmutableArray<NftCount>> Done) : Order;
        public sealed record Keys(ImmutableArray<string> Sets, TaskCompletionSource<ImmutableArray<(string, NftOctets)>> Done) : Order;
        public sealed record Flush(TaskCompletionSource<string?> Done) : Order;
        public sealed record Walk(Packet Packet, IHostFacts Facts, TaskCompletionSource<ImmutableArray<PacketEnd>> Done) : Order;
        public sealed record Drops(ImmutableArray<Packet> Packets, IHostFacts Facts, TaskCompletionSource<ImmutableArray<bool>> Done)
            : Order;
        /// <summary>Somebody else has been at the table. Of these only one waits, however much he does.</summary>
        public sealed record Disturbed : Order;
        /// <summary>What was refused may be taken now.</summary>
        public sealed record Again : Order;
    }

    private readonly Channel<Order> orders = Channel.CreateUnbounded<Order>(new() { SingleReader = true });
    private readonly Order.Disturbed disturbance = new();
    private readonly Order.Again again = new();
    private readonly List<TaskCompletionSource> waiting = [];
    private readonly CancellationTokenSource stopping = new();
    private NetlinkSocket? socket, watched;
    private Bell? disturbances;
    private Loop? loop, watching;
    private ImmutableArray<string> missing = [];
    private long repairs, repairedAt;
    private bool disturbed, untold;
    private volatile NftStatus status = NftStatus.None;

    public NftStatus Status => status;

    public event Action? Disturbed;

    public QueueWay QueueWay { get; private set; }

    /// <summary>What the table says of itself in listings; it gets it when it is made.</summary>
    public string? Comment { get; init; }

    /// <summary>What an earlier run has in the table stays beside what is wanted; else it goes with the first change.</summary>
    public bool KeepsOthers { get; init; }

    /// <summary>Starts in the network namespace of the calling thread.</summary>
    /// <exception cref="System.ComponentModel.Win32Exception">The kernel gives no netlink sockets.</exception>
    public void Start()
    {
        socket = new(0, Buffer, NetlinkProtocol.Netfilter);
        watched = new(NftWatch.Group, Buffer, NetlinkProtocol.Netfilter);
        if (!watched.IgnoreAllOf(socket.Port)) KernelLog.NoFilter(log);
        missing = [.. NftProbe.Missing(socket, name + "-probe", NftProbe.All)];
        QueueWay = NftProbe.Queue(socket, name + "-probe");
        foreach (var option in missing) KernelLog.NftMissing(log, option);
        disturbances = new(() => orders.Writer.TryWrite(disturbance));
        var watch = new NftWatch(watched, [name, NftHold.NameFor(name)], socket.Port, disturbances);
        // Deaf, or with a table that is no longer the kernel's, nothing would be put right; begun anew, everything is read.
        watching = loops.Start("nftables watch", OnDefect.EndProcess, turns => watch.RunAsync(turns, stopping.Token), stop: stopping.Token);
        loop = loops.Start("nftables", OnDefect.EndProcess, RunAsync, stop: stopping.Token);
    }

    public Task ApplyAsync(ImmutableArray<NftChange> changes, CancellationToken stop = default)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        ObjectDisposedException.ThrowIf(!orders.Writer.TryWrite(new Order.Apply(changes, done)), this);
        return done.Task.WaitAsync(stop);
    }

    public Task<ImmutableArray<PacketEnd>> WalkAsync(Packet packet, IHostFacts facts, CancellationToken stop = default)
    {
        var done = new TaskCompletionSource<ImmutableArray<PacketEnd>>(TaskCreationOptions.RunContinuationsAsynchronously);
        ObjectDisposedException.ThrowIf(!orders.Writer.TryWrite(new Order.Walk(packet, facts, done)), this);
        return done.Task.WaitAsync(stop);
    }

    public Task<ImmutableArray<bool>> DropsAsync(ImmutableArray<Packet> packets, IHostFacts facts, CancellationToken stop = default)
    {
        var done = new TaskCompletionSource<ImmutableArray<bool>>(TaskCreationOptions.RunContinuationsAsynchronously);
        ObjectDisposedException.ThrowIf(!orders.Writer.TryWrite(new Order.Drops(packets, facts, done)), this);
        return done.Task.WaitAsync(stop);
    }

    public Task<ImmutableArray<NftCount>> CountersAsync(string prefix, CancellationToken stop = default)
    {
        var done = new TaskCompletionSource<ImmutableArray<NftCount>>(TaskCreationOptions.RunContinuationsAsynchronously);
        ObjectDisposedException.ThrowIf(!orders.Writer.TryWrite(new Order.Counters(prefix, done)), this);
        return done.Task.WaitAsync(stop);
    }

    public Task<ImmutableArray<(string Set, NftOctets Key)>> KeysAsync(ImmutableArray<string> sets, CancellationToken stop = default)
    {
        var done = new TaskCompletionSource<ImmutableArray<(string, NftOctets)>>(TaskCreationOptions.RunContinuationsAsynchronously);
        ObjectDisposedException.ThrowIf(!orders.Writer.TryWrite(new Order.Keys(sets, done)), this);
        return done.Task.WaitAsync(stop);
    }

    public Task<string?> FlushAsync(CancellationToken stop = default)
    {
        var done = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
        ObjectDisposedException.ThrowIf(!orders.Writer.TryWrite(new Order.Flush(done)), this);
        return done.Task.WaitAsync(stop);
    }

    private async Task RunAsync(Loop loop)
    {
        var ruleset = new Ruleset(name, Comment, socket!, watched, clock, log, KeepsOthers);
        var hold = new Ruleset(NftHold.NameFor(name), NftHold.Comment, socket!, watched, clock, log);
        await using var timer = clock.CreateTimer(_ => orders.Writer.TryWrite(again), null, Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan);
        try
        {
            while (await loop.NewsAsync(orders.Reader, stopping.Token).ConfigureAwait(false))
            {
                Round(ruleset, hold);
                timer.Change(Wait(ruleset, hold), Timeout.InfiniteTimeSpan);
            }
        }
        finally
        {
            orders.Writer.TryComplete();
            foreach (var done in waiting) done.TrySetCanceled();
            while (orders.Reader.TryRead(out var order)) Refuse(order);
        }
    }

    private static void Refuse(Order order)
    {
        if (order is Order.Apply apply) apply.Done.TrySetCanceled();
        else if (order is Order.Flush flush) flush.Done.TrySetCanceled();
        else if (order is Order.Walk walk) walk.Done.TrySetCanceled();
        else if (order is Order.Drops drops) drops.Done.TrySetCanceled();
        else if (order is Order.Counters counters) counters.Done.TrySetCanceled();
        else if (order is Order.Keys keys) keys.Done.TrySetCanceled();
    }

    private TimeSpan Wait(Ruleset ruleset, Ruleset hold) =>
        disturbed ? BetweenRepairs : (ruleset.Wait, hold.Wait) switch
        {
            ({ } one, { } other) => one < other ? one : other,
            var (one, other) => one ?? other ?? Timeout.InfiniteTimeSpan,
        };

    private void Round(Ruleset ruleset, Ruleset hold)
    {
        TakeOrders(ruleset, hold);
        var repairing = disturbed && clock.GetElapsedTime(repairedAt) >= BetweenRepairs;
        if (repairing)
        {
            ruleset.Doubt();
            hold.Doubt();
        }
        var before = ruleset.Transactions + hold.Transactions;
        hold.Round();
        ruleset.Round(() => TakeOrders(ruleset, hold));
        if (repairing) Repaired(ruleset.Transactions + hold.Transactions - before);
        untold |= repairing;
        Publish(ruleset, hold);
        if (!ruleset.IsSettled) return;
        if (untold) Disturbed?.Invoke();
        untold = false;
        foreach (var done in waiting) done.TrySetResult();
        waiting.Clear();
    }

    private void Publish(Ruleset ruleset, Ruleset hold) => status = new(ruleset.Transactions, ruleset.Readings, repairs, missing,
        [.. ruleset.Problems(ShownProblems), .. hold.Problems(ShownProblems)])
    {
        LastTransaction = ruleset.LastTransaction,
    };

    private void Repaired(long transactions)
    {
        disturbed = false;
        if (transactions == 0) return;
        repairs++;
        repairedAt = clock.GetTimestamp();
        KernelLog.NftRepaired(log, name, repairs);
    }

    private void TakeOrders(Ruleset ruleset, Ruleset hold)
    {
        while (orders.Reader.TryRead(out var order)) Handle(ruleset, hold, order);
    }

    private void Handle(Ruleset ruleset, Ruleset hold, Order order)
    {
        switch (order)
        {
            case Order.Apply(var changes, var done):
                Want(ruleset, hold, changes, done);
                break;
            case Order.Walk(var packet, var facts, var done):
                done.SetResult(PacketWalk.Ends(ruleset.TableOfNow, facts, packet));
                break;
            case Order.Drops(var packets, var facts, var done):
                var table = ruleset.Table;
                done.SetResult([.. packets.Select(packet =>
                    PacketWalk.Ends(table, facts, packet, telling: false).All(end => end.Verdict == PacketVerdict.Drop))]);
                break;
            case Order.Counters(var prefix, var done):
                if (ruleset.Counters(prefix, out var counts) is not 0 and var errno) done.SetException(new Win32Exception(errno));
                else done.SetResult(counts);
                break;
            case Order.Keys(var sets, var done):
                if (ruleset.Keys(sets, out var keys) is not 0 and var refused) done.SetException(new Win32Exception(refused));
                else done.SetResult(keys);
                break;
            case Order.Flush flush:
                flush.Done.SetResult(ruleset.Flush() ?? hold.Flush());
                break;
            case Order.Disturbed:
                disturbances!.Hear();
                disturbed = ruleset.IsOurs;
                break;
        }
    }

    private void Want(Ruleset ruleset, Ruleset hold, ImmutableArray<NftChange> changes, TaskCompletionSource done)
    {
        try
        {
            var isAhead = ruleset.Want(changes);
            if (!hold.IsOurs) hold.Want(NftHold.Parts);
            if (!isAhead) waiting.Add(done);
            else
            {
                Publish(ruleset, hold);
                done.SetResult();
            }
        }
        catch (ArgumentException impossible)
        {
            done.SetException(impossible);
        }
    }

    /// <summary>The table stays.</summary>
    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync().ConfigureAwait(false);
        orders.Writer.TryComplete();
        watched?.Dispose();
        if (watching != null) await watching.Ended.ConfigureAwait(false);
        if (loop != null) await loop.Ended.ConfigureAwait(false);
        socket?.Dispose();
    }
}
