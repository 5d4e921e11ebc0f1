using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Net.Tests;

public sealed class LoopTests
{
    private readonly SaidLog said = new();
    private readonly List<string> ended = [];
    private readonly StandingTime time = new();
    private readonly Loops loops;
    private readonly Channel<int> inbox = Channel.CreateUnbounded<int>();
    private readonly List<int> taken = [];

    public LoopTests() => loops = new(time, said, (loop, defect) => ended.Add($"{loop.Name}: {defect.Message}"));

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private ValueTask TakeAsync(int news)
    {
        if (news < 0) throw new InvalidOperationException($"cannot take {news}");
        taken.Add(news);
        return default;
    }

    private Task TakeAllAsync(Loop loop) => loop.TakeAllAsync(inbox.Reader, TakeAsync);

    [Fact]
    public async Task A_loop_whose_defect_ends_the_process_says_so_in_one_line_with_its_name_and_takes_nothing_more()
    {
        var loop = loops.Start("kernel", OnDefect.EndProcess, TakeAllAsync);
        foreach (var news in (int[])[1, -2, 3]) inbox.Writer.TryWrite(news);
        await loop.Ended.WaitAsync(Patience);
        Assert.Equal([1], taken);
        Assert.Equal(["kernel: cannot take -2"], ended);
        var line = Assert.Single(said.Lines);
        Assert.Equal(
            "Critical the process ends, its routes and rules stay: a mistake in this program, in the loop kernel: cannot take -2", line);
        Assert.Equal("the loop kernel has ended on a defect", loops.NotLiveBecause);
        Assert.True(Assert.Single(loops.Status).HasFailed);
    }

    [Fact]
    public async Task A_loop_that_starts_again_goes_on_with_what_it_had_not_taken_yet()
    {
        var loop = loops.Start("session", OnDefect.StartAgain, TakeAllAsync, of: "tor1");
        foreach (var news in (int[])[1, -2, 3, -4, 5]) inbox.Writer.TryWrite(news);
        inbox.Writer.Complete();
        await loop.Ended.WaitAsync(Patience);
        Assert.Equal([1, 3, 5], taken);
        Assert.Empty(ended);
        Assert.Equal(2, loop.Defects);
        Assert.Equal("Error the loop session tor1 begins again: a mistake in this program: cannot take -2", said.Lines[0]);
        Assert.Equal(2, said.Lines.Count);
        Assert.Null(loops.NotLiveBecause);
    }

    [Fact]
    public async Task A_clients_loop_ends_alone_and_is_forgotten()
    {
        var loop = loops.Start("birdc client", OnDefect.EndLoop, TakeAllAsync);
        inbox.Writer.TryWrite(-1);
        await loop.Ended.WaitAsync(Patience);
        Assert.Empty(ended);
        Assert.Equal(
            "Error the loop birdc client has ended, and nothing with it: a mistake in this program: cannot take -1",
            Assert.Single(said.Lines));
        Assert.Empty(loops.Status);
        Assert.Null(loops.NotLiveBecause);
    }

    [Fact]
    public async Task What_falls_with_the_first_loop_that_ends_the_process_is_not_told()
    {
        var first = loops.Start("nftables", OnDefect.EndProcess, _ => throw new IOException("first"));
        await first.Ended.WaitAsync(Patience);
        var second = loops.Start("dataplane", OnDefect.EndProcess, _ => throw new IOException("second"));
        await second.Ended.WaitAsync(Patience);
        Assert.Equal(["nftables: first"], ended);
        Assert.Single(said.Lines);
    }

