using Calico.Bgp.Kernel.Nfqueue;

namespace Calico.Bgp.Dataplane.Dns;

/// <summary>Responses of one turn that open something, what that is, and who waits for it. It ends in force, or by the deadline.</summary>
internal sealed class DnsBatch
{
    private readonly Lock gate = new();
    private readonly List<QueueTicket> denied = [];
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

    /// <returns>Denied packets that have waited, and are to be judged again.</returns>
    public List<QueueTicket> End()
    {
        lock (gate) isOver = true;
        return denied;
    }
}
