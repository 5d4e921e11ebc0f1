using System.Threading.Channels;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Calico.Bgp.Sources.Tests;

public class SourcesLoopTests
{
    private sealed class Broken : ISource
    {
        public string Kind => "files";
        public string Name => "broken";

        public async Task RunAsync(Loop loop, ChannelWriter<SourceUpdate> into, CancellationToken cancellation)
        {
            await Task.Yield();
            throw new NotSupportedException("nobody foresaw this");
        }
    }

    [Fact]
    public async Task A_source_that_fails_ends_the_process_and_who_waits_for_it_is_told()
    {
        var store = new ResourceStore(1);
        using var feed = store.Subscribe(Concern.Plan);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var reading = feed.ReadAsync(patience.Token).AsTask();
        var ended = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var loops = new Loops(TimeProvider.System, NullLogger<Loops>.Instance, (loop, _) => ended.SetResult(loop.Name));
        var running = new SourcesLoop(store, [new Broken()], loops, NullLogger<SourcesLoop>.Instance).RunAsync(patience.Token);
        Assert.Equal("source", await ended.Task.WaitAsync(patience.Token));
        var told = await Assert.ThrowsAsync<SourcesFailedException>(() => reading);
        Assert.Contains("nobody foresaw this", told.Message);
        Assert.Equal("the loop source broken has ended on a defect", loops.NotLiveBecause);
        await patience.CancelAsync();
        await running;
    }

    private sealed class Lines : ILogger<SourcesLoop>
    {
        public List<string> All { get; } = [];

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel level, EventId id, TState state, Exception? exception, Func<TState, Exception?, string> text) =>
            All.Add(text(state, exception));
    }

    private sealed class Saying(params SourceState[] states) : ISource
    {
        public string Kind => "etcd";
        public string Name => "e";

        public async Task RunAsync(Loop loop, ChannelWriter<SourceUpdate> into, CancellationToken cancellation)
        {
            foreach (var state in states) await into.WriteAsync(new(0, [], state), cancellation);
            into.Complete();
        }
    }

    [Fact]
    public async Task That_a_source_is_lost_and_back_is_told_once_each_however_often_it_tries()
    {
        var at = DateTimeOffset.UnixEpoch;
        var read = SourceState.Unread.Lost(at, "refused").Current(at);
        var log = new Lines();
        var loops = new Loops(TimeProvider.System, NullLogger<Loops>.Instance, (loop, defect) => Assert.Fail($"{loop}: {defect}"));
        var source = new Saying(
            SourceState.Unread, SourceState.Unread.Lost(at, "refused"), SourceState.Unread.Lost(at, "timed out"), read, read.Current(at),
            read.Lost(at, "reset"), read.Lost(at, "refused"), read);
        await new SourcesLoop(new ResourceStore(1), [source], loops, log).RunAsync(CancellationToken.None);
        Assert.Equal(
            [
                "etcd e: cannot be read yet, and until it has been nothing is announced, withdrawn or written: refused", "etcd e: in sync",
                "etcd e: not in sync, what it said stays: reset", "etcd e: in sync",
            ],
            log.All);
    }
}
