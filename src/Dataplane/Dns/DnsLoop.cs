using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.ComponentModel;
using System.Runtime.InteropServices;
using Calico.Bgp.Kernel;
using Calico.Bgp.Kernel.Nfqueue;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Dataplane.Dns;

/// <summary>
/// Hears what endpoints with rules by names ask of trusted servers, and lets a response go on when the kernel has what it opens: so the
/// first packet to a name passes. What a turn's responses open is one transaction; a response that opens nothing new goes on at once, and
/// so does one whose deadline has come.
/// <para>
/// All that is written while names are in use goes through here, because what the cache says of new sets belongs into the transaction that
/// makes them: no response comes between.
/// </para>
/// <para>
/// A defect: the DNS fails open and connections fail closed. What waits goes on and opens nothing, what was being put together is
/// forgotten, and it begins again with the cache as it is. While the process is away the kernel passes the DNS by (bypass), names that were
/// open stay so until their time, and no others become so.
/// </para>
/// </summary>
internal sealed partial class DnsLoop(INftables nftables, IKernel kernel, Loops loops, TimeProvider clock, ILogger log)
    : IQueueReader, IAsyncDisposable
{
    /// <summary>Queues, by which the rules tell which way a packet of the DNS goes, and which would be denied.</summary>
    public const ushort Queries = 5301, Responses = 5302, Denied = 5303;

    /// <summary>Elements in all sets together. First go some of the endpoint that has most, those that would end first.</summary>
    public int MostOpen { get; init; } = 250_000;

    private const string NoQueues = "the kernel has neither CONFIG_NFT_QUEUE nor CONFIG_NETFILTER_XT_TARGET_NFQUEUE";

    private static readonly TimeSpan BeforeAnotherTry = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan BetweenSweeps = TimeSpan.FromSeconds(10);

    private readonly record struct Open(int Set, string Endpoint, Address Address);

    /// <summary>What the dataplane writes, in its turn.</summary>
    private sealed record Writing(ImmutableArray<NftChange> Changes, DnsPlan Plan, TaskCompletionSource Done);

    private readonly ConcurrentQueue<Writing> writings = [];
    private readonly ConcurrentQueue<Action> looks = [];
    private readonly ConcurrentQueue<DnsBatch> committed = [];
    private readonly Dictionary<Open, long> open = [];
    private readonly List<Opening> openings = [];
    private readonly List<QueueTicket> free = [];
    private readonly Dictionary<int, DnsSet> sets = [];
    private NameCache cache = new(new());
    private DnsStreams streams = new();
    private DnsFacts facts = new();
    private PacketQueues? queues;
    private DnsBatch? batch;
    private readonly NameKeeper keeper = new(log);
    private Task holding = Task.CompletedTask;
    private ITimer? timer;
    private bool isRestored;
    private volatile bool isDisturbed;
    private long sweptAt, savedAt;
    private long queries, responses, held, heldTicks, unprogrammed, unasked, damaged, opened, closed;
    private volatile DnsView view = DnsView.Off;
    private string? problem;

    private long Now => (long)clock.GetElapsedTime(0).TotalMilliseconds;

    /// <summary>How long until <see cref="ListenAsync"/> is to be tried again: another process may have had the queues, such as the one
    /// that we take over from. Null: not.</summary>
    public TimeSpan? Due => problem == null || !view.IsInUse || nftables.QueueWay == QueueWay.None ? null : BeforeAnotherTry;

    /// <summary>Names are in use, and nobody is heard: the same once more.</summary>
    public Task ListenAsync(DnsPlan plan, CancellationToken stop) => WriteAsync([], plan with { Gone = [], IsFresh = true }, stop);

    /// <summary>Called on the dataplane's loop: writes the changes, with what is open by the plan's names. Ends when that is in
    /// force.</summary>
    public async Task WriteAsync(ImmutableArray<NftChange> changes, DnsPlan plan, CancellationToken stop)
    {
        if (plan.IsInUse && queues == null) await BeginAsync().ConfigureAwait(false);
        if (!plan.IsInUse || queues is not { } listening)
        {
            await nftables.ApplyAsync(changes, stop).ConfigureAwait(false);
            if (!plan.IsInUse) await StopAsync().ConfigureAwait(false);
            view = new(plan.IsInUse, plan.Facts.Mode, plan.Sets.Length, 0, default, problem);
            return;
        }
        var writing = new Writing(changes, plan, new(TaskCreationOptions.RunContinuationsAsynchronously));
        writings.Enqueue(writing);
        listening.Ring();
        await writing.Done.Task.WaitAsync(stop).ConfigureAwait(false);
    }

    /// <summary>Before the rules that queue are in force, so that nothing passes by them.</summary>
    private async ValueTask BeginAsync()
    {
        if (nftables.QueueWay == QueueWay.None)
        {
            Refuse($"{NoQueues}, nor CONFIG_NFT_LOG");
            return;
        }
        var made = new PacketQueues("dns", loops, nftables.QueueWay);
        try
        {
            made.Start(this, new(Queries), new(Responses), new(Denied, Repeats: true));
            (queues, problem, isRestored) = (made, null, false);
            timer = clock.CreateTimer(_ => made.Ring(), null, BetweenSweeps, BetweenSweeps);
            nftables.Disturbed += Disturbed;
        }
        catch (Win32Exception refused)
        {
            await made.DisposeAsync().ConfigureAwait(false);
            Refuse(refused.Message);
        }
    }

    private void Disturbed()
    {
        isDisturbed = true;
        queues?.Ring();
    }

    private void Refuse(string words)
    {
        if (problem != words) DataplaneLog.NamesUnheard(log, words);
        problem = words;
    }

    /// <summary>Nobody is heard any more; what is open stays so until its time. Called on the dataplane's loop, or behind it.</summary>
    public async Task StopAsync()
    {
        if (queues is not { } ended) return;
        nftables.Disturbed -= Disturbed;
        await timer!.DisposeAsync().ConfigureAwait(false);
        await ended.DisposeAsync().ConfigureAwait(false);
        queues = null;
        await holding.ConfigureAwait(false);
        await keeper.Writing.ConfigureAwait(false);
        Save();
        await keeper.Writing.ConfigureAwait(false);
        while (writings.TryDequeue(out var late)) late.Done.TrySetCanceled();
        while (looks.TryDequeue(out var look)) look();
        Forget();
        (cache, view) = (new(facts.Cache), DnsView.Off);
        Count();
    }

    private void Forget()
    {
        open.Clear();
        openings.Clear();
        free.Clear();
        sets.Clear();
        committed.Clear();
        coming.Clear();
        judged.Clear();
        batch = null;
        streams = new();
    }

    public void BeginAgain()
    {
        (batch, streams) = (null, new());
        looked.Clear();
        free.Clear();
        openings.Clear();
        open.Clear();
        coming.Clear();
        judged.Clear();
    }

    public void Read(in QueuedPacket packet)
    {
        if (packet.Ticket.Queue == Denied)
        {
            ReadDenied(packet);
            return;
        }
        var isResponse = packet.Ticket.Queue == Responses;
        var opensBefore = openings.Count;
        var stream = DnsPacket.TryRead(packet.Octets, out var carried) ? Read(packet, carried, isResponse) : null;
        if (openings.Count == opensBefore || !KeepNew(opensBefore))
        {
            if (carried.Data.IsEmpty || stream?.Held?.Join(packet.Ticket) != true) free.Add(packet.Ticket);
            Watched(null);
            return;
        }
        batch ??= new() { Since = clock.GetTimestamp() };
        batch.Tickets.Add(packet.Ticket);
        if (stream != null && facts.Mode == DnsMode.Hold) stream.Held = batch;
        Watched(batch);
    }

    /// <returns>The connection that a response came on; null: it is no such.</returns>
    private DnsStream? Read(in QueuedPacket packet, in DnsPacket carried, bool isResponse)
    {
        if (EndpointOf(packet, isResponse) is not { } endpoint) return null;
        var flow = isResponse
            ? new DnsFlow(endpoint, carried.Destination, carried.DestinationPort, carried.Source, carried.SourcePort, carried.IsTcp)
            : new DnsFlow(endpoint, carried.Source, carried.SourcePort, carried.Destination, carried.DestinationPort, carried.IsTcp);
        if (!carried.IsTcp)
        {
            Read(flow, carried.Data, isResponse);
            return null;
        }
        var (stream, opensBefore) = (streams.Segment(new(flow, isResponse), carried.Sequence, carried.IsSyn, carried.Data), openings.Count);
        while (stream.Next(out var message)) Read(flow, message, isResponse);
        if (!isResponse) return null;
        // Whoever asks may have said all that he has to say; and what waits may be said again.
        if (carried.Ends && openings.Count == opensBefore && stream.Held is not { IsOver: false }) streams.End(flow);
        return stream;
    }

    private void Read(in DnsFlow flow, ReadOnlySpan<byte> message, bool isResponse)
    {
        if (!isResponse)
        {
            queries++;
            cache.Asked(flow, message, Now);
            return;
        }
        responses++;
        var opensBefore = openings.Count;
        var heard = cache.Answered(flow, message, Now, openings);
        switch (heard)
        {
            case Heard.Unasked: unasked++; break;
            case Heard.Damaged: damaged++; break;
        }
        if (watch.IsWatched) Look(flow, message, heard, opensBefore);
    }

    /// <summary>The interface of the workload that asks; empty: this host does. Null: it has gone.</summary>
    private string? EndpointOf(in QueuedPacket packet, bool isResponse)
    {
        var link = isResponse ? packet.Out : packet.In;
        return link == 0 || (isResponse && packet.Place == NftHookPoint.Input) || (!isResponse && packet.Place == NftHookPoint.Output) ? ""
            : kernel.Current.Links.GetValueOrDefault(link)?.Name;
    }

    /// <summary>What is open already, and as long, is not opened again.</summary>
    /// <returns>False: nothing is left.</returns>
    private bool KeepNew(int from)
    {
        var kept = from;
        for (var i = from; i < openings.Count; i++)
        {
            var opening = openings[i];
            if (!sets.ContainsKey(opening.Set)) continue;
            if (open.TryGetValue(new(opening.Set, opening.Endpoint, opening.Address), out var until) && until >= opening.Until) continue;
            openings[kept++] = opening;
        }
        CollectionsMarshal.SetCount(openings, kept);
        return kept > from;
    }

    public void EndTurn()
    {
        while (committed.TryDequeue(out var done))
        {
            foreach (var opening in done.Openings) Note(opening);
            if (coming.Count > 0) Arrived(done);
        }
        Judge();
        if (free.Count > 0) queues!.Decide(QueueVerdict.Accept, CollectionsMarshal.AsSpan(free));
        free.Clear();
        if (batch is { } now)
        {
            now.Openings.AddRange(openings);
            batch = null;
            Hold(now);
        }
        openings.Clear();
        while (writings.TryDequeue(out var writing)) Handle(writing);
        while (looks.TryDequeue(out var look)) look();
        if (isDisturbed) OpenAll();
        if (Now - sweptAt > BetweenSweeps.TotalMilliseconds) Sweep();
        if (Now - savedAt > facts.SaveInterval.TotalMilliseconds) Save();
        Count();
    }

    private void Note(Opening opening)
    {
        if (!sets.ContainsKey(opening.Set)) return;
        ref var until = ref CollectionsMarshal.GetValueRefOrAddDefault(open, new(opening.Set, opening.Endpoint, opening.Address), out _);
        until = Math.Max(until, opening.Until);
    }

    private void Hold(DnsBatch now)
    {
        if (facts.Mode == DnsMode.Hold) held += now.Tickets.Count;
        var inForce = nftables.ApplyAsync([.. MakeRoom(now.Openings), .. Elements(now.Openings)]);
        if (facts.Mode == DnsMode.DenyDelay) Expect(now);
        if (facts.Mode != DnsMode.Hold) queues!.Decide(QueueVerdict.Accept, CollectionsMarshal.AsSpan(now.Tickets));
        var release = ReleaseAsync(now, inForce, queues!, facts);
        holding = holding.IsCompleted ? release : Task.WhenAll(holding, release);
    }

    private async Task ReleaseAsync(DnsBatch now, Task inForce, PacketQueues of, DnsFacts by)
    {
        var isOpen = false;
        try
        {
            await inForce.WaitAsync(by.Deadline, clock).ConfigureAwait(false);
            isOpen = true;
        }
        // The kernel is busy with something longer, or a set is not wanted any more, or all ends.
        catch (Exception late)
            when (late is TimeoutException or ArgumentException or ObjectDisposedException or OperationCanceledException)
        {
            Interlocked.Add(ref unprogrammed, now.Tickets.Count);
        }
        var (denied, again) = now.End();
        of.Decide(QueueVerdict.Repeat, CollectionsMarshal.AsSpan(denied));
        if (by.Mode == DnsMode.Hold) of.Decide(QueueVerdict.Accept, CollectionsMarshal.AsSpan(now.Tickets));
        of.Decide(QueueVerdict.Accept, CollectionsMarshal.AsSpan(again));
        var time = by.Mode == DnsMode.Hold ? clock.GetElapsedTime(now.Since) : TimeSpan.Zero;
        Interlocked.Add(ref heldTicks, time.Ticks * now.Tickets.Count);
        foreach (var lookup in now.Lookups)
            watch.Add(lookup with { Result = isOpen ? DnsResult.Opened : DnsResult.Unprogrammed, Held = time });
        if (!isOpen) return;
        Interlocked.Add(ref opened, now.Openings.Count);
        committed.Enqueue(now);
    }

    /// <summary>What has to go for these.</summary>
    private List<NftChange> MakeRoom(List<Opening> coming)
    {
        var changes = new List<NftChange>();
        if (coming.Count > MostOpen)
        {
            coming.Sort((one, other) => other.Until.CompareTo(one.Until));
            closed += coming.Count - MostOpen;
            CollectionsMarshal.SetCount(coming, MostOpen);
        }
        if (open.Count + coming.Count <= MostOpen) return changes;
        Sweep();
        // What is looked through for that is much, so some more go than have to.
        const int share = 64;
        while (open.Count + coming.Count is var count && count > MostOpen)
        {
            var most = open.GroupBy(one => one.Key.Endpoint).MaxBy(of => of.Count())!;
            Open[] gone = [.. most.OrderBy(one => one.Value).Take(count - MostOpen + (MostOpen / share)).Select(one => one.Key)];
            changes.AddRange(gone.Select(Removal).OfType<NftChange>());
            foreach (var one in gone) open.Remove(one);
            closed += gone.Length;
            DataplaneLog.NamesFull(log, MostOpen, gone.Length, most.Key);
        }
        return changes;
    }

    private NftChange.RemoveElements? Removal(Open one) => !sets.TryGetValue(one.Set, out var set) ? null
        : new(set.Of(one.Address.Family), [NftElement.Of(KeyOf(new(one.Set, one.Endpoint, one.Address, 0)))]);

    private ImmutableArray<NftChange> Elements(List<Opening> some)
    {
        var now = Now;
        var changes = ImmutableArray.CreateBuilder<NftChange>();
        foreach (var group in some.Where(opening => sets.ContainsKey(opening.Set) && opening.Until > now)
            .GroupBy(opening => sets[opening.Set].Of(opening.Address.Family)))
            changes.Add(new NftChange.PutElements(group.Key, [.. group.GroupBy(KeyOf).Select(same =>
                NftElement.Of(same.Key) with { Timeout = TimeSpan.FromMilliseconds(same.Max(one => one.Until) - now) })]));
        return changes.DrainToImmutable();
    }

    private NftOctets KeyOf(Opening opening) => cache.Settings.Isolation == DnsIsolation.Node ? NftOctets.Of(opening.Address)
        : MatchInterfaceAddress.Key(opening.Endpoint.Length == 0 ? null : opening.Endpoint, opening.Address);

    private void Handle(Writing writing)
    {
        try
        {
            Write(writing);
        }
        catch (Exception defect)
        {
            // Whoever waits has half a table in force, and a policy for that.
            writing.Done.TrySetException(defect);
            throw;
        }
    }

    private void Write(Writing writing)
    {
        var plan = writing.Plan;
        Configure(plan.Facts);
        var gone = Close(plan.Gone);
        if (plan.IsFresh) Empty();
        sets.Clear();
        foreach (var set in plan.Sets) sets.Add(set.Id, set);
        foreach (var one in open.Keys.Where(one => !sets.ContainsKey(one.Set)).ToArray()) open.Remove(one);
        cache.Apply(new([.. plan.Sets.Select(set => new DomainSet(set.Id, set.Patterns))]), Now, openings);
        gone.AddRange(MakeRoom(openings));
        foreach (var opening in openings) Note(opening);
        // Whoever waits may look at once.
        view = new(true, facts.Mode, sets.Count, 0, default, problem);
        Count();
        var written = nftables.ApplyAsync([.. gone, .. writing.Changes, .. Elements(openings)]);
        openings.Clear();
        _ = written.ContinueWith(static (task, state) => ((TaskCompletionSource)state!).SetFromTask(task), writing.Done,
            CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    /// <summary>What is known stays so under other settings, unless it was forgotten, or is another's now.</summary>
    private void Configure(DnsFacts newer)
    {
        var before = isRestored ? cache.Image(facts.Epoch, Now, clock.GetUtcNow()) : null;
        var isSame = isRestored && facts.Cache == newer.Cache && facts.Epoch == newer.Epoch;
        // Of another file nothing is taken while something is known; but what is there is looked at before it is written over.
        if (newer.File is { } file && (!isRestored || newer.File != facts.File))
        {
            var kept = keeper.Read(file, newer.Epoch, newer.Cache.Isolation);
            if (!isRestored) before = kept;
        }
        if (!isSame) cache = new(newer.Cache);
        if (!isSame && before is { } image && image.Epoch == newer.Epoch && image.Isolation == newer.Cache.Isolation)
        {
            var count = cache.Restore(image, Now, clock.GetUtcNow());
            if (!isRestored) DataplaneLog.NamesKept(log, count, newer.File!);
        }
        if (newer.LacksMark && !facts.LacksMark) DataplaneLog.NamesLackMark(log);
        var lacked = Unheld;
        Unheld = newer.Mode != DnsMode.None && nftables.QueueWay == QueueWay.Copies ? NoQueues : null;
        if (lacked == null && Unheld is { } why) DataplaneLog.NamesUnheld(log, why);
        (facts, isRestored) = (Unheld == null ? newer : newer with { Mode = DnsMode.None }, true);
    }

    /// <summary>What is known is taken down here, and written beside.</summary>
    private void Save()
    {
        if (facts.File is not { } file || !isRestored) return;
        savedAt = Now;
        keeper.Write(file, () => cache.Image(facts.Epoch, savedAt, clock.GetUtcNow()));
    }

    private void Empty()
    {
        cache.Apply(DomainSets.None, Now, openings);
        open.Clear();
        openings.Clear();
    }

    /// <summary>Who has the interface's name next has looked nothing up.</summary>
    private List<NftChange> Close(ImmutableArray<string> gone)
    {
        var changes = new List<NftChange>();
        foreach (var endpoint in gone)
        {
            cache.Forget(endpoint);
            streams.Forget(endpoint);
            foreach (var one in open.Keys.Where(one => one.Endpoint == endpoint).ToArray())
            {
                open.Remove(one);
                if (cache.Settings.Isolation == DnsIsolation.Pod && Removal(one) is { } removal) changes.Add(removal);
            }
        }
        return changes;
    }

    /// <summary>Somebody has been at the table: the sets may have been emptied, or made again.</summary>
    private void OpenAll()
    {
        isDisturbed = false;
        Empty();
        cache.Apply(new([.. sets.Values.Select(set => new DomainSet(set.Id, set.Patterns))]), Now, openings);
        if (openings.Count == 0) return;
        var again = new DnsBatch { Since = clock.GetTimestamp() };
        again.Openings.AddRange(openings);
        openings.Clear();
        Hold(again);
    }

    private void Sweep()
    {
        sweptAt = Now;
        foreach (var (one, until) in open)
            if (until <= sweptAt) open.Remove(one);
        SweepComing();
    }

    public async ValueTask DisposeAsync() => await StopAsync().ConfigureAwait(false);
}
