using Calico.Bgp.Resources;
using Calico.Bgp.Sources.Etcd;
using FsCheck.Xunit;
using Google.Protobuf;
using Mvccpb;

namespace Calico.Bgp.Sources.Tests.Etcd;

public class EtcdMirrorTests
{
    private readonly EtcdMirror mirror = new(0, 1);
    private readonly ResourceStore store = new(1);

    private static string Key(string name) => $"/calico/resources/v3/projectcalico.org/bgppeers/{name}";

    private static KeyValue Pair(string name, long revision, int number) => new()
    {
        Key = ByteString.CopyFromUtf8(Key(name)),
        ModRevision = revision,
        Value = ByteString.CopyFromUtf8(
            $$$"""{"kind":"BGPPeer","apiVersion":"projectcalico.org/v3","metadata":{"name":"{{{name}}}"},"""
            + $$$""" "spec":{"peerIP":"192.0.2.{{{number}}}","asNumber":65001}}"""),
    };

    private static Event Put(string name, long revision, int number) => new() { Kv = Pair(name, revision, number) };

    private static Event Delete(string name, long revision) => new()
    {
        Type = Event.Types.EventType.Delete,
        Kv = new() { Key = ByteString.CopyFromUtf8(Key(name)), ModRevision = revision },
    };

    private string List(long revision, params KeyValue[] all) => Said([.. mirror.List(all, revision)]);

    private string Apply(params Event[] events) => Said([.. mirror.Apply(0, events, isWhole: true)]);

    private string Said(OriginContent[] contents)
    {
        store.Apply(new(0, [.. contents], new() { HasListed = true }));
        var words = contents.Select(one => one.Origin.Name[Key("").Length..] + (one.Definitions.IsEmpty ? " gone" : ""));
        return string.Join(' ', words.Order(StringComparer.Ordinal));
    }

    private string Peers =>
        string.Join(' ', store.Current.Of(Kinds.BgpPeer).Select(peer => $"{peer.Name}={peer.PeerIP!.ToString().Split('.')[3]}"));

    [Fact]
    public void A_second_list_says_the_difference()
    {
        Assert.False(mirror.IsFilled);
        Assert.Equal("a b", List(10, Pair("a", 3, 1), Pair("b", 4, 2)));
        Assert.Equal(("a=1 b=2", 11), (Peers, mirror.Next(0)));
        Assert.Equal("a b gone c", List(20, Pair("a", 15, 9), Pair("c", 16, 3)));
        Assert.Equal(("a=9 c=3", 21), (Peers, mirror.Next(0)));
        Assert.Equal("", List(30, Pair("a", 15, 9), Pair("c", 16, 3)));
    }

    [Fact]
    public void Changes_are_followed_and_the_watch_goes_on_behind_the_last()
    {
        List(10, Pair("a", 3, 1));
        Assert.Equal("b", Apply(Put("b", 11, 2)));
        Assert.Equal("a gone", Apply(Delete("a", 12)));
        Assert.Equal(("b=2", 13), (Peers, mirror.Next(0)));
        // Of a key that was made and removed again before it was ever told.
        Assert.Equal("", Apply(Delete("x", 14)));
    }

    [Fact]
    public void What_was_told_already_is_not_told_again()
    {
        List(10, Pair("a", 3, 1));
        Apply(Put("a", 12, 5));
        Assert.Equal("", Apply(Put("a", 11, 4), Put("a", 12, 5)));
        Assert.Equal("a=5", Peers);
    }

    [Fact]
    public void A_part_of_a_revision_does_not_move_the_watch_behind_it()
    {
        List(10);
        mirror.Apply(0, [Put("a", 11, 1)], isWhole: false);
        Assert.Equal(11, mirror.Next(0));
        mirror.Apply(0, [Put("b", 11, 2)], isWhole: true);
        Assert.Equal(12, mirror.Next(0));
    }

    [Fact]
    public void An_empty_datastore_in_the_place_of_a_full_one_is_not_believed()
    {
        List(10, Pair("a", 3, 1));
        var wrong = Assert.Throws<EtcdException>(() => List(2));
        Assert.Equal("expected Calico's keys, got an empty datastore: the 1 that were there stay in force", wrong.Message);
        Assert.Equal("a", List(20, Pair("a", 15, 2)));
    }

    [Fact]
    public void A_history_is_known_by_what_was_changed_last()
    {
        Assert.Null(mirror.Sign);
        List(10, Pair("a", 7, 1), Pair("b", 4, 2));
        Assert.Equal((Key("a"), 7L), mirror.Sign);
        Apply(Put("c", 11, 3), Delete("a", 12));
        Assert.Equal((Key("c"), 11L), mirror.Sign);
    }

    [Fact]
    public void An_empty_one_at_the_start_is() => Assert.Equal("", List(2));

    /// <summary>Whatever a watch tells and whatever a list that a compaction made necessary, in the end it is what etcd has.</summary>
    [Property(MaxTest = 300)]
    public void Watched_or_listed_it_comes_to_the_same((byte Key, byte Value, bool Deletes, bool Lost)[] edits)
    {
        var there = new SortedDictionary<string, KeyValue>(StringComparer.Ordinal) { ["z"] = Pair("z", 1, 1) };
        var revision = 1L;
        List(revision, [.. there.Values]);
        foreach (var (key, value, deletes, lost) in edits)
        {
            var name = $"{(char)('a' + key % 4)}";
            if (deletes && !there.ContainsKey(name)) continue;
            var change = deletes ? Delete(name, ++revision) : Put(name, ++revision, value % 250);
            if (deletes) there.Remove(name);
            else there[name] = change.Kv;
            if (!lost) Apply(change);
            else if (value % 2 == 0) List(revision, [.. there.Values]);
        }
        List(revision, [.. there.Values]);
        Assert.Equal(
            string.Join(' ', there.Values.Select(pair => EtcdLayout.Read(0, pair.Key.ToStringUtf8(), pair.Value.Span))
                .Select(content => (BgpPeer)content.Definitions[0].Value!)
                .Select(peer => $"{peer.Name}={peer.PeerIP!.ToString().Split('.')[3]}")),
            Peers);
    }
}
