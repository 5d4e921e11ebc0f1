namespace Calico.Bgp.Speaker.Tests;

/// <summary>What a defect in this room's loops does: the process ends, and nobody waits for it.</summary>
public sealed class DefectTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData("speaker")]
    [InlineData("listener")]
    [InlineData("fib")]
    public async Task A_defect_ends_the_process(string loop)
    {
        await using var pair = await new Pair().UpAsync();
        pair.A.Loops.Provoke(loop);
        if (loop == "listener")
        {
            using var stranger = new System.Net.Sockets.TcpClient();
            await stranger.ConnectAsync(pair.ConfigA.Listen[0].ToIPAddress(), pair.ConfigA.ListenPort);
        }
        else pair.A.Kernel.Become(FakeKernel.Node(eth0Up: false));
        Assert.Equal(loop, await pair.A.Ended.WaitAsync(Patience));
        Assert.StartsWith($"the loop {loop}", pair.A.Loops.NotLiveBecause, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_sweep_that_fails_ends_the_process()
    {
        await using var pair = new Pair();
        pair.A.Kernel.SweepMistake = new InvalidOperationException("broken");
        await pair.UpAsync();
        Assert.Equal("settling", await pair.A.Ended.WaitAsync(Patience));
    }

    [Fact]
    public async Task Who_waits_for_the_speaker_is_told_that_it_ends()
    {
        await using var pair = await new Pair().UpAsync();
        pair.A.Loops.Provoke("speaker");
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(
            () => pair.A.Loop.ConfigureAsync(pair.ConfigA.Routes("203.0.113.0/24")).WaitAsync(Patience));
        Assert.Equal("the speaker is ending", refused.Message);
        Assert.Equal("speaker", await pair.A.Ended.WaitAsync(Patience));
    }
}
