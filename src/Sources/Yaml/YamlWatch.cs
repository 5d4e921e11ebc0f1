using System.Threading.Channels;

namespace Calico.Bgp.Sources.Yaml;

/// <summary>The system's notifications of a folder, as paths to look at; where they are lost or say nothing exact, as
/// "everything".</summary>
internal sealed class YamlWatch(string path) : IDisposable
{
    private const int Buffered = 1024;

    private readonly Channel<string> paths = Channel.CreateBounded<string>(Buffered);
    private FileSystemWatcher? watcher;
    private volatile bool everything;

    public bool IsWatching => watcher != null;

    /// <summary>True if it watches from now on: what happened before must be looked for. There may be nothing to watch yet.</summary>
    public bool TryStart()
    {
        var folder = Directory.Exists(path) ? path : Path.GetDirectoryName(path)!;
        if (watcher != null || (folder != path && !File.Exists(path))) return false;
        try { Start(folder); }
        // The system's limit of watches: the slow look at everything goes on.
        catch (IOException) { Stop(); }
        return watcher != null;
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
    public void Stop()
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

    public void Dispose() => Stop();
}
