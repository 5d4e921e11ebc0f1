using Calico.Bgp.Control.Bird;
using Calico.Bgp.Control.Bird.Expressions;
using Calico.Bgp.Net;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace Calico.Bgp.Control.Tests.Bird;

public sealed class ExpressionTests
{
    private static readonly FakeSpeaker Nobody = new();

    private static Value Eval(string text)
    {
        var tokens = new Tokens(text, new Symbols(Nobody));
        var expression = ExpressionParser.Parse(tokens);
        Assert.True(tokens.ExpectEnd(), tokens.Error);
        return expression.Fixed;
    }

    private static bool Where(string text, Canonical? attributes = null)
    {
        var tokens = new Tokens(text, new Symbols(Nobody));
        var condition = ExpressionParser.ParseCondition(tokens);
        Assert.True(tokens.ExpectEnd(), tokens.Error);
        var route = FakeSpeaker.Bgp("192.0.2.0/24", "tor1", "10.99.0.2", attributes ?? new Canonical());
        return condition.IsTrue(new RouteContext(null).At(route));
    }

    [Theory]
    [InlineData("(65001,1) ~ bgp_community")]
    [InlineData("bgp_community ~ (65001,1)")]
    [InlineData("bgp_community ~ [(65001,*)]")]
    [InlineData("bgp_community ~ [(1,1), (65000..65001,1..5)]")]
    [InlineData("bgp_community ~ [(65000,7)..(65001,3)]")]
    [InlineData("bgp_community !~ [(65002,*)]")]
    [InlineData("bgp_community.len = 2")]
    public void Communities_match(string condition) =>
        Assert.True(Where(condition, new Canonical().Communities(65001u << 16 | 1, 65003u << 16 | 9)));

    [Theory]
    [InlineData("bgp_large_community ~ (65001,1,2)")]
    [InlineData("(65001,1,2) ~ bgp_large_community")]
    [InlineData("bgp_large_community ~ [(65001,*,*)]")]
    [InlineData("bgp_large_community ~ [(65001,1,1..3)]")]
    [InlineData("bgp_large_community !~ [(65001,2,*)]")]
    public void Large_communities_match(string condition) => Assert.True(Where(condition, new Canonical().Large(65001, 1, 2)));

    [Theory]
    [InlineData("bgp_ext_community ~ (rt,65001,7)")]
    [InlineData("bgp_ext_community ~ [(rt,65001,*)]")]
    [InlineData("bgp_ext_community ~ [(rt,65001,5..9)]")]
    [InlineData("bgp_ext_community !~ [(ro,65001,*)]")]
    public void Extended_communities_match(string condition) =>
        Assert.True(Where(condition, new Canonical().Extended(0x0002_fde9_0000_0007)));

    [Theory]
    [InlineData("[= 1 2 3 =]", true)]
    [InlineData("[= 1 * =]", true)]
    [InlineData("[= * 2 * =]", true)]
    [InlineData("[= * =]", true)]
    [InlineData("[= ? ? ? =]", true)]
    [InlineData("[= ? ? =]", false)]
    [InlineData("[= 1 2 =]", false)]
    [InlineData("[= [1..2] + 3 =]", true)]
    [InlineData("[= 1 + 2 3 =]", true)]
    [InlineData("[= 2 + 3 =]", false)]
    [InlineData("[= (3-2) * [3] =]", true)]
    public void Path_masks_match_the_whole_path(string mask, bool matches) =>
        Assert.Equal(matches, Where($"bgp_path ~ {mask}", new Canonical().Path(1, 2, 3)));

    [Fact]
    public void A_set_in_the_path_takes_any_of_its_members() =>
        Assert.True(Where("bgp_path ~ [= 1 8 =]", new Canonical().Segments((2, [1]), (1, [7, 8]))));

    [Theory]
    [InlineData("bgp_path.len = 3")]
    [InlineData("bgp_path.first = 1")]
    [InlineData("bgp_path.last = 0")]
    [InlineData("bgp_path.last_nonaggregated = 2")]
    [InlineData("bgp_path ~ 8")]
    [InlineData("7 ~ bgp_path")]
    [InlineData("bgp_path ~ [5..7]")]
    public void Paths_can_be_asked(string condition) => Assert.True(Where(condition, new Canonical().Segments((2, [1, 2]), (1, [7, 8]))));

