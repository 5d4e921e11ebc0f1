using Calico.Bgp.Net;
using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Capabilities;
using Calico.Bgp.Wire.Messages;

namespace Calico.Bgp.Session.Tests;

/// <summary>Two OPENs in, an agreement or the RFC's refusal out.</summary>
public class NegotiationTests
{
    [Fact]
    public void Two_of_us_agree_on_everything_that_both_announce()
    {
        var agreed = Some.Negotiated;
        Assert.Equal((FamilySet.Both, true, true, true, true, true), (agreed.Families, agreed.FourOctetAs, agreed.ExtendedMessages,
            agreed.RouteRefresh, agreed.EnhancedRouteRefresh, agreed.ExtendedNextHop));
    }

    [Fact]
    public void Our_open_lists_its_families_in_the_order_of_their_numbers() =>
        Assert.Equal([Family.IPv4Unicast, Family.IPv6Unicast], Negotiation.Open(Some.Settings, default).Capabilities.Multiprotocol);

    [Fact]
    public void Another_as_than_the_configured_one_is_refused() =>
        Assert.Equal(new(ErrorCode.OpenMessage, 2), Refusal(Some.Settings, Some.Open with { MyAs = new(65009), Capabilities = new() }));

    [Fact]
    public void The_as_of_the_capability_counts_before_the_one_of_the_header() =>
        Assert.Equal(new(ErrorCode.OpenMessage, 2), Refusal(Some.Settings, With(set => set with { FourOctetAs = new(65009) })));

    [Fact]
    public void As_trans_without_the_capability_is_no_one() =>
        Assert.Equal(
            new(ErrorCode.OpenMessage, 2),
            Refusal(Some.Settings with { PeerAs = new(4200000000) }, Some.Open with { MyAs = Asn.Trans, Capabilities = new() }));

    [Fact]
    public void Any_as_but_ours_is_an_external_neighbours()
    {
        var our = Some.Settings with { PeerAs = default };
        var agreed = Some.Agree(our, With(set => set with { FourOctetAs = new(4200000000) })).Agreed!;
        Assert.Equal((new Asn(4200000000), false), (agreed.PeerAs, agreed.Internal));
        Assert.Equal(new(ErrorCode.OpenMessage, 2), Refusal(our, With(set => set with { FourOctetAs = our.LocalAs })));
        Assert.Equal(new(ErrorCode.OpenMessage, 2), Refusal(our, Some.Open with { MyAs = Asn.Trans, Capabilities = new() }));
    }

    [Fact]
    public void Our_own_identifier_is_refused_inside_our_as() =>
        Assert.Equal(new(ErrorCode.OpenMessage, 3), Refusal(Some.Settings with { PeerAs = new(65001) },
            Some.Open with { MyAs = new(65001), Identifier = Some.Settings.RouterId, Capabilities = new() }));

    [Fact]
    public void Our_own_identifier_is_allowed_in_another_as() =>
        Assert.NotNull(Some.Agree(Some.Settings, Some.Open with { Identifier = Some.Settings.RouterId }).Agreed);

    [Theory]
    [InlineData(90, 30, 30)]
    [InlineData(30, 90, 30)]
    [InlineData(90, 0, 0)]
    [InlineData(0, 90, 0)]
    public void The_shorter_hold_time_holds(int ours, int theirs, int expected)
    {
        var our = Some.Settings with { HoldTime = TimeSpan.FromSeconds(ours) };
        Assert.Equal(expected, Some.Agree(our, Some.Open with { HoldTime = (ushort)theirs }).Agreed!.HoldTime);
    }

    [Fact]
    public void A_peer_without_capabilities_speaks_ipv4_and_nothing_else()
    {
        var agreed = Some.Agree(Some.Settings, Some.Open with { Capabilities = new() }).Agreed!;
        Assert.Equal(
            (FamilySet.IPv4, false, false, false),
            (agreed.Families, agreed.FourOctetAs, agreed.ExtendedMessages, agreed.RouteRefresh));
    }

    /// <summary>RFC 5492 section 5: the data names what is missing (conformance F11).</summary>
    [Fact]
    public void Without_a_common_family_the_missing_capabilities_are_named() =>
        Assert.Equal(new(ErrorCode.OpenMessage, 7, new byte[] { 1, 4, 0, 2, 0, 1 }),
            Refusal(Some.Settings with { Families = FamilySet.IPv6 }, With(set => set with { Multiprotocol = [Family.IPv4Unicast] })));

