using System.Collections.Concurrent;
using System.Collections.Immutable;
using Calico.Bgp.Net;
using Calico.Bgp.Wire;

namespace Calico.Bgp.Rib;

/// <summary>What a shard may be asked to do, in the order of arrival.</summary>
internal abstract record ShardMessage
{
    public sealed record Routes(RouteBatch Batch) : ShardMessage;
    /// <summary>A source begins to exist, or to be up; with an outlet it is a receiver too.</summary>
    public sealed record PeerUp(RibPeer Peer, IPeerOutlet? Outlet) : ShardMessage;
    /// <summary>It receives no more, and all routes of it are gone, or stale: those of the families that are kept.</summary>
    public sealed record PeerDown(ushort Peer, KeptFamilies Kept) : ShardMessage;
    /// <summary>What is still stale becomes the last resort.</summary>
    public sealed record LongStaleBegins(ushort Peer, FamilySet Families) : ShardMessage;
    /// <summary>All that is here of the peer was said in an earlier session; and that long ago, where it is the last resort.</summary>
    public sealed record Aged(ushort Peer, FamilySet Families, bool IsLong) : ShardMessage;
    /// <summary>What peers say is told to nobody, and chosen from all of it later; or that is over.</summary>
    public sealed record Defer(FamilySet Families, bool Begins) : ShardMessage;
    /// <summary>What is still stale is gone.</summary>
    public sealed record StaleEnds(ushort Peer, FamilySet Families) : ShardMessage;
    /// <summary>Other filters or knobs for a peer that stays up.</summary>
    public sealed record PeersChanged(ImmutableArray<RibPeer> Peers) : ShardMessage;
    public sealed record Refresh(ushort Peer, IpFamily Family) : ShardMessage;
    /// <summary>Import and accept again what is held as received.</summary>
    public sealed record Reimport(ushort Peer) : ShardMessage;
    /// <summary>The same for all peers' paths to prefixes in this range.</summary>
    public sealed record ReimportRange(Prefix Range) : ShardMessage;
    public sealed record NextHopsChanged(INextHopResolver Resolver) : ShardMessage;
    /// <summary>Another shard's route lies over next hops, or does so no more (null).</summary>
    public sealed record WayMoved(Prefix Prefix, Way? Way) : ShardMessage;
    /// <summary>Another shard begins to have a next hop, or has it no more.</summary>
    public sealed record NextHopWatched(Address Address, bool Begins) : ShardMessage;
    public sealed record SettingsChanged(DecisionSettings Settings) : ShardMessage;
    public sealed record FibFilterChanged : ShardMessage
    {
        public static readonly FibFilterChanged Now = new();
    }
    public sealed record Read(RouteRead Job) : ShardMessage;
    public sealed record Explain(Prefix Prefix, TaskCompletionSource<PrefixFacts> Answer) : ShardMessage;
    public sealed record Follow(IBestFollower Follower) : ShardMessage;
    public sealed record Unfollow(IBestFollower Follower) : ShardMessage;
    /// <summary>Writes all that it has, and does nothing more until it goes on.</summary>
    public sealed record Freeze(Stream Image, TaskCompletionSource Written, ManualResetEventSlim GoesOn) : ShardMessage;
    /// <summary>Tables of an earlier process come: nobody is told anything; or that is over.</summary>
    public sealed record Restore(bool Begins) : ShardMessage;
    /// <summary>What peers were told by an earlier process, whose tables have come.</summary>
    public sealed record Adopt(IpFamily Family, ImmutableArray<AdoptedHolding> Holdings) : ShardMessage;
    /// <summary>Answered when there is nothing left that could be done now.</summary>
    public sealed record Idle(TaskCompletionSource Reached) : ShardMessage;
    /// <summary>Something that was waited for has room again.</summary>
    public sealed record Wake : ShardMessage
    {
        public static readonly Wake Up = new();
    }
}

/// <summary>
/// The threshold of a shard: many writers, one reader on a thread of its own. Batches of routes wait for a place; all else
/// gets in at once, in order, so that a full inbox can never keep a session from ending.
/// </summary>
internal sealed class Inbox : IDisposable
{
    /// <summary>Batches of about 32 KiB: how far parsing may run ahead of deciding.</summary>
    private const int Capacity = 24;
    private readonly ConcurrentQueue<ShardMessage> messages = new();
    private readonly SemaphoreSlim places = new(Capacity);
    private readonly ManualResetEventSlim arrived = new();
    private volatile bool isClosed;

    public ValueTask PutAsync(ShardMessage.Routes routes)
    {
        if (places.Wait(0))
        {
            Put(routes);
            return default;
        }
        return WaitAsync(routes);
    }

    private async ValueTask WaitAsync(ShardMessage.Routes routes)
    {
        await places.WaitAsync().ConfigureAwait(false);
        Put(routes);
    }

    public void Put(ShardMessage message)
    {
        if (isClosed) return;
        messages.Enqueue(message);
        arrived.Set();
    }

    public bool IsEmpty => messages.IsEmpty;

    public bool TryTake(out ShardMessage message)
    {
        if (!messages.TryDequeue(out message!)) return false;
        if (message is ShardMessage.Routes) places.Release();
        return true;
    }

    /// <summary>Until something arrives or the time is up.</summary>
    public void Wait(int milliseconds)
    {
        if (!messages.IsEmpty) return;
        arrived.Reset();
        // What is set before the reset is looked at after it: a message, or the end, which brings none.
        if (messages.IsEmpty && !isClosed) arrived.Wait(milliseconds);
    }

    /// <summary>Nothing gets in any more, and nobody waits for a place.</summary>
    public void Close()
    {
        isClosed = true;
        places.Release(1 << 20);
        arrived.Set();
    }

    public void Dispose()
    {
        places.Dispose();
        arrived.Dispose();
    }
}
