using System.Collections.Immutable;
using System.Threading.Channels;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Sources.Yaml;

/// <summary>
/// A folder of manifests (or one file), watched. The system's notifications say where to look; a slow look at everything finds what they
/// miss: links that lead out of the folder, network file systems, notifications lost.
/// </summary>
public sealed class YamlFolderSource(int source, string path, FolderRules rules, TimeProvider time) : ISource
{
    private static readonly TimeSpan Settling = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Rescan = TimeSpan.FromSeconds(30);
    /// <summary>While the folder is not there, nothing notifies of its coming.</summary>
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);

    private readonly string path = Path.GetFullPath(path);
    private SourceState state = SourceState.Unread;

    public string Kind => "files";
    public string Name => path;

    public async Task RunAsync(Loop loop, ChannelWriter<SourceUpdate> into, CancellationToken cancellation)
    {
        var folder = new YamlFolder(source, path, Settling, time, rules);
        using var watch = new YamlWatch(path);
        await StartAsync(folder, watch, into, cancellation).ConfigureAwait(false);
        while (true)
        {
            loop.Rest();
            var paths = await watch.NextAsync(Patience(folder, watch), time, cancellation).ConfigureAwait(false);
            loop.Beat();
            var contents = Look(folder, watch, paths);
            await SayAsync(folder, into, contents, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>The first full list: in sync once nothing of it is in doubt any more.</summary>
    private async Task StartAsync(YamlFolder folder, YamlWatch watch, ChannelWriter<SourceUpdate> into, CancellationToken cancellation)
    {
        watch.Renew(anyway: false);
        var contents = folder.Scan();
        for (var patience = 20; folder.Due is { } due && patience > 0; patience--)
        {
            await Task.Delay(Max(due - time.GetUtcNow(), TimeSpan.FromMilliseconds(1)), time, cancellation).ConfigureAwait(false);
            contents = contents.AddRange(folder.LookAgain());
        }
        await SayAsync(folder, into, contents, cancellation).ConfigureAwait(false);
    }

    /// <param name="paths">Null: something happened, nobody knows where. None: the time is up, for what was in doubt or for
    /// everything.</param>
    private ImmutableArray<OriginContent> Look(YamlFolder folder, YamlWatch watch, IReadOnlyCollection<string>? paths)
    {
        var isSlow = paths is { Count: 0 } && !IsDue(folder);
        if (watch.IsMoved) folder.Distrust();
        var everything = watch.Renew(anyway: isSlow) || paths == null || isSlow;
        var contents = everything ? folder.Scan() : paths!.Count > 0 ? folder.Look(paths) : [];
        return IsDue(folder) ? contents.AddRange(folder.LookAgain()) : contents;
    }

    private bool IsDue(YamlFolder folder) => folder.Due is { } due && due <= time.GetUtcNow();

    private TimeSpan Patience(YamlFolder folder, YamlWatch watch)
    {
        var idle = watch.IsWatching ? Rescan : Retry;
        return folder.Due is { } due && due - time.GetUtcNow() < idle ? Max(due - time.GetUtcNow(), TimeSpan.FromMilliseconds(1)) : idle;
    }

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;

    private ValueTask SayAsync(
        YamlFolder folder, ChannelWriter<SourceUpdate> into, ImmutableArray<OriginContent> contents, CancellationToken cancellation)
    {
        state = After(folder);
        return into.WriteAsync(new(source, contents, state), cancellation);
    }

    /// <summary>A folder that is not there has nothing: nobody waits for one that may never come.</summary>
    private SourceState After(YamlFolder folder)
    {
        var now = time.GetUtcNow();
        var after = folder.Problem is { } problem ? state.Lost(now, problem) with { HasListed = true } : state.Current(now);
        return after with { Withheld = folder.Withheld };
    }
}
