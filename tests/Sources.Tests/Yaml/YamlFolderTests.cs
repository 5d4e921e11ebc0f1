using Calico.Bgp.Resources;
using Calico.Bgp.Sources.Yaml;

namespace Calico.Bgp.Sources.Tests.Yaml;

/// <summary>What a folder is believed to say, look by look. The clock of these tests moves only when they say so, files' own times do not
/// matter: a negative age (a file from the future) counts as settled, so the clock starts in the past where nothing shall be in
/// doubt.</summary>
public sealed class YamlFolderTests : IDisposable
{
    private readonly Manifests manifests = new();
    private readonly ManualTimeProvider clock = new();
    private readonly ResourceStore store = new(1);
    private readonly YamlFolder folder;

    public YamlFolderTests() => folder = new(0, manifests.Path, TimeSpan.FromMilliseconds(100), clock, new() { MaxSize = 64 << 10 });

    public void Dispose() => manifests.Dispose();

    private string Scan()
    {
        store.Apply(new(0, folder.Scan(), new() { HasListed = true }));
        return Manifests.Peers(store.Current);
    }

    /// <summary>The clock stands this long after the file's last change.</summary>
    private void After(string file, int milliseconds) =>
        clock.Set(new DateTimeOffset(File.GetLastWriteTimeUtc(manifests.Of(file))) + TimeSpan.FromMilliseconds(milliseconds));

    [Fact]
    public void Documents_come_change_and_go()
    {
        manifests.Write("a.yaml", $"{Manifests.Peer("a", 1)}---\n{Manifests.Peer("b", 2)}");
        Assert.Equal("a=1 b=2", Scan());
        manifests.Write("a.yaml", $"{Manifests.Peer("b", 3)}---\n{Manifests.Peer("c", 4)}");
        Assert.Equal("b=3 c=4", Scan());
    }

    [Fact]
    public void A_young_file_that_lost_something_is_believed_once_it_has_settled()
    {
        manifests.Write("a.yaml", $"{Manifests.Peer("a", 1)}---\n{Manifests.Peer("b", 2)}");
        Assert.Equal("a=1 b=2", Scan());
        manifests.Write("a.yaml", "");
        After("a.yaml", 10);
        Assert.Equal("a=1 b=2", Scan());
        Assert.NotNull(folder.Due);
        After("a.yaml", 1999);
        Assert.Equal("a=1 b=2", Scan());
        After("a.yaml", 2001);
        Assert.Equal("", Scan());
        Assert.Null(folder.Due);
    }

    [Fact]
    public void A_young_file_that_lost_nothing_is_believed_at_once()
    {
        manifests.Write("a.yaml", Manifests.Peer("a", 1));
        After("a.yaml", 0);
        Assert.Equal("a=1", Scan());
        manifests.Write("a.yaml", Manifests.Peer("a", 2));
        After("a.yaml", 1);
        Assert.Equal("a=2", Scan());
    }

    [Fact]
    public void A_young_file_whose_last_line_has_no_end_may_be_half_written()
    {
        manifests.Write("a.yaml", Manifests.Peer("a", 1).TrimEnd());
        After("a.yaml", 10);
        Assert.Equal("", Scan());
        After("a.yaml", 100);
        Assert.Equal("a=1", Scan());
    }

    [Fact]
    public void A_list_that_was_cut_off_behind_an_item_loses_nothing_that_it_said_before()
    {
        static string Item(string name, int last) => "- " + Manifests.Peer(name, last).TrimEnd().Replace("\n", "\n  ") + "\n";
        var list = $"apiVersion: projectcalico.org/v3\nitems:\n{Item("a", 1)}{Item("b", 2)}kind: BGPPeerList\nmetadata: {{}}\n";
        manifests.Write("a.yaml", list);
        Assert.Equal("a=1 b=2", Scan());
        manifests.Write("a.yaml", list[..list.IndexOf("- apiVersion: projectcalico.org/v3\n  kind: BGPPeer\n  metadata:\n    name: b",
            StringComparison.Ordinal)]);
        After("a.yaml", 5000);
        Assert.Equal("a=1 b=2", Scan());
        Assert.Contains("got none, as where a file was cut off", Assert.Single(store.Current.Problems).Reason);
        manifests.Write("a.yaml", list);
        Assert.Equal("a=1 b=2", Scan());
        Assert.Empty(store.Current.Problems);
    }

