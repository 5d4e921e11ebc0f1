using Calico.Bgp.Net;
using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Messages;

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
    /// <summary>It asked for everything again while the table was on its way: it gets it when that is through.</summary>
    public bool WantsRefresh { get; set; }

    /// <summary>The same neighbour, and what it is owed, under another treatment.</summary>
    public Member Under(RibPeer treated) => new(treated, Outlet, Counts)
    {
        AwaitsEndOfRib = AwaitsEndOfRib,
        AwaitsEndOfRefresh = AwaitsEndOfRefresh,
        WantsRefresh = WantsRefresh,
    };

    /// <summary>RFC 7313 section 4: the refresh begins or ends.</summary>
    public void SendRefreshMark(IpFamily family, byte subtype)
    {
        var buffer = new OutBuffer(64);
        var message = RouteRefreshCodec.Encode(new(Family.Of(family), subtype));
        message.CopyTo(buffer.GetSpan(message.Length));
        buffer.Advance(message.Length);
        Outlet.Send(buffer);
    }
}

/// <summary>
/// What members hold of a group that they have left. <paramref name="at"/> stays there without members and remembers what changes, until
/// the walks in their new groups have come by everything.
/// </summary>
internal sealed class Holding(ExportGroup group, Cohort at)
{
    private int cohorts = 1;

    /// <summary>The group has told nothing since: who was told all of it and leaves it now holds the same.</summary>
    public bool IsCurrent => cohorts > 0 && at is { HoldsAll: true, Behind: 0 };

    public Best Of(uint node) => at.HeldOf(node, group.SentOf(node));

    /// <summary>One more cohort asks it.</summary>
    public Holding Share()
    {
        cohorts++;
        return this;
    }

    public void LetGo()
    {
        if (--cohorts == 0) group.Forget(at);
    }
}

/// <summary>Closed while all who stand behind it have more than enough to send; opened, from any thread, when the first has room.</summary>
internal sealed class Gate
{
    /// <summary>Octets in front of the fastest at which all wait.</summary>
    private const long Window = 1 << 20;
    private volatile bool isClosed;

    public void Open() => isClosed = false;

    /// <summary>True: these have enough to do; <paramref name="wake"/> is called when the first of them has room.</summary>
    public bool HoldsUp(List<Member> members, Action wake)
    {
        if (isClosed) return true;
        if (members.Count == 0) return false;
        var fastest = members[0];
        foreach (var member in members)
            if (member.Outlet.Backlog < fastest.Outlet.Backlog) fastest = member;
        if (fastest.Outlet.Backlog <= Window) return false;
        isClosed = true;
        fastest.Outlet.WhenDrained(Window / 4, () =>
        {
            Open();
            wake();
        });
        return true;
    }
}

/// <summary>
/// Members that do not stand where their group stands: new ones, ones that asked for a refresh, and ones too slow to keep up.
/// A cursor walks over what the group has sent; what changes behind it is remembered, once a prefix, however often it changes.
/// When nothing is left they join the group again.
/// </summary>
/// <param name="holdsAll">They hold routes in front of the cursor too, so withdrawals there are theirs as well.</param>
/// <param name="former">In front of the cursor they hold what another group told them.</param>
internal sealed class Cohort(uint cursor, bool holdsAll, Holding? former = null)
{
    private readonly DirtyQueue queue = new();
    private readonly Dictionary<uint, Best> held = [];

    public List<Member> Members { get; } = [];
    public uint Cursor { get; set; } = cursor;
    public bool HoldsAll { get; private set; } = holdsAll;
    public Holding? Former { get; private set; } = former;
    /// <summary>Its members have left for other groups, where this is asked what they held.</summary>
    public bool IsLeft { get; set; }
    public bool HasStarted { get; set; }
    public Gate Gate { get; } = new();
    public int Behind => queue.Count;
    public bool Remembers(uint node) => queue.Contains(node);

    /// <summary>
    /// The group's state of this prefix changes; <paramref name="before"/> is what the members were told, if the cursor has passed.
    /// </summary>
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
        held.TryGetValue(node, out var before) ? before : node < Cursor || HoldsAll ? sent : Former?.Of(node) ?? Best.None;

    /// <summary>The walk is through, or is given up.</summary>
    public void LetGo()
    {
        Former?.LetGo();
        Former = null;
    }

    /// <summary>Everything again, to members who have come to the end.</summary>
    public void StartOver() => (Cursor, HoldsAll, HasStarted) = (1, true, false);

    /// <summary>One of them goes its own way from here.</summary>
    public Cohort Split(Member member)
    {
        Members.Remove(member);
        var own = new Cohort(Cursor, HoldsAll, Former?.Share()) { HasStarted = HasStarted };
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
