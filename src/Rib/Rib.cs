using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Calico.Bgp.Net;
using Calico.Bgp.Wire;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Rib;

/// <summary>
/// What a shard tells and asks its owner; called on shards' threads and on those of who brings routes, so it must be thread-safe and
/// must not block.
/// </summary>
internal interface IRibOwner
{
    PeerCounts CountsOf(ushort peer, IpFamily family);
    void EndOfRib(ushort peer, IpFamily family);
    void TableSent(IPeerOutlet outlet, IpFamily family);
    void PrefixLimitExceeded(ushort peer, IpFamily family, int limit);
    void CameToRest();
    /// <summary>One shard's route over next hops moved: the others resolve by it too.</summary>
    void WayMoved(int shard, Prefix prefix, Way? way);
    void NextHopWatched(int shard, Address address, bool begins);
}

/// <summary>What the RIB tells the speaker. Called on shards' threads and on those of who brings routes; must not block.</summary>
public interface IRibListener
{
    /// <summary>The peer has sent its whole table (RFC 4724 section 2).</summary>
    void EndOfRib(ushort peer, IpFamily family);
    /// <summary>More prefixes than configured; told again with each further batch until the session ends.</summary>
    void PrefixLimitExceeded(ushort peer, IpFamily family, int limit);
    /// <summary>A shard has done all that it could do: whoever watches tables and counters finds them as they stay for now.</summary>
    void CameToRest();
}

/// <summary>The routing table: its shards, and the doors to them. All members are thread-safe.</summary>
public sealed class Rib : IRibOwner, IDisposable
{
    /// <summary>Changes of routes are timed in these units since the process began to count (16 ms).</summary>
    public static readonly TimeSpan TickLength = TimeSpan.FromMilliseconds(1 << TickBits);
    private const int TickBits = 4;
    private const int Slice = 4096;

    private readonly IRibListener listener;
    private readonly RibShard[] shards;
    /// <summary>What shards have told each other.</summary>
    private long toldBetween;
    private readonly ConcurrentDictionary<(ushort Peer, IpFamily Family), ConcurrentBag<PeerCounts>> counts = [];
    private readonly ConcurrentDictionary<(IPeerOutlet Outlet, IpFamily Family), int> tablesSent = [];

    public Rib(
        int shardCount, DecisionSettings settings, INextHopResolver resolver, IFibSink? fib, IRibListener listener, Loops loops,
        ILogger<Rib> log)
        : this(shardCount, settings, resolver, fib, listener, loops, log, Slice)
    {
    }

    /// <param name="slice">Prefixes that a walk looks at before other work has its turn; tests take few, so that much comes
    /// between.</param>
    internal Rib(
        int shardCount, DecisionSettings settings, INextHopResolver resolver, IFibSink? fib, IRibListener listener, Loops loops,
        ILogger<Rib> log, int slice)
    {
        this.listener = listener;
        shards = [.. Enumerable.Range(0, Math.Max(shardCount, 1)).Select(NewShard)];

        RibShard NewShard(int number) => new(number, settings, resolver, fib, this, loops, log, slice);
    }

    internal static uint Ticks(long milliseconds) => (uint)(milliseconds >> TickBits);
    /// <summary>The present, as <see cref="RouteFacts.Changed"/> counts.</summary>
    public static uint Now => Ticks(Environment.TickCount64);

    public void Start()
    {
        foreach (var shard in shards) shard.Start();
    }

    /// <summary>Where the routes of this source come in. One reader's.</summary>
    public RouteInlet InletFor(ushort peer) => new(peer, shards);

    /// <summary>A source (and with an outlet, receiver) is up: before the first route from its inlet.</summary>
    public void PeerUp(RibPeer peer, IPeerOutlet? outlet) => Tell(new ShardMessage.PeerUp(peer, outlet));

    /// <summary>It is down: after the last flush of its inlet. Its routes go, in slices.</summary>
    /// <param name="kept">
    /// Families whose routes stay instead, stale, chosen and told as before (RFC 4724 section 4.2), until the next session's End-of-RIB, a
    /// refresh, <see cref="EndStale"/> or another loss finds that they were not said again.
    /// </param>
    public void PeerDown(ushort peer, IPeerOutlet? outlet, KeptFamilies kept = default)
    {
        if (outlet != null)
            foreach (var family in (ReadOnlySpan<IpFamily>)[IpFamily.IPv4, IpFamily.IPv6]) tablesSent.TryRemove((outlet, family), out _);
        Tell(new ShardMessage.PeerDown(peer, kept));
    }

    /// <summary>
    /// The peer's routes that are still stale go: it is not back in time, or did not keep its own (RFC 4724 section 4.2).
    /// </summary>
    public void EndStale(ushort peer, FamilySet families) => Tell(new ShardMessage.StaleEnds(peer, families));

