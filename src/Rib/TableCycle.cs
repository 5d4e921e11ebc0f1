namespace Calico.Bgp.Rib;

/// <summary>How a path stands with the peer that it came from, and with the choice.</summary>
[Flags]
public enum PathState : byte
{
    None = 0,
    /// <summary>It is the best one, as the rest of the daemon knows it, and counted as such. Only ever the first of its prefix.</summary>
    Preferred = 1,
    /// <summary>The peer is sending its table again and has not confirmed this path yet (RFC 7313 section 4).</summary>
    Unconfirmed = 2,
    /// <summary>It was said in a session that is lost, and is kept until it is confirmed or given up (RFC 4724 section 4.2).</summary>
    Stale = 4,
}

/// <summary>
/// The cycles in which one peer says its table of one family: one begins with each session and with each refresh. A path carries the last
/// octet of the cycle in which it was last said; so all that a peer has said becomes unconfirmed, stale or gone by moving a bound here, in
/// no time and without a walk, and what it says from then on is told apart from what it said before. Only removing what is gone is a walk
/// (<see cref="Chores"/>), which may come later. (BIRD 3 has the same: stale_set, stale_valid, stale_pruned.)
/// </summary>
internal sealed class TableCycle
{
    /// <summary>Cycles that the octet of a path can tell apart.</summary>
    private const uint Most = 1 << 8;

    /// <summary>No path is of a cycle before this one.</summary>
    private uint oldest;
    private uint now;
    /// <summary>Paths of cycles before these are gone, and stale.</summary>
    private uint goneBefore, staleBefore;
    /// <summary>Of the stale ones these have been so for long (RFC 9494).</summary>
    private uint longStaleBefore;
    /// <summary>The present session's first.</summary>
    private uint session;
    private uint? refresh;

    /// <summary>What a path that is said now carries.</summary>
    public byte Now => (byte)now;

    /// <summary>Paths of the peer that are not of the present cycle.</summary>
    public int Outdated { get; private set; }

    /// <summary>Those of them that an earlier session said.</summary>
    public int Left { get; private set; }

    /// <summary>Some paths may be gone and still there.</summary>
    public bool HasGone => oldest < goneBefore && (Outdated > 0 || now < goneBefore);

    public bool IsGone(byte cycle) => Number(cycle) < goneBefore;

    public PathState StateOf(byte cycle) => Number(cycle) is var number && number == now ? PathState.None
        : number < staleBefore ? PathState.Stale : PathState.Unconfirmed;

    public bool IsLongStale(byte cycle) => Number(cycle) < longStaleBefore;

    private uint Number(byte cycle) => now - (byte)((byte)now - cycle);

    /// <summary>A path is said again, or is removed.</summary>
    public void Settle(byte cycle)
    {
        if (cycle == (byte)now) return;
        Outdated--;
        if (Number(cycle) < session) Left--;
    }

    /// <summary>RFC 7313 section 4: the table comes once more. One that begins before the last has ended takes its place.</summary>
    /// <param name="held">Paths that the peer has here.</param>
    public void BeginRefresh(int held)
    {
        // Where a peer has begun as many as the octet can tell apart, and ended none, what it has confirmed since the last one counts.
        TryAdvance(held);
        refresh = now;
    }

    /// <summary>What the refresh has not confirmed is gone. One that never began says nothing.</summary>
    public void EndRefresh()
    {
        goneBefore = Math.Max(goneBefore, refresh ?? 0);
        refresh = null;
    }

    /// <summary>The session is lost, and all that was said in it is gone.</summary>
    /// <returns>False: it must be removed before the peer says anything more, as the octet can tell no further cycles apart.</returns>
    public bool Lose(int held)
    {
        Leave(held);
        goneBefore = session;
        return TryAdvance(held);
    }

    /// <summary>The session is lost, and what was said in it is kept.</summary>
    /// <param name="staleToo">What was stale already stays as well (RFC 9494 section 4.2); else it is gone (RFC 4724 section 4.2).</param>
    /// <returns>As <see cref="Lose"/>.</returns>
    public bool Keep(int held, bool staleToo = false)
    {
        Leave(held);
        if (!staleToo) goneBefore = Math.Max(goneBefore, staleBefore);
        staleBefore = session;
        if (TryAdvance(held)) return true;
        goneBefore = staleBefore;
        return false;
    }

    /// <summary>What is still stale has been so for long: it is to be the last resort.</summary>
    public void BeginLongStale() => longStaleBefore = staleBefore;

    /// <summary>What is still stale is gone.</summary>
    public void EndStale() => goneBefore = Math.Max(goneBefore, staleBefore);

    /// <summary>A walk that removes what is gone by now begins; <see cref="Removed"/> takes the answer when it ends.</summary>
    public uint Gone => goneBefore;

    public void Removed(uint gone)
    {
        oldest = Math.Max(oldest, gone);
        if (now >= gone) return;
        (now, Left) = (gone, 0);
    }

    private void Leave(int held)
    {
        refresh = null;
        session = now + 1;
        Left = held;
    }

    private bool TryAdvance(int held)
    {
        if (Outdated == 0) oldest = now;
        if (now - oldest == Most - 1) return false;
        now++;
        Outdated = held;
        return true;
    }
}
