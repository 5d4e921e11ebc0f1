using Calico.Bgp.Net;
using Calico.Bgp.Session;
using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Capabilities;
using Calico.Bgp.Wire.Messages;

namespace Calico.Bgp.Speaker.Tests;

/// <summary>Which routes a lost session leaves (RFC 4724 section 4.2, RFC 8538, RFC 9494), and until when.</summary>
public class RetentionTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch;
    private static readonly Negotiated Agreed = Having(new(false, false, 120, []), []) with
    {
        RestartAware = true,
        GracefulRestart = FamilySet.Both,
        PeerRestartTime = 120,
    };

    private static Negotiated Having(GracefulRestart? restart, IReadOnlyList<LongLivedFamily> longLived)
    {
        var open = new OpenMessage(new(65001), 90, new(1), new() { GracefulRestart = restart, LongLived = longLived });
        return new()
        {
            LocalAs = new(65001),
            PeerAs = new(65002),
            LocalId = new(1),
            PeerId = new(2),
            LocalAddress = default,
            PeerAddress = default,
            Families = FamilySet.Both,
            Sent = open,
            Received = open,
        };
    }

    private static SessionFault Fault(FaultKind kind, Notification? notification = null) => new(kind, notification, "", Now);

    private static string Words(Retention retention) => string.Join("; ", retention.Families.Select(
        kept => $"{kept.Family}{(kept.IsLong ? " long" : "")} until {(kept.Until - Now).TotalSeconds:0}"));

    [Fact]
    public void A_broken_connection_and_a_hold_timer_that_ran_out_leave_routes_and_a_lost_link_does_not()
    {
        Assert.Equal(FamilySet.Both, Retention.KeptOf(Agreed, Fault(FaultKind.Socket)));
        Assert.Equal(FamilySet.Both, Retention.KeptOf(Agreed, Fault(FaultKind.Sent, new(ErrorCode.HoldTimerExpired, 0))));
        Assert.Equal(FamilySet.None, Retention.KeptOf(Agreed, Fault(FaultKind.Way)));
        Assert.Equal(FamilySet.None, Retention.KeptOf(Agreed with { RestartAware = false }, Fault(FaultKind.Socket)));
        Assert.Equal(FamilySet.None, Retention.KeptOf(Agreed with { PeerRestartTime = 0 }, Fault(FaultKind.Socket)));
        Assert.Equal(
            FamilySet.IPv6, Retention.KeptOf(Agreed with { PeerRestartTime = 0, LongLivedIPv6 = 5 }, Fault(FaultKind.Socket)));
    }

    /// <summary>RFC 8538 (conformance F10).</summary>
    [Theory]
    [InlineData(FaultKind.Received)]
    [InlineData(FaultKind.Sent)]
    [InlineData(FaultKind.Stopped)]
    public void After_a_notification_routes_stay_where_both_sides_say_so_and_never_after_a_hard_reset(FaultKind kind)
    {
        var fault = Fault(kind, Notification.Cease(CeaseSubcode.AdministrativeReset));
        var hard = Fault(kind, Notification.HardReset(Notification.Cease(CeaseSubcode.AdministrativeShutdown)));
        Assert.Equal(FamilySet.None, Retention.KeptOf(Agreed, fault));
        Assert.Equal(FamilySet.Both, Retention.KeptOf(Agreed with { NotificationRestart = true }, fault));
        Assert.Equal(FamilySet.None, Retention.KeptOf(Agreed with { NotificationRestart = true }, hard));
    }

    /// <summary>Conformance G02.</summary>
    [Fact]
    public void Who_does_not_come_back_loses_them_when_the_restart_time_is_up()
    {
        var kept = Retention.None.Lost(Agreed, FamilySet.Both, Now);
        Assert.Equal("IPv4 until 120; IPv6 until 120", Words(kept));
        var (next, go, becomeLong) = kept.At(Now.AddSeconds(119));
        Assert.Equal((Words(kept), FamilySet.None, FamilySet.None), (Words(next), go, becomeLong));
        (next, go, becomeLong) = kept.At(Now.AddSeconds(120));
        Assert.Equal(("", FamilySet.Both, FamilySet.None), (Words(next), go, becomeLong));
    }

    /// <summary>Conformance G05: a timer per family.</summary>
    [Fact]
    public void Where_the_peer_asks_for_longer_they_become_long_stale_family_by_family()
    {
        var agreed = Agreed with { GracefulRestart = FamilySet.IPv4, LongLivedIPv4 = 3600, LongLivedIPv6 = 60 };
        var (kept, go, becomeLong) = Retention.None.Lost(agreed, FamilySet.Both, Now).At(Now);
        Assert.Equal(("IPv4 until 120; IPv6 long until 60", FamilySet.None, FamilySet.IPv6), (Words(kept), go, becomeLong));
        (kept, go, becomeLong) = kept.At(Now.AddSeconds(120));
        Assert.Equal(("IPv4 long until 3720", FamilySet.IPv6, FamilySet.IPv4), (Words(kept), go, becomeLong));
        Assert.Equal("IPv4 long until 3720", Words(kept.Lost(agreed, FamilySet.IPv4, Now.AddSeconds(500))));
        Assert.Equal(FamilySet.IPv4, kept.At(Now.AddSeconds(3720)).Go);
    }

    /// <summary>Conformance G03.</summary>
    [Fact]
    public void Of_one_who_is_back_stays_what_it_preserved_until_its_End_of_RIB_or_for_as_long_as_that_is_waited_for()
    {
        var back = Having(new(true, false, 120, [new(Family.IPv4Unicast, true), new(Family.IPv6Unicast, false)]), []) with
        {
            RestartAware = true,
        };
        var kept = Retention.None.Lost(Agreed, FamilySet.Both, Now).Back(back, Now.AddSeconds(10), TimeSpan.FromSeconds(50));
        Assert.Equal("IPv4 until 60", Words(kept));
        Assert.Equal(FamilySet.IPv4, kept.At(Now.AddSeconds(60)).Go);
        Assert.Null(kept.Complete(IpFamily.IPv4).Due);
        Assert.Equal(FamilySet.None, Retention.PreservedBy(back with { RestartAware = false }));
    }
}