    [Fact]
    public void A_file_that_stays_broken_keeps_what_it_said_and_says_so_until_it_is_mended()
    {
        manifests.Write("a.yaml", $"{Manifests.Peer("a", 1)}---\n{Manifests.Peer("b", 2)}");
        Scan();
        manifests.Write("a.yaml", $"{Manifests.Peer("a", 5)}---\nspec: [");
        After("a.yaml", 10);
        Assert.Equal("a=1 b=2", Scan());
        Assert.Empty(store.Current.Problems);
        After("a.yaml", 200);
        Assert.Equal("a=5 b=2", Scan());
        Assert.Single(store.Current.Problems);
        manifests.Write("a.yaml", Manifests.Peer("a", 6));
        After("a.yaml", 200);
        Assert.Equal("a=6 b=2", Scan());
        After("a.yaml", 2001);
        Assert.Equal("a=6", Scan());
        Assert.Empty(store.Current.Problems);
    }

    [Fact]
    public void A_file_is_gone_once_it_has_been_gone_for_two_seconds()
    {
        manifests.Write("a.yaml", Manifests.Peer("a", 1));
        manifests.Write("b.yaml", Manifests.Peer("b", 2));
        Scan();
        File.Delete(manifests.Of("a.yaml"));
        Assert.Equal("a=1 b=2", Scan());
        clock.Advance(TimeSpan.FromMilliseconds(1999));
        Assert.Equal("a=1 b=2", Scan());
        clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal("b=2", Scan());
    }

    [Fact]
    public void An_editor_that_moves_the_file_away_and_writes_it_anew_withdraws_nothing()
    {
        manifests.Write("a.yaml", Manifests.Peer("a", 1));
        Scan();
        File.Move(manifests.Of("a.yaml"), manifests.Of("a.yaml~"));
        Assert.Equal("a=1", Scan());
        manifests.Write("a.yaml", Manifests.Peer("a", 2));
        Assert.Equal("a=2", Scan());
        clock.Advance(TimeSpan.FromSeconds(10));
        Assert.Equal("a=2", Scan());
    }

    /// <summary>A failure of this is a test that does not end.</summary>
    [Fact]
    public void What_is_no_regular_file_or_too_large_is_named_and_the_rest_is_read()
    {
        manifests.Write("a.yaml", Manifests.Peer("a", 1));
        RegularFileTests.MakeFifo(manifests.Of("fifo.yaml"));
        File.CreateSymbolicLink(manifests.Of("zero.json"), "/dev/zero");
        manifests.Write("large.yaml", new string('#', (64 << 10) + 1));
        manifests.Write("z.yaml", Manifests.Peer("z", 2));
        Assert.Equal("a=1 z=2", Scan());
        Assert.Equal(
            [
                "fifo.yaml: cannot be read: expected a regular file, got a FIFO",
                "large.yaml: cannot be read: expected at most 65536 octets (maxSize), got 65537",
                "zero.json: cannot be read: expected a regular file, got a character device",
            ],
            store.Current.Problems.Select(problem => problem.ToString()));
    }

    /// <summary>The kind of trouble: truncate(2), a part, half a second, the rest.</summary>
    [Fact]
    public void A_file_that_is_written_in_two_parts_withdraws_nothing_and_its_first_part_counts_at_once()
    {
        manifests.Write("a.yaml", $"{Manifests.Peer("a", 1)}---\n{Manifests.Peer("b", 2)}");
        Scan();
        manifests.Write("a.yaml", $"{Manifests.Peer("a", 5)}---\n");
        After("a.yaml", 500);
        Assert.Equal("a=5 b=2", Scan());
        Assert.Empty(store.Current.Problems);
        manifests.Write("a.yaml", $"{Manifests.Peer("a", 5)}---\n{Manifests.Peer("b", 6)}");
        After("a.yaml", 10);
        Assert.Equal("a=5 b=6", Scan());
        Assert.Null(folder.Due);
    }

