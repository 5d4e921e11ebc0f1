using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace Calico.Bgp.Bfd.Tests;

/// <summary>RFC 5880 section 6.8: one session, told by hand what comes and when.</summary>
public class BfdSessionTests
{
    private const long Millisecond = 1_000_000, Second = 1000 * Millisecond;
    private const ControlFlags Poll = ControlFlags.Poll, Final = ControlFlags.Final;

    private static readonly BfdTimes Quick = new(TimeSpan.FromMilliseconds(50), TimeSpan.FromMilliseconds(50), 3);

    private readonly BfdSession session = new(7, Quick, new(1), now: 0);

    [Fact]
    public void It_comes_up_as_both_sides_hear_of_each_other()
    {
        Assert.Equal(BfdState.Down, session.State);
        Hear(BfdState.Down, at: 0);
        Assert.Equal((BfdState.Init, 9u), (session.State, session.Packet(final: false).YourDiscriminator));
        Hear(BfdState.Init, at: 1);
        Assert.Equal(BfdState.Up, session.State);
    }

    [Fact]
    public void Until_it_is_up_it_sends_once_a_second_and_says_so()
    {
        Assert.Equal(1_000_000u, session.Packet(final: false).DesiredMinTx);
        session.Sent(0);
        Assert.InRange(session.NextSend, 750 * Millisecond, Second);
    }

    [Fact]
    public void It_sends_no_more_often_than_the_neighbour_will_hear()
    {
        ComeUp();
        Hear(BfdState.Up, at: 10, minRx: 400_000);
        session.Sent(20 * Millisecond);
        Assert.InRange(session.NextSend, 320 * Millisecond, 420 * Millisecond);
    }

    [Fact]
    public void A_change_of_state_is_told_at_once()
    {
        session.Sent(0);
        Hear(BfdState.Down, at: 5);
        Assert.Equal(5 * Millisecond, session.NextSend);
    }

    [Theory]
    [InlineData(BfdDiagnostic.ConcatenatedPathDown)]
    [InlineData(BfdDiagnostic.ForwardingPlaneReset)]
    public void What_is_wrong_with_this_node_is_told_at_once_and_the_session_stays_up(BfdDiagnostic wrong)
    {
        session.Say(wrong, [], 5);
        Assert.Equal(BfdDiagnostic.None, session.Packet(final: false).Diagnostic);
        ComeUp();
        session.Sent(10 * Millisecond);
        Assert.Equal((BfdState.Up, wrong), (session.State, session.Packet(final: false).Diagnostic));
        session.Say(BfdDiagnostic.None, [], 11 * Millisecond);
        Assert.Equal((BfdDiagnostic.None, 11 * Millisecond), (session.Packet(final: false).Diagnostic, session.NextSend));
        session.Sent(12 * Millisecond);
        session.Say(BfdDiagnostic.None, [], 13 * Millisecond);
        Assert.NotEqual(13 * Millisecond, session.NextSend);
    }

    [Fact]
    public void Each_interval_is_between_three_quarters_and_all_of_it()
    {
        ComeUp();
        var gaps = Enumerable.Range(0, 1000).Select(_ => Gap(session)).ToArray();
        Assert.All(gaps, gap => Assert.InRange(gap, 37.5 * Millisecond, 50 * Millisecond));
        Assert.InRange(gaps.Max() - gaps.Min(), 11 * Millisecond, 12.5 * Millisecond);
    }

    [Fact]
    public void With_a_multiplier_of_one_a_tenth_is_left_for_the_way()
    {
        session.Change(Quick with { Multiplier = 1 });
        ComeUp();
        Assert.All(Enumerable.Range(0, 1000), _ => Assert.InRange(Gap(session), 37.5 * Millisecond, 45 * Millisecond));
    }

    [Theory]
    [InlineData(50_000, 3, 150)]
    [InlineData(10_000, 3, 150)]       // we hear no more often than every 50 ms
    [InlineData(100_000, 5, 500)]
    public void The_detection_time_is_the_neighbours_multiplier_times_the_slower_interval(uint theirTx, byte multiplier, long expected)
    {
        ComeUp();
        Hear(BfdState.Up, at: 100, minTx: theirTx, multiplier: multiplier);
        Assert.Equal((100 + expected) * Millisecond, session.DetectAt);
    }

    [Fact]
    public void Silence_for_the_detection_time_takes_it_down()
    {
        ComeUp();
        session.Expire(session.DetectAt);
        Assert.Equal((BfdState.Down, BfdDiagnostic.ControlDetectionTimeExpired, 0u), (session.State, session.Diagnostic,
            session.Packet(final: false).YourDiscriminator));
        Assert.Equal((BfdSession.Never, 1_000_000u), (session.DetectAt, session.Packet(final: false).DesiredMinTx));
    }