    /// <summary>
    /// RFC 9494 section 4.3: the peer's routes that are still stale become the last resort, marked as such, and those go that forbid it.
    /// </summary>
    public void BeginLongStale(ushort peer, FamilySet families) => Tell(new ShardMessage.LongStaleBegins(peer, families));

    /// <summary>
    /// RFC 4724 section 4.1: from now on peers' routes are kept, and none of them reaches the FIB or another peer, nor does our
    /// End-of-RIB; own routes do.
    /// </summary>
    public void Defer(FamilySet families) => Tell(new ShardMessage.Defer(families, Begins: true));

    /// <summary>That is over: what is chosen by now is told, and then our End-of-RIB.</summary>
    public void EndDeferral(FamilySet families) => Tell(new ShardMessage.Defer(families, Begins: false));

    /// <summary>Other filters or knobs for a peer that is up; nothing is reset.</summary>
    public void PeerChanged(RibPeer peer) => PeersChanged([peer]);

    /// <summary>The same for several at once: those who go from one treatment to another together are told what differs together.</summary>
    public void PeersChanged(ImmutableArray<RibPeer> peers) => Tell(new ShardMessage.PeersChanged(peers));

    /// <summary>The peer asked for everything again (RFC 2918).</summary>
    public void Refresh(ushort peer, IpFamily family) => Tell(new ShardMessage.Refresh(peer, family));

    /// <summary>The import filter looks at every route of the peer again.</summary>
    public void Reimport(ushort peer) => Tell(new ShardMessage.Reimport(peer));

    /// <summary>
    /// The import filters look again at every route in the range (to it or to a part of it), whoever sent it: what they go by has changed.
    /// Ranges that come one after the other share a walk.
    /// </summary>
    public void Reimport(Prefix range) => Tell(new ShardMessage.ReimportRange(range));

    public void NextHopsChanged(INextHopResolver resolver) => Tell(new ShardMessage.NextHopsChanged(resolver));
    public void SettingsChanged(DecisionSettings settings) => Tell(new ShardMessage.SettingsChanged(settings));

    /// <summary>Every route is offered to the FIB sink's filter again.</summary>
    public void FibFilterChanged() => Tell(ShardMessage.FibFilterChanged.Now);

    /// <summary>From now on he is told whose the best routes are, beginning with all of them; whoever else follows goes on.</summary>
    public void Follow(IBestFollower follower) => Tell(new ShardMessage.Follow(follower));

    /// <summary>He is told no more, but for what is on its way to him.</summary>
    public void Unfollow(IBestFollower follower) => Tell(new ShardMessage.Unfollow(follower));

    /// <summary>The FIB sink, or a follower, has room again.</summary>
    public void Wake() => Tell(ShardMessage.Wake.Up);

    /// <summary>How many images there are of it.</summary>
    public int ShardCount => shards.Length;

    /// <summary>
    /// Every shard does all that it can do, writes its image, and stands still until what is returned is disposed: nobody is told anything
    /// meanwhile. Whoever brings routes has come to rest before.
    /// </summary>
    /// <param name="images">One a shard.</param>
    /// <exception cref="IOException">There is no room for an image; the shards go on.</exception>
    public async Task<IDisposable> FreezeAsync(IReadOnlyList<Stream> images)
    {
        await IdleAsync().ConfigureAwait(false);
        var frozen = new Frozen();
        try
        {
            await Task.WhenAll(shards.Select((shard, number) =>
            {
                var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                shard.Inbox.Put(new ShardMessage.Freeze(images[number], written, frozen.GoesOn));
                return written.Task;
            })).ConfigureAwait(false);
            return frozen;
        }
        catch
        {
            frozen.Dispose();
            throw;
        }
    }

    private sealed class Frozen : IDisposable
    {
        public ManualResetEventSlim GoesOn { get; } = new();
        public void Dispose() => GoesOn.Set();
    }

    /// <summary>Another process's tables are about to come: whatever is chosen from them, nobody is told before all are here.</summary>
    public void BeginRestoring() => Tell(new ShardMessage.Restore(Begins: true));

    /// <summary>What has been restored of the peer is what an earlier session left (RFC 4724), the last resort it may be (RFC 9494);
    /// what comes of it from now on is not.</summary>
    public void Age(ushort peer, FamilySet families, bool isLong) => Tell(new ShardMessage.Aged(peer, families, isLong));

    /// <summary>They are here, and what peers were told of them.</summary>
    public async Task EndRestoringAsync(ToldTables told)
    {
        // What may be told is told by what all shards know.
        await IdleAsync().ConfigureAwait(false);
        for (var shard = 0; shard < shards.Length; shard++)
        {
            foreach (var (family, holdings) in told.Of(shard)) shards[shard].Inbox.Put(new ShardMessage.Adopt(family, holdings));
            shards[shard].Inbox.Put(new ShardMessage.Restore(Begins: false));
        }
        await IdleAsync().ConfigureAwait(false);
    }

