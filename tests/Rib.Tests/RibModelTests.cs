using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Rib.Tests;

/// <summary>
/// After any sequence of announcements, withdrawals, losses, filter changes, refreshes, slow readers and cut links, the Adj-RIBs-In, the
/// Loc-RIB and every Adj-RIB-Out are what the slow reference computes from scratch, whatever the number of shards, and however much comes
/// between the slices of a walk.
/// </summary>
public class RibModelTests
{
    private const int Steps = 400, PeerCount = 6;

    /// <summary>Rejects odd third octets and prefers the others: depends on the prefix.</summary>
    private sealed record OddPrefixes : IFilter
    {
        public string Name => "odd";
        public bool LooksAtPrefix => true;
        public FilterResult Run(in FilterInput route, AttributeEditor editor)
        {
            var third = (uint)(route.Prefix.Address.Bits >> 104) & 0xff;
            if (third % 2 == 1) return new(FilterVerdict.Reject, route.Hints, "odd");
            editor.Load(route.Attributes);
            editor.AddCommunity(new(65000, (ushort)third));
            return new(FilterVerdict.AcceptChanged, route.Hints, "even");
        }
    }

    /// <summary>Looks at attributes only.</summary>
    private sealed record PreferShort(uint LocalPref) : IFilter
    {
        public string Name => "short";
        public bool LooksAtPrefix => false;
        public FilterResult Run(in FilterInput route, AttributeEditor editor)
        {
            if (route.Summary.AsPathLength > 2) return new(FilterVerdict.Accept, route.Hints, "long");
            editor.Load(route.Attributes);
            editor.SetLocalPref(LocalPref);
            return new(FilterVerdict.AcceptChanged, route.Hints, "short");
        }
    }

    private static readonly IFilter[] Filters = [AcceptAll.Instance, AcceptAll.Instance, RejectAll.Instance, new OddPrefixes(),
        new PreferShort(200)];

    [Theory]
    [InlineData(1, 1, 4096)]
    [InlineData(1, 2, 4096)]
    [InlineData(1, 3, 1)]
    [InlineData(1, 6, 3)]
    [InlineData(1, 7, 5)]
    [InlineData(2, 4, 2)]
    [InlineData(5, 5, 4096)]
    public async Task Tables_equal_what_a_slow_reference_computes_from_scratch(int shards, int seed, int slice)
    {
        foreach (var settings in (DecisionSettings[])[new(), new() { AlwaysCompareMed = true }])
            for (var round = 0; round < 3; round++) await RunAsync(shards, seed * 100 + round, slice, settings);
    }

    private static async Task RunAsync(int shards, int seed, int slice, DecisionSettings settings)
    {
        var random = new Random(seed);
        using var rig = new RibRig(shards, settings, slice: slice);
        var model = new NaiveRib(settings);
        // The first steps are as after a restart.
        rig.Rib.Defer(FamilySet.Both);
        for (var step = 0; step < Steps; step++)
        {
            if (step == 15) rig.Rib.EndDeferral(FamilySet.Both);
            await StepAsync(random, rig, model);
            if (step % 20 != 19) continue;
            foreach (var receiver in rig.Receivers.Values) receiver.BeFast();
            await rig.Rib.IdleAsync();
            await CheckAsync(rig, model, $"shards {shards} seed {seed} step {step}");
        }
        foreach (var peer in model.Peers.Keys.ToArray()) rig.Down(peer);
        for (ushort peer = 1; peer <= PeerCount; peer++) rig.Rib.EndStale(peer, FamilySet.Both);
        await rig.Rib.IdleAsync();
        Assert.Equal((0, 0, 0), rig.Rib.Sizes);
    }

