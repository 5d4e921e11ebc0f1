using System.Threading.Channels;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Sources;

/// <summary>The owner of a <see cref="ResourceStore"/>: runs the sources, each a task of its own, and applies what they say one after the
/// other.</summary>
public sealed class SourcesLoop(ResourceStore store, IReadOnlyList<ISource> sources, Loops loops, ILogger<SourcesLoop> log)
{
    private const int Waiting = 64;

    /// <summary>A first list of a large folder is one turn.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly SourceState[] states = [.. sources.Select(_ => SourceState.Unread)];

    private readonly Channel<SourceUpdate> updates =
        Channel.CreateBounded<SourceUpdate>(new BoundedChannelOptions(Waiting) { SingleReader = true });

    /// <summary>
    /// Until it is cancelled. A source that fails in a way that it did not foresee ends the process, for what it would have said is missing
    /// from then on; the store's readers are told, for those who only read once.
    /// </summary>
    public Task RunAsync(CancellationToken cancellation)
    {
        var applying = RunAsync("sources", null, null, loop => loop.TakeAllAsync(updates.Reader, Apply, cancellation), cancellation);
        var running = sources.Select(
            source => RunAsync("source", source.Name, Patience, loop => source.RunAsync(loop, updates.Writer, cancellation), cancellation));
        return Task.WhenAll(running.Append(applying));
    }

    private async Task RunAsync(string name, string? of, TimeSpan? patience, Func<Loop, Task> work, CancellationToken cancellation)
    {
        Exception? cause = null;
        var started = loops.Start(name, OnDefect.EndProcess, async loop =>
        {
            try
            {
                await work(loop).ConfigureAwait(false);
            }
            catch (Exception defect) when (defect is not OperationCanceledException)
            {
                cause = defect;
                throw;
            }
        }, of, patience, cancellation);
        await started.Ended.ConfigureAwait(false);
        // Not before: where the process ends with its loop, it must not end for what a reader makes of the news.
        if (cause != null) store.Fail(cause);
    }

    private ValueTask Apply(SourceUpdate update)
    {
        Tell(sources[update.Source], states[update.Source], update.State);
        states[update.Source] = update.State;
        store.Apply(update);
        return default;
    }

    /// <summary>However often it tries in vain meanwhile, that it is lost is told once.</summary>
    private void Tell(ISource source, SourceState before, SourceState after)
    {
        if (after.InSyncSince != null)
        {
            if (before.InSyncSince == null) log.InSync(source.Kind, source.Name);
        }
        else if (after.LastError is { } error && (before.InSyncSince != null || before.LastError == null))
        {
            if (after.HasListed) log.Lost(source.Kind, source.Name, error.Text);
            else log.NotYetRead(source.Kind, source.Name, error.Text);
        }
    }
}
