using Calico.Bgp.Kernel.Nfqueue;

namespace Calico.Bgp.Dataplane.Dns;

/// <summary>Responses of one turn that open something, what that is, and who waits for it. It ends in force, or by the deadline.</summary>
internal sealed class DnsBatch
{
    private readonly Lock gate = new();
    private readonly List<QueueTicket> denied = [], again = [];
    private bool isOver;

    /// <summary>Of the responses.</summary>
    public List<QueueTicket> Tickets { get; } = [];
    public List<Opening> Openings { get; } = [];
    /// <summary>Of the responses, for who watches.</summary>
    public List<DnsLookup> Lookups { get; } = [];
    public long Since { get; init; }

    public bool IsOver
    {
        get { lock (gate) return isOver; }
    }

    /// <summary>A denied packet that it opens waits for its end.</summary>
    /// <returns>False: that has been.</returns>
    public bool Wait(QueueTicket packet)
    {
        lock (gate)
        {
            if (!isOver) denied.Add(packet);
            return !isOver;
        }
    }

    /// <summary>What is said again of its responses (a segment that the server takes for lost) would be there before it.</summary>
    /// <returns>False: it is over.</returns>
    public bool Join(QueueTicket packet)
    {
        lock (gate)
        {
            if (!isOver) again.Add(packet);
            return !isOver;
        }
    }

    /// <returns>Denied packets that have waited, and are to be judged again; and what was said again of responses.</returns>
    public (List<QueueTicket> Denied, List<QueueTicket> Again) End()
    {
        lock (gate) isOver = true;
        return (denied, again);
    }
}
