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
internal sealed class DnsLoop(INftables nftables, IKernel kernel, Loops loops, TimeProvider clock, ILogger log)
    : IQueueReader, IAsyncDisposable
{
    /// <summary>Two queues, by which the rules tell which way a packet goes.</summary>
    public const ushort Queries = 5301, Responses = 5302;

    /// <summary>Elements in all sets together.</summary>
    private const int MostOpen = 250_000;

    private static readonly TimeSpan BeforeAnotherTry = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan BetweenSweeps = TimeSpan.FromSeconds(10);

    private readonly record struct Open(int Set, string Endpoint, Address Address);

    /// <summary>What the dataplane writes, in its turn.</summary>
    private sealed record Writing(ImmutableArray<NftChange> Changes, DnsPlan Plan, TaskCompletionSource Done);

    /// <summary>Responses that wait for one transaction, and what it opens.</summary>
    private sealed class Batch
    {
        public List<QueueTicket> Tickets { get; } = [];
        public List<Opening> Openings { get; } = [];
        public long Since { get; init; }
    }

    private readonly ConcurrentQueue<Writing> writings = [];
    private readonly ConcurrentQueue<Action> looks = [];
    private readonly ConcurrentQueue<Batch> committed = [];
    private readonly Dictionary<Open, long> open = [];
    private readonly List<Opening> openings = [];
    private readonly List<QueueTicket> free = [];
    private readonly Dictionary<int, DnsSet> sets = [];
    private NameCache cache = new(new());
    private DnsStreams streams = new();
    private DnsFacts facts = new();
    private PacketQueues? queues;
    private Batch? batch;
    private Task holding = Task.CompletedTask, saving = Task.CompletedTask;
    private ITimer? timer;
    private bool isRestored;
    private long sweptAt, savedAt, repairs;
    private long queries, responses, held, heldTicks, unprogrammed, unasked, damaged, opened;
    private volatile DnsView view = DnsView.Off;
    private string? problem;

    public DnsView View => view with
    {
        Counts = new(Volatile.Read(ref queries), Volatile.Read(ref responses), Volatile.Read(ref held),
            TimeSpan.FromTicks(Volatile.Read(ref heldTicks)), Volatile.Read(ref unprogrammed), Volatile.Read(ref unasked),
            Volatile.Read(ref damaged), Volatile.Read(ref opened)),
    };

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

    /// <summary>By which names, and by whose word, an address is open to an endpoint: a sentence each.</summary>
    /// <param name="endpoint">Its interface; empty: this host.</param>
    public Task<ImmutableArray<string>> ExplainAsync(Address address, string endpoint, CancellationToken stop) => LookAsync(() =>
        from one in cache.Explain(address, endpoint, Now)
        where one.Sets.Any(sets.ContainsKey)
        select $"{address} is open by {string.Join(", which is ", one.Names)}: {one.By.Server} has told, and it stays so for "
            + $"{Seconds(one.Until)} s", stop);

    /// <summary>What is known of names, by interface and name.</summary>
    /// <param name="asked">Of this name alone; null: of all.</param>
    public Task<ImmutableArray<DnsCacheEntry>> NamesAsync(string? asked, CancellationToken stop)
    {
        var only = asked == null ? null : DnsName.Parse(asked) ?? [];
        return LookAsync(() => cache.Names.Where(one => only == null || one.Name.Octets.AsSpan().SequenceEqual(only))
            .Select(one => Entry(one.Endpoint, one.Name)).OrderBy(one => one.Endpoint, StringComparer.Ordinal)
            .ThenBy(one => one.Name, StringComparer.Ordinal), stop);
    }

    private DnsCacheEntry Entry(string endpoint, CachedName name) => new(
        endpoint, DnsName.Text(name.Octets), name.Sets.Any(sets.ContainsKey),
        [.. name.Aliases.Where(one => one.By.Until > Now).Select(one => Target(DnsName.Text(one.Target.Octets), one.By))],
        [.. name.Addresses.Where(one => one.By.Until > Now).Select(one => Target(one.Address.ToString(), one.By))]);

    private DnsCacheTarget Target(string to, in Learning by) => new(to, by.Server.ToString(), by.Ttl, Seconds(by.Until));

    private long Seconds(long until) => (until - Now + 999) / 1000;

    /// <summary>Answered on the loop; nothing, while nobody is heard.</summary>
    private async Task<ImmutableArray<T>> LookAsync<T>(Func<IEnumerable<T>> look, CancellationToken stop)
    {
        if (queues is not { } listening) return [];
        var answer = new TaskCompletionSource<ImmutableArray<T>>(TaskCreationOptions.RunContinuationsAsynchronously);
        looks.Enqueue(() => answer.TrySetResult([.. look()]));
        listening.Ring();
        return await answer.Task.WaitAsync(stop).ConfigureAwait(false);
    }

    /// <summary>Before the rules that queue are in force, so that nothing passes by them.</summary>
    private async ValueTask BeginAsync()
    {
        if (nftables.QueueWay == QueueWay.None)
        {
            Refuse("the kernel has neither CONFIG_NFT_QUEUE nor CONFIG_NETFILTER_XT_TARGET_NFQUEUE");
            return;
        }
        var made = new PacketQueues("dns", loops);
        try
        {
            made.Start(this, Queries, Responses);
            (queues, problem, isRestored) = (made, null, false);
            timer = clock.CreateTimer(_ => made.Ring(), null, BetweenSweeps, BetweenSweeps);
        }
        catch (Win32Exception refused)
        {
            await made.DisposeAsync().ConfigureAwait(false);
            Refuse(refused.Message);
        }
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
        await timer!.DisposeAsync().ConfigureAwait(false);
        await ended.DisposeAsync().ConfigureAwait(false);
        queues = null;
        await holding.ConfigureAwait(false);
        await saving.ConfigureAwait(false);
        Save();
        await saving.ConfigureAwait(false);
        while (writings.TryDequeue(out var late)) late.Done.TrySetCanceled();
        while (looks.TryDequeue(out var look)) look();
        Forget();
        (cache, view) = (new(facts.Cache), DnsView.Off);
    }

    private void Forget()
    {
        open.Clear();
        openings.Clear();
        free.Clear();
        sets.Clear();
        committed.Clear();
        batch = null;
        streams = new();
    }

    public void BeginAgain()
    {
        (batch, streams) = (null, new());
        free.Clear();
        openings.Clear();
        open.Clear();
    }

    public void Read(in QueuedPacket packet)
    {
        var isResponse = packet.Ticket.Queue == Responses;
        var opensBefore = openings.Count;
        if (DnsPacket.TryRead(packet.Octets, out var carried)) Read(packet, carried, isResponse);
        if (openings.Count == opensBefore || !KeepNew(opensBefore))
        {
            free.Add(packet.Ticket);
            return;
        }
        batch ??= new() { Since = clock.GetTimestamp() };
        batch.Tickets.Add(packet.Ticket);
    }

    private void Read(in QueuedPacket packet, in DnsPacket carried, bool isResponse)
    {
        if (EndpointOf(packet, isResponse) is not { } endpoint) return;
        var flow = isResponse
            ? new DnsFlow(endpoint, carried.Destination, carried.DestinationPort, carried.Source, carried.SourcePort, carried.IsTcp)
            : new DnsFlow(endpoint, carried.Source, carried.SourcePort, carried.Destination, carried.DestinationPort, carried.IsTcp);
        if (!carried.IsTcp) Read(flow, carried.Data, isResponse);
        else
        {
            var stream = streams.Segment(new(flow, isResponse), carried.Sequence, carried.IsSyn, carried.Data);
            while (stream.Next(out var message)) Read(flow, message, isResponse);
            // Whoever asks may have said all that he has to say.
            if (carried.Ends && isResponse) streams.End(flow);
        }
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
        switch (cache.Answered(flow, message, Now, openings))
        {
            case Heard.Unasked: unasked++; break;
            case Heard.Damaged: damaged++; break;
        }
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
            foreach (var opening in done.Openings) Note(opening);
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
        if (nftables.Status.Repairs != repairs) OpenAll();
        if (Now - sweptAt > BetweenSweeps.TotalMilliseconds) Sweep();
        if (Now - savedAt > facts.SaveInterval.TotalMilliseconds) Save();
    }

    private void Note(Opening opening)
    {
        if (!sets.ContainsKey(opening.Set)) return;
        ref var until = ref CollectionsMarshal.GetValueRefOrAddDefault(open, new(opening.Set, opening.Endpoint, opening.Address), out _);
        until = Math.Max(until, opening.Until);
    }

    private void Hold(Batch now)
    {
        held += now.Tickets.Count;
        var isFull = open.Count + now.Openings.Count > MostOpen;
        var inForce = isFull ? Task.FromException(new InvalidOperationException()) : nftables.ApplyAsync(Elements(now.Openings));
        if (facts.Mode == DnsMode.None) queues!.Decide(QueueVerdict.Accept, CollectionsMarshal.AsSpan(now.Tickets));
        var release = ReleaseAsync(now, inForce, queues!, facts);
        holding = holding.IsCompleted ? release : Task.WhenAll(holding, release);
    }

    private async Task ReleaseAsync(Batch now, Task inForce, PacketQueues of, DnsFacts by)
    {
        var isOpen = false;
        try
        {
            await inForce.WaitAsync(by.Deadline, clock).ConfigureAwait(false);
            isOpen = true;
        }
        // The kernel is busy with something longer, or a set is not wanted any more, there are too many, or all ends.
        catch (Exception late)
            when (late is TimeoutException or ArgumentException or InvalidOperationException or OperationCanceledException)
        {
            Interlocked.Add(ref unprogrammed, now.Tickets.Count);
        }
        if (by.Mode == DnsMode.Hold) of.Decide(QueueVerdict.Accept, CollectionsMarshal.AsSpan(now.Tickets));
        Interlocked.Add(ref heldTicks, clock.GetElapsedTime(now.Since).Ticks * now.Tickets.Count);
        if (!isOpen) return;
        Interlocked.Add(ref opened, now.Openings.Count);
        committed.Enqueue(now);
    }

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
        foreach (var opening in openings) Note(opening);
        // Whoever waits may look at once.
        Show();
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
        if (!isRestored && newer.File is { } file)
        {
            before = NameCacheFile.Read(file, newer.Epoch, newer.Cache.Isolation, out var words);
            if (words != null) DataplaneLog.NamesNotKept(log, file, words);
        }
        if (!isSame) cache = new(newer.Cache);
        if (!isSame && before is { } image && image.Epoch == newer.Epoch && image.Isolation == newer.Cache.Isolation)
        {
            var count = cache.Restore(image, Now, clock.GetUtcNow());
            if (!isRestored) DataplaneLog.NamesKept(log, count, newer.File!);
        }
        (facts, isRestored) = (newer, true);
    }

    /// <summary>What is known is taken down here, and written beside.</summary>
    private void Save()
    {
        if (facts.File is not { } file || !isRestored || !saving.IsCompleted) return;
        savedAt = Now;
        var image = cache.Image(facts.Epoch, savedAt, clock.GetUtcNow());
        saving = KeepAsync(file, image);
    }

    private async Task KeepAsync(string file, NameCacheImage image)
    {
        await Task.Yield();
        try
        {
            NameCacheFile.Write(file, image);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            DataplaneLog.NamesNotKept(log, file, refused.Message);
        }
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
                if (cache.Settings.Isolation == DnsIsolation.Pod && sets.TryGetValue(one.Set, out var set))
                    changes.Add(new NftChange.RemoveElements(set.Of(one.Address.Family),
                        [NftElement.Of(MatchInterfaceAddress.Key(endpoint, one.Address))]));
            }
        }
        return changes;
    }

    /// <summary>Somebody has been at the table: the sets may have been made again, and be empty.</summary>
    private void OpenAll()
    {
        repairs = nftables.Status.Repairs;
        Empty();
        cache.Apply(new([.. sets.Values.Select(set => new DomainSet(set.Id, set.Patterns))]), Now, openings);
        if (openings.Count == 0) return;
        var again = new Batch { Since = clock.GetTimestamp() };
        again.Openings.AddRange(openings);
        openings.Clear();
        Hold(again);
    }

    private void Sweep()
    {
        sweptAt = Now;
        foreach (var (one, until) in open)
            if (until <= sweptAt) open.Remove(one);
        Show();
    }

    private void Show()
    {
        var kept = cache.Counts;
        view = new(true, facts.Mode, sets.Count, open.Count, default, problem)
        {
            Names = kept.Names,
            Streams = streams.Count,
            GivenUp = kept.NamesGivenUp + kept.AddressesGivenUp + kept.AliasesGivenUp + kept.QueriesGivenUp + kept.ChainsCut
                + streams.GivenUp,
        };
    }

    public async ValueTask DisposeAsync() => await StopAsync().ConfigureAwait(false);
}
