namespace Calico.Bgp.Resources.Tests;

public class SelectorTests
{
    private static Labels Of(string labels) => Labels.From(labels.Split(' ', StringSplitOptions.RemoveEmptyEntries)
        .Select(pair => pair.Split('='))
        .Select(pair => KeyValuePair.Create(pair[0], pair[1])));

    [Theory]
    [InlineData("a == 'b'", "a=b", "", "a=c", "b=a")]
    [InlineData("a == \"b\"", "a=b", "", "a=bc")]
    [InlineData("a==''", "a=", "", "a=b")]
    [InlineData("a in {'b', 'c'}", "a=b|a=c", "", "a=d")]
    [InlineData("has(a)", "a=b|a=", "", "b=a")]
    [InlineData("a contains 'bc'", "a=abcd|a=bc", "", "a=b")]
    [InlineData("a starts with 'b'", "a=b|a=bc", "", "a=cb")]
    [InlineData("a ends with 'b'", "a=b|a=cb", "", "a=bc")]
    [InlineData("a == 'b' && c == 'd'", "a=b c=d", "", "a=b", "c=d")]
    [InlineData("a == 'b' || c == 'd'", "a=b|c=d", "", "a=c")]
    public void An_atom_that_asks_for_a_label_is_false_without_it(string selector, string yes, params string[] no)
    {
        foreach (var labels in yes.Split('|')) Assert.True(Selector.Parse(selector).Matches(Of(labels)), labels);
        foreach (var labels in no) Assert.False(Selector.Parse(selector).Matches(Of(labels)), labels);
    }

    [Theory]
    [InlineData("a != 'b'", "a=b", "", "a=c")]
    [InlineData("a not in {'b', 'c'}", "a=b", "", "a=d")]
    [InlineData("a notin {'b'}", "a=b", "", "a=d")]
    [InlineData("!has(a)", "a=b", "", "b=a")]
    [InlineData("! (a == 'b')", "a=b", "", "a=c")]
    [InlineData("!a == 'b'", "a=b", "", "a=c")]
    public void A_denial_is_true_without_the_label(string selector, string no, params string[] yes)
    {
        Assert.False(Selector.Parse(selector).Matches(Of(no)));
        foreach (var labels in yes) Assert.True(Selector.Parse(selector).Matches(Of(labels)), labels);
    }

    [Theory]
    [InlineData("")]
    [InlineData("  ")]
    [InlineData("all()")]
    [InlineData("all( )")]
    [InlineData("global()")]
    [InlineData("!!all()")]
    [InlineData("all() || a == 'b'")]
    public void These_match_everything(string selector) => Assert.True(Selector.Parse(selector).Matches(Labels.Empty));

    [Theory]
    [InlineData("a in {}")]
    [InlineData("!all()")]
    [InlineData("a == 'b' && all() && !all()")]
    public void These_match_nothing(string selector) => Assert.False(Selector.Parse(selector).Matches(Of("a=b")));

    [Theory]
    [InlineData("a == 'b' || c == 'd' && e == 'f'", "(a == 'b' || (c == 'd' && e == 'f'))")]
    [InlineData("(a == 'b' || c == 'd') && e == 'f'", "((a == 'b' || c == 'd') && e == 'f')")]
    [InlineData("!a == 'b' && has(c)", "(!a == 'b' && has(c))")]
    [InlineData("!(has(a) && has(b))", "!(has(a) && has(b))")]
    [InlineData("a in {\"c\",\t'b','c',}", "a in {'b', 'c'}")]
    [InlineData("a\tnot   in{'b'}", "a not in {'b'}")]
    [InlineData("a startswith 'b'", "a starts with 'b'")]
    [InlineData("a endswith 'b'", "a ends with 'b'")]
    [InlineData("a == \"it's\"", "a == \"it's\"")]
    [InlineData("((has(a)))", "has(a)")]
    [InlineData("projectcalico.org/role-x_1 == 'rr'", "projectcalico.org/role-x_1 == 'rr'")]
    public void Operators_bind_as_in_Calico_and_print_in_one_way(string selector, string printed) =>
        Assert.Equal(printed, Selector.Parse(selector).ToString());

    [Theory]
    [InlineData("in == 'x'", "in=x")]
    [InlineData("has == 'x'", "has=x")]
    [InlineData("all == 'x'", "all=x")]
    [InlineData("not in {'x'}", "in=y")]
    [InlineData("contains contains 'x'", "contains=axb")]
    public void A_label_may_be_called_like_an_operator(string selector, string labels)
    {
        // "not in {…}" has the label "not": absent here, so that it is true.
        Assert.True(Selector.Parse(selector == "not in {'x'}" ? "not not in {'x'}" : selector).Matches(Of(labels)));
    }

