using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Wire.Attributes;
using FsCheck.Xunit;

namespace Calico.Bgp.Rib.Tests.Filters;

public class FilterModelTests
{
    private static readonly Address Self = Address.Parse("192.0.2.99");

    [Property(MaxTest = 500, EndSize = 1_000_000)]
    public void A_chain_does_what_reading_the_rules_aloud_does(int seed)
    {
        var random = new Random(seed);
        var filters = Enumerable.Range(0, random.Next(1, 4)).Select(i => new Filter($"f{i}", [.. Some(random, 4, Rule)])).ToArray();
        var chain = new FilterChain([.. filters]);
        for (var i = 0; i < 30; i++) Compare(chain, filters, Route(random));
    }

    private static void Compare(FilterChain chain, Filter[] filters, NaiveRoute route)
    {
        var octets = route.Octets();
        var editor = new AttributeEditor();
        var result = chain.Run(
            new()
            {
                Prefix = chain.LooksAtPrefix ? route.Prefix : default,
                Family = route.Prefix.Family,
                Origin = route.Source,
                FromPeer = route.Peer,
                Interface = route.Interface,
                Attributes = octets,
                Summary = new AttributeView(octets).Summarize(),
                Self = Self,
                Hints = route.Hints,
            },
            editor);
        Assert.Equal(route.Passes(filters, Self), result.Verdict != FilterVerdict.Reject);
        if (result.Verdict == FilterVerdict.Reject) return;
        Assert.Equal(Convert.ToHexString(route.Octets()),
            Convert.ToHexString(result.Verdict == FilterVerdict.AcceptChanged ? editor.Finish(out _) : octets));
        Assert.Equal(route.Hints, result.Hints);
    }

    private static NaiveRoute Route(Random random) => new()
    {
        Prefix = new(new((UInt128)(uint)random.Next(4) << 126, (IpFamily)random.Next(2)), random.Next(4)),
        Source = (RouteOrigin)random.Next(4),
        Peer = Maybe(random) ? $"p{random.Next(3)}" : null,
        Interface = Maybe(random) ? $"eth{random.Next(3)}" : null,
        Origin = (Origin)random.Next(3),
        Path = [.. Some(random, 5, Small)],
        NextHop = Maybe(random) ? Address.FromIPv4(Small(random)) : null,
        Med = Maybe(random) ? Small(random) : null,
        LocalPref = Maybe(random) ? 98 + Small(random) : null,
        Communities = [.. Some(random, 4, r => (UInt128)(Small(r) << 16 | Small(r))).Distinct()],
        Large = [.. Some(random, 4, r => new UInt128(Small(r), (ulong)Small(r) << 32 | Small(r))).Distinct()],
        Extended = [.. Some(random, 4, r => (UInt128)(0x0002_0000_0000_0000ul | (ulong)Small(r) << 32 | Small(r))).Distinct()],
        Hints = new(Small(random), Small(random)),
    };

    private static FilterRule Rule(Random random)
    {
        var action = (RuleAction)random.Next(3);
        return new(random.Next(5) > 0 ? Match(random) : null, action != RuleAction.Reject && Maybe(random) ? Change(random) : null, action);
    }

    /// <summary>Each condition is rare, or nothing would ever match.</summary>
    private static Match Match(Random random)
    {
        bool Asks() => random.Next(6) == 0;
        return new()
        {
            Prefixes = Asks() ? new([.. Some(random, 4, Pattern)]) : null,
            Family = Asks() ? (IpFamily)random.Next(2) : null,
            Sources = Asks() ? (RouteSources)random.Next(1, 16) : RouteSources.None,
            Peers = Asks() ? [$"p{random.Next(3)}", "p1"] : [],
            Interfaces = Asks() ? ["eth1*"] : [],
            NextHops = Asks() ? [new(Address.FromIPv4(Small(random)), random.Next(30, 33))] : [],
            Med = Asks() ? Range(random, 0) : null,
            LocalPref = Asks() ? Range(random, 98) : null,
            AsPath = Asks() ? Path(random) : null,
            Communities = Asks() ? Communities(random, CommunityKind.Standard) : null,
            LargeCommunities = Asks() ? Communities(random, CommunityKind.Large) : null,
            ExtendedCommunities = Asks() ? Communities(random, CommunityKind.Extended) : null,
        };
    }

    private static AsPathMatch Path(Random random) => new()
    {
        Origin = Maybe(random) ? [Range(random, 0)] : [],
        First = Maybe(random) ? [Range(random, 0)] : [],
        Contains = Maybe(random) ? [Range(random, 0), Range(random, 0)] : [],
        Length = Maybe(random) ? Range(random, 0) : null,
    };

    private static Change Change(Random random) => new()
    {
        LocalPref = Maybe(random) ? 98 + Small(random) : null,
        Med = Maybe(random) ? Small(random) : null,
        RemoveMed = random.Next(8) == 0,
        Origin = Maybe(random) ? (Origin)random.Next(3) : null,
        Prepend = Maybe(random) ? new(new(Small(random)), random.Next(1, 4)) : null,
        NextHop = (NextHopChoice)random.Next(4),
        NextHopAddress = Address.FromIPv4(7),
        Communities = Changes(random, CommunityKind.Standard),
        LargeCommunities = Changes(random, CommunityKind.Large),
        ExtendedCommunities = Changes(random, CommunityKind.Extended),
        Kernel = new((uint)random.Next(3), (uint)random.Next(3)),
    };

    private static CommunityChange? Changes(Random random, CommunityKind kind) => Maybe(random)
        ? new(kind, random.Next(4) == 0 ? Patterns(random, kind, open: false) : null, Patterns(random, kind, open: true),
            Patterns(random, kind, open: false))
        : null;

    private static CommunityMatch Communities(Random random, CommunityKind kind) => new(
        kind, Patterns(random, kind, open: true), Maybe(random)
            ? [Patterns(random, kind, open: true)] : [], Patterns(random, kind, open: true));

    private static ListOf<CommunityPattern> Patterns(Random random, CommunityKind kind, bool open) => [.. Some(random, 3, r =>
    {
        string Part() => open && r.Next(3) == 0 ? "*" : $"{Small(r)}";
        var text = kind switch
        {
            CommunityKind.Standard => $"{Part()}:{Part()}",
            CommunityKind.Large => $"{Part()}:{Part()}:{Part()}",
            _ => $"rt:{Small(r)}:{Part()}",
        };
        return CommunityPattern.TryParse(kind, text, out var forms) ? forms[0] : throw new FormatException(text);
    })];

    private static PrefixPattern Pattern(Random random)
    {
        var least = random.Next(4);
        return new(new(new((UInt128)(uint)random.Next(4) << 126, (IpFamily)random.Next(2)), random.Next(4)), least, random.Next(least, 5));
    }

    private static NumberRange Range(Random random, uint from)
    {
        var least = Small(random);
        return new(from + least, from + least + Small(random));
    }

    private static bool Maybe(Random random) => random.Next(2) == 0;

    private static uint Small(Random random) => (uint)random.Next(1, 4);

    private static List<T> Some<T>(Random random, int most, Func<Random, T> make) =>
        [.. Enumerable.Range(0, random.Next(most)).Select(_ => make(random))];
}
