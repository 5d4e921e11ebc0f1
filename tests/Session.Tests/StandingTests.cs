using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Messages;

namespace Calico.Bgp.Session.Tests;

/// <summary>Sessions that stand still, for another process to have them, and go on because it has not.</summary>
public class StandingTests
{
    private const int Hold = 90;

    private static async Task<HandPeer> EstablishedAsync(Speaker us)
    {
        var peer = await HandPeer.CallAsync(us.Session.Settings);
        await peer.EstablishAsync(Some.Open with { HoldTime = Hold });
        await Loopback.Up(us);
        return peer;
    }

    /// <summary>Timers that are due then have been dealt with.</summary>
    private static Task PassAsync(Speaker us, ManualTimeProvider time, double seconds)
    {
        time.Advance(TimeSpan.FromSeconds(seconds));
        return us.Session.SettledAsync();
    }

    /// <summary>Half a message: what waits is not all of what it has to say when it is let go on.</summary>
    [Fact]
    public async Task A_neighbour_that_was_made_to_wait_is_not_silent()
    {
        var time = new ManualTimeProvider();
        var settings = HandPeer.PassiveSession();
        await using var us = new Speaker(settings, time, Loopback.A);
        using var peer = await EstablishedAsync(us);
        var over = new TaskCompletionSource();
        var standing = await us.Session.StandStillAsync(over.Task);
        await peer.SendAsync(Keepalive.Octets[..10]);
        for (var i = 0; i < 3; i++) await PassAsync(us, time, Hold);
        Assert.Equal(Phase.Established, us.Now.Phase);
        over.SetResult();
        standing!.GoOn();
        for (var i = 0; i < 5; i++) await PassAsync(us, time, 2);
        await peer.SendAsync(Keepalive.Octets[10..]);
        for (var i = 0; i < 5; i++) await PassAsync(us, time, Hold / 6.0);
        Assert.Equal((Phase.Established, 1), (us.Now.Phase, us.Now.EstablishedTransitions));
    }

    [Fact]
    public async Task A_neighbour_that_is_silent_while_it_could_speak_is_told_so_all_the_same()
    {
        var time = new ManualTimeProvider();
        await using var us = new Speaker(HandPeer.PassiveSession(), time, Loopback.A);
        using var peer = await EstablishedAsync(us);
        Assert.NotNull(await us.Session.StandStillAsync(new TaskCompletionSource().Task));
        time.Advance(TimeSpan.FromSeconds(Hold + 1));
        Assert.Equal(new(ErrorCode.HoldTimerExpired, 0), await peer.NotificationAsync());
    }
}
