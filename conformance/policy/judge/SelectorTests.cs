namespace Calico.Bgp.Conformance.Policy;

/// <summary>The judge is judged first: reference C.2, and 2.7's traps.</summary>
public sealed class SelectorTests
{
    private static readonly Dictionary<string, string> None = [], A = new() { ["a"] = "x" }, AB = new() { ["a"] = "xy", ["b"] = "y" };

    [Theory]
    [InlineData("", "TTT")]
    [InlineData(" \t", "TTT")]
    [InlineData("all()", "TTT")]
    [InlineData("all( )", "TTT")]
    [InlineData("global()", "TTT")]
    [InlineData("a == 'x'", "FTF")]
    [InlineData("a==\"x\"", "FTF")]
    [InlineData("a != 'x'", "TFT")]
    [InlineData("a!='x'", "TFT")]
    [InlineData("!(a == 'x')", "TFT")]
    [InlineData("a in {'x','z'}", "FTF")]
    [InlineData("a in{\"x\"}", "FTF")]
    [InlineData("a in {'x', 'z',}", "FTF")]
    [InlineData("a in {}", "FFF")]
    [InlineData("a not in {'x'}", "TFT")]
    [InlineData("a notin {'x'}", "TFT")]
    [InlineData("a not \t in {}", "TTT")]
    [InlineData("!(a in {'x'})", "TFT")]
    [InlineData("has(a) && !has(b)", "FTF")]
    [InlineData("has( a )", "FTT")]
    [InlineData("a contains 'y' || b starts with 'z'", "FFT")]
    [InlineData("a ends with 'y' && a startswith \"x\"", "FFT")]
    [InlineData("a endswith 'x'", "FTF")]
    [InlineData("!!has(a)", "FTT")]
    [InlineData("!!!has(a)", "TFF")]
    [InlineData("! has(b) && has(a)", "FTF")]
    [InlineData("has(a) || has(b) && a == 'none'", "FTT")]
    [InlineData("(has(a) || has(b)) && a == 'x'", "FTF")]
    [InlineData("in == 'x' || has == 'x' || all == 'x'", "FFF")]
    [InlineData("has(projectcalico.org/namespace) || pcns.team == 'x' || a-b_c == 'x'", "FFF")]
    public void A_selector_says(string text, string expected)
    {
        var selector = Selector.Parse(text);
        Assert.Equal(expected, string.Concat(new[] { None, A, AB }.Select(labels => selector.Holds(labels) ? 'T' : 'F')));
    }

    [Theory]
    [InlineData("has (a)")]
    [InlineData("a == x")]
    [InlineData("a = 'x'")]
    [InlineData("a == 'x' b")]
    [InlineData("a == 'x' 'y'")]
    [InlineData("(has(a)")]
    [InlineData("has(a))")]
    [InlineData("a inx {'x'}")]
    [InlineData("a == 'it\\'s'")]
    [InlineData("a == 'x")]
    [InlineData("a in {'x' 'y'}")]
    [InlineData("a in {,}")]
    [InlineData("a")]
    [InlineData("has()")]
    [InlineData("a == 'x' &&")]
    [InlineData("a == 'x' & b == 'y'")]
    [InlineData("a ==\n'x'")]
    [InlineData("a ! = 'x'")]
    public void A_text_is_no_selector(string text) => Assert.Throws<FormatException>(() => Selector.Parse(text));

    [Fact]
    public void A_label_has_512_letters_at_most()
    {
        Assert.False(Selector.Parse($"has({new string('a', 512)})").Holds(A));
        Assert.Throws<FormatException>(() => Selector.Parse($"has({new string('a', 513)})"));
    }
}
