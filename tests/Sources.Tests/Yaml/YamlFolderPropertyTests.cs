using Calico.Bgp.Resources;
using Calico.Bgp.Sources.Yaml;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace Calico.Bgp.Sources.Tests.Yaml;

/// <summary>Any order of edits ends in the state of a fresh reading.</summary>
[Properties(Arbitrary = [typeof(YamlFolderPropertyTests.Arbitraries)], MaxTest = 60)]
public class YamlFolderPropertyTests
{
    private static readonly string[] Files = ["a.yaml", "b.yml", "sub/c.yaml", "sub/d.json"];

    /// <summary>What may stand in a document: a good object, a bad one, or no YAML at all.</summary>
    private static readonly Gen<string> Documents =
        from name in Gen.Elements("x", "y", "z")
        from last in Gen.Choose(1, 4)
        from kind in Gen.Frequency((6, Gen.Constant(0)), (1, Gen.Constant(1)), (1, Gen.Constant(2)))
        select kind switch
        {
            0 => Manifests.Peer(name, last),
            1 => Manifests.Peer(name, 999),
            _ => "spec: [\n",
        };

    private static readonly Gen<string> Texts = from documents in Gen.ListOf(Documents) select string.Join("---\n", documents.Take(4));

    public abstract record Edit
    {
        public sealed record Write(string File, string Text, bool Atomic) : Edit;
        public sealed record Delete(string File) : Edit;
        public sealed record Rename(string From, string To) : Edit;
        public sealed record Look(bool Everything) : Edit;
    }

    private static readonly Gen<Edit> Edits = Gen.Frequency(
        (5, from file in Gen.Elements(Files)
            from text in Texts
            from atomic in Gen.Elements(true, false)
            select (Edit)new Edit.Write(file, text, atomic)),
        (2, from file in Gen.Elements(Files) select (Edit)new Edit.Delete(file)),
        (2, from one in Gen.Elements(Files) from other in Gen.Elements(Files) select (Edit)new Edit.Rename(one, other)),
        (4, from everything in Gen.Elements(true, false) select (Edit)new Edit.Look(everything)));

    internal static class Arbitraries
    {
        public static Arbitrary<Edit> AnyEdit() => Edits.ToArbitrary();
    }

    [Property]
    public bool After_any_edits_and_the_mending_of_what_is_bad_the_state_is_that_of_a_fresh_reading(Edit[] edits) => Run(edits, mend: true);

    [Property]
    public bool Without_mending_all_that_a_fresh_reading_finds_is_in_force_too(Edit[] edits) => Run(edits, mend: false);

    private static bool Run(IEnumerable<Edit> edits, bool mend)
    {
        using var manifests = new Manifests();
        var rules = new FolderRules { EmptyAfter = TimeSpan.Zero, LossAfter = TimeSpan.Zero };
        var folder = new YamlFolder(0, manifests.Path, TimeSpan.Zero, TimeProvider.System, rules);
        var store = new ResourceStore(1);
        using var feed = store.Subscribe(Concern.Plan);
        var seen = new SortedDictionary<ResourceKey, Resource>();
        var touched = new HashSet<string>();
        foreach (var edit in edits)
        {
            if (edit is not Edit.Look look) Apply(edit, manifests, touched);
            else
            {
                store.Apply(new(0, look.Everything ? folder.Scan() : folder.Look([.. touched]), new() { HasListed = true }));
                touched.Clear();
                Follow(feed, seen);
            }
        }
        if (mend) Mend(manifests);
        store.Apply(new(0, folder.Scan(), new() { HasListed = true }));
        Follow(feed, seen);
        var fresh = YamlFiles.Load(manifests.Path);
        // The changes, followed from the first, lead to the snapshot.
        if (!seen.Values.SequenceEqual(store.Current.Of(Kinds.BgpPeer))) return false;
        return mend
            ? store.Current.Of(Kinds.BgpPeer).SequenceEqual(fresh.Of(Kinds.BgpPeer)) && store.Current.Problems.SequenceEqual(fresh.Problems)
            : fresh.Of(Kinds.BgpPeer).Keys.All(key => store.Current.Of(Kinds.BgpPeer)[key] != null)
                && fresh.Problems.All(problem => store.Current.Problems.Any(other => Words(other) == Words(problem))
                    || (IsOfTwins(problem) && store.Current.Problems.Any(other => other.Object == problem.Object && IsOfTwins(other))));
    }

    /// <summary>Of what is refused a good version may be known here that a fresh reading has never seen.</summary>
    private static ResourceProblem Words(ResourceProblem problem) => problem with { IsWithoutEffect = false };

    /// <summary>Which of two definitions counts may differ: a good version that stays in force is none to a fresh reading.</summary>
    private static bool IsOfTwins(ResourceProblem problem) => problem.Reason.Contains("which counts", StringComparison.Ordinal);

    private static void Follow(ResourceFeed feed, SortedDictionary<ResourceKey, Resource> seen)
    {
        foreach (var change in feed.TryRead()?.Changed ?? [])
        {
            Assert.Equal(change.Before, seen.GetValueOrDefault(change.Key));
            if (change.After == null) seen.Remove(change.Key);
            else seen[change.Key] = change.After;
        }
    }

    private static int writes;

    /// <summary>
    /// Each text has a time of its own: of two of one length, written in one tick of the kernel's clock, that take each other's
    /// place without anybody being told, none could tell that they did.
    /// </summary>
    private static void Date(string path) =>
        File.SetLastWriteTimeUtc(path, DateTime.UnixEpoch.AddDays(20_000).AddMilliseconds(Interlocked.Increment(ref writes)));

    private static void Apply(Edit edit, Manifests manifests, HashSet<string> touched)
    {
        switch (edit)
        {
            case Edit.Write write when write.Atomic:
                manifests.Replace(write.File, write.Text);
                Date(manifests.Of(write.File));
                touched.Add(manifests.Of(write.File));
                break;
            case Edit.Write write:
                manifests.Write(write.File, write.Text);
                Date(manifests.Of(write.File));
                touched.Add(manifests.Of(write.File));
                break;
            case Edit.Delete delete when File.Exists(manifests.Of(delete.File)):
                File.Delete(manifests.Of(delete.File));
                touched.Add(manifests.Of(delete.File));
                break;
            case Edit.Rename rename when File.Exists(manifests.Of(rename.From)):
                Directory.CreateDirectory(Path.GetDirectoryName(manifests.Of(rename.To))!);
                File.Move(manifests.Of(rename.From), manifests.Of(rename.To), overwrite: true);
                touched.UnionWith([manifests.Of(rename.From), manifests.Of(rename.To)]);
                break;
        }
    }

    /// <summary>Bad documents are taken out; what is good stays as it is.</summary>
    private static void Mend(Manifests manifests)
    {
        foreach (var file in Files.Select(manifests.Of).Where(File.Exists))
        {
            var good = File.ReadAllText(file).Split("---\n")
                .Where(document => !document.Contains("999", StringComparison.Ordinal)
                && !document.Contains('[', StringComparison.Ordinal));
            File.WriteAllText(file, string.Join("---\n", good));
        }
    }
}