    /// <summary>Half a peer is one without its password and filters.</summary>
    [Fact]
    public void An_object_that_has_lost_values_of_its_own_is_believed_later_too()
    {
        manifests.Write("a.yaml", Manifests.Peer("a", 1) + "  filters: [f]\n");
        Scan();
        manifests.Write("a.yaml", Manifests.Peer("a", 2));
        After("a.yaml", 1000);
        Assert.Equal("a=1", Scan());
        After("a.yaml", 2001);
        Assert.Equal("a=2", Scan());
    }

    [Fact]
    public void A_loss_is_not_believed_while_somebody_may_still_write_the_file()
    {
        manifests.Write("a.yaml", $"{Manifests.Peer("a", 1)}---\n{Manifests.Peer("b", 2)}");
        Scan();
        using (var writer = new StreamWriter(manifests.Of("a.yaml")))
        {
            writer.Write(Manifests.Peer("a", 3));
            writer.Flush();
            After("a.yaml", 60_000);
            Assert.Equal("a=3 b=2", Scan());
            Assert.Equal(TimeSpan.FromMilliseconds(500), folder.Due - clock.GetUtcNow());
        }
        Assert.Equal("a=3", Scan());
        Assert.Null(folder.Due);
    }

    [Fact]
    public void A_file_that_appears_is_not_believed_while_it_is_being_written()
    {
        using (var writer = new StreamWriter(manifests.Of("a.yaml")))
        {
            writer.Write(Manifests.Peer("a", 1));
            writer.Flush();
            After("a.yaml", 1000);
            Assert.Equal("", Scan());
            Assert.NotNull(folder.Due);
        }
        Assert.Equal("a=1", Scan());
    }

    [Fact]
    public void What_another_file_defines_now_is_not_lost()
    {
        manifests.Write("a.yaml", Manifests.Peer("a", 1));
        manifests.Write("b.yaml", $"{Manifests.Peer("b", 2)}---\n{Manifests.Peer("c", 3)}");
        Scan();
        File.Move(manifests.Of("a.yaml"), manifests.Of("z.yaml"));
        Assert.Equal("a=1 b=2 c=3", Scan());
        Assert.Null(folder.Due);
        manifests.Write("b.yaml", Manifests.Peer("b", 2));
        After("b.yaml", 10);
        Assert.Equal("a=1 b=2 c=3", Scan());
        Assert.Empty(store.Current.Problems);
        manifests.Write("c.yaml", Manifests.Peer("c", 4));
        Assert.Equal("a=1 b=2 c=4", Scan());
        Assert.Null(folder.Due);
        Assert.Empty(store.Current.Problems);
    }

    [Fact]
    public void A_mounted_ConfigMap_changes_by_its_link()
    {
        manifests.Write("..2026_1/a.yaml", Manifests.Peer("a", 1));
        manifests.Write("..2026_2/a.yaml", Manifests.Peer("a", 2));
        Directory.CreateSymbolicLink(manifests.Of("..data"), "..2026_1");
        File.CreateSymbolicLink(manifests.Of("a.yaml"), "..data/a.yaml");
        Assert.Equal("a=1", Scan());
        Directory.CreateSymbolicLink(manifests.Of("..data_tmp"), "..2026_2");
        Directory.Delete(manifests.Of("..data"));
        Directory.Move(manifests.Of("..data_tmp"), manifests.Of("..data"));
        Assert.Equal("a=2", Scan());
        Assert.Empty(store.Current.Problems);
    }

    [Fact]
    public void A_folder_that_is_gone_leaves_everything_in_force_and_is_told_once()
    {
        manifests.Write("a.yaml", Manifests.Peer("a", 1));
        Scan();
        Directory.Move(manifests.Path, manifests.Path + "-away");
        Assert.Equal("a=1", Scan());
        Assert.StartsWith("cannot be listed", folder.Problem);
        Assert.Empty(folder.Scan());
        Assert.StartsWith("cannot be listed", Assert.Single(store.Current.Problems).Reason, StringComparison.Ordinal);
        Directory.Move(manifests.Path + "-away", manifests.Path);
        Assert.Equal("a=1", Scan());
        Assert.Empty(store.Current.Problems);
    }

