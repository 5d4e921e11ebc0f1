using System.Text;
using Calico.Bgp.Resources;
using Calico.Bgp.Sources.Kubernetes;

namespace Calico.Bgp.Sources.Tests.Kubernetes;

public sealed partial class ClusterSourceTests : IAsyncLifetime
{
    private ScriptedApi api = null!;

    public async Task InitializeAsync() => api = await ScriptedApi.StartAsync();
    public async Task DisposeAsync() => await api.DisposeAsync();

    private static string Pool(string name, int version, string cidr = "10.0.0.0/8", string metadata = "") =>
        $$$"""{"metadata":{"name":"{{{name}}}","resourceVersion":"{{{version}}}"{{{metadata}}}},"spec":{"cidr":"{{{cidr}}}"}}""";

    private static string Event(string type, string item) => $$"""{"type":"{{type}}","object":{{item}}}""" + "\n";

    private void Have(params string[] pools) => api.Objects["ippools"] =
        new(pools.Select((name, number) => KeyValuePair.Create(name, Pool(name, number + 1, $"10.{number}.0.0/16"))));

    [Fact]
    public async Task What_is_there_is_listed_and_what_comes_is_watched_from_the_lists_version()
    {
        Have("a", "b");
        await using var follower = new Follower(api.Address);
        await follower.InSyncAsync();
        Assert.Equal("a b", follower.Pools);
        await Until.TrueAsync("a watch is open", () => api.WatchesOf("ippools") == 1);
        Assert.True(api.WasAsked("/apis/crd.projectcalico.org/v1/ippools?watch=1&allowWatchBookmarks=true&", "&resourceVersion=10"));
        api.Push("ippools", Event("ADDED", Pool("c", 11)) + Event("DELETED", Pool("a", 12)));
        await follower.PoolsAsync("b c");
    }

    [Fact]
    public async Task Nothing_is_in_sync_before_every_kind_was_listed()
    {
        var gate = new TaskCompletionSource();
        api.On("nodes", async question =>
        {
            if (!question.IsWatch) await gate.Task;
            return false;
        });
        Have("a");
        await using var follower = new Follower(api.Address);
        await Until.TrueAsync("pools are watched", () => api.WatchesOf("ippools") == 1);
        Assert.False(follower.State.HasListed);
        Assert.Equal("", follower.Pools);
        gate.SetResult();
        await follower.InSyncAsync();
        Assert.Equal("a", follower.Pools);
    }

    [Fact]
    public async Task A_list_that_breaks_off_is_asked_for_again_and_nothing_is_lost_by_it()
    {
        Have("a", "b");
        api.On("ippools", async question =>
        {
            if (question.IsWatch || question.Number != 2) return false;
            await question.SayAsync(api.ListOf("ippools")[..60]);
            question.Break();
            return true;
        });
        await using var follower = new Follower(api.Address);
        await follower.InSyncAsync();
        Have("b", "c");
        api.Push("ippools", Event("ERROR", """{"code":410,"message":"too old resource version"}"""));
        await follower.PoolsAsync("b c");
        Assert.Equal(3, api.ListsOf("ippools"));
    }

    [Fact]
    public async Task A_watch_that_says_gone_leads_to_a_new_list_whose_difference_is_told()
    {
        Have("a", "b");
        await using var follower = new Follower(api.Address);
        await follower.InSyncAsync();
        await Until.TrueAsync("a watch is open", () => api.WatchesOf("ippools") == 1);
        Have("b", "c");
        api.Version = 20;
        api.Push("ippools", Event("ERROR", """{"kind":"Status","code":410,"message":"too old resource version: 10 (15)"}"""));
        await follower.PoolsAsync("b c");
        await Until.TrueAsync("it goes on from there", () => api.WasAsked("/ippools?", "resourceVersion=20"));
    }

    [Fact]
    public async Task A_watch_that_ends_is_asked_for_again_from_where_it_was()
    {
        await using var follower = new Follower(api.Address);
        await follower.InSyncAsync();
        await Until.TrueAsync("a watch is open", () => api.WatchesOf("ippools") == 1);
        api.Push("ippools", Event("ADDED", Pool("c", 11)) + ScriptedApi.Bookmark(17));
        await follower.PoolsAsync("c");
        api.EndWatches("ippools");
        await Until.TrueAsync("it goes on from the bookmark", () => api.WasAsked("/ippools?", "resourceVersion=17"));
        Assert.Equal(1, api.ListsOf("ippools"));
    }

