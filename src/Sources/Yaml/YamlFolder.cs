using System.Collections.Immutable;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Sources.Yaml;

/// <summary>
/// The manifests below a folder as they were last believed, and what became different since. Nothing here waits or watches: whoever calls
/// says when to look, and is told when to look again.
///
/// A file is believed at once when all of it can be read and it has lost no object. Otherwise it may be half written, or between two steps
/// of an editor, and is believed only once it has stood like that for the settling time; so is a file that is gone. Where all of them are
/// gone, or the folder was away, somebody is likely to be putting others in their place one by one (rsync, git), or has made a mistake that
/// takes every route with it: what is lost there is believed after longer. Of a folder that is not there itself nothing is believed.
/// </summary>
internal sealed class YamlFolder(int source, string path, TimeSpan settling, TimeProvider time, FolderRules rules)
{
    private sealed record Known(YamlFile File, FileLook Look, DateTimeOffset Read);

    /// <summary>A file looks otherwise than is believed since then, and is believed once it has for so long.</summary>
    private readonly record struct Doubt(DateTimeOffset Since, TimeSpan For)
    {
        public DateTimeOffset End => Since + For;
    }

    private readonly string path = Path.GetFullPath(path);
    private readonly SortedDictionary<string, Known> known = new(StringComparer.Ordinal);
    /// <summary>Files not believed yet.</summary>
    private readonly SortedDictionary<string, Doubt> doubtful = new(StringComparer.Ordinal);
    private string? folderProblem;

    /// <summary>When to <see cref="LookAgain"/>; null: nothing is waiting to settle.</summary>
    public DateTimeOffset? Due => doubtful.Count == 0 ? null : doubtful.Values.Min(doubt => doubt.End);

    /// <summary>It could be listed when it was last looked at as a whole.</summary>
    public bool IsThere => folderProblem == null;

    /// <summary>It may be another folder: of a file that looks as before nothing follows.</summary>
    public void Distrust()
    {
        foreach (var (file, before) in known.ToArray()) known[file] = before with { Look = default };
    }

    /// <summary>Looks at everything.</summary>
    public ImmutableArray<OriginContent> Scan()
    {
        var contents = ImmutableArray.CreateBuilder<OriginContent>();
        var wasThere = IsThere;
        var files = Files(contents);
        if (files == null)
        {
            // Who looks at it when it comes again looks at everything.
            doubtful.Clear();
            return contents.ToImmutable();
        }
        var patience = PatienceWithLosses(wasThere && files.Count > 0);
        foreach (var file in known.Keys.Concat(doubtful.Keys).Except(files).ToArray()) Look(file, patience, contents);
        ReadMany([.. files.Where(file => FileLook.At(file) is { } look && MustRead(file, look))], contents);
        return contents.ToImmutable();
    }

    /// <summary>Reading and parsing need nothing but what was known before, so every core takes a part of many files.</summary>
    private void ReadMany(string[] files, ImmutableArray<OriginContent>.Builder contents)
    {
        var reads = files.AsParallel().AsOrdered()
            .Select(file => (Look: FileLook.At(file), File: ReadFile(file, known.GetValueOrDefault(file)?.File)));
        foreach (var (file, read) in files.Zip(reads.ToArray())) Judge(file, read.Look, read.File, contents);
    }

    /// <summary>Looks at these paths, which something happened to. A path that is neither a manifest nor known means a folder: at
    /// everything; so does one where the folder itself is not there.</summary>
    public ImmutableArray<OriginContent> Look(IReadOnlyCollection<string> paths)
    {
        if (!Path.Exists(path)) return Scan();
        if (!paths.All(one => known.ContainsKey(one) || (YamlListing.IsManifest(one) && !Directory.Exists(one)))) return Scan();
        var patience = PatienceWithLosses(known.Keys.Concat(paths).Any(File.Exists));
        var contents = ImmutableArray.CreateBuilder<OriginContent>();
        foreach (var one in paths) Look(one, patience, contents);
        return contents.ToImmutable();
    }

