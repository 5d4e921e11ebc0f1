using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Sources;
using Calico.Bgp.Sources.Yaml;
using Microsoft.Extensions.Logging.Abstractions;

namespace Calico.Bgp.Configuration;

/// <summary>The sources that bgpd.yaml names, made ready to run.</summary>
public static class ResourceSources
{
    public static IReadOnlyList<ISource> Of(DaemonConfig config, TimeProvider time) =>
    [
        .. config.Sources.OfType<FileSource>()
            .Select((source, number) => new YamlFolderSource(number, source.Folder, source.Rules, time)),
    ];

    /// <summary>All that the sources have now; it is not followed.</summary>
    public static async Task<ResourceSnapshot> ReadOnceAsync(DaemonConfig config, TimeProvider time, CancellationToken stop)
    {
        var sources = Of(config, time);
        if (sources.Count == 0) return ResourceSnapshot.Empty;
        var store = new ResourceStore(sources.Count);
        using var feed = store.Subscribe(Concern.Plan);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(stop);
        // A defect ends this reading alone: the store tells its reader.
        var loops = new Loops(time, NullLogger<Loops>.Instance, (_, _) => { });
        var running = new SourcesLoop(store, sources, loops, NullLogger<SourcesLoop>.Instance).RunAsync(enough.Token);
        var first = feed.ReadAsync(enough.Token).AsTask();
        await Task.WhenAny(first, running).ConfigureAwait(false);
        await enough.CancelAsync().ConfigureAwait(false);
        await running.ConfigureAwait(false);
        return (await first.ConfigureAwait(false)).After;
    }
}
