// A real full table of 2015, as its octets were, taken in by our daemon and by a BIRD: both must end up with as many routes.
using System.Diagnostics;
using System.IO.Compression;
using System.Text.RegularExpressions;
using Calico.Bgp.Conformance.Routers;
using Calico.Bgp.Conformance.Wire;

namespace Calico.Bgp.Conformance.Tables;

[Collection(nameof(Rfc.Alone))]
public sealed partial class FullTableTests
{
    private const string Table = "data/wire/full2015.raw.gz";

    [NeedsFact(Needs.Shared + Table, Needs.Daemon, "bird", "birdc")]
    public async Task The_whole_table_of_2015_is_taken_and_counts_as_a_BIRD_counts_it()
    {
        var theirs = await CountAsync("bird");
        Assert.True(theirs > 500_000, $"a BIRD took only {theirs} routes");
        Assert.Equal(theirs - (Project.Subject == "bird" ? 0 : WithZero), await CountAsync(Project.Subject));
    }

    /// <summary>Four prefixes have a path with AS 0: RFC 7607 has them treated as withdrawn, BIRD 2 takes them.</summary>
    private const int WithZero = 4;

    private static async Task<long> CountAsync(string router)
    {
        var (ours, feeder) = (await Netns.MakeAsync("us"), await Netns.MakeAsync("feed"));
        try
        {
            await Netns.JoinAsync(ours, "eth0", ["10.99.0.1/24"], feeder, "eth0", ["10.99.0.2/24"]);
            var neighbour = new Neighbour("feed", "10.99.0.1", "10.99.0.2", 65002, Passive: true);
            await using var daemon = (BirdcRouter)Router.Make(
                router, ours, new(65001, "10.99.0.1", [neighbour], [], 90, AllowAsSets: true));
            await daemon.StartAsync();
            await using var feed = await ScriptedPeer.EstablishAsync(feeder, "10.99.0.2", "10.99.0.1", 65002, "10.99.0.2");
            await using var table = new GZipStream(File.OpenRead(SharedData.Get(Table)), CompressionMode.Decompress);
            var slab = new byte[1 << 16];
            for (int length; (length = await table.ReadAsync(slab)) > 0;) Assert.True(
                await feed.SendAsync(slab[..length]), $"{router} closed the session");
            var count = await SettledAsync(daemon);
            Assert.False(feed.Closed, $"{router} closed the session");
            return count;
        }
        finally
        {
            await ours.RemoveAsync();
            await feeder.RemoveAsync();
        }
    }

    /// <summary>The number of routes once it has stopped growing.</summary>
    private static async Task<long> SettledAsync(BirdcRouter daemon)
    {
        var (count, since) = (0L, Stopwatch.GetTimestamp());
        await Until.TrueAsync("the count settles", async () =>
        {
            var answer = await daemon.AskAsync("show route protocol feed count");
            var now = Count().Matches(answer).Sum(match => long.Parse(match.Groups[1].Value));
            if (now != count) (count, since) = (now, Stopwatch.GetTimestamp());
            return count > 0 && Stopwatch.GetElapsedTime(since).TotalSeconds >= 1;
        }, 120);
        return count;
    }

    [GeneratedRegex("([0-9]+) of [0-9]+ routes for [0-9]+ networks in table master4")]
    private static partial Regex Count();
}