    private TimeSpan PatienceWithLosses(bool isOrdinary) => isOrdinary || rules.EmptyAfter < settling ? settling : rules.EmptyAfter;

    /// <summary>Looks at what was not believed yet.</summary>
    public ImmutableArray<OriginContent> LookAgain() => Look([.. doubtful.Keys]);

    /// <summary>Null, and a problem told once, where the folder cannot be listed: what was known of it stays.</summary>
    private List<string>? Files(ImmutableArray<OriginContent>.Builder contents)
    {
        var (files, problem) = ((List<string>?)null, (string?)null);
        try { files = YamlListing.Files(path); }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException)
        {
            problem = $"cannot be listed: {wrong.Message}";
        }
        if (problem == folderProblem) return files;
        folderProblem = problem;
        var origin = new ResourceOrigin(source, "");
        contents.Add(problem == null ? OriginContent.Gone(origin)
            : new(origin, [], [new("", "", problem, path, 0, ProblemSeverity.Error)]));
        return files;
    }

    private void Look(string file, TimeSpan patience, ImmutableArray<OriginContent>.Builder contents)
    {
        var look = FileLook.At(file);
        if (look == null) Missing(file, patience, contents);
        else Judge(file, look, ReadFile(file, known.GetValueOrDefault(file)?.File), contents);
    }

    /// <summary>The clock of a file's last change ticks in milliseconds: what was read right after a change may have changed once more
    /// without showing it.</summary>
    private bool MustRead(string file, FileLook look) =>
        doubtful.ContainsKey(file) || !known.TryGetValue(file, out var before) || before.Look != look
        || before.Read - look.Changed < TimeSpan.FromSeconds(1);

    /// <param name="patience">A doubt may get longer by it, never shorter: a folder that was emptied is filled file by file.</param>
    private void Missing(string file, TimeSpan patience, ImmutableArray<OriginContent>.Builder contents)
    {
        if (!known.ContainsKey(file)) { doubtful.Remove(file); return; }
        var now = time.GetUtcNow();
        if (!doubtful.TryGetValue(file, out var doubt)) doubt = new(now, patience);
        if (doubt.For < patience) doubt = doubt with { For = patience };
        doubtful[file] = doubt;
        if (now < doubt.End) return;
        doubtful.Remove(file);
        known.Remove(file);
        contents.Add(OriginContent.Gone(Origin(file)));
    }

    /// <param name="look">Of before the reading.</param>
    private void Judge(string file, FileLook? look, YamlFile read, ImmutableArray<OriginContent>.Builder contents)
    {
        var before = known.GetValueOrDefault(file);
        var now = time.GetUtcNow();
        var changing = look == null || FileLook.At(file) != look;
        if (changing || !IsBelievable(read, before?.File, now - look!.Value.Changed))
        {
            doubtful[file] = new(changing ? now : look!.Value.Changed, settling);
            return;
        }
        doubtful.Remove(file);
        known[file] = new(read, look!.Value, now);
        if (before == null || !Same(before.File.Content, read.Content)) contents.Add(read.Content);
    }

    private bool IsBelievable(YamlFile read, YamlFile? before, TimeSpan age) =>
        age >= settling || age < TimeSpan.Zero || (read.IsEnded && read.LosesNothing(before));

    private static bool Same(OriginContent a, OriginContent b) =>
        a.Whole == b.Whole && a.Definitions.SequenceEqual(b.Definitions) && a.Problems.SequenceEqual(b.Problems);

    private YamlFile ReadFile(string file, YamlFile? before)
    {
        try { return YamlFile.Read(Origin(file), RegularFile.Read(file, rules.MaxSize), before); }
        catch (IOException wrong)
        {
            return YamlFile.Unreadable(Origin(file), $"cannot be read: {wrong.Message}", before);
        }
    }

    /// <summary>The path below the folder; the file's name where the path is a file.</summary>
    private ResourceOrigin Origin(string file) =>
        new(source, file == path ? Path.GetFileName(file) : Path.GetRelativePath(path, file).Replace('\\', '/'));
}
