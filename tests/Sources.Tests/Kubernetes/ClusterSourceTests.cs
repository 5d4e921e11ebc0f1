using System.Collections.Concurrent;
using System.Text;
using Calico.Bgp.Resources;
using Calico.Bgp.Sources.Kubernetes;

namespace Calico.Bgp.Sources.Tests.Kubernetes;

public sealed class ClusterSourceTests : IAsyncLifetime
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
    [InlineData(500, "the server fell over its own feet")]
    [InlineData(503, "apiserver not ready")]
    [InlineData(429, "too many requests")]
    public async Task What_fails_is_told_and_asked_for_again(int status, string words)
    {
        Have("a");
        var isBroken = true;
        await using var follower = new Follower(api.Address);
        await follower.InSyncAsync();
        api.On("ippools", async question =>
        {
            if (!isBroken) return false;
            question.Http.Response.Headers.RetryAfter = "1";
            await question.AnswerAsync(status, words);
            return true;
        });
        api.EndWatches("ippools");
        await Until.TrueAsync("it is told", () => follower.State.LastError?.Text == $"IPPool: {status} {words}");
        Assert.Null(follower.State.InSyncSince);
        Assert.Equal("a", follower.Pools);
        isBroken = false;
        await follower.InSyncAsync();
        Assert.Equal("", follower.Problems);
    }

    /// <summary>As one that has just started refuses each kind for a second: twelve kinds are no twelve lines of the log.</summary>
    [Fact]
    public async Task What_passes_within_seconds_is_no_problem_of_its_kind_and_what_lasts_is()
    {
        var time = new ManualTimeProvider();
        var isBroken = true;
        Have("a");
        await using var follower = new Follower(api.Address, time);
        await follower.InSyncAsync();
        await Until.TrueAsync("a watch is open", () => api.WatchesOf("ippools") == 1);
        api.On("ippools", async question =>
        {
            if (isBroken) await question.AnswerAsync(429, "storage is (re)initializing");
            return isBroken;
        });
        api.EndWatches("ippools");
        await Until.TrueAsync("it is told", () => follower.State.LastError?.Text == "IPPool: 429 storage is (re)initializing");
        Assert.Equal((null, ""), (follower.State.InSyncSince, follower.Problems));
        await Until.TrueAsync("it lasts, and is named", () =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return follower.Problems.Contains("kubernetes: IPPool: 429 storage is (re)initializing", StringComparison.Ordinal);
        });
        isBroken = false;
        await Until.TrueAsync("it is over", () =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return follower.Problems == "" && follower.State.InSyncSince != null;
        });
    }

    [Fact]
    public async Task Whoever_is_told_to_come_later_does()
    {
        var time = new ManualTimeProvider();
        api.On("ippools", async question =>
        {
            if (question.IsWatch || question.Number > 1) return false;
            question.Http.Response.Headers.RetryAfter = "60";
            await question.AnswerAsync(429, "too many requests");
            return true;
        });
        await using var follower = new Follower(api.Address, time);
        await Until.TrueAsync("the other kinds are followed", () => api.WatchesOf("nodes") == 1 && api.ListsOf("ippools") == 1
            && follower.State.LastError != null);
        time.Advance(TimeSpan.FromSeconds(59));
        await Until.StaysAsync("nobody asks", () => Task.FromResult(api.ListsOf("ippools")), 1);
        time.Advance(TimeSpan.FromSeconds(1));
        await follower.InSyncAsync();
        Assert.Equal(2, api.ListsOf("ippools"));
    }

    [Fact]
    public async Task A_connection_that_hangs_is_given_up_after_its_patience()
    {
        var time = new ManualTimeProvider();
        Have("a");
        api.On("ippools", async question =>
        {
            if (question.IsWatch || question.Number > 1) return false;
            await question.SayAsync(api.ListOf("ippools")[..40]);
            await question.HangAsync();
            return true;
        });
        await using var follower = new Follower(api.Address, time);
        await Until.TrueAsync("the others are followed", () => api.WatchesOf("nodes") == 1 && api.ListsOf("ippools") == 1);
        await Until.TrueAsync("time passes, and it is asked again", () =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return api.ListsOf("ippools") == 2;
        });
        await follower.InSyncAsync();
        Assert.Equal("a", follower.Pools);
    }

    [Fact]
    public async Task A_token_that_is_refused_is_read_again_from_its_file_at_once()
    {
        Have("a");
        var valid = "Bearer first";
        var refused = new ConcurrentQueue<string>();
        foreach (var plural in (string[])["ippools", "nodes"])
            api.On(plural, async question =>
            {
                if (question.Token == valid) return false;
                refused.Enqueue(question.Token);
                await question.AnswerAsync(401, "Unauthorized");
                return true;
            });
        await using var follower = new Follower(api.Address);
        await follower.InSyncAsync();
        valid = "Bearer second";
        api.EndWatches("ippools");
        await Until.TrueAsync("it is told", () => follower.State.LastError?.Text == "IPPool: 401 Unauthorized");
        follower.WriteToken("second");
        api.EndWatches("nodes");
        await follower.InSyncAsync();
        Assert.DoesNotContain("Bearer second", refused);
        Assert.Equal("a", follower.Pools);
    }

    [Fact]
    public async Task A_token_whose_file_is_empty_or_gone_is_told_by_its_name()
    {
        await using var follower = new Follower(api.Address);
        await follower.InSyncAsync();
        follower.WriteToken("");
        api.EndWatches("ippools");
        await Until.TrueAsync("it is told", () =>
            follower.State.LastError?.Text.EndsWith("/token: expected a token, got an empty file", StringComparison.Ordinal) == true);
        follower.RemoveToken();
        await Until.TrueAsync("it is told", () =>
            follower.State.LastError?.Text.EndsWith("/token: it is not there", StringComparison.Ordinal) == true);
        follower.WriteToken("second");
        await follower.InSyncAsync();
    }

    [Fact]
    public async Task A_kind_that_may_not_be_read_is_told_once_and_the_others_count()
    {
        var time = new ManualTimeProvider();
        Have("a");
        api.On("caliconodestatuses", async question =>
        {
            await question.AnswerAsync(403, "caliconodestatuses is forbidden: User nobody cannot list");
            return true;
        });
        await using var follower = new Follower(api.Address, time);
        await Until.TrueAsync("time passes", () =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return follower.State.HasListed;
        });
        await follower.PoolsAsync("a");
        Assert.Contains("CalicoNodeStatus: 403 caliconodestatuses is forbidden", follower.Problems, StringComparison.Ordinal);
        var (updates, asked) = (follower.Updates, api.ListsOf("caliconodestatuses"));
        await Until.TrueAsync("time passes, and it is asked for again", () =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return api.ListsOf("caliconodestatuses") > asked + 1;
        });
        Assert.Equal(updates, follower.Updates);
    }

    [Fact]
    public async Task Who_may_not_read_the_nodes_is_never_in_sync()
    {
        var time = new ManualTimeProvider();
        api.On("nodes", async question =>
        {
            await question.AnswerAsync(403, "nodes is forbidden: User nobody cannot list");
            return true;
        });
        await using var follower = new Follower(api.Address, time);
        await Until.TrueAsync("time passes, and it is asked for again and again", () =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return api.ListsOf("nodes") > 7 && follower.State.LastError != null;
        });
        Assert.False(follower.State.HasListed);
        Assert.Contains("Node: 403 nodes is forbidden", follower.State.LastError!.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_kind_that_is_not_known_counts_as_empty_and_within_30_seconds_of_its_coming_counts()
    {
        var time = new ManualTimeProvider();
        var isThere = false;
        api.On("ippools", async question =>
        {
            if (isThere) return false;
            await question.AnswerAsync(404, "the server could not find the requested resource");
            return true;
        });
        await using var follower = new Follower(api.Address, time);
        await follower.InSyncAsync();
        Assert.Equal("", follower.Problems);
        await Until.TrueAsync("minutes pass", () =>
        {
            time.Advance(TimeSpan.FromSeconds(10));
            return api.ListsOf("ippools") > 10;
        });
        Have("a");
        isThere = true;
        for (var seconds = 0; seconds < 30; seconds++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(20);
        }
        await follower.PoolsAsync("a");
    }

    [Fact]
    public async Task That_a_kind_is_not_known_any_more_is_believed_only_after_a_while()
    {
        var time = new ManualTimeProvider();
        Have("a");
        await using var follower = new Follower(api.Address, time);
        await follower.InSyncAsync();
        await Until.TrueAsync("a watch is open", () => api.WatchesOf("ippools") == 1);
        api.On("ippools", async question =>
        {
            await question.AnswerAsync(404, "the server could not find the requested resource");
            return true;
        });
        api.EndWatches("ippools");
        await Until.TrueAsync("it is told", () => follower.State.LastError?.Text.StartsWith("IPPool: 404") == true);
        time.Advance(TimeSpan.FromSeconds(29));
        await Until.TrueAsync("it is asked for again", () => api.ListsOf("ippools") >= 2);
        Assert.Equal("a", follower.Pools);
        await Until.TrueAsync("it is believed", () =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return follower.Pools == "";
        });
        await Until.TrueAsync("and nothing is wrong", () => follower.Problems == "");
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

    [Fact]
    public async Task A_server_that_is_away_at_the_start_is_waited_for_and_told_of()
    {
        var address = api.Address;
        await api.DisposeAsync();
        await using var follower = new Follower(address);
        await Until.TrueAsync(
            "it is told", () => follower.State.LastError?.Text.Contains("Connection refused") == true, 20, () => $"{follower.State}");
        Assert.False(follower.State.HasListed);
        api = await ScriptedApi.StartAsync(address.Port);
        Have("a");
        await follower.InSyncAsync();
        await follower.PoolsAsync("a");
    }

    [Fact]
    public async Task A_server_that_goes_away_takes_nothing_with_it_and_is_told_of_once()
    {
        Have("a", "b");
        var address = api.Address;
        await using var follower = new Follower(address);
        await follower.InSyncAsync();
        await api.DisposeAsync();
        await Until.TrueAsync("it is told", () => follower.State.LastError?.Text.Contains("Connection refused") == true);
        var updates = follower.Updates;
        await Until.StaysAsync("what is said of it", () => Task.FromResult(follower.Updates), 3);
        Assert.Equal(("a b", updates), (follower.Pools, follower.Updates));
        api = await ScriptedApi.StartAsync(address.Port);
        Have("a", "b");
        await follower.InSyncAsync();
        Assert.Equal(("a b", ""), (follower.Pools, follower.Problems));
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
