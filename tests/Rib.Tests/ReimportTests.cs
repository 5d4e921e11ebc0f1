using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Rib.Tests;

/// <summary>Ranges of prefixes that the import filters look at again, as what they go by has changed there (origin validation).</summary>
public class ReimportTests
{
    /// <summary>Rejects what is listed, whenever it is asked.</summary>
    private sealed class Listed : IFilter
    {
        public volatile HashSet<Prefix> Invalid = [];
        public string Name => "listed";
        public bool LooksAtPrefix => true;
        public FilterResult Run(in FilterInput route, AttributeEditor editor) =>
            new(Invalid.Contains(route.Prefix) ? FilterVerdict.Reject : FilterVerdict.Accept, route.Hints, "listed");
    }

    private static readonly Prefix[] Prefixes =
        [.. ((string[])["10.0.0.0/8", "10.1.0.0/16", "10.1.7.0/24", "10.2.0.0/16", "11.0.0.0/8", "2001:db8::/32"]).Select(Prefix.Parse)];

    private static byte[] Path(RibRig rig, ushort peer, int length, IpFamily family) => rig.Attributes(editor =>
    {
        if (family == IpFamily.IPv6) editor.SetNextHop(Address.Parse("fd00::200"));
        for (var i = 0; i < length; i++) editor.Prepend(new(64500u + peer));
    });

    [Theory]
    [InlineData("10.1.0.0/16", "10.1.0.0/16 10.1.7.0/24")]
    [InlineData("10.1.7.0/24", "10.1.7.0/24")]
    [InlineData("10.0.0.0/7", "10.0.0.0/8 10.1.0.0/16 10.1.7.0/24 10.2.0.0/16 11.0.0.0/8")]
    [InlineData("0.0.0.0/0", "10.0.0.0/8 10.1.0.0/16 10.1.7.0/24 10.2.0.0/16 11.0.0.0/8")]
    [InlineData("10.1.7.128/25", "")]
    [InlineData("::/0", "2001:db8::/32")]
    public async Task What_lies_in_the_range_is_judged_again_and_nothing_else(string range, string judged)
    {
        var policy = new Listed();
        using var rig = new RibRig(shards: 2, slice: 1);
        rig.Up(RibRig.Peer(1, import: policy));
        foreach (var prefix in Prefixes) await rig.AnnounceAsync(1, Path(rig, 1, 1, prefix.Family), prefix);
        await rig.Rib.IdleAsync();
        policy.Invalid = [.. Prefixes];
        rig.Rib.Reimport(Prefix.Parse(range));
        await rig.Rib.IdleAsync();
        var refused = new List<Prefix>();
        foreach (var family in (IpFamily[])[IpFamily.IPv4, IpFamily.IPv6])
            refused.AddRange((await rig.ReadAsync(new(RouteSide.Refused, family))).Select(route => route.Prefix));
        Assert.Equal(judged, string.Join(' ', refused.Order()));
    }

    [Fact]
    public async Task All_paths_of_a_prefix_are_judged_whichever_becomes_the_best_meanwhile()
    {
        var policy = new Listed();
        using var rig = new RibRig();
        for (ushort peer = 1; peer <= 4; peer++)
        {
            rig.Up(RibRig.Peer(peer, import: policy));
            await rig.AnnounceAsync(peer, Path(rig, peer, peer, IpFamily.IPv4), Prefixes[0]);
        }
        await rig.Rib.IdleAsync();
        policy.Invalid = [Prefixes[0]];
        rig.Rib.Reimport(Prefixes[0]);
        await rig.Rib.IdleAsync();
        Assert.Equal(4, (await rig.ReadAsync(new(RouteSide.Refused, IpFamily.IPv4))).Count);
        Assert.Empty(rig.Receivers[4].Holds);
    }

    [Fact]
    public async Task Ranges_that_come_while_a_walk_is_on_its_way_are_walked_too()
    {
        var policy = new Listed();
        using var rig = new RibRig(slice: 1);
        rig.Up(RibRig.Peer(1, import: policy));
        Prefix[] many = [.. Enumerable.Range(0, 200).Select(i => Prefix.Parse($"10.1.{i}.0/24"))];
        await rig.AnnounceAsync(1, Path(rig, 1, 1, IpFamily.IPv4), many);
        await rig.Rib.IdleAsync();
        foreach (var prefix in many)
        {
            policy.Invalid = [.. policy.Invalid, prefix];
            rig.Rib.Reimport(prefix);
        }
        await rig.Rib.IdleAsync();
        Assert.Empty(await rig.ReadAsync(new(RouteSide.Accepted, IpFamily.IPv4)));
    }
}
