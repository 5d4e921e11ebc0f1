using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Sources.Yaml;

/// <summary>
/// The manifests below a folder as they were last believed, and what became different since. Nothing here waits or watches: whoever calls
/// says when to look, and is told when to look again.
///
/// What a file says in addition is believed at once when all of it can be read. What cannot be read may be half written, or between two
/// steps of an editor, and is believed only once it has stood like that for the settling time. What it says no longer (an object, or values
/// of one) is believed after <see cref="FolderRules.LossAfter"/> without a change, and not while somebody may still write (<see
/// cref="RegularFile.IsOpenForWriting"/>); so is a file that is gone. Until then the rest of the file counts beside it. What another file
/// defines now is not lost. Where all files are gone, or the folder was away, somebody is likely to be putting others in their place one by
/// one (rsync, git), or has made a mistake that takes every route with it: what is lost there is believed after longer. Of a folder that is
/// not there itself nothing is believed.
/// </summary>
internal sealed class YamlFolder(int source, string path, TimeSpan settling, TimeProvider time, FolderRules rules)
{
    /// <summary>How soon to ask again whether anybody still writes.</summary>
    private static readonly TimeSpan StillOpen = TimeSpan.FromMilliseconds(500);

    /// <param name="Said">What the readers have been told of it.</param>
    /// <param name="InForce">By that, and by what it said before where it cannot all be read or believed.</param>
    private sealed record Known(
        YamlFile File, OriginContent Said, Dictionary<ResourceId, ResourceDefinition> InForce, FileLook Look, DateTimeOffset Read);

    /// <summary>A file looks otherwise than is believed since then, and is believed once it has for so long.</summary>
    /// <param name="Lost">The objects that it seems to have lost; null: that is not known.</param>
    private readonly record struct Doubt(DateTimeOffset Since, TimeSpan For, IReadOnlyCollection<ResourceId>? Lost = null)
    {
        public DateTimeOffset End => Since + For;
    }

    private readonly string path = Path.GetFullPath(path);
    private readonly SortedDictionary<string, Known> known = new(StringComparer.Ordinal);
    /// <summary>Files not believed yet.</summary>
    private readonly SortedDictionary<string, Doubt> doubtful = new(StringComparer.Ordinal);
    /// <summary>In how many files each object is in force.</summary>
    private readonly Dictionary<ResourceId, int> holders = [];

    /// <summary>When to <see cref="LookAgain"/>; null: nothing is waiting to settle.</summary>
    public DateTimeOffset? Due => doubtful.Count == 0 ? null : doubtful.Values.Min(doubt => doubt.End);

    /// <summary>What is not believed yet; null: all is.</summary>
    public WithheldNews? Withheld => doubtful.Count == 0 ? null : new(doubtful.Count, doubtful.Values.Max(doubt => doubt.End));

    /// <summary>Why it could not be listed when it was last looked at as a whole; null: it could.</summary>
    public string? Problem { get; private set; }

    /// <summary>It may be another folder: of a file that looks as before nothing follows.</summary>
    public void Distrust()
    {
        foreach (var (file, before) in known.ToArray()) known[file] = before with { Look = default };
    }

    /// <summary>Looks at everything.</summary>
    public ImmutableArray<OriginContent> Scan()
    {
        var contents = ImmutableArray.CreateBuilder<OriginContent>();
        var wasThere = Problem == null;
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
        LookForMoved(patience, contents);
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
        LookForMoved(patience, contents);
        return contents.ToImmutable();
    }

    private TimeSpan PatienceWithLosses(bool isOrdinary) =>
        isOrdinary || rules.EmptyAfter < rules.LossAfter ? rules.LossAfter : rules.EmptyAfter;

    /// <summary>Files that were renamed, and objects that went from one file into another: no time need pass.</summary>
    private void LookForMoved(TimeSpan patience, ImmutableArray<OriginContent>.Builder contents)
    {
        if (contents.Count == 0) return;
        foreach (var (file, doubt) in doubtful.ToArray())
            if (doubt.Lost is { Count: > 0 } lost && lost.All(IsElsewhere)) Look(file, patience, contents);
    }

    /// <param name="id">Of an object that is in force by one file.</param>
    private bool IsElsewhere(ResourceId id) => holders.GetValueOrDefault(id) > 1;

    private void Remember(string file, Known? now)
    {
        foreach (var id in known.GetValueOrDefault(file)?.InForce.Keys.AsEnumerable() ?? [])
            if (--CollectionsMarshal.GetValueRefOrAddDefault(holders, id, out _) == 0) holders.Remove(id);
        foreach (var id in now?.InForce.Keys.AsEnumerable() ?? [])
            CollectionsMarshal.GetValueRefOrAddDefault(holders, id, out _)++;
        if (now == null) known.Remove(file);
        else known[file] = now;
    }

    /// <summary>Looks at what was not believed yet.</summary>
    public ImmutableArray<OriginContent> LookAgain() => Look([.. doubtful.Keys]);

