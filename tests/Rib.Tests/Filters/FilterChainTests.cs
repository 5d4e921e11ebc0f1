using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Rib.Tests.Filters;

public class FilterChainTests
{
    internal static ListOf<CommunityPattern> Patterns(CommunityKind kind, params ReadOnlySpan<string> words)
    {
        var all = new List<CommunityPattern>();
        foreach (var word in words)
            all.AddRange(CommunityPattern.TryParse(kind, word, out var forms) ? forms : throw new FormatException(word));
        return [.. all];
    }

    private static CommunityMatch Any(CommunityKind kind, params ReadOnlySpan<string> words) => new(kind, Patterns(kind, words), [], []);

    private static FilterChain Chain(params ReadOnlySpan<FilterRule> rules) => new([new Filter("f", ListOf.Create(rules))]);

    private static FilterChain Accepts(Match match) => Chain(new FilterRule(match, null, RuleAction.Accept));

    private static FilterChain Makes(Change change) => Chain(new FilterRule(null, change, RuleAction.Accept));

    private static byte[] Attributes(Action<AttributeEditor> edit)
    {
        var editor = new AttributeEditor();
        editor.LoadEmpty(Origin.Igp);
        editor.SetNextHop(Address.Parse("192.0.2.1"));
        edit(editor);
        return editor.Finish(out _).ToArray();
    }

    private static FilterInput Input(byte[] attributes, string prefix = "10.1.0.0/16") => new()
    {
        Prefix = Prefix.Parse(prefix),
        Family = Prefix.Parse(prefix).Family,
        Origin = RouteOrigin.Bgp,
        FromPeer = "tor1",
        Interface = "eth0",
        Attributes = attributes,
        Summary = new AttributeView(attributes).Summarize(),
        Self = Address.Parse("192.0.2.99"),
    };

    private static bool Passes(Match match, Action<AttributeEditor> edit, string prefix = "10.1.0.0/16") =>
        Accepts(match).Run(Input(Attributes(edit), prefix), new()).Verdict == FilterVerdict.Accept;

    private static void Nothing(AttributeEditor editor) { }

    [Fact]
    public void A_route_that_no_rule_decides_about_is_rejected()
    {
        var result = Chain(new FilterRule(null, null, RuleAction.Next)).Run(Input(Attributes(Nothing)), new());
        Assert.Equal((FilterVerdict.Reject, "end of f without a verdict"), (result.Verdict, result.Rule));
    }

    [Fact]
    public void The_first_rule_that_matches_decides_and_says_its_number()
    {
        var chain = Chain(
            new(new() { Family = IpFamily.IPv6 }, null, RuleAction.Reject),
            new(new() { Family = IpFamily.IPv4 }, null, RuleAction.Accept),
            new(null, null, RuleAction.Reject));
        var result = chain.Run(Input(Attributes(Nothing)), new());
        Assert.Equal((FilterVerdict.Accept, "f rule 2"), (result.Verdict, result.Rule));
    }

    [Fact]
    public void A_rule_that_goes_on_leaves_its_changes_to_the_next_filter()
    {
        const CommunityKind kind = CommunityKind.Standard;
        var marks = new Change { LocalPref = 300, Communities = new(kind, null, [], Patterns(kind, "65001:7")) };
        var asks = new Match { LocalPref = new(300, 300), Communities = Any(kind, "65001:*") };
        var chain = new FilterChain([
            new("marks", [new(null, marks, RuleAction.Next)]),
            new("asks", [new(asks, null, RuleAction.Accept)])]);
        var editor = new AttributeEditor();
        Assert.Equal(FilterVerdict.AcceptChanged, chain.Run(Input(Attributes(Nothing)), editor).Verdict);
        editor.Finish(out var summary);
        Assert.Equal(300u, summary.LocalPref);
    }

    [Theory]
    [InlineData("65001:100", true)]
    [InlineData("65001:*", true)]
    [InlineData("*:100", true)]
    [InlineData("65001:101", false)]
    [InlineData("no-export", true)]
    [InlineData("blackhole", false)]
    public void Communities_match_by_number_pattern_and_name(string word, bool matches) =>
        Assert.Equal(matches, Passes(new() { Communities = Any(CommunityKind.Standard, word) }, editor =>
        {
            editor.AddCommunity(new(65001, 100));
            editor.AddCommunity(Community.NoExport);
        }));

    [Theory]
    [InlineData("65001:1:2", true)]
    [InlineData("65001:*:2", true)]
    [InlineData("65001:*:3", false)]
    public void Large_communities_match_by_their_parts(string word, bool matches) =>
        Assert.Equal(matches, Passes(new() { LargeCommunities = Any(CommunityKind.Large, word) },
            editor => editor.AddLargeCommunity(new(65001, 1, 2))));