    [Fact]
    public void A_packet_counts_from_when_the_kernel_had_it()
    {
        ComeUp();
        session.Receive(From(BfdState.Up), arrived: 100 * Millisecond, now: 130 * Millisecond, out _);
        Assert.Equal(250 * Millisecond, session.DetectAt);
    }

    [Fact]
    public void A_neighbour_that_goes_down_takes_it_along()
    {
        ComeUp();
        Hear(BfdState.Down, at: 10);
        Assert.Equal((BfdState.Down, BfdDiagnostic.NeighborSignaledSessionDown), (session.State, session.Diagnostic));
    }

    [Fact]
    public void A_neighbour_that_is_administratively_down_keeps_it_down_until_it_is_back()
    {
        ComeUp();
        Hear(BfdState.AdminDown, at: 10);
        Hear(BfdState.AdminDown, at: 20);
        Assert.Equal(BfdState.Down, session.State);
        Hear(BfdState.Down, at: 30);
        Assert.Equal(BfdState.Init, session.State);
    }

    [Fact]
    public void When_stopped_it_says_so_and_hears_nothing()
    {
        ComeUp();
        session.Stop(5 * Millisecond);
        Assert.Equal(Discard.Stopped, session.Receive(From(BfdState.Down), 6 * Millisecond, 6 * Millisecond, out _));
        var said = session.Packet(final: false);
        Assert.Equal((BfdState.AdminDown, BfdDiagnostic.AdministrativelyDown), (said.State, said.Diagnostic));
        Assert.Equal(5 * Millisecond, session.NextSend);
    }

    [Fact]
    public void A_poll_is_answered_and_an_answer_is_no_poll()
    {
        ComeUp();
        Assert.True(Hear(BfdState.Up, at: 10, flags: Poll));
        Assert.Equal(Final, session.Packet(final: true).Flags);
        Assert.False(Hear(BfdState.Up, at: 20, flags: Final));
    }

    [Fact]
    public void Once_up_it_polls_until_the_neighbour_has_answered()
    {
        ComeUp();
        session.Sent(0);
        Assert.Equal(Poll, session.Packet(final: false).Flags);
        Hear(BfdState.Up, at: 10);
        Assert.Equal(Poll, session.Packet(final: false).Flags);
        Hear(BfdState.Up, at: 20, flags: Final);
        Assert.Equal(ControlFlags.None, session.Packet(final: false).Flags);
    }

    [Fact]
    public void An_answer_to_an_earlier_poll_is_none_to_this_one()
    {
        Settle();
        session.Change(Quick with { Multiplier = 5 });
        Hear(BfdState.Up, at: 30, flags: Final);
        Assert.Equal(Poll, session.Packet(final: false).Flags);
    }

    [Fact]
    public void What_becomes_rarer_waits_for_the_neighbours_answer()
    {
        Settle();
        session.Change(new(TimeSpan.FromMilliseconds(200), TimeSpan.FromMilliseconds(200), 3));
        Assert.Equal((200_000u, 50_000u), (session.Packet(final: false).DesiredMinTx, session.SendInterval));
        session.Sent(30 * Millisecond);
        Hear(BfdState.Up, at: 40, flags: Final);
        Assert.Equal(200_000u, session.SendInterval);
    }

    [Fact]
    public void We_wait_as_long_as_before_until_the_neighbour_knows_that_we_hear_more_often()
    {
        session.Change(new(TimeSpan.FromMilliseconds(200), TimeSpan.FromMilliseconds(200), 3));
        Settle();
        session.Change(Quick);
        Hear(BfdState.Up, at: 30);
        Assert.Equal(600_000, session.DetectionTime);
        session.Sent(30 * Millisecond);
        Hear(BfdState.Up, at: 40, flags: Final);
        Assert.Equal(150_000, session.DetectionTime);
    }

    [Fact]
    public void A_neighbour_that_wants_to_hear_nothing_hears_only_what_is_new()
    {
        Settle();
        Hear(BfdState.Up, at: 30, minRx: 0);
        session.Sent(31 * Millisecond);
        Assert.Equal(BfdSession.Never, session.NextSend);
        session.Expire(session.DetectAt);
        Assert.NotEqual(BfdSession.Never, session.NextSend);
    }

    [Fact]
    public void A_neighbour_in_demand_mode_is_left_alone_but_for_polls()
    {
        Settle();
        Hear(BfdState.Up, at: 30, flags: ControlFlags.Demand);
        Assert.Equal(BfdSession.Never, session.NextSend);
        session.Change(Quick with { Multiplier = 5 });
        Assert.NotEqual(BfdSession.Never, session.NextSend);
    }

    [Fact]
    public void A_neighbour_in_demand_mode_is_still_found_out_when_it_falls_silent()
    {
        Settle();
        Hear(BfdState.Up, at: 30, flags: ControlFlags.Demand);
        Assert.Equal(180 * Millisecond, session.DetectAt);
    }

