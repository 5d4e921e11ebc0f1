using System.Collections.Immutable;
using Calico.Bgp.Kernel.Conntrack;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Egress.Replication;

/// <summary>
/// What one node is to be told of flows yet: of each the latest, whatever was before. There is room for a bounded number; where it is not
/// enough all is forgotten, and whoever empties it begins again with all flows. Filled by one loop and emptied by another.
/// </summary>
internal sealed class FlowOutbox(int most = FlowOutbox.Most)
{
    private const int Most = 1 << 16;

    private readonly Lock alone = new();
    private readonly Bell bell = new();

    /// <summary>Null: it has ended.</summary>
    private Dictionary<FlowKey, (Flow? Latest, bool IsNew)> waiting = [];
    private bool isOverrun, isTold;

    public Bell Bell => bell;

    public int Waiting
    {
        get
        {
            lock (alone) return waiting.Count;
        }
    }

    /// <summary>A flow that can be gone on with: of TCP one that is established and not over. What is younger its ends begin again by
    /// themselves, and what is over is over.</summary>
    public static FlowNews? Worth(FlowNews news)
    {
        if (news.Turn == FlowTurn.Ended || news.Flow.Key.Protocol != (byte)Kernel.Nftables.IpProtocol.Tcp) return news;
        return news.Flow.Tcp switch
        {
            Flow.TcpTimeWait or Flow.TcpClose => news with { Turn = FlowTurn.Ended },
            < Flow.TcpEstablished or > Flow.TcpClose => null,
            _ => news,
        };
    }

    public void Tell(FlowNews news)
    {
        if (Worth(news) is not { } worth) return;
        var key = worth.Flow.Key;
        lock (alone)
        {
            if (isOverrun) return;
            var (isWaiting, before) = (waiting.TryGetValue(key, out var found), found);
            if (worth.Turn != FlowTurn.Ended)
                waiting[key] = (worth.Flow, isWaiting ? before.IsNew : IsNew(worth));
            // Nobody has heard of it, and nobody has to.
            else if (before.IsNew && isTold) waiting.Remove(key);
            else waiting[key] = (null, false);
            if (waiting.Count > most) Forget();
        }
        bell.Ring();
    }

    private static bool IsNew(FlowNews news) => news.Turn == FlowTurn.Begun || news.Flow.Tcp == Flow.TcpEstablished;

    /// <summary>Something was lost on the way here, or what is to be told is something else.</summary>
    public void Overrun()
    {
        lock (alone) Forget();
        bell.Ring();
    }

    private void Forget()
    {
        waiting = [];
        isOverrun = true;
    }

    /// <summary>All flows are read from here on: what becomes of them meanwhile waits.</summary>
    public void Begin()
    {
        lock (alone) (isOverrun, isTold) = (false, false);
    }

    /// <summary>Ends before flows: another flow may have a port that one has left.</summary>
    /// <returns>False: all is to be told anew.</returns>
    public bool Take(out ImmutableArray<FlowKey> gone, out ImmutableArray<Flow> flows)
    {
        Dictionary<FlowKey, (Flow? Latest, bool IsNew)> taken;
        lock (alone)
        {
            (gone, flows) = ([], []);
            if (isOverrun) return false;
            (taken, waiting, isTold) = (waiting, [], true);
        }
        gone = [.. taken.Where(one => one.Value.Latest == null).Select(one => one.Key)];
        flows = [.. taken.Values.Select(one => one.Latest).OfType<Flow>()];
        return true;
    }
}
