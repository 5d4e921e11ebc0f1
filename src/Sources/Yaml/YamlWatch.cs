using System.Threading.Channels;

namespace Calico.Bgp.Sources.Yaml;

/// <summary>The system's notifications of a folder, as paths to look at; where they are lost or say nothing exact, as
/// "everything".</summary>
internal sealed class YamlWatch(string path) : IDisposable
{
    private const int Buffered = 1024;

    private readonly Channel<string> paths = Channel.CreateBounded<string>(Buffered);
    private FileSystemWatcher? watcher;
    /// <summary>What becomes of the folder itself is told to those who watch the one that it stands in.</summary>
    private FileSystemWatcher? above;
    /// <summary>Something was done to the folder itself since it is watched.</summary>
    private volatile bool isMoved;
    private volatile bool everything;

    public bool IsWatching => watcher != null;

    /// <summary>The path may lead to another folder than the one that is watched.</summary>
    public bool IsMoved => isMoved;

    /// <summary>Watches what the path leads to now. True if it did not before: what happened until now must be looked for. There may be
    /// nothing to watch yet.</summary>
    /// <param name="anyway">Also where nothing is known to have moved: that is told of the folder, not of those above it.</param>
    public bool Renew(bool anyway)
    {
        WatchAbove();
        if (watcher != null && !isMoved && !anyway) return false;
        isMoved = false;
        Stop();
        var folder = Directory.Exists(path) ? path : Path.GetDirectoryName(path)!;
        if (folder != path && !File.Exists(path)) return false;
        try { Start(folder); }
        // The system's limit of watches, or gone meanwhile: the slow look at everything goes on.
        catch (Exception wrong) when (wrong is IOException or ArgumentException) { Stop(); }
        return watcher != null;
    }

    private void WatchAbove()
    {
        if (above != null || Path.GetDirectoryName(path) is not { } parent || !Directory.Exists(parent)) return;
        try
        {
            above = new(parent, Path.GetFileName(path)) { NotifyFilter = NotifyFilters.FileName | NotifyFilters.DirectoryName };
            above.Created += (_, _) => NoteMove();
            above.Deleted += (_, _) => NoteMove();
            above.Renamed += (_, _) => NoteMove();
            above.Error += (_, _) => NoteMove();
            above.EnableRaisingEvents = true;
        }
        catch (Exception wrong) when (wrong is IOException or ArgumentException)
        {
            above?.Dispose();
            above = null;
        }
    }

    private void Start(string folder)
    {
        watcher = new(folder)
        {
            IncludeSubdirectories = folder == path,
            NotifyFilter = NotifyFilters.FileName | NotifyFilters.DirectoryName | NotifyFilters.LastWrite | NotifyFilters.Size
                | NotifyFilters.Attributes,
        };
        watcher.Created += (_, what) => Note(what.FullPath);
        watcher.Changed += (_, what) => Note(what.FullPath);
        watcher.Deleted += (_, what) => Note(what.FullPath);
        watcher.Renamed += (_, what) => { Note(what.OldFullPath); Note(what.FullPath); };
        watcher.Error += (_, _) => NoteEverything();
        watcher.EnableRaisingEvents = true;
    }

    /// <summary>What was watched is no longer there: a folder that comes in its place is another one.</summary>
    private void Stop()
    {
        watcher?.Dispose();
        watcher = null;
    }

    private void Note(string changed)
    {
        if (!Directory.Exists(path) && !File.Exists(path)) { NoteEverything(); return; }
        // A mounted ConfigMap's new version: one link that begins with dots is renamed, and all files behind it are different.
        if (!YamlListing.IsManifest(changed) && !IsFolder(changed)) return;
        if (!paths.Writer.TryWrite(changed)) NoteEverything();
    }

    private static bool IsFolder(string changed) =>
        Path.GetFileName(changed) == "..data" || !Path.HasExtension(changed) || Directory.Exists(changed);

    private void NoteMove()
    {
        isMoved = true;
        NoteEverything();
    }

    private void NoteEverything()
    {
        everything = true;
        paths.Writer.TryWrite("");
    }

    /// <summary>The paths noted by now, each once; null: look at everything; none: the time was up.</summary>
    public async Task<IReadOnlyCollection<string>?> NextAsync(TimeSpan patience, TimeProvider time, CancellationToken cancellation)
    {
        using var end = new CancellationTokenSource(patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(end.Token, cancellation);
        try { await paths.Reader.WaitToReadAsync(either.Token).ConfigureAwait(false); }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested) { }
        var noted = new HashSet<string>(StringComparer.Ordinal);
        var all = everything;
        everything = false;
        while (paths.Reader.TryRead(out var one)) noted.Add(one);
        return all || noted.Contains("") ? null : noted;
    }

    public void Dispose()
    {
        Stop();
        above?.Dispose();
    }
}