    private static class Arbitraries
    {
        public static Arbitrary<(BfdState, byte, uint, uint)[]> Heard() => (
            from state in Gen.Elements(Enum.GetValues<BfdState>())
            from flags in Gen.Choose(0, 63)
            from minTx in Gen.Elements(0u, 1u, 50_000u, uint.MaxValue)
            from minRx in Gen.Elements(0u, 1u, 50_000u, uint.MaxValue)
            select (state, (byte)flags, minTx, minRx)).ArrayOf().ToArbitrary();
    }

    /// <summary>Whatever a neighbour says, something is due in time or nothing is wanted, and we send no faster than we said.</summary>
    [Property(Arbitrary = [typeof(Arbitraries)])]
    internal bool Any_order_of_packets_stays_lawful((BfdState State, byte Flags, uint MinTx, uint MinRx)[] heard)
    {
        var one = new BfdSession(7, Quick, new(1), 0);
        var now = 0L;
        foreach (var (state, flags, minTx, minRx) in heard)
        {
            now += 10 * Millisecond;
            if (one.DetectAt <= now) one.Expire(now);
            one.Receive(new(BfdDiagnostic.None, state, (ControlFlags)flags, 3, 9, 7, minTx, minRx), now, now, out _);
            if (one.NextSend > now) continue;
            one.Sent(now);
            if (one.NextSend - now < 37 * Millisecond) return false;
            if (one.State != BfdState.Up && one.NextSend - now < 750 * Millisecond) return false;
        }
        return one.State == BfdState.Up || one.Packet(final: false).DesiredMinTx >= 1_000_000;
    }

    [Fact]
    public void One_that_is_lent_takes_no_silence_for_a_loss_and_has_the_whole_time_when_it_is_taken_back()
    {
        ComeUp();
        Settle();
        session.Lend();
        Assert.Equal(BfdSession.Never, session.DetectAt);
        Hear(BfdState.Up, at: 500);
        Assert.Equal((BfdState.Up, BfdSession.Never), (session.State, session.DetectAt));
        session.TakeBack(Second);
        Assert.Equal(1150 * Millisecond, session.DetectAt);
        session.Expire(1150 * Millisecond);
        Assert.Equal(BfdState.Down, session.State);
    }

    [Fact]
    public void Another_process_says_what_this_one_said_and_asks_whether_it_was_heard()
    {
        ComeUp();
        Settle();
        var handed = session.Hand(new(Net.Address.Parse("10.0.0.2"), 3, false), 50_001, DateTimeOffset.UnixEpoch, 1, 0, null);
        var heir = new BfdSession(handed, Quick, new(2), now: Second);
        Assert.Equal(session.Packet(final: false) with { Flags = Poll }, heir.Packet(final: false));
        Assert.Equal((Second, 1150 * Millisecond), (heir.NextSend, heir.DetectAt));
        Assert.Equal((session.SendInterval, session.DetectionTime), (heir.SendInterval, heir.DetectionTime));
        Assert.Equal(handed, heir.Hand(handed.Key(), 50_001, DateTimeOffset.UnixEpoch, 1, 0, null));
    }

    [Fact]
    public void Other_times_of_the_other_process_wait_for_the_neighbours_word()
    {
        ComeUp();
        Settle();
        var handed = session.Hand(new(Net.Address.Parse("10.0.0.2"), 3, false), 50_001, DateTimeOffset.UnixEpoch, 1, 0, null);
        var rarer = new BfdTimes(TimeSpan.FromMilliseconds(400), TimeSpan.FromMilliseconds(400), 3);
        var heir = new BfdSession(handed, rarer, new(2), now: Second);
        Assert.Equal((50_000u, 400_000u), (heir.SendInterval, heir.Packet(final: false).DesiredMinTx));
    }

    private void ComeUp()
    {
        Hear(BfdState.Down, at: 0);
        Hear(BfdState.Init, at: 0);
    }

    /// <summary>Up, and the poll that follows is over.</summary>
    private void Settle()
    {
        ComeUp();
        session.Sent(0);
        Hear(BfdState.Up, at: 20, flags: Final);
        session.Sent(25 * Millisecond);
    }

    private bool Hear(
        BfdState state, long at, ControlFlags flags = ControlFlags.None, uint minTx = 50_000, uint minRx = 50_000, byte multiplier = 3)
    {
        var packet = From(state) with { Flags = flags, DesiredMinTx = minTx, RequiredMinRx = minRx, Multiplier = multiplier };
        Assert.Equal(Discard.None, session.Receive(packet, at * Millisecond, at * Millisecond, out var answer));
        return answer;
    }

    private static ControlPacket From(BfdState state) => new(BfdDiagnostic.None, state, ControlFlags.None, 3, 9, 7, 50_000, 50_000);

    private static long Gap(BfdSession of)
    {
        of.Sent(0);
        return of.NextSend;
    }
}