    private static async Task StepAsync(Random random, RibRig rig, NaiveRib model)
    {
        var index = (ushort)(1 + random.Next(PeerCount));
        if (!model.Peers.TryGetValue(index, out var peer))
        {
            if (random.Next(4) == 0)
            {
                var tired = random.Next(2) == 0 ? IpFamily.IPv4 : IpFamily.IPv6;
                rig.Rib.BeginLongStale(index, tired.Bit());
                model.BeginLongStale(index, tired);
                return;
            }
            if (random.Next(4) == 0)
            {
                var late = random.Next(2) == 0 ? IpFamily.IPv4 : IpFamily.IPv6;
                rig.Rib.EndStale(index, late.Bit());
                model.EndStale(index, late);
                return;
            }
            peer = RibRig.Peer(index, inner: index > 3, client: index == 5, Pick(random, Filters), Pick(random, Filters));
            // Half of them know what long stale is (RFC 9494).
            peer = peer with { LongLived = index % 2 == 0 };
            // One is told two paths of a prefix, or those that could be used together; one all of them, in one family only.
            if (index == 2)
                peer = peer with
                {
                    PathsIPv4 = new(2),
                    PathsIPv6 = PathsTold.Equal,
                    Encode = peer.Encode with { AddPath = FamilySet.Both },
                };
            if (index == 6) peer = peer with { PathsIPv4 = PathsTold.All, Encode = peer.Encode with { AddPath = FamilySet.IPv4 } };
            model.Up(peer);
            rig.Up(peer);
            return;
        }
        var some = random.Next(2) == 0 ? IpFamily.IPv4 : IpFamily.IPv6;
        switch (random.Next(28))
        {
            case < 11:
                var family = random.Next(3) == 0 ? IpFamily.IPv6 : IpFamily.IPv4;
                var (attributes, prefixes) = (RandomAttributes(random, rig, peer, family), RandomPrefixes(random, family));
                await rig.AnnounceAsync(index, attributes, prefixes);
                foreach (var prefix in prefixes) model.Announce(index, prefix, attributes);
                break;
            case < 15:
                var gone = RandomPrefixes(random, random.Next(3) == 0 ? IpFamily.IPv6 : IpFamily.IPv4);
                await rig.WithdrawAsync(index, gone);
                foreach (var prefix in gone) model.Withdraw(index, prefix);
                break;
            case 15:
                var (kept, staleToo) = ((FamilySet)random.Next(4), (FamilySet)random.Next(4));
                rig.Down(index, kept, staleToo);
                model.Down(index, kept, staleToo);
                break;
            case 16:
                model.Up(peer = peer with { Import = Pick(random, Filters), Export = Pick(random, Filters) });
                rig.Rib.PeerChanged(peer);
                break;
            case 17:
                rig.Rib.Refresh(index, some);
                break;
            case 19 or 20:
                await rig.RefreshAsync(index, some, begins: true);
                model.BeginRefresh(index, some);
                break;
            case 21 or 22:
                await rig.RefreshAsync(index, some, begins: false);
                model.EndRefresh(index, some);
                break;
            case 23:
                await rig.EndOfRibAsync(index, some);
                model.EndStale(index, some);
                break;
            case 24:
                // Nothing has changed there, and nothing may.
                rig.Rib.Reimport(Pick(random, AllPrefixes));
                break;
            case 25 or 26:
                var export = Pick(random, Filters);
                var together = model.Peers.Values.Where(_ => random.Next(3) > 0).Select(one => one with { Export = export }).ToArray();
                foreach (var one in together) model.Up(one);
                rig.Rib.PeersChanged([.. together]);
                break;
            case 18:
                model.Network = random.Next(2) == 0 ? new() : new(NextHop(random.Next(3)), NextHop(random.Next(3), IpFamily.IPv6));
                rig.Rib.NextHopsChanged(model.Network);
                break;
            default:
                rig.Receivers[index].BeSlow();
                break;
        }
    }