    private void Tell(ShardMessage message)
    {
        foreach (var shard in shards) shard.Inbox.Put(message);
    }

    /// <summary>Completes when every shard has done all that it can do now.</summary>
    internal async Task IdleAsync()
    {
        long before;
        do
        {
            before = Volatile.Read(ref toldBetween);
            await Task.WhenAll(shards.Select(shard =>
            {
                var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                shard.Inbox.Put(new ShardMessage.Idle(reached));
                return reached.Task;
            })).ConfigureAwait(false);
        }
        while (Volatile.Read(ref toldBetween) != before);
    }

    /// <summary>
    /// Routes in batches, shard after shard, prefixes in no particular order; paths of one prefix are adjacent, the best first.
    /// </summary>
    public async IAsyncEnumerable<IReadOnlyList<RouteFacts>> Read(
        RouteRequest request, [EnumeratorCancellation] CancellationToken stop = default)
    {
        foreach (var shard in shards)
        {
            var reading = new RouteRead(request);
            shard.Inbox.Put(new ShardMessage.Read(reading));
            try
            {
                await foreach (var facts in reading.Answers.Reader.ReadAllAsync(stop).ConfigureAwait(false)) yield return facts;
            }
            finally
            {
                reading.IsAbandoned = true;
                while (reading.Answers.Reader.TryRead(out _)) { }
            }
        }
    }

    /// <summary>Who brought a prefix, what was decided of it, and by which rules.</summary>
    public Task<PrefixFacts> ExplainAsync(Prefix prefix, CancellationToken stop)
    {
        Span<byte> nlri = stackalloc byte[17];
        var shard = shards[Shards.Of(prefix.Length, nlri[1..prefix.WriteNlri(nlri)], shards.Length)];
        var answer = new TaskCompletionSource<PrefixFacts>(TaskCreationOptions.RunContinuationsAsynchronously);
        shard.Inbox.Put(new ShardMessage.Explain(prefix, answer));
        return answer.Task.WaitAsync(stop);
    }

    /// <summary>A peer's counts over all shards, as of now.</summary>
    public PeerCounts CountsOf(ushort peer, IpFamily family)
    {
        var sum = new PeerCounts();
        if (counts.TryGetValue((peer, family), out var parts))
            foreach (var part in parts) sum.Add(part);
        return sum;
    }

    /// <summary>Best routes are still to be offered to the FIB; approximate, as it is read from another thread.</summary>
    public bool IsFibBehind => Array.Exists(shards, shard => shard.IsFibBehind);

    public (long Tables, long Attributes) Octets =>
        (shards.Sum(shard => shard.Octets.Tables), shards.Sum(shard => shard.Octets.Attributes));
    public (int Prefixes, int Paths, int AttributeSets) Sizes =>
        (shards.Sum(shard => shard.Sizes.Prefixes), shards.Sum(shard => shard.Sizes.Paths), shards.Sum(shard => shard.Sizes.AttributeSets));

    PeerCounts IRibOwner.CountsOf(ushort peer, IpFamily family)
    {
        var part = new PeerCounts();
        counts.GetOrAdd((peer, family), _ => []).Add(part);
        return part;
    }

    void IRibOwner.EndOfRib(ushort peer, IpFamily family) => listener.EndOfRib(peer, family);
    void IRibOwner.PrefixLimitExceeded(ushort peer, IpFamily family, int limit) => listener.PrefixLimitExceeded(peer, family, limit);
    void IRibOwner.CameToRest() => listener.CameToRest();
    void IRibOwner.WayMoved(int shard, Prefix prefix, Way? way) => TellOthers(shard, new ShardMessage.WayMoved(prefix, way));
    void IRibOwner.NextHopWatched(int shard, Address address, bool begins) =>
        TellOthers(shard, new ShardMessage.NextHopWatched(address, begins));

    private void TellOthers(int but, ShardMessage message)
    {
        Interlocked.Increment(ref toldBetween);
        for (var shard = 0; shard < shards.Length; shard++)
            if (shard != but) shards[shard].Inbox.Put(message);
    }

    /// <summary>End-of-RIB follows the part of the last shard (RFC 4724 section 2).</summary>
    void IRibOwner.TableSent(IPeerOutlet outlet, IpFamily family)
    {
        if (tablesSent.AddOrUpdate((outlet, family), 1, static (_, count) => count + 1) < shards.Length) return;
        var buffer = new OutBuffer(64);
        new UpdateEncoder(new(true, 4096, false, FamilySet.None)).EndOfRib(family, buffer);
        outlet.Send(buffer);
    }

    public void Dispose()
    {
        foreach (var shard in shards) shard.Stop();
        foreach (var shard in shards) shard.Dispose();
    }
}
