namespace Calico.Bgp.Rib;

/// <summary>A peer in an export group.</summary>
internal sealed class Member(RibPeer peer, IPeerOutlet outlet, PeerCounts counts)
{
    public RibPeer Peer { get; } = peer;
    public IPeerOutlet Outlet { get; } = outlet;
    public PeerCounts Counts { get; } = counts;
    /// <summary>Its first table is not complete yet; End-of-RIB follows it (RFC 4724 section 2).</summary>
    public bool AwaitsEndOfRib { get; set; } = true;
    /// <summary>An End-of-Route-Refresh is owed (RFC 7313).</summary>
    public bool AwaitsEndOfRefresh { get; set; }
}

/// <summary>Closed while all who stand behind it have more than enough to send; opened, from any thread, when the first has room.</summary>
internal sealed class Gate
{
    private volatile bool isClosed;
    public bool IsClosed { get => isClosed; set => isClosed = value; }
}

/// <summary>
/// Members that do not stand where their group stands: new ones, ones that asked for a refresh, and ones too slow to keep up.
/// A cursor walks over what the group has sent; what changes behind it is remembered, once a prefix, however often it changes.
/// When nothing is left they join the group again.
/// </summary>
/// <param name="holdsAll">They hold routes in front of the cursor too, so withdrawals there are theirs as well.</param>
internal sealed class Cohort(uint cursor, bool holdsAll)
{
    private readonly DirtyQueue queue = new();
    private readonly Dictionary<uint, Best> held = [];

    public List<Member> Members { get; } = [];
    public uint Cursor { get; set; } = cursor;
    public bool HoldsAll { get; } = holdsAll;
    public bool HasStarted { get; set; }
    public Gate Gate { get; } = new();
    public int Behind => queue.Count;
    public bool Remembers(uint node) => queue.Contains(node);

    /// <summary>The group's state of this prefix changes; <paramref name="before"/> is what the members were told, if the cursor has passed.</summary>
    public void Touch(uint node, Best before)
    {
        if ((node >= Cursor && !HoldsAll) || !held.TryAdd(node, before)) return;
        queue.Add(node);
    }

    public ReadOnlySpan<uint> Take(int most) => queue.Take(most);

    /// <summary>What the members hold of a prefix that <see cref="Take"/> gave out.</summary>
    public Best Forget(uint node)
    {
        held.Remove(node, out var before);
        return before;
    }

    /// <param name="sent">What the group has told of this prefix.</param>
    public Best HeldOf(uint node, Best sent) =>
        held.TryGetValue(node, out var before) ? before : node < Cursor || HoldsAll ? sent : Best.None;

    /// <summary>One of them goes its own way from here.</summary>
    public Cohort Split(Member member)
    {
        Members.Remove(member);
        var own = new Cohort(Cursor, HoldsAll) { HasStarted = HasStarted };
        own.Members.Add(member);
        foreach (var (node, before) in held) own.Remember(node, before);
        return own;
    }

    public void Remember(uint node, Best before)
    {
        held[node] = before;
        queue.Add(node);
    }
}