    private static async Task CheckAsync(RibRig rig, NaiveRib model, string where)
    {
        foreach (var peer in model.Peers.Values)
        {
            var receiver = rig.Receivers[peer.Index];
            Assert.True(receiver.Complaints.Count == 0, $"{where}: {string.Join("; ", receiver.Complaints)}");
            var held = receiver.Holds.Select(route => (route.Key, route.Value));
            var heldByPath = receiver.Paths.Select(path => (path.Key.Prefix, path.Value));
            var (expected, actual) = (Text(model.HeldBy(peer)), Text(held.Concat(heldByPath)));
            Assert.True(expected == actual, $"{where}: peer {peer.Index} should hold\n{expected}\nbut holds\n{actual}");
        }
        var paths = new List<(ushort, Prefix, PathState)>();
        foreach (var family in (IpFamily[])[IpFamily.IPv4, IpFamily.IPv6])
            foreach (var side in (RouteSide[])[RouteSide.Accepted, RouteSide.Refused])
                foreach (var route in await rig.ReadAsync(new(side, family)))
                    paths.Add((route.Peer, route.Prefix, route.State & ~PathState.Preferred));
        Assert.Equal(model.Paths().Order(), paths.Order());
        var best = new Dictionary<Prefix, (ushort, string)>();
        foreach (var family in (IpFamily[])[IpFamily.IPv4, IpFamily.IPv6])
            foreach (var route in await rig.ReadAsync(new(RouteSide.Best, family)))
                best.Add(route.Prefix, (route.Peer, Convert.ToHexStringLower(route.Attributes)));
        foreach (var prefix in AllPrefixes)
            Assert.Equal(model.BestOf(prefix), best.TryGetValue(prefix, out var found) ? found : null);
    }

    private static string Text(IEnumerable<(Prefix Prefix, string Attributes)> held) =>
        string.Join('\n', held.Order().Select(route => $"{route.Prefix} {route.Attributes}"));

    private static readonly Prefix[] AllPrefixes =
    [
        .. Enumerable.Range(0, 24).Select(i => Prefix.Parse($"10.1.{i}.0/24")),
        .. Enumerable.Range(0, 6).Select(i => Prefix.Parse($"2001:db8:{i}::/48")),
        Prefix.DefaultIPv4, Prefix.DefaultIPv6, Prefix.Parse("10.1.0.0/16"),
    ];

    private static Prefix[] RandomPrefixes(Random random, IpFamily family) =>
        [.. Enumerable.Range(0, 1 + random.Next(5)).Select(_ => Pick(random, AllPrefixes)).Where(prefix => prefix.Family == family)
            .Distinct()];
    private static Address NextHop(int number, IpFamily family = IpFamily.IPv4) =>
        Address.Parse(family == IpFamily.IPv4 ? $"10.0.0.{200 + number}" : $"fd00::{200 + number}");
    private static T Pick<T>(Random random, IReadOnlyList<T> from) => from[random.Next(from.Count)];

    private static byte[] RandomAttributes(Random random, RibRig rig, RibPeer from, IpFamily family) => rig.Attributes(editor =>
    {
        editor.SetNextHop(NextHop(random.Next(3), family));
        for (var i = random.Next(3); i > 0; i--) editor.Prepend(
            new(random.Next(12) == 0 ? RibRig.OwnAs.Value : 100u + (uint)random.Next(3)));
        if (!from.Internal) editor.Prepend(from.PeerAs with { Value = 64500u + (uint)random.Next(2) });
        if (from.Internal && random.Next(2) == 0) editor.SetLocalPref(random.Next(2) == 0 ? 100u : 150u);
        if (random.Next(3) == 0) editor.SetMed((uint)random.Next(4));
        if (random.Next(8) == 0) editor.AddCommunity(Pick(random, [Community.NoExport, Community.NoAdvertise, Community.NoLlgr]));
        if (random.Next(12) == 0) editor.AddCommunity(Community.LlgrStale);
        if (from.Internal && random.Next(6) == 0) editor.SetOriginatorId(new(0x0a000001u + (uint)random.Next(3)));
        if (random.Next(4) == 0) editor.SetOrigin(Origin.Incomplete);
    });
}
