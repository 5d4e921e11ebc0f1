using System.Collections.Concurrent;

namespace Calico.Bgp.Sources.Tests.Kubernetes;

/// <content>A server that says no, falls silent, goes away, or does not know what it knew.</content>
public sealed partial class ClusterSourceTests
{
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
    public async Task A_kind_that_is_not_known_counts_as_empty_and_is_asked_for_until_it_has_come()
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
        var asked = api.ListsOf("ippools");
        await Until.TrueAsync("it is asked for again", () =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return api.ListsOf("ippools") > asked;
        });
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
}