    /// <summary>RFC 9234 section 4.2's table (conformance F12).</summary>
    [Theory]
    [InlineData(Role.Provider, Role.Customer, true)]
    [InlineData(Role.Customer, Role.Provider, true)]
    [InlineData(Role.RouteServer, Role.RouteServerClient, true)]
    [InlineData(Role.RouteServerClient, Role.RouteServer, true)]
    [InlineData(Role.Peer, Role.Peer, true)]
    [InlineData(Role.Provider, Role.Provider, false)]
    [InlineData(Role.Customer, Role.Peer, false)]
    [InlineData(Role.Peer, Role.Customer, false)]
    [InlineData(Role.RouteServer, Role.RouteServer, false)]
    public void Roles_have_to_be_each_others_counterparts(Role ours, Role theirs, bool good) =>
        Assert.Equal(
            good ? null : new(ErrorCode.OpenMessage, 11),
            Refusal(Some.Settings with { Role = ours }, With(set => set with { Role = theirs })));

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, true)]
    public void A_peer_without_role_is_refused_in_strict_mode_only(bool strict, bool refused) =>
        Assert.Equal(refused, Refusal(Some.Settings with { Role = Role.Customer, RoleStrict = strict }, Some.Open) != null);

    [Fact]
    public void Two_different_roles_are_refused() =>
        Assert.Equal(new(ErrorCode.OpenMessage, 11), Refusal(Some.Settings, With(set => set with { RolesDiffer = true })));

    [Theory]
    [InlineData(FamilySet.Both, FamilySet.None, AddPathDirection.Send, FamilySet.IPv4, FamilySet.None)]
    [InlineData(FamilySet.None, FamilySet.Both, AddPathDirection.Receive, FamilySet.None, FamilySet.IPv4)]
    [InlineData(FamilySet.Both, FamilySet.Both, AddPathDirection.Both, FamilySet.IPv4, FamilySet.IPv4)]
    [InlineData(FamilySet.Both, FamilySet.None, AddPathDirection.Receive, FamilySet.None, FamilySet.None)]
    public void Path_identifiers_go_where_one_side_sends_and_the_other_receives(
        FamilySet receive, FamilySet send, AddPathDirection theirs, FamilySet agreedReceive, FamilySet agreedSend)
    {
        var agreed = Some.Agree(Some.Settings with { AddPathReceive = receive, AddPathSend = send },
            With(set => set with { AddPath = [new(Family.IPv4Unicast, theirs)] })).Agreed!;
        Assert.Equal((agreedReceive, agreedSend), (agreed.AddPathReceive, agreed.AddPathSend));
    }

    [Fact]
    public void Graceful_restart_takes_both_sides()
    {
        var open = With(set => set with { GracefulRestart = new(false, false, 120, [new(Family.IPv4Unicast, true)]) });
        var alone = Some.Agree(Some.Settings, open).Agreed!;
        var both = Some.Agree(Some.Settings with { GracefulRestartTime = TimeSpan.Zero }, open).Agreed!;
        Assert.Equal((FamilySet.None, FamilySet.IPv4, (ushort)120), (alone.GracefulRestart, both.GracefulRestart, both.PeerRestartTime));
        Assert.Equal((false, true), (alone.RestartAware, both.RestartAware));
    }

    /// <summary>A helper names no family, and keeps ours.</summary>
    [Fact]
    public void Who_keeps_whose_routes_is_asked_for_by_each_of_its_own()
    {
        var our = Some.Settings with { GracefulRestartTime = TimeSpan.FromSeconds(60) };
        var helper = Some.Agree(our, With(set => set with { GracefulRestart = new(false, false, 0, []) })).Agreed!;
        Assert.Equal(
            (true, FamilySet.None, FamilySet.Both, false),
            (helper.RestartAware, helper.GracefulRestart, helper.KeptByPeer, helper.NotificationRestart));
        var asks = Negotiation.Open(Some.PeersSettings with { GracefulRestartTime = TimeSpan.FromSeconds(60) }, default);
        var alike = Some.Agree(Some.Settings with { GracefulRestartTime = TimeSpan.Zero }, asks).Agreed!;
        Assert.Equal((FamilySet.Both, FamilySet.None, true), (alike.GracefulRestart, alike.KeptByPeer, alike.NotificationRestart));
    }

    [Fact]
    public void The_bits_of_our_open_say_how_we_began()
    {
        var our = Some.Settings with { GracefulRestartTime = TimeSpan.FromSeconds(60), LongLivedStaleTime = TimeSpan.FromHours(1) };
        var set = Negotiation.Open(our, new(IsRestarting: true, IsPreserved: true)).Capabilities;
        Assert.Equal(
            (true, true, 60, true),
            (set.GracefulRestart!.Restarting, set.GracefulRestart.Notification, set.GracefulRestart.Seconds,
                set.GracefulRestart.Families.All(row => row.ForwardingPreserved)));
        Assert.Equal([new(Family.IPv4Unicast, true, 3600), new(Family.IPv6Unicast, true, 3600)], set.LongLived);
        set = Negotiation.Open(our, default).Capabilities;
        Assert.False(set.GracefulRestart!.Restarting || set.GracefulRestart.Families.Any(row => row.ForwardingPreserved));
    }

    /// <summary>RFC 9494 section 3.1: a time for each family, and nothing without the other capability.</summary>
    [Fact]
    public void Long_lived_times_are_the_peers_and_count_beside_graceful_restart_alone()
    {
        var open = With(set => set with
        {
            GracefulRestart = new(false, false, 0, []),
            LongLived = [new(Family.IPv6Unicast, false, 7200)],
        });
        var both = Some.Agree(Some.Settings with { GracefulRestartTime = TimeSpan.Zero }, open).Agreed!;
        Assert.Equal((true, 0u, 7200u), (both.LongLivedAware, both.LongLived(IpFamily.IPv4), both.LongLived(IpFamily.IPv6)));
        var alone = Some.Agree(Some.Settings, open).Agreed!;
        Assert.Equal((false, 0u), (alone.LongLivedAware, alone.LongLived(IpFamily.IPv6)));
    }

    [Fact]
    public void Long_messages_and_foreign_next_hops_take_both_sides()
    {
        var agreed = Some.Agree(Some.Settings with { ExtendedMessages = false, ExtendedNextHop = false }, Some.Open).Agreed!;
        Assert.Equal((false, false), (agreed.ExtendedMessages, agreed.ExtendedNextHop));
    }

    private static Notification? Refusal(SessionSettings our, OpenMessage received) => Some.Agree(our, received).Refusal;

    private static OpenMessage With(Func<CapabilitySet, CapabilitySet> change) =>
        Some.Open with { Capabilities = change(Some.Open.Capabilities) };
}