    [Theory]
    [InlineData("net ~ [192.0.0.0/16+]", true)]
    [InlineData("net ~ [192.0.0.0/16]", false)]
    [InlineData("net ~ [192.0.0.0/16{20,24}]", true)]
    [InlineData("net ~ [192.0.2.128/25-]", true)]
    [InlineData("net ~ [192.0.2.128/25{16,24}]", true)]
    [InlineData("net ~ [2001:db8::/32+, 192.0.2.0/24]", true)]
    [InlineData("net ~ 192.0.0.0/16", true)]
    [InlineData("net = 192.0.2.0/24", true)]
    [InlineData("net.ip = 192.0.2.0 && net.len = 24 && net.type = NET_IP4", true)]
    [InlineData("net.ip ~ [192.0.0.0/16+]", true)]
    public void Prefixes_match(string condition, bool matches) => Assert.Equal(matches, Where(condition));

    [Theory]
    [InlineData("bgp_med = 50", false)]
    [InlineData("bgp_med != 50", true)]
    [InlineData("bgp_med > 5", false)]
    [InlineData("!(bgp_med > 5)", true)]
    [InlineData("bgp_med ~ [1..5]", false)]
    [InlineData("bgp_med !~ [1..5]", false)]
    [InlineData("defined(bgp_med)", false)]
    [InlineData("bgp_path.len = 0", true)]
    public void What_a_route_does_not_have_equals_nothing(string condition, bool expected) => Assert.Equal(expected, Where(condition));

    [Theory]
    [InlineData("true || false && false", "FALSE")] // one rank, from the left
    [InlineData("1 + 2 * 3", "7")]
    [InlineData("(1 + 2) * 3", "9")]
    [InlineData("7 - 2 - 1", "4")]
    [InlineData("!false && true", "TRUE")]
    [InlineData("1 + 1 = 2", "TRUE")]
    [InlineData("2001:db8::1 ~ 2001:db8::/32", "TRUE")]
    [InlineData("1.2.3.4 ~ [1.2.3.0..1.2.3.9]", "TRUE")]
    [InlineData("1.2.3.4.mask(16)", "1.2.0.0")]
    public void Operators_bind_as_in_bird(string text, string value) => Assert.Equal(value, Eval(text).ToString());

    [Theory]
    [InlineData("[(1..65535, 1..65535)..(1,2)]")]
    [InlineData("[(1..4294967295, 1, 1)]")]
    public void A_set_that_would_be_huge_is_refused(string set)
    {
        var tokens = new Tokens(set, new Symbols(Nobody));
        ExpressionParser.Parse(tokens);
        Assert.NotNull(tokens.Error);
    }

    [Fact]
    public void A_configured_name_with_a_dash_needs_no_quotes()
    {
        var speaker = new FakeSpeaker { FilterNames = ["tor-1"] };
        var tokens = new Tokens("tor-1 2", new Symbols(speaker));
        Assert.True(tokens.AcceptKnown(out var name, out _));
        Assert.Equal("tor-1", name);
    }

    private static bool Filter(string body)
    {
        var tokens = new Tokens(body, new Symbols(Nobody));
        var filter = FilterBody.Parse(tokens);
        Assert.True(tokens.ExpectEnd(), tokens.Error);
        var route = FakeSpeaker.Bgp("192.0.2.0/24", "tor1", "10.99.0.2", new Canonical().Path(65002).Med(5));
        return filter(new RouteContext(null).At(route));
    }

    [Theory]
    [InlineData("{ accept; reject; }", true)]
    [InlineData("{ }", false)]
    [InlineData("{ if bgp_med = 5 then { } accept; }", true)]
    [InlineData("{ if bgp_med = 5 then if net.len = 24 then reject; else accept; }", false)] // else is the nearest if's
    [InlineData("{ if bgp_med < 5 then reject; else { if bgp_path.first = 65002 then accept; } reject; }", true)]
    [InlineData("{ if bgp_med ~ bgp_path then accept; accept; }", true)]
    [InlineData("{ if bgp_path ~ net then accept; accept; }", false)] // operands that do not go together end it
    public void A_filter_accepts_by_its_first_end(string body, bool accepts) => Assert.Equal(accepts, Filter(body));