    [Theory]
    [InlineData("a", "==, !=, in")]
    [InlineData("a ==", "a string in quotes")]
    [InlineData("a == b", "a string in quotes")]
    [InlineData("a == 'b", "a closing '")]
    [InlineData("a = 'b'", "==, !=, in")]
    [InlineData("a == 'b' &&", "a label")]
    [InlineData("a == 'b' & has(c)", "&&, || or the end")]
    [InlineData("a == 'b' has(c)", "&&, || or the end")]
    [InlineData("(a == 'b'", ")")]
    [InlineData("a == 'b')", "&&, || or the end")]
    [InlineData("a in 'b'", "{")]
    [InlineData("a in {b}", "a string in quotes, or }")]
    [InlineData("a in {'b'", "a string in quotes, or }")]
    [InlineData("a in {'b' 'c'}", "a string in quotes, or }")]
    [InlineData("has(a", ")")]
    [InlineData("has()", "a label")]
    [InlineData("all(a)", ")")]
    [InlineData("!", "a label")]
    [InlineData("'a' == 'b'", "a label")]
    [InlineData("a starts 'b'", "==, !=, in")]
    [InlineData("a$ == 'b'", "==, !=, in")]
    [InlineData("a == 'b' &&\nhas(c)", "a label")]
    [InlineData("has(a)\n", "&&, || or the end")]
    public void A_mistake_says_what_was_expected(string selector, string expected)
    {
        Assert.False(Selector.TryParse(selector, out _, out var error));
        Assert.Contains($"expected {expected}", error, StringComparison.Ordinal);
    }

    // calico-policy-nat.md, appendix C.2: the selector; whether it matches {}, {a:"x"} and {a:"xy",b:"y"}.
    [Theory]
    [InlineData("", "TTT")]
    [InlineData("all()", "TTT")]
    [InlineData("a == 'x'", "FTF")]
    [InlineData("a != 'x'", "TFT")]
    [InlineData("a in {'x','z'}", "FTF")]
    [InlineData("a in {}", "FFF")]
    [InlineData("a not in {'x'}", "TFT")]
    [InlineData("!(a in {'x'})", "TFT")]
    [InlineData("has(a) && !has(b)", "FTF")]
    [InlineData("a contains 'y' || b starts with 'z'", "FFT")]
    [InlineData("a ends with 'y' && a startswith \"x\"", "FFT")]
    [InlineData("!!has(a)", "FTT")]
    public void These_match_as_in_Calico(string selector, string matches)
    {
        var parsed = Selector.Parse(selector);
        Assert.Equal(matches, string.Concat(new[] { "", "a=x", "a=xy b=y" }.Select(labels => parsed.Matches(Of(labels)) ? 'T' : 'F')));
    }

    [Theory]
    [InlineData("has (a)")]
    [InlineData("a == x")]
    [InlineData("a = 'x'")]
    [InlineData("a == 'x' b")]
    [InlineData("(has(a)")]
    [InlineData("a inx {'x'}")]
    [InlineData("a == 'it\\'s'")]
    public void These_are_no_selectors(string selector) => Assert.False(Selector.TryParse(selector, out _, out _));

    [Theory]
    [InlineData("has(projectcalico.org/namespace)")]
    [InlineData("pcns.team == 'x'")]
    [InlineData("a_b-c.d/e == 'x'")]
    public void These_are_labels(string selector) => Assert.True(Selector.TryParse(selector, out _, out _));

    [Theory]
    [InlineData("all()", "has(b)", "has(b)")]
    [InlineData("has(a)", "all()", "has(a)")]
    [InlineData("all()", "all()", "all()")]
    [InlineData("has(a)", "has(a)", "has(a)")]
    [InlineData("has(a)", "global()", "(has(a) && global())")]
    [InlineData("has(a) && has(b)", "has(c) || has(d)", "(has(a) && has(b) && (has(c) || has(d)))")]
    public void Two_selectors_are_joined(string one, string other, string both) =>
        Assert.Equal(both, Selector.Parse(one).And(Selector.Parse(other)).ToString());

    [Theory]
    [InlineData("has(a)", "!has(a)")]
    [InlineData("!has(a)", "has(a)")]
    [InlineData("has(a) || has(b)", "!(has(a) || has(b))")]
    public void A_selector_is_denied(string selector, string denied) => Assert.Equal(denied, Selector.Parse(selector).Not().ToString());

    [Theory]
    [InlineData("a == 'x' && b != 'y' || !c in {'z'}", "((p.a == 'x' && p.b != 'y') || !p.c in {'z'})")]
    [InlineData("has(a) && all() && !global()", "(has(p.a) && has(all) && !has(global))")]
    [InlineData("a starts with 'x' && b not in {'y'}", "(p.a starts with 'x' && p.b not in {'y'})")]
    public void A_selector_asks_for_labels_that_are_called_otherwise(string selector, string prefixed) =>
        Assert.Equal(prefixed, Selector.Parse(selector).Prefixed("p.", Selector.Has("all"), Selector.Has("global")).ToString());

    [Fact]
    public void A_label_has_at_most_512_characters()
    {
        Assert.True(Selector.TryParse($"has({new string('a', 512)})", out _, out _));
        Assert.False(Selector.TryParse($"has({new string('a', 513)})", out _, out _));
        Assert.False(Selector.TryParse($"{new string('a', 513)} == 'b'", out _, out _));
    }

    [Fact]
    public void Nesting_is_bounded_so_that_no_text_ends_the_process()
    {
        Assert.True(Selector.TryParse(new string('(', 90) + "has(a)" + new string(')', 90), out _, out _));
        Assert.False(Selector.TryParse(new string('(', 100_000), out _, out var error));
        Assert.Contains("levels of nesting", error, StringComparison.Ordinal);
        Assert.False(Selector.TryParse(new string('!', 100_000) + "all()", out _, out _));
    }

    [Fact]
    public void Spacing_and_quotes_make_no_difference() =>
        Assert.Equal(Selector.Parse("a=='b'&&c in{\"y\",'x'}"), Selector.Parse(" a == \"b\"  && c in { 'x', 'y' }"));
}
