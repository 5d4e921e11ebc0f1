// Sessions that BFD watches. The hold time is longer than any test waits: it is never the reason.
using System.Text.Json;
using Calico.Bgp.Conformance.Routers;
using Xunit.Abstractions;

namespace Calico.Bgp.Conformance.Interop;

public sealed class BfdTests(ITestOutputHelper output)
{
    private static readonly Lab.Options Watched = new() { Hold = 240, Bfd = true };

    [Theory, Peer("bird"), Peer("frr")]
    public async Task Both_sides_agree_on_three_times_fifty_milliseconds(string peer)
    {
        await using var lab = await UpAsync(peer, Watched);
        Matrix.Saw(peer, "BFD, one hop", "up, IPv4 and IPv6, 3 × 50 ms");
    }

    [Theory, Peer("bird"), Peer("frr")]
    public async Task Over_several_hops_they_agree_too(string peer)
    {
        await using var lab = await UpAsync(peer, Watched with { Hops = 4 });
        foreach (var one in await SessionsAsync(lab)) Assert.True(one.GetProperty("multihop").GetBoolean());
        Matrix.Saw(peer, "BFD, several hops", "up, IPv4 and IPv6, 3 × 50 ms");
    }

    /// <summary>Nothing passes any more, either way, and every link has its carrier: TCP would find out after four minutes.</summary>
    [Theory, Peer("bird"), Peer("frr")]
    public async Task A_way_that_is_cut_ends_the_sessions_at_once_on_both_sides_and_they_come_back_with_it(string peer)
    {
        await using var lab = await UpAsync(peer, Watched);
        var asked = DateTimeOffset.UtcNow;
        Cut(lab.Us);
        var cut = DateTimeOffset.UtcNow;
        foreach (var prefix in Lab.TheirRoutes) await lab.GoneFromUsAsync(prefix);
        foreach (var one in lab.OurView) await ReportAsync(lab, one.Name, asked, cut);
        foreach (var prefix in Lab.OurRoutes) await lab.GoneFromThemAsync(prefix);
        foreach (var one in new[] { "peer4", "peer6" })
            await Until.TrueAsync($"{one} says why", async () => (await AllOfAsync(lab, one)).Contains("BFD session down"), 10, lab.Said);
        Assert.Contains("was not heard for 150 ms", lab.Ours.Said);
        await lab.Us.DoAsync("nft", "delete", "table", "inet", "cut");
        await lab.EstablishedAsync();
        await lab.RoutesBothWaysAsync();
        Matrix.Saw(peer, "BFD, the way is cut", "lost on both sides, sessions and routes back");
    }

    /// <summary>
    /// RFC 5882 section 4.2: an administrator, not the way. Seen with two of ours: a BIRD 2.0.12 whose BFD is disabled falls silent without
    /// a word, and FRR 8.4.4 ends the BGP session itself.
    /// </summary>
    [Theory, Peer("bgpd")]
    public async Task A_neighbour_whose_bfd_is_put_down_keeps_its_session(string peer)
    {
        await using var lab = await UpAsync(peer, Watched);
        var theirs = (BgpdRouter)lab.Theirs;
        var watched = theirs.Spec;
        await theirs.ReconfigureAsync(watched with { Neighbours = [.. watched.Neighbours.Select(n => n with { Bfd = false })] });
        await Until.TrueAsync("BFD is down", async () => (await SessionsAsync(lab)).All(IsPutDown), 10, lab.Said);
        await lab.RoutesBothWaysAsync();
        foreach (var neighbour in lab.OurView) Assert.True(await lab.Ours.IsEstablishedAsync(neighbour));
        await theirs.ReconfigureAsync(watched);
        await AgreedAsync(lab);
        Assert.All(await SessionsAsync(lab), one => Assert.Equal(0, one.GetProperty("losses").GetInt32()));
        Assert.DoesNotContain("BFD session down", lab.Said());
    }

    /// <summary>One that never speaks BFD keeps nobody from having a session with it.</summary>
    [Theory, Peer("bird"), Peer("frr"), Peer("gobgp")]
    public async Task A_neighbour_without_bfd_has_its_session_all_the_same(string peer)
    {
        await using var lab = await Lab.MakeAsync(peer, Watched with { OnlyWe = true });
        await lab.EstablishedAsync();
        await lab.RoutesBothWaysAsync();
        Assert.All(await SessionsAsync(lab), one => Assert.Equal("down", one.GetProperty("state").GetString()));
        Matrix.Saw(peer, "BFD, only we", "the session is up");
    }

    private static Task<string> AllOfAsync(Lab lab, string peer) => ((BirdcRouter)lab.Ours).AskAsync($"show protocols all {peer}");

    /// <summary>By the daemon's own clock, which is ours; the cut fell somewhere into the time that nft took.</summary>
    private async Task ReportAsync(Lab lab, string peer, DateTimeOffset asked, DateTimeOffset cut)
    {
        using var json = JsonDocument.Parse(await ((BgpdRouter)lab.Ours).GetAsync($"/v1/peers/{peer}"));
        var ended = json.RootElement.GetProperty("lastError").GetProperty("at").GetDateTimeOffset();
        output.WriteLine($"{peer}: ended {(ended - cut).TotalMilliseconds:0} to {(ended - asked).TotalMilliseconds:0} ms after the cut");
    }

    private static async Task<Lab> UpAsync(string peer, Lab.Options options)
    {
        var lab = await Lab.MakeAsync(peer, options);
        try
        {
            await lab.EstablishedAsync();
            await lab.RoutesBothWaysAsync();
            await AgreedAsync(lab);
            return lab;
        }
        catch
        {
            await lab.DisposeAsync();
            throw;
        }
    }

    private static Task AgreedAsync(Lab lab) => Until.TrueAsync(
        "BFD is up at full speed with both of their addresses", async () => await SessionsAsync(lab) is [var one, var two] && IsFast(one)
        && IsFast(two), 30, async () => $"{await ((BgpdRouter)lab.Ours).GetAsync("/v1/bfd")}\n{lab.Said()}");

    private static bool IsFast(JsonElement session) => session.GetProperty("state").GetString() == "up"
        && (session.GetProperty("interval").GetDouble(), session.GetProperty("detectionTime").GetDouble()) == (0.05, 0.15);

    private static bool IsPutDown(JsonElement session) =>
        (session.GetProperty("state").GetString(), session.GetProperty("remoteState").GetString()) == ("down", "adminDown");

    private static async Task<JsonElement[]> SessionsAsync(Lab lab)
    {
        var answer = await ((BgpdRouter)lab.Ours).GetAsync("/v1/bfd");
        if (answer.Length == 0) return [];
        using var json = JsonDocument.Parse(answer);
        return [.. json.RootElement.Clone().EnumerateArray()];
    }

    private static void Cut(Netns space) => space.Tell("""
        table inet cut {
          chain in { type filter hook input priority -400; policy accept; iifname eth0 drop; }
          chain out { type filter hook output priority -400; policy accept; oifname eth0 drop; }
        }

        """, "nft", "-f", "-");
}