    [Theory]
    [InlineData("rt:65001:100", 0x0002_fde9_0000_0064ul, true)]
    [InlineData("rt:65001:*", 0x0002_fde9_0000_0065ul, true)]
    [InlineData("ro:65001:100", 0x0002_fde9_0000_0064ul, false)]
    [InlineData("rt:4200000000:7", 0x0202_fa56_ea00_0007ul, true)]
    [InlineData("ro:192.0.2.1:5", 0x0103_c000_0201_0005ul, true)]
    [InlineData("rt:*:*", 0x0202_fa56_ea00_0007ul, true)]
    [InlineData("rt:*:*", 0x0203_fa56_ea00_0007ul, false)]
    [InlineData("generic:0x43000000:*", 0x4300_0000_0000_0001ul, true)]
    public void Extended_communities_match_by_type_and_parts(string word, ulong community, bool matches) =>
        Assert.Equal(matches, Passes(new() { ExtendedCommunities = Any(CommunityKind.Extended, word) },
            editor => editor.AddExtendedCommunity(new(community))));

    [Fact]
    public void All_wants_each_and_none_wants_no_community()
    {
        static void Two(AttributeEditor editor) { editor.AddCommunity(new(1, 1)); editor.AddCommunity(new(2, 2)); }
        static Match All(params string[] words) => new()
        {
            Communities = new(CommunityKind.Standard, [], [.. words.Select(word => Patterns(CommunityKind.Standard, word))], []),
        };
        static Match None(string word) =>
            new() { Communities = new(CommunityKind.Standard, [], [], Patterns(CommunityKind.Standard, word)) };
        Assert.Equal((true, false), (Passes(All("1:1", "2:*"), Two), Passes(All("1:1", "3:3"), Two)));
        Assert.Equal((true, false), (Passes(None("3:3"), Two), Passes(None("2:*"), Two)));
        Assert.True(Passes(None("3:3"), Nothing));
    }

    [Fact]
    public void A_path_is_asked_for_its_ends_its_members_and_its_length()
    {
        static void Path(AttributeEditor editor) { editor.Prepend(new(64512)); editor.Prepend(new(7), 2); editor.Prepend(new(65001)); }
        static Match Ask(AsPathMatch path) => new() { AsPath = path };
        var all = new AsPathMatch { Origin = [new(64512, 64600)], First = [new(65001, 65001)], Contains = [new(7, 7)], Length = new(4, 4) };
        Assert.True(Passes(Ask(all), Path));
        Assert.False(Passes(Ask(new() { Origin = [new(7, 7)] }), Path));
        Assert.False(Passes(Ask(new() { First = [new(7, 7)] }), Path));
        Assert.False(Passes(Ask(new() { Contains = [new(8, 8)] }), Path));
        Assert.False(Passes(Ask(new() { Length = new(0, 3) }), Path));
        Assert.False(Passes(Ask(new() { Origin = [new(0, uint.MaxValue)] }), Nothing));
    }

    [Fact]
    public void What_a_route_does_not_have_matches_nothing_but_local_preference_counts_as_100()
    {
        Assert.False(Passes(new() { Med = new(0, uint.MaxValue) }, Nothing));
        Assert.True(Passes(new() { Med = new(5, 5) }, editor => editor.SetMed(5)));
        Assert.True(Passes(new() { LocalPref = new(100, 100) }, Nothing));
    }

    [Theory]
    [InlineData("eth*", true)]
    [InlineData("e?h0", true)]
    [InlineData("*0", true)]
    [InlineData("eth", false)]
    [InlineData("*1", false)]
    public void Interfaces_match_by_glob(string glob, bool matches) =>
        Assert.Equal(matches, Passes(new() { Interfaces = [glob] }, Nothing));

    [Fact]
    public void Peer_source_and_next_hop_match_one_of_their_list()
    {
        Assert.True(Passes(new() { Peers = ["a", "tor1"] }, Nothing));
        Assert.True(Passes(new() { Sources = RouteSources.Bgp | RouteSources.Static }, Nothing));
        Assert.True(Passes(new() { NextHops = [Prefix.Parse("192.0.2.0/24")] }, Nothing));
        Assert.False(Passes(new() { Peers = ["a"] }, Nothing));
        Assert.False(Passes(new() { Sources = RouteSources.Kernel }, Nothing));
        Assert.False(Passes(new() { NextHops = [Prefix.Parse("192.0.2.2/32")] }, Nothing));
    }

