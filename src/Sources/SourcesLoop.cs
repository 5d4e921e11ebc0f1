using System.Threading.Channels;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Sources;

/// <summary>The owner of a <see cref="ResourceStore"/>: runs the sources, each a task of its own, and applies what they say one after the
/// other.</summary>
public sealed class SourcesLoop(ResourceStore store, IReadOnlyList<ISource> sources)
{
    private const int Waiting = 64;

    /// <summary>Until it is cancelled, or a source fails in a way that it did not foresee: then the store's readers are told, and the
    /// exception is passed on.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var updates = Channel.CreateBounded<SourceUpdate>(new BoundedChannelOptions(Waiting) { SingleReader = true });
        var running = Task.WhenAll(sources.Select(source => RunAsync(source, updates.Writer, ending)));
        try
        {
            await foreach (var update in updates.Reader.ReadAllAsync(ending.Token).ConfigureAwait(false)) store.Apply(update);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested) { }
        try
        {
            await running.ConfigureAwait(false);
        }
        catch (Exception cause)
        {
            store.Fail(cause);
            throw;
        }
    }

    /// <summary>One source that fails takes the others with it: what it would have said is missing from then on.</summary>
    private static async Task RunAsync(ISource source, ChannelWriter<SourceUpdate> into, CancellationTokenSource ending)
    {
        // On a thread of its own from the first step: a first list may take seconds before anything is awaited.
        try { await Task.Run(() => source.RunAsync(into, ending.Token), ending.Token).ConfigureAwait(false); }
        catch (OperationCanceledException) when (ending.IsCancellationRequested) { }
        finally { await ending.CancelAsync().ConfigureAwait(false); }
    }
}
