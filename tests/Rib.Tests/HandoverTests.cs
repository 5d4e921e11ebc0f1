using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Rib.Tests;

/// <summary>Tables that go over into another process's: nobody is told anything by it, but for what is told otherwise there.</summary>
public sealed class HandoverTests
{
    private static readonly Prefix One = Prefix.Parse("192.0.2.0/24"), Two = Prefix.Parse("198.51.100.0/24"),
        Six = Prefix.Parse("2001:db8::/32");

    /// <summary>Marks each route.</summary>
    private sealed record Marking(ushort Mark) : IFilter
    {
        public string Name => $"mark {Mark}";
        public bool LooksAtPrefix => Mark % 2 == 0;

        public FilterResult Run(in FilterInput route, AttributeEditor editor)
        {
            editor.Load(route.Attributes);
            editor.AddCommunity(new(65000, Mark));
            return new(FilterVerdict.AcceptChanged, route.Hints, Name);
        }
    }

    private static Task SayAsync(RibRig rig, ushort peer, int length, params Prefix[] prefixes) => rig.AnnounceAsync(
        peer, rig.Attributes(editor =>
        {
            for (var i = 0; i < length; i++) editor.Prepend(new(64500u + peer));
        }), prefixes);

    private static async Task<MemoryStream[]> ImagesAsync(RibRig from)
    {
        var images = Enumerable.Range(0, from.Rib.ShardCount).Select(_ => new MemoryStream()).ToArray();
        using (await from.Rib.FreezeAsync(images)) { }
        foreach (var image in images) image.Position = 0;
        return images;
    }

    /// <summary>As the speaker does it: the peers come up, and say what they had said; then what they were told is known.</summary>
    /// <param name="peers">By the same indexes.</param>
    /// <param name="lost">Whose sessions are lost, and whose routes stay.</param>
    private static async Task<RibRig> TakeOverAsync(
        RibRig from, IEnumerable<RibPeer> peers, int shards = 1, IEnumerable<RibPeer>? lost = null)
    {
        var to = new RibRig(shards);
        to.Rib.BeginRestoring();
        foreach (var peer in peers) to.Up(peer);
        foreach (var peer in lost ?? []) to.Rib.PeerUp(peer, outlet: null);
        Inherit(to, from);
        var told = new ToldTables(shards);
        var readers = (await ImagesAsync(from)).Select(image => new TableImageReader(image)).ToArray();
        for (var age = PathAge.LongStale; age <= PathAge.Present; age++)
        {
            var its = new Dictionary<ushort, FamilySet>();
            foreach (var reader in readers)
                while (Restored(reader, age, to, its) is { } inlet) await inlet.FlushAsync();
            if (age <= PathAge.Stale)
                foreach (var (peer, families) in its) to.Rib.Age(peer, families, age == PathAge.LongStale);
        }
        foreach (var reader in readers)
        {
            ReadTold(reader, told);
            reader.Dispose();
        }
        await to.Rib.EndRestoringAsync(told);
        return to;
    }

    private static void ReadTold(TableImageReader reader, ToldTables told)
    {
        while (reader.Next(out var record))
        {
            if (record.Kind == ImageRecordKind.Holding) told.Begin(record.Nlri.Family, Members(record.Members));
            else told.Add(record.Peer, record);
        }
    }

    /// <returns>Null: there are no more of this age.</returns>
    private static RouteInlet? Restored(TableImageReader reader, PathAge age, RibRig to, Dictionary<ushort, FamilySet> its)
    {
        while (reader.Next(out var record))
        {
            Assert.Equal(age, record.Age);
            if (record.Kind == ImageRecordKind.AgeEnds) return null;
            its[record.Peer] = its.GetValueOrDefault(record.Peer) | record.Nlri.Family.Bit();
            var inlet = to.Rib.InletFor(record.Peer);
            inlet.Restore(record.Announced, record.Changed);
            return inlet;
        }
        return null;
    }

