using Calico.Bgp.Net;

namespace Calico.Bgp.Rib.Tests;

/// <summary>The best path is a function of the paths that there are, never of the order in which they came (RFC 3345's cycles
/// included).</summary>
public class ArrivalTests
{
    private static readonly Prefix One = Prefix.Parse("192.0.2.0/24");

    /// <summary>Path of peer i: neighbouring AS, MED, LOCAL_PREF. The peers' ids rise with their indexes; even ones are internal.</summary>
    private static byte[] Path(RibRig rig, uint neighbour, uint? med, uint? localPref) => rig.Attributes(editor =>
    {
        editor.Prepend(new(neighbour));
        editor.SetMed(med);
        editor.SetLocalPref(localPref);
    });

    private static IEnumerable<int[]> Permutations(int[] of) => of.Length <= 1
        ? [of]
        : of.SelectMany(first => Permutations([.. of.Where(other => other != first)]), (first, rest) => (int[])[first, .. rest]);

    private static RibRig SixPeers(DecisionSettings settings)
    {
        var rig = new RibRig(settings: settings);
        for (ushort index = 1; index <= 6; index++) rig.Up(RibRig.Peer(index, inner: index % 2 == 0));
        return rig;
    }

    private static async Task<ushort> BestAsync(RibRig rig)
    {
        await rig.Rib.IdleAsync();
        return Assert.Single(await rig.ReadAsync(new(RouteSide.Best, IpFamily.IPv4))).Peer;
    }

    private static async Task<HashSet<ushort>> WinnersAsync(DecisionSettings settings, (uint As, uint? Med, uint? LocalPref)[] paths)
    {
        using var rig = SixPeers(settings);
        var winners = new HashSet<ushort>();
        foreach (var order in Permutations([.. Enumerable.Range(0, paths.Length)]))
        {
            foreach (var i in order) await rig.AnnounceAsync(
                (ushort)(i + 1), Path(rig, paths[i].As, paths[i].Med, paths[i].LocalPref), One);
            winners.Add(await BestAsync(rig));
            foreach (var i in order) await rig.WithdrawAsync((ushort)(i + 1), One);
        }
        await rig.Rib.IdleAsync();
        Assert.Equal((0, 0, 0), rig.Rib.Sizes);
        return winners;
    }

    [Fact]
    public async Task Six_paths_have_one_winner_in_all_orders_of_arrival()
    {
        var winners = await WinnersAsync(new(), [(7, 10, null), (7, 5, 100), (8, 20, null), (8, 1, 100), (9, 0, null), (9, 3, 100)]);
        Assert.Single(winners);
    }

    /// <summary>a beats b by the router id, b beats c by the MED, c beats a: comparing pairs alone goes round in a circle.</summary>
    [Fact]
    public async Task A_cycle_of_MEDs_has_one_winner_in_all_orders_of_arrival()
    {
        // Peer 1 (AS 8) < peer 3 (AS 7, MED 10) by router id; peer 5 (AS 7, MED 5) < peer 3 by MED.
        var winners = await WinnersAsync(new(), [(8, 50, null), (9, 0, 90), (7, 10, null), (9, 0, 90), (7, 5, null), (8, 40, null)]);
        Assert.Single(winners);
    }

    [Fact]
    public async Task Any_small_set_of_paths_has_one_winner_in_all_orders_of_arrival()
    {
        var random = new Random(4271);
        for (var round = 0; round < 40; round++)
        {
            var settings = new DecisionSettings
            {
                AlwaysCompareMed = round % 4 == 0,
                MissingMedWorst = round % 3 == 0,
                IgnoreAsPathLength = round % 5 == 0
            };
            var paths = Enumerable.Range(0, 4).Select(_ =>
                (7u + (uint)random.Next(2), random.Next(3) == 0 ? (uint?)null : (uint)random.Next(3), (uint?)null)).ToArray();
            Assert.Single(await WinnersAsync(settings, paths));
        }
    }
}