    [Fact]
    public async Task How_old_what_it_said_may_be_is_told_by_the_bookmarks_of_all_kinds()
    {
        var time = new ManualTimeProvider();
        await using var follower = new Follower(api.Address, time);
        await follower.InSyncAsync();
        string[] plurals = [.. ClusterSource.Kinds(Follower.Wanted).Select(kind => kind.Names[0].Plural)];
        await Until.TrueAsync("all watches are open", () => plurals.All(plural => api.WatchesOf(plural) == 1));
        var (listed, later) = (follower.State.CurrentAt, time.GetUtcNow() + TimeSpan.FromMinutes(1));
        time.Advance(TimeSpan.FromMinutes(1));
        foreach (var plural in plurals.Except(["nodes"])) api.Push(plural, ScriptedApi.Bookmark(20));
        await Until.StaysAsync("the nodes' word", () => Task.FromResult(follower.State.CurrentAt == listed), 1);
        api.Push("nodes", ScriptedApi.Bookmark(20));
        await Until.TrueAsync("all have said it", () => follower.State.CurrentAt == later);
    }

    [Fact]
    public async Task Pages_are_asked_for_until_there_are_no_more()
    {
        api.On("ippools", async question =>
        {
            if (question.IsWatch) return false;
            Assert.Equal("500", question["limit"]);
            var (item, next) = question["continue"] switch { "" => ("a", "p2"), "p2" => ("b", "p3"), _ => ("c", "") };
            await question.SayAsync($$$"""{"metadata":{"resourceVersion":"10","continue":"{{{next}}}"},"items":[{{{Pool(item, 1)}}}]}""");
            return true;
        });
        await using var follower = new Follower(api.Address);
        await follower.InSyncAsync();
        Assert.Equal("a b c", follower.Pools);
    }

    [Fact]
    public async Task A_continue_token_that_has_expired_leads_to_a_list_in_one_piece()
    {
        Have("a", "b");
        api.On("ippools", async question =>
        {
            if (question.IsWatch || question["limit"] == "") return false;
            if (question["continue"] != "") await question.AnswerAsync(410, "The provided continue parameter is too old");
            else await question.SayAsync($$$"""{"metadata":{"resourceVersion":"10","continue":"more"},"items":[{{{Pool("a", 1)}}}]}""");
            return true;
        });
        await using var follower = new Follower(api.Address);
        await follower.InSyncAsync();
        Assert.Equal("a b", follower.Pools);
        Assert.Equal(3, api.ListsOf("ippools"));
    }

    [Fact]
    public async Task Lists_are_streamed_where_the_server_offers_it()
    {
        api.Minor = 34;
        Have("a", "b");
        await using var follower = new Follower(api.Address);
        await follower.InSyncAsync();
        Assert.Equal("a b", follower.Pools);
        Assert.Equal((0, 1), (api.ListsOf("ippools"), api.WatchesOf("ippools")));
        Assert.True(api.WasAsked("/ippools?watch=1&", "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"));
        api.Push("ippools", Event("ADDED", Pool("c", 11)));
        await follower.PoolsAsync("a b c");
        Have("c", "d");
        api.Push("ippools", Event("ERROR", """{"code":410,"message":"gone"}"""));
        await follower.PoolsAsync("c d");
        Assert.Equal(0, api.ListsOf("ippools"));
    }

    [Fact]
    public async Task A_server_that_has_streamed_lists_switched_off_is_asked_for_lists()
    {
        api.Minor = 34;
        Have("a");
        api.On("ippools", async question =>
        {
            if (question["sendInitialEvents"] == "") return false;
            await question.AnswerAsync(422, "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled");
            return true;
        });
        await using var follower = new Follower(api.Address);
        await follower.InSyncAsync();
        Assert.Equal("a", follower.Pools);
    }

    [Fact]
    public async Task Cached_lists_are_asked_for_where_that_is_said()
    {
        await using var follower = new Follower(api.Address, change: settings => settings with { CachedLists = true });
        await follower.InSyncAsync();
        Assert.Contains(api.Asked, asked => asked.Contains("/ippools?resourceVersion=0&"));
    }

