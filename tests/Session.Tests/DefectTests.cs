namespace Calico.Bgp.Session.Tests;

/// <summary>What a defect in this room's loops does: a session falls and comes back; a listener's ends the process.</summary>
public sealed class DefectTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private static (SessionSettings A, SessionSettings B) Settings()
    {
        var (a, b) = Loopback.Neighbours();
        var soon = TimeSpan.FromMilliseconds(20);
        return (a with { IdleHoldTime = soon, ConnectRetryTime = soon }, b with { IdleHoldTime = soon, ConnectRetryTime = soon });
    }

    [Fact]
    public async Task A_session_whose_loop_meets_a_defect_tells_its_owner_and_comes_back()
    {
        var (a, b) = Settings();
        await using var us = new Speaker(a, listen: Loopback.A);
        await using var them = new Speaker(b, listen: Loopback.B);
        await Loopback.Up(us);
        us.Loops.Provoke("session");
        us.Session.Enable();
        await Until.TrueAsync("the session again", () => us.Told.Count(told => told == "up") == 2);
        Assert.Equal("down: Sent Out of Resources", us.Told.ElementAt(1));
        Assert.Contains($"the loop session {a.Name} begins again", Assert.Single(us.LoopLog.All), StringComparison.Ordinal);
        Assert.Null(us.Loops.NotLiveBecause);
    }

    [Theory]
    [InlineData("up")]
    [InlineData("down")]
    public async Task A_session_whose_owner_makes_a_mistake_comes_back(string at)
    {
        var (a, b) = Settings();
        await using var us = new Speaker(a, listen: Loopback.A) { Mistake = at };
        await using var them = new Speaker(b, listen: Loopback.B);
        await Loopback.Up(us);
        if (at == "down") them.Session.Restart();
        var ups = at == "down" ? 2 : 1;
        await Until.TrueAsync("the session again", () => us.Told.Count(told => told == "up") == ups && us.Now.Phase == Phase.Established);
        Assert.Single(us.LoopLog.All);
        await us.Session.SettledAsync().WaitAsync(Patience);
    }

    [Fact]
    public async Task A_session_that_was_disabled_stays_down_after_a_defect()
    {
        var (a, b) = Settings();
        await using var us = new Speaker(a, listen: Loopback.A);
        await using var them = new Speaker(b, listen: Loopback.B);
        await Loopback.Up(us);
        us.Session.Disable();
        await us.Session.SettledAsync();
        us.Loops.Provoke("session");
        await us.Session.SettledAsync().WaitAsync(Patience);
        Assert.Single(us.LoopLog.All);
        Assert.Equal(Phase.Idle, us.Now.Phase);
        Assert.False(us.Now.Enabled);
    }

    [Fact]
    public async Task A_session_ends_for_good_with_a_defect_on_the_way()
    {
        var (a, b) = Settings();
        var us = new Speaker(a, listen: Loopback.A);
        await using var them = new Speaker(b, listen: Loopback.B);
        await Loopback.Up(us);
        us.Loops.Provoke("session");
        await us.DisposeAsync().AsTask().WaitAsync(Patience);
        Assert.Empty(us.Loops.Status);
    }

    [Fact]
    public async Task A_listener_that_meets_a_defect_ends_the_process()
    {
        var settings = HandPeer.PassiveSession();
        var ended = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var loops = new Net.Loops(
            TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger<Net.Loops>.Instance,
            (loop, _) => ended.SetResult(loop.Name));
        await using var listener = new Listener(loops, Microsoft.Extensions.Logging.Abstractions.NullLogger<Listener>.Instance);
        listener.Open([Loopback.A], settings.ListenPort);
        loops.Provoke("listener");
        listener.Start();
        using var peer = await HandPeer.CallAsync(settings);
        Assert.Equal("listener", await ended.Task.WaitAsync(Patience));
        Assert.Equal($"the loop listener {Loopback.A}:{settings.ListenPort} has ended on a defect", loops.NotLiveBecause);
    }

    [Fact]
    public async Task A_peer_that_calls_faster_than_the_session_can_answer_is_hung_up_on()
    {
        const int Callers = 40;
        var settings = HandPeer.PassiveSession();
        await using var us = new Speaker(settings, listen: Loopback.A);
        using var first = await HandPeer.CallAsync(settings);
        await first.EstablishAsync();
        await Loopback.Up(us);
        us.Full = new(TaskCreationOptions.RunContinuationsAsynchronously);
        // End-of-RIB: the reader waits for the owner to take it, and whoever closes the connection waits for the reader.
        await first.SendAsync(Convert.FromHexString("ffffffffffffffffffffffffffffffff00170200000000"));
        await Until.TrueAsync("the update", () => us.Updates == 1);
        us.Session.Restart();
        var callers = new List<HandPeer>();
        for (var i = 0; i < Callers; i++) callers.Add(await HandPeer.CallAsync(settings));
        var heard = callers.ConvertAll(caller => caller.ReceiveAsync());
        await Until.TrueAsync("the end of those too many", () => heard.Count(one => one.IsCompleted) >= Callers - 8);
        us.Full.SetResult();
        callers.ForEach(caller => caller.Dispose());
    }
}