    [Fact]
    public void Changes_come_out_of_the_editor()
    {
        var kind = CommunityKind.Standard;
        var editor = new AttributeEditor();
        var change = new Change
        {
            LocalPref = 200,
            Med = 5,
            Origin = Origin.Incomplete,
            Prepend = new(new(65001), 3),
            NextHop = NextHopChoice.Set,
            NextHopAddress = Address.Parse("192.0.2.7"),
            Communities = new(kind, null, Patterns(kind, "1:*"), Patterns(kind, "9:9")),
            Kernel = new(0, 100),
        };
        var result = Makes(change).Run(Input(Attributes(e => { e.AddCommunity(new(1, 1)); e.AddCommunity(new(2, 2)); })), editor);
        var octets = editor.Finish(out var summary);
        Assert.Equal((FilterVerdict.AcceptChanged, NextHopChoice.Set, true, new KernelHints(0, 100)),
            (result.Verdict, result.NextHop, result.MedSet, result.Hints));
        Assert.Equal((200u, 5u, Origin.Incomplete, "192.0.2.7"), (summary.LocalPref, summary.Med, summary.Origin, $"{summary.NextHop}"));
        Assert.Equal("65001 65001 65001", new AttributeView(octets).AsPath.ToString());
        Assert.Equal(["2:2", "9:9"], new AttributeView(octets).Communities.Select(community => $"{community}"));
    }

    [Fact]
    public void Set_replaces_all_communities_and_with_nothing_removes_them()
    {
        var kind = CommunityKind.Large;
        static void One(AttributeEditor editor) => editor.AddLargeCommunity(new(1, 1, 1));
        var editor = new AttributeEditor();
        Makes(new() { LargeCommunities = new(kind, Patterns(kind, "2:2:2"), [], []) }).Run(Input(Attributes(One)), editor);
        Assert.Equal([new LargeCommunity(2, 2, 2)], new AttributeView(editor.Finish(out _)).LargeCommunities);
        Makes(new() { LargeCommunities = new(kind, ListOf.Create<CommunityPattern>([]), [], []) }).Run(Input(Attributes(One)), editor);
        Assert.Empty(new AttributeView(editor.Finish(out _)).LargeCommunities);
    }

    [Theory]
    [InlineData(NextHopChoice.Self, "192.0.2.99")]
    [InlineData(NextHopChoice.Keep, "192.0.2.1")]
    public void The_choice_of_next_hop_is_told_to_the_door(NextHopChoice choice, string now)
    {
        var editor = new AttributeEditor();
        var result = Makes(new() { NextHop = choice }).Run(Input(Attributes(Nothing)), editor);
        editor.Finish(out var summary);
        Assert.Equal((FilterVerdict.AcceptChanged, choice, now), (result.Verdict, result.NextHop, $"{summary.NextHop}"));
    }

    [Fact]
    public void Only_a_prefix_list_makes_a_chain_look_at_the_prefix()
    {
        Assert.False(Accepts(new() { Family = IpFamily.IPv6, Peers = ["a"] }).LooksAtPrefix);
        Assert.True(Accepts(new() { Prefixes = new([new(Prefix.DefaultIPv4)]) }).LooksAtPrefix);
    }

    [Fact]
    public void Chains_of_equal_text_are_equal()
    {
        static FilterChain Make(uint med)
        {
            var regex = AsPathRegexTests.Regex("^1 .* 2$");
            var match = new Match
            {
                Prefixes = new([new(Prefix.DefaultIPv4)]),
                AsPath = new() { Regex = [regex] },
                Communities = Any(CommunityKind.Standard, "1:1"),
                Peers = [string.Concat("to", "r")],
            };
            var added = Patterns(CommunityKind.Standard, "2:2");
            var change = new Change { Med = med, Communities = new(CommunityKind.Standard, null, [], added) };
            return Chain(new FilterRule(match, change, RuleAction.Accept));
        }
        Assert.Equal(Make(1), Make(1));
        Assert.Equal(Make(1).GetHashCode(), Make(1).GetHashCode());
        Assert.NotEqual(Make(1), Make(2));
    }

    [Fact]
    public void Neither_a_match_nor_a_change_allocates()
    {
        var regex = AsPathRegexTests.Regex("^65001 .* 64512$");
        var kind = CommunityKind.Standard;
        var match = new Match
        {
            Prefixes = new([new(Prefix.Parse("10.0.0.0/8"), 8, 24)]),
            AsPath = new() { Regex = [regex], Contains = [new(7, 7)] },
            Communities = Any(kind, "65001:*"),
            Interfaces = ["e*0"],
            Peers = ["tor1"],
            NextHops = [Prefix.Parse("192.0.2.0/24")],
        };
        var communities = new CommunityChange(kind, null, Patterns(kind, "65001:*"), Patterns(kind, "9:9"));
        var change = new Change { LocalPref = 200, Communities = communities, Prepend = new(new(1), 2) };
        var chain = Chain(new(match, change, RuleAction.Next), new(new() { LocalPref = new(200, 200) }, null, RuleAction.Accept));
        var attributes = Attributes(route =>
        {
            foreach (var asn in new uint[] { 64512, 7, 65001 }) route.Prepend(new(asn));
            route.AddCommunity(new(65001, 1));
        });
        var editor = new AttributeEditor();
        for (var i = 0; i < 100; i++) Assert.Equal(FilterVerdict.AcceptChanged, chain.Run(Input(attributes), editor).Verdict);
        var input = Input(attributes);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++) chain.Run(input, editor);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
