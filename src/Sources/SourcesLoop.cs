using System.Threading.Channels;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Sources;

/// <summary>The owner of a <see cref="ResourceStore"/>: runs the sources, each a task of its own, and applies what they say one after the
/// other.</summary>
public sealed class SourcesLoop(ResourceStore store, IReadOnlyList<ISource> sources, Loops loops)
{
    private const int Waiting = 64;

    /// <summary>A first list of a large folder is one turn.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly Channel<SourceUpdate> updates =
        Channel.CreateBounded<SourceUpdate>(new BoundedChannelOptions(Waiting) { SingleReader = true });

    /// <summary>
    /// Until it is cancelled. A source that fails in a way that it did not foresee ends the process, for what it would have said is missing
    /// from then on; the store's readers are told, for those who only read once.
    /// </summary>
    public Task RunAsync(CancellationToken cancellation)
    {
        var applying = loops.Start(
            "sources", OnDefect.EndProcess,
            loop => TellingReadersAsync(() => loop.TakeAllAsync(updates.Reader, Apply, cancellation)), stop: cancellation);
        var running = sources.Select(source => loops.Start(
            "source", OnDefect.EndProcess,
            loop => TellingReadersAsync(() => source.RunAsync(loop, updates.Writer, cancellation)), of: source.Name,
            Patience, cancellation));
        return Task.WhenAll(running.Append(applying).Select(loop => loop.Ended));
    }

    private ValueTask Apply(SourceUpdate update)
    {
        store.Apply(update);
        return default;
    }

    private async Task TellingReadersAsync(Func<Task> work)
    {
        try
        {
            await work().ConfigureAwait(false);
        }
        catch (Exception cause) when (cause is not OperationCanceledException)
        {
            store.Fail(cause);
            throw;
        }
    }
}
