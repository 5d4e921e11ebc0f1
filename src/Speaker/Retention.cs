using System.Collections.Immutable;
using Calico.Bgp.Net;
using Calico.Bgp.Session;
using Calico.Bgp.Wire;

namespace Calico.Bgp.Speaker;

/// <summary>A family of routes that a lost session left.</summary>
/// <param name="IsLong">They are long stale, the last resort (RFC 9494).</param>
/// <param name="Until">They go then, or become long stale.</param>
/// <param name="LongTime">How long they may be so after that; zero: they go.</param>
internal sealed record KeptFamily(IpFamily Family, bool IsLong, DateTimeOffset Until, TimeSpan LongTime);

/// <summary>
/// What stays of a lost session's routes, and until when: RFC 4724 section 4.2, whose rule about NOTIFICATION RFC 8538 changes between
/// those that both know it, and RFC 9494. Pure; who keeps the time performs what <see cref="At"/> answers.
///
/// A hold timer that ran out is a loss, whatever the peer knows: the NOTIFICATION that goes with it is for one who does not listen.
/// A way that is lost (link down, address gone) is none: no packet goes there any more.
/// </summary>
internal sealed record Retention(ImmutableArray<KeptFamily> Families)
{
    public static readonly Retention None = new([]);

    /// <summary>The next time at which something is to be done; null: nothing is kept.</summary>
    public DateTimeOffset? Due => Families.IsEmpty ? null : Families.Min(kept => kept.Until);

    /// <summary>Families whose routes stay when a session ends so.</summary>
    public static FamilySet KeptOf(Negotiated agreed, SessionFault fault)
    {
        if (!agreed.RestartAware || !IsSurvived(agreed, fault)) return FamilySet.None;
        var restarting = agreed.PeerRestartTime > 0 ? agreed.GracefulRestart : FamilySet.None;
        return restarting | LongOf(agreed);
    }

    private static bool IsSurvived(Negotiated agreed, SessionFault fault) => fault switch
    {
        { Kind: FaultKind.Socket } => true,
        { Kind: FaultKind.Sent, Notification.Code: ErrorCode.HoldTimerExpired } => true,
        { Notification: { } notification } => agreed.NotificationRestart && !notification.IsHardReset,
        _ => false,
    };

    /// <summary>Families whose routes may be long stale.</summary>
    public static FamilySet LongOf(Negotiated agreed) =>
        (agreed.LongLivedIPv4 > 0 ? FamilySet.IPv4 : FamilySet.None) | (agreed.LongLivedIPv6 > 0 ? FamilySet.IPv6 : FamilySet.None);

    /// <summary>Families in which the peer that is back kept its own state, so that what is stale of it may wait to be confirmed.</summary>
    public static FamilySet PreservedBy(Negotiated agreed)
    {
        if (!agreed.RestartAware) return FamilySet.None;
        var its = agreed.Received.Capabilities;
        var preserved = its.GracefulRestart!.Families.Where(row => row.ForwardingPreserved).Select(row => row.Family)
            .Concat(its.LongLived.Where(row => row.ForwardingPreserved).Select(row => row.Family));
        return agreed.Families & preserved.Aggregate(
            FamilySet.None, (set, family) => family.TryUnicast(out var unicast) ? set | unicast.Bit() : set);
    }

    /// <summary>A session that agreed on this was lost. What is long stale already stays so, and its time runs on.</summary>
    public Retention Lost(Negotiated agreed, FamilySet kept, DateTimeOffset now)
    {
        var families = ImmutableArray.CreateBuilder<KeptFamily>();
        foreach (var family in (ReadOnlySpan<IpFamily>)[IpFamily.IPv4, IpFamily.IPv6])
        {
            if (!kept.Has(family)) continue;
            var restartTime = TimeSpan.FromSeconds(agreed.GracefulRestart.Has(family) ? agreed.PeerRestartTime : 0);
            families.Add(Families.FirstOrDefault(before => before.Family == family && before.IsLong)
                ?? new(family, IsLong: false, now + restartTime, TimeSpan.FromSeconds(agreed.LongLived(family))));
        }
        return new(families.ToImmutable());
    }

    /// <summary>The peer is back. What it preserved waits for its End-of-RIB, though not for ever (RFC 4724 section 4.2).</summary>
    public Retention Back(Negotiated agreed, DateTimeOffset now, TimeSpan patience)
    {
        var preserved = PreservedBy(agreed);
        return new([.. Families.Where(kept => preserved.Has(kept.Family))
            .Select(kept => kept.IsLong ? kept : kept with { Until = now + patience, LongTime = TimeSpan.Zero })]);
    }

    /// <summary>Its End-of-RIB has come.</summary>
    public Retention Complete(IpFamily family) => new(Families.RemoveAll(kept => kept.Family == family));

    /// <summary>What is to be done at this time: whose routes go, and whose become long stale.</summary>
    public (Retention Next, FamilySet Go, FamilySet BecomeLong) At(DateTimeOffset now)
    {
        var (go, becomeLong) = (FamilySet.None, FamilySet.None);
        var next = ImmutableArray.CreateBuilder<KeptFamily>();
        foreach (var kept in Families)
        {
            if (kept.Until > now) next.Add(kept);
            else if (kept.IsLong || kept.LongTime == TimeSpan.Zero) go |= kept.Family.Bit();
            else
            {
                becomeLong |= kept.Family.Bit();
                next.Add(kept with { IsLong = true, Until = now + kept.LongTime });
            }
        }
        return (new(next.ToImmutable()), go, becomeLong);
    }
}
