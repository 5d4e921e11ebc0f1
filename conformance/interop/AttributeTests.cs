// A route with every attribute goes through our daemon to a real router, and through a real router to ours.
//
// What we send is held against what the RFCs say must leave, twice: by the octets that a scripted neighbour gets, and by what the
// real router shows. What we take in is held against the octets that the same router sends to a scripted neighbour with our AS.
using Calico.Bgp.Conformance.Routers;
using Calico.Bgp.Conformance.Wire;

namespace Calico.Bgp.Conformance.Interop;

public abstract class AttributeTests
{
    private static readonly HashSet<string> NotNextHop = [.. Routers.Router.AllAttributes.Except([Seen.NextHop])];

    private protected static async Task OutAsync(string peer, bool inside)
    {
        await using var lab = await Lab.MakeAsync(peer, new() { Internal = inside, WeReflect = inside, TheyPassive = true });
        await using var feed4 = await FeedAsync(lab, "10.98.0.2", Lab.OurSide4, RichRoute.IPv4, inside);
        await using var feed6 = await FeedAsync(lab, "fd98::2", Lab.OurSide6, RichRoute.IPv6, inside);
        var sinkAs = inside ? Lab.OurAs : Lab.TheirAs;
        await using var sink4 = await ScriptedPeer.EstablishAsync(lab.Feeder, "10.98.0.3", Lab.OurSide4, sinkAs, "10.98.0.3");
        await using var sink6 = await ScriptedPeer.EstablishAsync(lab.Feeder, "fd98::3", Lab.OurSide6, sinkAs, "10.98.0.6");
        await lab.EstablishedAsync();

        foreach (var (prefix, sink, feeder, ours, toSink) in new[]
        {
            (RichRoute.IPv4, sink4, "10.98.0.2", Lab.Our4, Lab.OurSide4), (RichRoute.IPv6, sink6, "fd98::2", Lab.Our6, Lab.OurSide6),
        })
        {
            var octets = await Until.SomeAsync($"our octets of {prefix}", () => sink.Route(prefix), 30, lab.Said);
            AssertSame(Expected(""), octets.Route, "in the octets that we send", NotNextHop);
            // Feeder and scripted neighbour share a link: the feeder's address is as good as ours (RFC 4271 section 5.1.3).
            Assert.Contains(octets.Route[Seen.NextHop], inside ? [feeder] : new[] { feeder, toSink });
            var shown = await lab.SeenByThemAsync(prefix);
            AssertSame(Expected(inside ? feeder : ours), shown, "as they show it", lab.Theirs.Shows);
        }
        Matrix.Saw(peer, inside ? "attributes to them, reflected" : "attributes to them", Shown(lab.Theirs.Shows, inside));

        Seen Expected(string nextHop) => inside ? RichRoute.AfterReflection("10.99.0.1", nextHop)
            : RichRoute.AfterExternal(Lab.OurAs, nextHop);
    }

    private protected static async Task InAsync(string peer, bool inside)
    {
        await using var lab = await Lab.MakeAsync(peer, new() { Internal = inside, TheyReflect = inside, TheyPassive = true });
        await using var feed4 = lab.Theirs.PassesOn ? await FeedAsync(lab, "10.97.0.2", Lab.TheirSide4, RichRoute.IPv4, inside) : null;
        await using var feed6 = lab.Theirs.PassesOn ? await FeedAsync(lab, "fd97::2", Lab.TheirSide6, RichRoute.IPv6, inside) : null;
        await using var sink4 = await ScriptedPeer.EstablishAsync(lab.Feeder, "10.97.0.3", Lab.TheirSide4, Lab.OurAs, "10.97.0.3");
        await using var sink6 = await ScriptedPeer.EstablishAsync(lab.Feeder, "fd97::3", Lab.TheirSide6, Lab.OurAs, "10.97.0.6");
        await lab.EstablishedAsync();

        var carried = new SortedSet<string>();
        foreach (var (prefix, sink) in new[] { (RichRoute.IPv4, sink4), (RichRoute.IPv6, sink6) })
        {
            var octets = await Until.SomeAsync($"their octets of {prefix}", () => sink.Route(prefix), 30, lab.Said);
            var shown = await lab.SeenByUsAsync(prefix);
            // We set the partial bit as we take the attribute in (RFC 4271 section 5); GoBGP forgets to.
            if (octets.Route.TryGetValue(Seen.Unknown, out var unknown)
                && !unknown.EndsWith("partial", StringComparison.Ordinal)) octets.Route[Seen.Unknown] = unknown + " partial";
            AssertSame(octets.Route, shown, "as we show it", NotNextHop);
            carried.UnionWith(octets.Route.Keys);
        }
        Matrix.Saw(peer, inside ? "attributes from them, reflected" : "attributes from them", string.Join(", ", carried));
    }

    private static async Task<ScriptedPeer> FeedAsync(Lab lab, string source, string target, string prefix, bool inside)
    {
        var feeder = await ScriptedPeer.EstablishAsync(
            lab.Feeder, source, target, inside ? Lab.OurAs : Lab.FeederAs, source.Contains(':') ? "10.97.0.5" : "10.97.0.2");
        await feeder.AnnounceAsync(prefix, source, inside ? RichRoute.Internal : RichRoute.External);
        return feeder;
    }

    /// <summary>All expected attributes at once, so that one run tells everything that is wrong.</summary>
    private static void AssertSame(Seen expected, Seen seen, string where, IReadOnlySet<string>? judged = null)
    {
        var wrong = expected.Where(one => judged?.Contains(one.Key) != false)
            .Where(one => seen.GetValueOrDefault(one.Key) != one.Value)
            .Select(one => $"{one.Key}: expected {one.Value}, {where} {seen.GetValueOrDefault(one.Key, "nothing")}").ToList();
        Assert.True(wrong.Count == 0, string.Join('\n', wrong) + "\nall: "
            + string.Join("; ", seen.Select(one => $"{one.Key}={one.Value}")));
    }

    private static string Shown(IReadOnlySet<string> shows, bool inside)
    {
        var expected = inside ? RichRoute.AfterReflection("", "") : RichRoute.AfterExternal(0, "");
        var silent = expected.Keys.Where(name => !shows.Contains(name)).ToList();
        return "all" + (silent.Count == 0 ? "" : $" (it does not show {string.Join(", ", silent)})");
    }
}

public sealed class ExternalAttributesOutTests : AttributeTests
{
    [Theory, Peer("bird"), Peer("frr"), Peer("gobgp"), Peer("openbgpd"), Peer("exabgp")]
    public Task Every_attribute_passes_through_us_to_an_external_router(string peer) => OutAsync(peer, inside: false);
}

public sealed class InternalAttributesOutTests : AttributeTests
{
    [Theory, Peer("bird"), Peer("frr"), Peer("gobgp"), Peer("openbgpd"), Peer("exabgp")]
    public Task Every_attribute_is_reflected_by_us_to_a_client(string peer) => OutAsync(peer, inside: true);
}

public sealed class ExternalAttributesInTests : AttributeTests
{
    [Theory, Peer("bird"), Peer("frr"), Peer("gobgp"), Peer("openbgpd"), Peer("exabgp")]
    public Task Every_attribute_that_an_external_router_sends_is_shown_by_us(string peer) => InAsync(peer, inside: false);
}

public sealed class InternalAttributesInTests : AttributeTests
{
    [Theory, Peer("bird"), Peer("frr"), Peer("gobgp"), Peer("openbgpd"), Peer("exabgp")]
    public Task Every_attribute_that_a_reflector_sends_is_shown_by_us(string peer) => InAsync(peer, inside: true);
}
