using Calico.Bgp.Net;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace Calico.Bgp.Dataplane.Tests;

public class RoutesInUseTests
{
    private static readonly HashSet<Prefix> Nobody = [];
    private readonly RoutesInUse routes = new();

    private bool Take(string prefix, params string[] peers) => routes.Update(Prefix.Parse(prefix), [.. peers], Nobody);

    private bool Lose(string prefix) => routes.Update(Prefix.Parse(prefix), null, Nobody);

    [Fact]
    public void What_leads_where_the_route_around_it_leads_moves_nothing()
    {
        Assert.True(Take("0.0.0.0/0", "tor1"));
        Assert.Equal((false, false, 2), (Take("198.51.100.0/24", "tor1"), Take("198.51.100.0/24", "tor1"), routes.Count));
        Assert.False(Lose("198.51.100.0/24"));
    }

    [Fact]
    public void What_leads_elsewhere_moves_packets_when_it_comes_and_when_it_goes()
    {
        Take("0.0.0.0/0", "tor1");
        Assert.Equal((true, true, true), (Take("198.51.100.0/24", "tor2"), Take("198.51.100.0/24", "tor1", "tor2"),
            Lose("198.51.100.0/24")));
        Assert.True(Lose("0.0.0.0/0"));
        Assert.False(Lose("0.0.0.0/0"));
    }

    [Fact]
    public void Behind_somebody_elses_route_every_change_counts()
    {
        Take("0.0.0.0/0", "tor1");
        Assert.True(routes.Update(Prefix.Parse("10.1.0.0/16"), ["tor1"], new HashSet<Prefix> { Prefix.Parse("10.0.0.0/8") }));
    }

    [Fact]
    public void Families_do_not_meet()
    {
        Take("0.0.0.0/0", "tor1");
        Assert.True(Take("2001:db8::/32", "tor1"));
    }

    /// <summary>Prefixes of sixteen addresses, so that every address can be asked.</summary>
    private static readonly Gen<(Prefix Prefix, string? Peer)[]> AnyChanges = (
        from length in Gen.Choose(124, 128)
        from bits in Gen.Choose(0, 15)
        from peer in Gen.Elements("tor1", "tor2", null)
        select (new Prefix(new Address((UInt128)bits, IpFamily.IPv6), length), peer)).ArrayOf();

    private string Ways() => string.Join(' ', Enumerable.Range(0, 16).Select(bits =>
    {
        var address = new Address((UInt128)bits, IpFamily.IPv6);
        return routes.Facts(_ => 0).Where(route => route.Prefix.Contains(address)).Select(route => route.Peers.ToString())
            .LastOrDefault("none");
    }));

    private static class Arbitraries
    {
        public static Arbitrary<(Prefix Prefix, string? Peer)[]> Changes() => AnyChanges.ToArbitrary();
    }

    [Property(Arbitrary = [typeof(Arbitraries)])]
    public void Whatever_moves_any_address_is_said_to_move((Prefix Prefix, string? Peer)[] changes)
    {
        foreach (var (prefix, peer) in changes)
        {
            var before = Ways();
            var said = routes.Update(prefix, peer == null ? null : [peer], Nobody);
            Assert.True(said || before == Ways(), $"{prefix} to {peer}: {before} became {Ways()}");
        }
    }
}
