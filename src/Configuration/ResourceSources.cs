using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Sources;
using Calico.Bgp.Sources.Etcd;
using Calico.Bgp.Sources.Kubernetes;
using Calico.Bgp.Sources.Yaml;
using Microsoft.Extensions.Logging.Abstractions;

namespace Calico.Bgp.Configuration;

/// <summary>The sources that bgpd.yaml names, made ready to run.</summary>
public static class ResourceSources
{
    /// <summary>In the order of the file, in which they count.</summary>
    public static IReadOnlyList<ISource> Of(DaemonConfig config, TimeProvider time) =>
    [
        .. config.Sources.Select((source, number) => Of(source, number, config.Wanted, time)),
    ];

    private static ISource Of(SourceConfig source, int number, Concern wanted, TimeProvider time) => source switch
    {
        FileSource files => new YamlFolderSource(number, files.Folder, files.Rules with { Wanted = wanted }, time),
        EtcdSource etcd => new CalicoEtcdSource(number, etcd.Settings, wanted, time),
        KubernetesSource cluster => new ClusterSource(number, cluster.Settings, wanted, time),
        _ => throw new NotSupportedException($"a source of kind {source.GetType().Name}"),
    };

    /// <summary>For a server that does not answer; the daemon waits for it, who only looks does not.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>All that the sources have now; it is not followed.</summary>
    /// <exception cref="IOException">A source cannot be read; the message says which, and why.</exception>
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
        string? lost = null;
        do await Task.WhenAny(first, running, Task.Delay(Patience, time, enough.Token)).ConfigureAwait(false);
        while (!first.IsCompleted && !running.IsCompleted && (lost = Lost(sources, store)) == null);
        await enough.CancelAsync().ConfigureAwait(false);
        await running.ConfigureAwait(false);
        if (lost != null && !first.IsCompletedSuccessfully) throw new IOException(lost);
        return (await first.ConfigureAwait(false)).After;
    }

    private static string? Lost(IReadOnlyList<ISource> sources, ResourceStore store) =>
        sources.Select((source, number) => store.Status(number, source.Kind, source.Name))
            .Where(one => one.State is { HasListed: false, LastError: not null })
            .Select(one => $"sources: {one.Kind} {one.Name} cannot be read: {one.State.LastError!.Text}").FirstOrDefault();
}
