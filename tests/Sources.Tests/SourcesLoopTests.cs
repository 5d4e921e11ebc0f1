using System.Threading.Channels;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Sources.Tests;

public class SourcesLoopTests
{
    private sealed class Broken : ISource
    {
        public string Name => "broken";

        public async Task RunAsync(ChannelWriter<SourceUpdate> into, CancellationToken cancellation)
        {
            await Task.Yield();
            throw new NotSupportedException("nobody foresaw this");
        }
    }

    [Fact]
    public async Task Who_waits_for_a_source_that_fails_is_told()
    {
        var store = new ResourceStore(1);
        using var feed = store.Subscribe(Concern.Plan);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var reading = feed.ReadAsync(patience.Token).AsTask();
        await Assert.ThrowsAsync<NotSupportedException>(() => new SourcesLoop(store, [new Broken()]).RunAsync(patience.Token));
        var told = await Assert.ThrowsAsync<SourcesFailedException>(() => reading);
        Assert.Contains("nobody foresaw this", told.Message);
    }
}