    /// <summary>rm -rf: the files go one after the other, each with its notification, and then the folder.</summary>
    [Fact]
    public void A_folder_that_is_removed_file_by_file_leaves_everything_in_force()
    {
        manifests.Write("a.yaml", Manifests.Peer("a", 1));
        manifests.Write("sub/b.yaml", Manifests.Peer("b", 2));
        Scan();
        Directory.Delete(manifests.Path, recursive: true);
        store.Apply(new(0, folder.Look([manifests.Of("a.yaml"), manifests.Of("sub/b.yaml")]), new() { HasListed = true }));
        clock.Advance(TimeSpan.FromHours(1));
        store.Apply(new(0, folder.LookAgain(), new() { HasListed = true }));
        Assert.Equal("a=1 b=2", Scan());
        Assert.Null(folder.Due);
        Assert.StartsWith("cannot be listed", Assert.Single(store.Current.Problems).Reason, StringComparison.Ordinal);
        manifests.Write("a.yaml", Manifests.Peer("a", 3));
        clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal("a=3 b=2", Scan());
        Assert.Empty(store.Current.Problems);
        clock.Advance(TimeSpan.FromSeconds(29));
        Assert.Equal("a=3 b=2", Scan());
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("a=3", Scan());
    }

    [Fact]
    public void That_a_folder_has_lost_everything_is_believed_after_longer()
    {
        manifests.Write("a.yaml", Manifests.Peer("a", 1));
        manifests.Write("b.yaml", Manifests.Peer("b", 2));
        Scan();
        File.Delete(manifests.Of("a.yaml"));
        File.Delete(manifests.Of("b.yaml"));
        Assert.Equal("a=1 b=2", Scan());
        clock.Advance(TimeSpan.FromSeconds(29));
        Assert.Equal("a=1 b=2", Scan());
        Assert.Equal(TimeSpan.FromSeconds(1), folder.Due - clock.GetUtcNow());
        Assert.Equal(new WithheldNews(2, clock.GetUtcNow().AddSeconds(1)), folder.Withheld);
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("", Scan());
        Assert.Null(folder.Due);
        Assert.Null(folder.Withheld);
    }

    [Fact]
    public void An_emptied_folder_may_be_filled_file_by_file()
    {
        manifests.Write("a.yaml", Manifests.Peer("a", 1));
        manifests.Write("b.yaml", Manifests.Peer("b", 2));
        Scan();
        File.Delete(manifests.Of("a.yaml"));
        File.Delete(manifests.Of("b.yaml"));
        Scan();
        clock.Advance(TimeSpan.FromSeconds(1));
        manifests.Write("c.yaml", Manifests.Peer("c", 3));
        Assert.Equal("a=1 b=2 c=3", Scan());
        clock.Advance(TimeSpan.FromSeconds(28));
        manifests.Write("b.yaml", Manifests.Peer("b", 4));
        Assert.Equal("a=1 b=4 c=3", Scan());
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(clock.GetUtcNow(), folder.Due);
        Assert.Equal("b=4 c=3", Scan());
    }

    [Fact]
    public void Of_a_file_with_thousands_of_documents_only_what_changed_is_parsed_again_and_lines_move_along()
    {
        string File(int first) => string.Join("---\n", Enumerable.Range(0, 50).Select(i => Manifests.Peer($"p{i:00}", i == 0 ? first : i)));
        manifests.Write("a.yaml", File(100));
        Scan();
        var before = store.Current.Of(Kinds.BgpPeer)["p49"];
        manifests.Write("a.yaml", $"# one more line\n{File(101)}");
        Assert.StartsWith("p00=101 p01=1", Scan(), StringComparison.Ordinal);
        Assert.Same(before, store.Current.Of(Kinds.BgpPeer)["p49"]);
        manifests.Write("b.yaml", Manifests.Peer("p49", 7));
        Scan();
        Assert.Contains("a.yaml:394", Assert.Single(store.Current.Problems).Reason, StringComparison.Ordinal);
    }
}