    [Fact]
    public async Task A_threads_defect_is_a_loops_defect()
    {
        var loop = loops.StartThread("rib", OnDefect.EndProcess, _ => throw new IOException("broken"), of: "0");
        await loop.Ended.WaitAsync(Patience);
        Assert.Equal(["rib: broken"], ended);
        Assert.Contains("in the loop rib 0", Assert.Single(said.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cancelled_loop_has_met_no_defect()
    {
        using var stop = new CancellationTokenSource();
        var loop = loops.Start(
            "dataplane", OnDefect.EndProcess, loop => loop.TakeAllAsync(inbox.Reader, TakeAsync, stop.Token), stop: stop.Token);
        await stop.CancelAsync();
        await loop.Ended.WaitAsync(Patience);
        Assert.Empty(said.Lines);
        Assert.Empty(loops.Status);
    }

    [Fact]
    public async Task A_cancellation_that_nobody_asked_for_is_a_defect()
    {
        var loop = loops.Start("dataplane", OnDefect.EndProcess, _ => throw new OperationCanceledException("by a timeout within"));
        await loop.Ended.WaitAsync(Patience);
        Assert.Equal(["dataplane: by a timeout within"], ended);
    }

    [Fact]
    public async Task A_turn_that_does_not_end_is_told_and_rest_is_not()
    {
        using var hung = new SemaphoreSlim(0);
        var loop = loops.Start("fib", OnDefect.EndProcess, loop => loop.TakeAllAsync(inbox.Reader, async _ => await hung.WaitAsync()));
        await ResidesAsync(loop, isAtWork: false);
        time.Now += TimeSpan.FromHours(1);
        Assert.Null(loops.NotLiveBecause);
        Assert.Equal(TimeSpan.FromHours(1), loop.Status.SinceBeat);

        inbox.Writer.TryWrite(1);
        await ResidesAsync(loop, isAtWork: true);
        time.Now += TimeSpan.FromSeconds(6);
        Assert.Equal("the loop fib has been at work on one thing for 6 s", loops.NotLiveBecause);
        Assert.Equal(TimeSpan.FromSeconds(6), loop.Status.LongestTurn);

        hung.Release();
        await ResidesAsync(loop, isAtWork: false);
        Assert.Null(loops.NotLiveBecause);
        Assert.Equal(TimeSpan.FromSeconds(6), loop.Status.LongestTurn);
        inbox.Writer.Complete();
        await loop.Ended.WaitAsync(Patience);
    }

    [Fact]
    public async Task To_wait_for_another_loop_is_rest()
    {
        using var other = new SemaphoreSlim(0);
        var loop = loops.Start("dataplane", OnDefect.EndProcess, async loop => await loop.WaitForAsync(other.WaitAsync()));
        await ResidesAsync(loop, isAtWork: false);
        time.Now += TimeSpan.FromMinutes(1);
        Assert.Null(loops.NotLiveBecause);
        other.Release();
        await loop.Ended.WaitAsync(Patience);
    }

    [Fact]
    public async Task A_loop_that_says_so_may_take_its_time()
    {
        using var slow = new SemaphoreSlim(0);
        var begun = new TaskCompletionSource();
        var loop = loops.Start("source", OnDefect.EndProcess, _ =>
        {
            begun.SetResult();
            return slow.WaitAsync();
        }, patience: TimeSpan.FromMinutes(1));
        await begun.Task.WaitAsync(Patience);
        time.Now += TimeSpan.FromSeconds(59);
        Assert.Null(loops.NotLiveBecause);
        time.Now += TimeSpan.FromSeconds(2);
        Assert.StartsWith("the loop source has been at work", loops.NotLiveBecause, StringComparison.Ordinal);
        slow.Release();
        await loop.Ended.WaitAsync(Patience);
    }

    [Fact]
    public async Task A_defect_that_is_asked_for_strikes_the_loop_of_that_name_once()
    {
        loops.Provoke("fib");
        var others = loops.Start("kernel", OnDefect.EndProcess, TakeAllAsync);
        var struck = loops.Start("fib", OnDefect.StartAgain, loop => loop.TakeAllAsync(inbox.Reader, TakeAsync));
        inbox.Writer.Complete();
        await Task.WhenAll(struck.Ended, others.Ended).WaitAsync(Patience);
        Assert.Equal(1, struck.Defects);
        Assert.Equal(0, others.Defects);
    }

    private static async Task ResidesAsync(Loop loop, bool isAtWork)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (loop.Status.InTurnFor.HasValue != isAtWork) await Task.Delay(1, patience.Token);
    }

    private sealed class StandingTime : TimeProvider
    {
        public TimeSpan Now { get; set; }
        public override long TimestampFrequency => TimeSpan.TicksPerSecond;
        public override long GetTimestamp() => Now.Ticks;
    }

    private sealed class SaidLog : ILogger<Loops>
    {
        public List<string> Lines { get; } = [];
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (Lines) Lines.Add($"{logLevel} {formatter(state, exception)}: {exception?.Message}");
        }
    }
}