    [Theory]
    [InlineData("crd.projectcalico.org", null, "/apis/crd.projectcalico.org/v1/ippools?")]
    [InlineData("projectcalico.org", null, "/apis/projectcalico.org/v3/ippools?")]
    [InlineData("crd.projectcalico.org projectcalico.org", null, "/apis/crd.projectcalico.org/v1/ippools?")]
    [InlineData("apps", null, "/apis/crd.projectcalico.org/v1/ippools?")]
    [InlineData("crd.projectcalico.org", "projectcalico.org", "/apis/projectcalico.org/v3/ippools?")]
    public async Task Calicos_kinds_are_where_the_server_has_them(string groups, string? said, string path)
    {
        api.Groups = groups.Split(' ');
        await using var follower = new Follower(api.Address, change: settings => settings with { CalicoGroup = said });
        await follower.InSyncAsync();
        Assert.Contains(api.Asked, asked => asked.Contains("/ippools?"));
        Assert.All(api.Asked.Where(asked => asked.Contains("/ippools?")), asked => Assert.StartsWith(path, asked));
        Assert.Contains(api.Asked, asked => asked.StartsWith("/api/v1/nodes?", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_annotation_of_a_CRD_holds_the_true_labels()
    {
        api.Objects["bgppeers"] = new([new("p", """
            {"metadata":{"name":"p","resourceVersion":"1","managedFields":[{"manager":"x"}],
            "annotations":{"projectcalico.org/metadata":"{\"labels\":{\"rack\":\"one\"}}"}},"spec":{"peerIP":"192.0.2.1","asNumber":65000}}
            """)]);
        await using var follower = new Follower(api.Address);
        await follower.InSyncAsync();
        var peer = follower.Resources.Of(Kinds.BgpPeer)["p"]!;
        Assert.Equal(("one", 0), (peer.Labels["rack"], peer.Annotations.Count));
    }

    [Fact]
    public async Task What_Calico_would_refuse_is_refused_with_its_field_and_its_last_good_version_stays()
    {
        Have("a");
        await using var follower = new Follower(api.Address);
        await follower.InSyncAsync();
        api.Push("ippools", Event("MODIFIED", Pool("a", 11, "10.0.0.0/99")) + Event("ADDED", Pool("b", 12)));
        await follower.ToldAsync("kubernetes: IPPool/a: spec.cidr: expected");
        await follower.PoolsAsync("a b");
        Assert.Equal("10.0.0.0/16", follower.Resources.Of(Kinds.IPPool)["a"]!.Cidr.ToString());
        api.Push("ippools", Event("MODIFIED", Pool("a", 13, "10.7.0.0/16")));
        await Until.TrueAsync("it counts again", () => follower.Resources.Of(Kinds.IPPool)["a"]!.Cidr.ToString() == "10.7.0.0/16");
        Assert.Equal("", follower.Problems);
    }

    [Fact]
    public async Task An_object_that_is_no_object_hides_nothing_of_the_others()
    {
        Have("a");
        await using var follower = new Follower(api.Address);
        await follower.InSyncAsync();
        api.On("ippools", async question =>
        {
            if (question.IsWatch) return false;
            await question.SayAsync($$"""{"metadata":{"resourceVersion":"10"},"items":[7,{{Pool("b", 5)}}]}""");
            return true;
        });
        api.Push("ippools", Event("ERROR", """{"code":410,"message":"gone"}"""));
        await follower.PoolsAsync("a b");
        Assert.Contains("a IPPool cannot be read", follower.Problems, StringComparison.Ordinal);
    }

    /// <summary>
    /// What is held is what is kept of the objects, whatever the server says at once: here a million items, in which a hundred objects come
    /// again and again with 400 octets that nobody reads. How much is alive is looked at, with all else collected, in the middle of the
    /// list.
    /// </summary>
    [Theory]
    [InlineData(31)]
    [InlineData(34)]
    public async Task A_list_of_a_million_items_takes_no_memory_in_proportion(int minor)
    {
        const int Items = 1_000_000, Piece = 1000;
        api.Minor = minor;
        var managed = $$""","managedFields":[{"manager":"{{new string('m', 400)}}"}]""";
        var (early, late, said) = (0L, 0L, 0L);
        api.On("ippools", async question =>
        {
            var isStream = question["sendInitialEvents"] == "true";
            if (question.IsWatch != isStream) return false;
            if (!isStream) await question.SayAsync("""{"metadata":{"resourceVersion":"2000000"},"items":[""");
            var text = new StringBuilder();
            for (var number = 0; number < Items; number++)
            {
                var item = Pool($"p{number % 100}", number + 1, $"10.{number % 100}.0.0/16", managed);
                if (isStream) text.Append(Event("ADDED", item));
                else text.Append(number > 0 ? "," : "").Append(item);
                if (number % Piece != Piece - 1) continue;
                said += text.Length;
                await question.SayAsync(text.ToString());
                text.Clear();
                if (number == Items / 10 - 1) early = GC.GetTotalMemory(forceFullCollection: true);
                if (number == Items - 1) late = GC.GetTotalMemory(forceFullCollection: true);
            }
            await question.SayAsync(isStream
                ? ScriptedApi.Bookmark(2_000_000, ""","annotations":{"k8s.io/initial-events-end":"true"}""") : "]}");
            if (isStream) await question.HangAsync();
            return true;
        });
        await using var follower = new Follower(api.Address);
        await Until.TrueAsync("the source is in sync", () => follower.State.InSyncSince != null, 60, () => $"{follower.State}");
        Assert.Equal(100, follower.Resources.Of(Kinds.IPPool).Count);
        // Other tests of this process hold something, too, and the pool of arrays what they held.
        Assert.True(late - early < said / 4, $"of {said:N0} octets {late - early:N0} more are held at the end than after a tenth");
    }
}
