using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Configuration.Tests;

public class FilterConfigTests
{
    private static FilterRule Rule(string rule) => Chain($"f: [{rule}]", "f").Filters[0].Rules[0];

    private static FilterChain Chain(string filters, string import)
    {
        var config = DaemonConfigTests.Good(
            $"router: {{ asNumber: 65000 }}\nfilters: {{ {filters} }}\npeers: [{{ peerIP: 192.0.2.1, asNumber: 1, import: {import} }}]");
        return Assert.IsType<FilterChain>(config.Speaker.Peers[0].Import);
    }

    [Fact]
    public void A_list_of_names_is_a_chain_in_that_order()
    {
        var chain = Chain("a: [{ action: Accept }], b: [{ action: Reject }]", "[b, a]");
        Assert.Equal(("b, a", FilterVerdict.Reject), (chain.Name, Verdict(chain)));
    }

    [Fact]
    public void The_same_text_makes_an_equal_chain_and_another_text_another()
    {
        const string match = "{ prefix: '10.0.0.0/8+', asPath: { regex: '^1$' }, communities: ['1:1'] }";
        const string text = $"a: [{{ match: {match}, change: {{ med: 1 }}, action: Accept }}]";
        Assert.Equal(Chain(text, "a"), Chain(text, "a"));
        Assert.NotEqual(Chain(text, "a"), Chain(text.Replace("med: 1", "med: 2", StringComparison.Ordinal), "a"));
    }

    [Theory]
    [InlineData("prefix: 10.0.0.0/8", "10.0.0.0/8")]
    [InlineData("prefixes: ['10.0.0.0/8{24,32}', '::/0+']", "10.0.0.0/8{24,32} ::/0+")]
    [InlineData("prefixes: [{ prefix: 10.0.0.0/8, ge: 24 }]", "10.0.0.0/8{24,32}")]
    [InlineData("prefixes: [{ prefix: 10.0.0.0/8, le: 24 }]", "10.0.0.0/8{8,24}")]
    [InlineData("prefixes: [{ prefix: 10.0.0.0/8, ge: 16, le: 24 }]", "10.0.0.0/8{16,24}")]
    [InlineData("prefixes: [{ prefix: 10.0.0.0/8 }]", "10.0.0.0/8")]
    public void Prefix_lists_come_as_words_or_with_ge_and_le(string match, string patterns) =>
        Assert.Equal(patterns, string.Join(' ', Rule($"{{ match: {{ {match} }}, action: Accept }}").Match!.Prefixes!.Patterns));

    [Theory]
    [InlineData("med: 5", 5, 5)]
    [InlineData("med: { eq: 5 }", 5, 5)]
    [InlineData("med: { ge: 5 }", 5, uint.MaxValue)]
    [InlineData("med: { le: 5 }", 0, 5)]
    [InlineData("med: { ge: 3, le: 5 }", 3, 5)]
    public void Numbers_match_as_such_or_by_eq_ge_and_le(string match, uint least, uint most) =>
        Assert.Equal(new NumberRange(least, most), Rule($"{{ match: {{ {match} }}, action: Accept }}").Match!.Med);

    [Fact]
    public void A_change_is_read_whole()
    {
        const string text = "localPref: 200, med: 7, origin: egp, prepend: { count: 3 }, "
            + "nextHop: 192.0.2.9, kernel: { metric: 5, table: 100 }";
        var change = Rule($"{{ change: {{ {text} }} }}").Change!;
        Assert.Equal((200u, 7u, Origin.Egp, new PathPrepend(new(65000), 3)), (change.LocalPref, change.Med, change.Origin, change.Prepend));
        Assert.Equal((NextHopChoice.Set, Address.Parse("192.0.2.9"), new KernelHints(5, 100)),
            (change.NextHop, change.NextHopAddress, change.Kernel));
    }

    [Theory]
    [InlineData("{ match: { prefix: 10.0.0.0/33 }, action: Accept }",
        "expected a prefix without host bits, such as 10.0.0.0/8, 10.0.0.0/8{24,32}, 10.0.0.0/8+ or 10.0.0.0/8-, "
        + "for filters.f[0].match.prefix, got \"10.0.0.0/33\"")]
    [InlineData("{ match: { prefixes: [] }, action: Accept }",
        "expected at least one element under filters.f[0].match.prefixes, got an empty list")]
    [InlineData("{ match: { asPath: { regex: '(1' } }, action: Accept }", "expected ) at character 3 of the expression \"(1\"")]
    [InlineData("{ match: { communities: [no-exprot] }, action: Accept }",
        "expected a community such as 65001:100, 65001:* or no-export for filters.f[0].match.communities, "
        + "got \"no-exprot\"; did you mean \"no-export\"?")]
    [InlineData("{ match: { med: { ge: 5, le: 3 } }, action: Accept }",
        "expected ge to be at most le under filters.f[0].match.med, got 5 and 3")]
    [InlineData("{ match: { prefixs: 10.0.0.0/8 }, action: Accept }",
        "expected a key that filters.f[0].match knows, got \"prefixs\"; did you mean \"prefix\"?")]
    [InlineData("{ change: { communities: { add: ['1:*'] } } }",
        "expected communities without * under filters.f[0].change.communities.add")]
    [InlineData("{ change: { prepend: { count: 65 } } }",
        "expected a number from 1 to 64 for filters.f[0].change.prepend.count, got \"65\"")]
    [InlineData("{ change: { nextHop: me } }", "expected self, keep or an address for filters.f[0].change.nextHop, got \"me\"")]
    [InlineData("{ change: { med: 1 }, action: Reject }", "expected no change in a rule that rejects")]
    [InlineData("{ match: { family: ipv4 } }", "expected the key action or change, got a rule that does nothing")]
    [InlineData("{ action: Acept }", "expected Accept, Reject or Next for filters.f[0].action, got \"Acept\"; did you mean \"Accept\"?")]
    public void A_rule_is_refused_in_these_words(string rule, string expected) =>
        Assert.Equal(expected, Assert.Single(DaemonConfigTests.Parse($"filters: {{ f: [{rule}] }}").Errors).Text);

    [Fact]
    public void A_filter_cannot_be_called_as_a_verdict() =>
        Assert.Contains("for a filter, got \"accept\"",
            Assert.Single(DaemonConfigTests.Parse("filters: { accept: [{ action: Accept }] }").Errors).Text, StringComparison.Ordinal);

    [Fact]
    public void A_misspelt_filter_is_offered_the_right_name()
    {
        var errors = DaemonConfigTests.Parse("filters: { from-tor: [{ action: Accept }] }\nkernel: { export: from-tro }").Errors;
        Assert.EndsWith("got \"from-tro\"; did you mean \"from-tor\"?", Assert.Single(errors).Text, StringComparison.Ordinal);
    }

    private static FilterVerdict Verdict(FilterChain chain)
    {
        var editor = new AttributeEditor();
        editor.LoadEmpty(Origin.Igp);
        var attributes = editor.Finish(out var summary).ToArray();
        var route = new FilterInput
        {
            Prefix = Prefix.DefaultIPv4,
            Family = IpFamily.IPv4,
            Origin = RouteOrigin.Bgp,
            Attributes = attributes,
            Summary = summary,
        };
        return chain.Run(route, editor).Verdict;
    }
}
