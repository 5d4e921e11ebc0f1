namespace Calico.Bgp.Resources.Tests;

public class SelectorNeedsTests
{
    [Theory]
    [InlineData("all()", "")]
    [InlineData("!all()", "nothing")]
    [InlineData("a == 'x'", "a=x")]
    [InlineData("a != 'x'", "")]
    [InlineData("!(a != 'x')", "a=x")]
    [InlineData("has(a)", "a")]
    [InlineData("!has(a)", "")]
    [InlineData("a starts with 'x'", "a")]
    [InlineData("a in {'x', 'y'}", "a=x|a=y")]
    [InlineData("a in {}", "nothing")]
    [InlineData("!(a not in {'x'})", "a=x")]
    [InlineData("a == 'x' && !has(b) && c == 'y'", "a=x; c=y")]
    [InlineData("a == 'x' || (has(b) && c == 'y')", "a=x|c=y")]
    [InlineData("a == 'x' || !has(b)", "")]
    [InlineData("a == 'x' || a in {}", "a=x")]
    [InlineData("!(a != 'x' || b != 'y')", "a=x; b=y")]
    public void Of_what_labels_must_have_one_of_each_list_is_named(string selector, string needs) =>
        Assert.Equal(needs, string.Join("; ", Selector.Parse(selector).Needs.Select(list => list.Count == 0 ? "nothing"
            : string.Join("|", list.Select(term => term.Value == null ? term.Label : $"{term.Label}={term.Value}")))));
}
