using Calico.Bgp.Net;

namespace Calico.Bgp.Configuration;

/// <summary>
/// Says when to look at Felix's endpoint-status files again: the system tells of each change, and a slow look finds what it did not tell.
/// Felix may make the folder after we have started; until then it is looked for.
/// </summary>
public sealed class EndpointStatusWatch(string folder) : IDisposable
{
    private static readonly TimeSpan Rescan = TimeSpan.FromSeconds(30), Retry = TimeSpan.FromSeconds(2);

    private readonly Bell news = new();
    private FileSystemWatcher? watcher;

    /// <summary>Ends when something may have changed.</summary>
    public async Task NextAsync(TimeProvider time, CancellationToken cancellation)
    {
        // What happened before it was watched must be looked for.
        if (TryStart()) return;
        await news.HeardAsync(watcher == null ? Retry : Rescan, time, cancellation).ConfigureAwait(false);
        if (!Directory.Exists(folder)) Dispose();
    }

    /// <summary>True if it watches from now on.</summary>
    private bool TryStart()
    {
        if (watcher != null || !Directory.Exists(folder)) return false;
        try
        {
            watcher = new(folder) { NotifyFilter = NotifyFilters.FileName | NotifyFilters.LastWrite | NotifyFilters.Size };
            watcher.Created += (_, _) => news.Ring();
            watcher.Changed += (_, _) => news.Ring();
            watcher.Deleted += (_, _) => news.Ring();
            watcher.Renamed += (_, _) => news.Ring();
            watcher.Error += (_, _) => news.Ring();
            watcher.EnableRaisingEvents = true;
        }
        // Gone again, or the system's limit of watches: the slow look goes on.
        catch (Exception refused) when (refused is IOException or ArgumentException) { Dispose(); }
        return watcher != null;
    }

    public void Dispose()
    {
        watcher?.Dispose();
        watcher = null;
    }
}