    /// <summary>Null, and a problem told once, where the folder cannot be listed: what was known of it stays.</summary>
    private List<string>? Files(ImmutableArray<OriginContent>.Builder contents)
    {
        var (files, problem) = ((List<string>?)null, (string?)null);
        try { files = YamlListing.Files(path); }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException)
        {
            problem = $"cannot be listed: {Failures.WordsOf(wrong)}";
        }
        if (problem == Problem) return files;
        Problem = problem;
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
        if (!known.TryGetValue(file, out var before)) { doubtful.Remove(file); return; }
        var now = time.GetUtcNow();
        if (!doubtful.TryGetValue(file, out var doubt)) doubt = new(now, patience);
        if (doubt.For < patience) doubt = doubt with { For = patience };
        doubtful[file] = doubt = doubt with { Lost = before.InForce.Keys };
        var isMoved = before.InForce.Count > 0 && before.InForce.Keys.All(IsElsewhere);
        if (now < doubt.End && !isMoved) return;
        doubtful.Remove(file);
        Remember(file, null);
        contents.Add(OriginContent.Gone(Origin(file)));
    }

    /// <param name="look">Of before the reading.</param>
    private void Judge(string file, FileLook? look, YamlFile read, ImmutableArray<OriginContent>.Builder contents)
    {
        var before = known.GetValueOrDefault(file);
        var now = time.GetUtcNow();
        if (look is not { } seen || FileLook.At(file) != look) doubtful[file] = new(now, settling);
        else if (IsTorn(read, now - seen.Changed)) doubtful[file] = new(seen.Changed, settling);
        else if (before == null && IsYoung(now - seen.Changed, rules.LossAfter) && RegularFile.IsOpenForWriting(file))
            doubtful[file] = new(now, settling);
        else if (before != null && DoubtLosses(file, before, read, seen, now) is { } doubt)
        {
            doubtful[file] = doubt;
            Say(file, Unlost(read.Content, before), new(read, read.Content, before.InForce, seen, now), contents);
        }
        else
        {
            doubtful.Remove(file);
            Say(file, read.Content, new(read, read.Content, before?.InForce ?? [], seen, now), contents);
        }
    }

    /// <summary>A part of it cannot be read, or its last line has no end.</summary>
    private bool IsTorn(YamlFile read, TimeSpan age) => !(read.IsEnded && read.Content.Whole) && IsYoung(age, settling);

    /// <summary>What the future has changed is as old as anything: the clock was set.</summary>
    private static bool IsYoung(TimeSpan age, TimeSpan span) => age >= TimeSpan.Zero && age < span;

    /// <summary>Null: it has lost nothing, or what it has lost can be believed.</summary>
    private Doubt? DoubtLosses(string file, Known before, YamlFile read, FileLook look, DateTimeOffset now)
    {
        var here = read.Content.Definitions.Select(definition => definition.Id).ToHashSet();
        ResourceId[] lost = read.Content.Whole ? [.. before.InForce.Keys.Where(id => !here.Contains(id) && !IsElsewhere(id))] : [];
        var shrunk = read.Content.Definitions.Any(definition => IsLess(definition, before));
        if (lost.Length == 0 && !shrunk) return null;
        var objects = shrunk ? null : lost;
        if (IsYoung(now - look.Changed, rules.LossAfter)) return new(look.Changed, rules.LossAfter, objects);
        return RegularFile.IsOpenForWriting(file) ? new(now, StillOpen, objects) : null;
    }

    private static bool IsLess(ResourceDefinition definition, Known before) =>
        before.InForce.TryGetValue(definition.Id, out var known) && known.Size > definition.Size;

    /// <summary>What it says beside what it has lost, which stays.</summary>
    private static OriginContent Unlost(OriginContent content, Known before) => content with
    {
        Definitions = [.. content.Definitions.Select(one => IsLess(one, before) ? before.InForce[one.Id] : one)],
        Whole = false,
    };

    private void Say(string file, OriginContent content, Known now, ImmutableArray<OriginContent>.Builder contents)
    {
        var inForce = content.Whole ? [] : new Dictionary<ResourceId, ResourceDefinition>(now.InForce);
        // Of two in one file the first counts.
        foreach (var definition in content.Definitions.Reverse()) inForce[definition.Id] = definition;
        if (known.GetValueOrDefault(file) is not { } before || !Same(before.Said, content)) contents.Add(content);
        Remember(file, now with { Said = content, InForce = inForce });
    }

    private static bool Same(OriginContent a, OriginContent b) =>
        a.Whole == b.Whole && a.Definitions.SequenceEqual(b.Definitions) && a.Problems.SequenceEqual(b.Problems);

    private YamlFile ReadFile(string file, YamlFile? before)
    {
        try { return YamlFile.Read(Origin(file), RegularFile.Read(file, rules.MaxSize), rules.Wanted, before); }
        catch (IOException wrong)
        {
            return YamlFile.Unreadable(Origin(file), $"cannot be read: {Failures.WordsOf(wrong)}", before);
        }
    }

    /// <summary>The path below the folder; the file's name where the path is a file.</summary>
    private ResourceOrigin Origin(string file) =>
        new(source, file == path ? Path.GetFileName(file) : Path.GetRelativePath(path, file).Replace('\\', '/'));
}