    private static List<(ushort, MemberDebts)> Members(ReadOnlySpan<byte> octets)
    {
        var members = new List<(ushort, MemberDebts)>();
        for (; !octets.IsEmpty; octets = octets[3..]) members.Add(((ushort)(octets[0] << 8 | octets[1]), (MemberDebts)octets[2]));
        return members;
    }

    private static async Task<string[]> PathsAsync(RibRig rig)
    {
        var all = new List<string>();
        foreach (var family in (IpFamily[])[IpFamily.IPv4, IpFamily.IPv6])
            all.AddRange((await rig.ReadAsync(new(RouteSide.Accepted, family))).Select(
                route => $"{route.Prefix} {route.Peer} {route.Changed} {Convert.ToHexStringLower(route.Attributes)}"));
        all.Sort(StringComparer.Ordinal);
        return [.. all];
    }

    private static void Silent(RibRig rig)
    {
        foreach (var receiver in rig.Receivers.Values)
        {
            Assert.Empty(receiver.Complaints);
            Assert.Equal((0, 0), (receiver.Announcements, receiver.EndsOfRib));
        }
    }

    /// <summary>What a peer holds when it goes on with another process: what the first told it, and then the second.</summary>
    private static void Inherit(RibRig to, RibRig from)
    {
        foreach (var (index, receiver) in to.Receivers)
        {
            foreach (var (prefix, attributes) in from.Receivers[index].Holds) receiver.Holds[prefix] = attributes;
            foreach (var (path, attributes) in from.Receivers[index].Paths) receiver.Paths[path] = attributes;
        }
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 3)]
    [InlineData(1, 2)]
    [InlineData(3, 1)]
    public async Task Nobody_is_told_anything_by_the_process_that_takes_over_and_all_goes_on_from_there(int before, int after)
    {
        RibPeer[] peers = [
            RibRig.Peer(1), RibRig.Peer(2), RibRig.Peer(3, inner: true), RibRig.Peer(4, export: new Marking(7)),
            RibRig.Peer(5, export: new Marking(8)),
        ];
        using var old = new RibRig(before);
        foreach (var peer in peers) old.Up(peer);
        Prefix[] many = [.. Enumerable.Range(0, 300).Select(i => Prefix.Parse($"10.{i / 250}.{i % 250}.0/24"))];
        await SayAsync(old, 1, 3, many);
        await SayAsync(old, 2, 2, many[..100]);
        await SayAsync(old, 2, 4, many[100..200]);
        await SayAsync(old, 3, 1, One, Six);
        await SayAsync(old, 4, 5, Two);
        await old.Rib.IdleAsync();
        using var now = await TakeOverAsync(old, peers, after);
        await now.Rib.IdleAsync();
        Silent(now);
        Assert.Equal(await PathsAsync(old), await PathsAsync(now));

        await now.WithdrawAsync(1, many[..50]);
        await now.WithdrawAsync(3, One);
        await SayAsync(now, 2, 9, many[290..]);
        await old.WithdrawAsync(1, many[..50]);
        await old.WithdrawAsync(3, One);
        await SayAsync(old, 2, 9, many[290..]);
        await old.Rib.IdleAsync();
        await now.Rib.IdleAsync();
        foreach (var (index, receiver) in now.Receivers)
        {
            Assert.Empty(receiver.Complaints);
            Assert.Equal(old.Receivers[index].Holds, receiver.Holds);
        }
    }

    [Fact]
    public async Task What_is_told_otherwise_by_the_new_process_is_told_and_nothing_else()
    {
        using var old = new RibRig();
        var (teller, hears) = (RibRig.Peer(1), RibRig.Peer(2));
        old.Up(teller);
        old.Up(hears);
        await SayAsync(old, 1, 1, One, Two, Six);
        await old.Rib.IdleAsync();
        var onlyOne = new PrefixesAlone(One, Marked: Six);
        using var now = await TakeOverAsync(old, [teller, hears with { Export = onlyOne }]);
        await now.Rib.IdleAsync();
        var receiver = now.Receivers[2];
        Assert.Equal(1, receiver.Announcements);
        Assert.Equal([One, Six], receiver.Holds.Keys);
        Assert.Contains("fde80063", receiver.Holds[Six], StringComparison.Ordinal);
        Assert.Equal(old.Receivers[2].Holds[One], receiver.Holds[One]);
    }

    private sealed record PrefixesAlone(Prefix Plain, Prefix Marked) : IFilter
    {
        public string Name => "alone";
        public bool LooksAtPrefix => true;

        public FilterResult Run(in FilterInput route, AttributeEditor editor)
        {
            if (route.Prefix == Plain) return new(FilterVerdict.Accept, route.Hints, Name);
            if (route.Prefix != Marked) return new(FilterVerdict.Reject, route.Hints, Name);
            editor.Load(route.Attributes);
            editor.AddCommunity(new(65000, 99));
            return new(FilterVerdict.AcceptChanged, route.Hints, Name);
        }
    }

    [Fact]
    public async Task Who_had_not_heard_all_hears_the_rest()
    {
        using var old = new RibRig(slice: 4);
        RibPeer[] peers = [RibRig.Peer(1), RibRig.Peer(2), RibRig.Peer(3)];
        foreach (var peer in peers) old.Up(peer);
        Prefix[] first = [.. Enumerable.Range(0, 40).Select(i => Prefix.Parse($"10.1.{i}.0/24"))];
        await SayAsync(old, 1, 1, first);
        await old.Rib.IdleAsync();
        // Two is left behind with what comes now, and never hears of it from the first process.
        old.Receivers[2].BeSlow();
        await SayAsync(old, 1, 2, first[..7]);
        await old.Rib.IdleAsync();
        await old.WithdrawAsync(1, first[30..]);
        await SayAsync(old, 1, 3, One, Six);
        await old.Rib.IdleAsync();
        Assert.NotEqual(old.Receivers[3].Holds, old.Receivers[2].Holds);
        using var now = await TakeOverAsync(old, peers);
        await now.Rib.IdleAsync();
        foreach (var receiver in now.Receivers.Values) Assert.Empty(receiver.Complaints);
        Assert.Equal(0, now.Receivers[3].Announcements);
        Assert.Equal(old.Receivers[3].Holds, now.Receivers[2].Holds);
        Assert.Equal(old.Receivers[3].Holds, now.Receivers[3].Holds);
    }

    [Fact]
    public async Task Paths_told_beside_each_other_keep_their_identifiers_and_new_ones_get_none_of_them()
    {
        RibPeer[] peers = [
            RibRig.Peer(1), RibRig.Peer(2), RibRig.Peer(3),
            RibRig.Peer(9) with { PathsIPv4 = PathsTold.All, Encode = new(true, 4096, false, FamilySet.Both) },
        ];
        using var old = new RibRig();
        foreach (var peer in peers) old.Up(peer);
        await SayAsync(old, 2, 2, Two);
        for (ushort peer = 1; peer <= 2; peer++) await SayAsync(old, peer, peer, One);
        await old.Rib.IdleAsync();
        using var now = await TakeOverAsync(old, peers);
        await now.Rib.IdleAsync();
        var receiver = now.Receivers[9];
        Assert.Equal(0, receiver.Announcements);
        await SayAsync(now, 3, 3, One);
        await now.WithdrawAsync(2, Two);
        await now.Rib.IdleAsync();
        Assert.Empty(receiver.Complaints);
        Assert.Equal(3, receiver.Paths.Keys.Count(path => path.Prefix == One));
        Assert.Equal(3, receiver.Paths.Keys.Select(path => path.Id).Distinct().Count());
        Assert.Equal(
            old.Receivers[9].Paths.Where(path => path.Key.Prefix == One), receiver.Paths.Where(path => !path.Value.Contains("0000fbf7")));
    }

    private static readonly Prefix Three = Prefix.Parse("203.0.113.0/24");

    private static async Task<string> StatesAsync(RibRig rig)
    {
        var all = new List<string>();
        foreach (var family in (IpFamily[])[IpFamily.IPv4, IpFamily.IPv6])
            foreach (var route in await rig.ReadAsync(new(RouteSide.Accepted, family)))
                all.Add($"{route.Prefix} {route.State & ~PathState.Preferred}"
                    + (route.Summary.Has(AttributeMarks.LlgrStale) ? ", the last resort" : ""));
        all.Sort(StringComparer.Ordinal);
        return string.Join("; ", all);
    }

    /// <summary>One is left by the session before the last, Two by the last; Three is said by the one that is there, if one is.</summary>
    [Theory]
    [InlineData(1, 1, true)]
    [InlineData(3, 2, true)]
    [InlineData(1, 1, false)]
    [InlineData(2, 3, false)]
    public async Task What_earlier_sessions_left_is_as_old_in_the_process_that_takes_over(int before, int after, bool isBack)
    {
        RibPeer[] peers = [RibRig.Peer(1), RibRig.Peer(2) with { LongLived = true }, RibRig.Peer(3)];
        using var old = new RibRig(before);
        foreach (var peer in peers) old.Up(peer);
        await SayAsync(old, 1, 1, One, Six);
        old.Down(1, FamilySet.Both);
        old.Rib.BeginLongStale(1, FamilySet.Both);
        old.Up(peers[0]);
        await SayAsync(old, 1, 1, Two);
        old.Down(1, FamilySet.Both, staleToo: FamilySet.Both);
        if (isBack)
        {
            old.Up(peers[0]);
            await SayAsync(old, 1, 1, Three);
        }
        await old.Rib.IdleAsync();
        var expected = "192.0.2.0/24 Stale, the last resort; 198.51.100.0/24 Stale; "
            + (isBack ? "2001:db8::/32 Stale, the last resort; 203.0.113.0/24 None" : "2001:db8::/32 Stale, the last resort");
        Assert.Equal(expected, await StatesAsync(old));
        Assert.Equal(isBack ? 4 : 3, old.Receivers[2].Holds.Count);
        Assert.Equal(isBack ? 2 : 1, old.Receivers[3].Holds.Count);

        using var now = await TakeOverAsync(old, isBack ? peers : peers[1..], after, isBack ? [] : peers[..1]);
        await now.Rib.IdleAsync();
        Assert.Equal(expected, await StatesAsync(now));
        Silent(now);
        Assert.Equal(await PathsAsync(old), await PathsAsync(now));

        if (!isBack) now.Up(peers[0]);
        await SayAsync(now, 1, 1, Two);
        await now.EndOfRibAsync(1, IpFamily.IPv4);
        await now.Rib.IdleAsync();
        Assert.Equal(
            isBack ? "198.51.100.0/24 None; 2001:db8::/32 Stale, the last resort; 203.0.113.0/24 None"
                : "198.51.100.0/24 None; 2001:db8::/32 Stale, the last resort",
            await StatesAsync(now));
        now.Rib.EndStale(1, FamilySet.Both);
        await now.Rib.IdleAsync();
        Assert.Equal(isBack ? "198.51.100.0/24 None; 203.0.113.0/24 None" : "198.51.100.0/24 None", await StatesAsync(now));
        foreach (var receiver in now.Receivers.Values) Assert.Empty(receiver.Complaints);
    }

    [Fact]
    public async Task While_it_stands_still_nothing_is_told_and_afterwards_all_is()
    {
        using var rig = new RibRig();
        rig.Up(RibRig.Peer(1));
        var receiver = rig.Up(RibRig.Peer(2));
        using var image = new MemoryStream();
        var frozen = await rig.Rib.FreezeAsync([image]);
        await SayAsync(rig, 1, 1, One);
        await Task.Delay(50);
        Assert.Empty(receiver.Holds);
        frozen.Dispose();
        await rig.Rib.IdleAsync();
        Assert.Equal([One], receiver.Holds.Keys);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(17)]
    public async Task An_image_that_ends_too_early_is_refused(int missing)
    {
        using var old = new RibRig();
        old.Up(RibRig.Peer(1));
        await SayAsync(old, 1, 1, One, Two);
        var whole = (await ImagesAsync(old))[0].ToArray();
        using var reader = new TableImageReader(new MemoryStream(whole[..^(18 - missing)]));
        Assert.Throws<InvalidDataException>(() =>
        {
            while (reader.Next(out _)) { }
        });
    }
}
