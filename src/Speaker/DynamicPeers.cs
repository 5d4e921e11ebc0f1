using System.Collections.Immutable;
using System.Net.Sockets;
using Calico.Bgp.Net;
using Calico.Bgp.Session;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Speaker;

/// <summary>
/// Sessions that were made because somebody of a range called: how many may wait, who gets one, and when one that has been down for long
/// goes away. One that the operator (or a prefix limit) has disabled stays, for the next call would make it anew, and enabled.
/// </summary>
internal sealed class DynamicPeers(TimeProvider time, ILogger log, Action<SpeakerNews> post)
{
    /// <summary>Calls that wait for the speaker's loop; one more is hung up on.</summary>
    private const int MostCalls = 64;

    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(10);

    private readonly LineLimit refusals = new(LineInterval, time);
    private int calls;

    /// <summary>Called by accepting loops.</summary>
    public void Call(Address neighbour, Socket connection)
    {
        if (Interlocked.Increment(ref calls) <= MostCalls)
        {
            post(new SpeakerNews.Called(neighbour, connection));
            return;
        }
        Interlocked.Decrement(ref calls);
        connection.Dispose();
    }

    /// <summary>
    /// A call has been taken up. The answer is what the caller's peer is to be; null: he gets none, and is hung up on, but for one who has
    /// called again before his first call was taken up.
    /// </summary>
    public (PeerRange Range, PeerConfig Peer)? Judge(SpeakerNews.Called call, ImmutableArray<PeerRange> ranges, IEnumerable<Peer> peers)
    {
        TakenUp();
        // Another configuration may have come between the call and its turn.
        if (PeerRange.For(ranges, call.Neighbour) is not { } range) return Refuse(call, "no range of ours holds it any more");
        var config = range.For(call.Neighbour);
        if (peers.FirstOrDefault(peer => peer.Name == config.Session.Name) is { } namesake)
        {
            if (namesake.Range == null) return Refuse(call, $"another peer is called {config.Session.Name}");
            namesake.Session.Accept(call.Connection);
            return null;
        }
        if (CountOf(range, peers) >= range.Limit) return Refuse(call, $"{range.Range} has its {range.Limit} sessions (peerLimit)");
        return (range, config);
    }

    /// <summary>There is room for one more call.</summary>
    public void TakenUp() => Interlocked.Decrement(ref calls);

    public static int CountOf(PeerRange range, IEnumerable<Peer> peers) => peers.Count(peer => peer.Range?.Range == range.Range);

    private (PeerRange, PeerConfig)? Refuse(SpeakerNews.Called call, string why)
    {
        call.Connection.Dispose();
        if (refusals.Say(out var unsaid)) log.NewcomerRefused(call.Neighbour, why, unsaid);
        return null;
    }

    /// <summary>From now on its patience runs: it is new, its session has ended, or it was enabled again.</summary>
    public void Watch(Peer peer)
    {
        if (peer.Range is not { } range) return;
        peer.Patience ??= time.CreateTimer(
            _ => post(new SpeakerNews.PatienceEnded(peer)), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        peer.Patience.Change(range.Template.Patience, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Whether it is to go. One that is on its way up is looked at again.</summary>
    public bool Judge(Peer peer)
    {
        var session = peer.Session.Snapshot;
        if (!session.Enabled || session.Phase == Phase.Established) return false;
        if (session.Phase is not (Phase.OpenSent or Phase.OpenConfirm)) return true;
        Watch(peer);
        return false;
    }
}
