using Calico.Bgp.Wire.Messages;

namespace Calico.Bgp.Rib;

/// <content>Who is in the group: how members come, from nowhere or from another group, go, and ask for everything again.</content>
internal sealed partial class ExportGroup
{
    public void Join(Member member)
    {
        receivers.Add(member.Peer.Index);
        if (sent.Count == 0 && feed <= 1)
        {
            inSync.Add(member);
            // Where the others have been told all, which is nothing, no step would come by that ends this one's table.
            if (feed == 0) OweEnds();
        }
        else CohortAtStart(holdsAll: false).Members.Add(member);
    }

    /// <summary>
    /// A member comes over from a group with other treatment: what it holds and does not get here is withdrawn. Those who come together
    /// from one group are told together.
    /// </summary>
    public void Join(Member member, Holding former)
    {
        receivers.Add(member.Peer.Index);
        var cohort = cohorts.Find(cohort => !cohort.HasStarted && cohort.Former == former);
        if (cohort != null) former.LetGo();
        (cohort ?? Added(new(1, holdsAll: false, former))).Members.Add(member);
    }

    /// <summary>A member leaves for a group with other treatment; those who leave one after the other hold the same.</summary>
    public Holding TakeOut(Member member)
    {
        receivers.Remove(member.Peer.Index);
        OpenGates();
        if (!inSync.Remove(member)) return Left(Alone(member));
        return leaving = leaving is { IsCurrent: true } ? leaving.Share() : Left(Added(new(End, holdsAll: true)));
    }

    private Holding Left(Cohort cohort)
    {
        cohort.Members.Clear();
        cohort.IsLeft = true;
        return new(this, cohort);
    }

    /// <summary>Who left has been told everything where he is now, or has gone there too.</summary>
    public void Forget(Cohort left)
    {
        cohorts.Remove(left);
        left.LetGo();
    }

    private Cohort Added(Cohort cohort)
    {
        cohorts.Add(cohort);
        return cohort;
    }

    /// <summary>The member's cohort, with nobody else in it.</summary>
    private Cohort Alone(Member member)
    {
        var cohort = cohorts.Find(cohort => cohort.Members.Contains(member))!;
        return cohort.Members.Count == 1 ? cohort : Added(cohort.Split(member));
    }

    public void Leave(ushort peer)
    {
        if (!receivers.Remove(peer)) return;
        inSync.RemoveAll(member => member.Peer.Index == peer);
        foreach (var cohort in cohorts) cohort.Members.RemoveAll(member => member.Peer.Index == peer);
        foreach (var cohort in cohorts.FindAll(cohort => cohort.Members.Count == 0 && !cohort.IsLeft)) Forget(cohort);
        OpenGates();
    }

    /// <summary>Whoever was waited for may be the one that is gone.</summary>
    private void OpenGates()
    {
        gate.Open();
        foreach (var cohort in cohorts) cohort.Gate.Open();
    }

    /// <summary>RFC 2918: the whole Adj-RIB-Out again; bracketed where the peer knows RFC 7313.</summary>
    public void Refresh(ushort peer)
    {
        if (MemberOf(peer) is not { } member) return;
        if (inSync.Remove(member))
        {
            OpenGates();
            CohortAtStart(holdsAll: true).Members.Add(member);
            BeginRefresh(member);
            return;
        }
        var cohort = cohorts.Find(cohort => cohort.Members.Contains(member))!;
        if (!cohort.HasStarted) BeginRefresh(member); // All of it is still to come.
        else if (cohort.Cursor < End) member.WantsRefresh = true;
        else StartOver(member);
    }

    private void StartOver(Member member)
    {
        member.WantsRefresh = false;
        Alone(member).StartOver();
        BeginRefresh(member);
    }

    private void BeginRefresh(Member member)
    {
        if (!member.Peer.EnhancedRefresh || member.AwaitsEndOfRefresh) return;
        member.AwaitsEndOfRefresh = true;
        member.SendRefreshMark(family, RouteRefresh.BeginOfRefresh);
    }
}
