using System.Threading.Channels;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
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
        var running = new SourcesLoop(store, [new Broken()], loops).RunAsync(patience.Token);
        Assert.Equal("source", await ended.Task.WaitAsync(patience.Token));
        var told = await Assert.ThrowsAsync<SourcesFailedException>(() => reading);
        Assert.Contains("nobody foresaw this", told.Message);
        Assert.Equal("the loop source broken has ended on a defect", loops.NotLiveBecause);
        await patience.CancelAsync();
        await running;
    }
}