    [Theory]
    [InlineData("{ bgp_med = 5; accept; }",
        "syntax error, unexpected CF_SYM_UNDEFINED, expecting IF or ACCEPT or REJECT or '{', at character 3 (\"bgp_med\")")]
    [InlineData("{ print \"x\"; }", "syntax error, unexpected PRINT, expecting IF or ACCEPT or REJECT or '{', at character 3 (\"print\")")]
    [InlineData("{ case net.len { 24: accept; } }",
        "syntax error, unexpected CASE, expecting IF or ACCEPT or REJECT or '{', at character 3 (\"case\")")]
    [InlineData("{ accept }", "syntax error, unexpected '}', expecting ';', at character 10 (\"}\")")]
    [InlineData("{ if true accept; }", "syntax error, unexpected ACCEPT, expecting THEN, at character 11 (\"accept\")")]
    [InlineData("{ if 5 then accept; }",
        "Argument 1 of CONDITION must be of type bool, got type int, at character 8 (\"then\")")]
    [InlineData("{ if foo(1) then accept; }", "syntax error, unexpected CF_SYM_UNDEFINED, at character 6 (\"foo\")")]
    [InlineData("{ accept;", "syntax error, unexpected END, expecting IF or ACCEPT or REJECT or '}', at the end of the command")]
    public void What_a_filter_of_a_query_does_not_know_is_named_with_its_place(string body, string complaint)
    {
        var tokens = new Tokens(body, new Symbols(Nobody));
        FilterBody.Parse(tokens);
        Assert.Equal(complaint, tokens.Error);
    }

    [Property(Arbitrary = [typeof(Arbitraries)])]
    public void No_text_makes_the_filters_parser_throw(string text)
    {
        var tokens = new Tokens("{ if " + text + " then accept; " + text + " }", new Symbols(Nobody));
        var filter = FilterBody.Parse(tokens);
        tokens.ExpectEnd();
        var route = FakeSpeaker.Bgp("192.0.2.0/24", "tor1", "10.99.0.2", new Canonical().Path(1));
        if (tokens.Error == null) filter(new RouteContext(null).At(route));
    }

    private static class Arbitraries
    {
        public static Arbitrary<string> Texts() => Gen.Elements(
                "(", ")", "[", "]", "[=", "=]", "{", "}", ",", ".", "..", "~", "!~", "!", "=", "<", "&&", "||", "+", "-", "*", "/", "?",
                "1", "70000", "1.2.3.4", "10.0.0.0/8", "fe80::1", "::", "\"a", "\"b\"", "'c'", "net", "bgp_path", "bgp_community", "len",
                "last", "rt", "generic", "defined", "true", "mask", "#", "@")
            .ListOf().Select(words => string.Join(' ', words)).ToArbitrary();
    }

    [Property(Arbitrary = [typeof(Arbitraries)])]
    public void No_text_makes_the_parser_throw(string text)
    {
        var tokens = new Tokens(text, new Symbols(Nobody));
        var expression = ExpressionParser.Parse(tokens);
        tokens.ExpectEnd();
        var route = FakeSpeaker.Bgp("192.0.2.0/24", "tor1", "10.99.0.2", new Canonical().Path(1));
        if (tokens.Error == null) expression.Evaluate(new RouteContext(null).At(route)).ToString();
    }

    [Fact]
    public void Addresses_of_both_families_are_told_apart() => Assert.False(Eval("::1 = 0.0.0.1").IsTrue);

    [Fact]
    public void A_prefix_range_can_be_shown() => Assert.Equal("[10.0.0.0/8{9,16}]", Eval("[10.0.0.0/8{9,16}]").ToString());

    [Fact]
    public void An_address_is_shown_as_it_was_written() =>
        Assert.Equal(Address.Parse("2001:db8::1").ToString(), Eval("2001:db8::1").ToString());
}
