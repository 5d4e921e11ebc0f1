namespace Calico.Bgp.Resources.Tests;

/// <summary>
/// Rows like those of libcalico-go's selector tests, of our own writing: what each spelling comes to for eight sets of labels, and what is
/// no selector (calico-policy-nat.md, 2.7: its lexer's traps).
/// </summary>
public class SelectorVectorsTests
{
    private static readonly Labels[] Maps = [.. new (string, string)[][]
        {
            [], [("a", "")], [("a", "x")], [("a", "y")], [("a", "xy")], [("a", "yx")], [("b", "x")], [("a", "x"), ("b", "y")],
        }.Select(labels => Labels.From(labels.Select(label => KeyValuePair.Create(label.Item1, label.Item2))))];

    [Theory]
    [InlineData("a=='x'", "FFTFFFFT")]
    [InlineData("a  ==\t'x'", "FFTFFFFT")]
    [InlineData("a == \"x\"", "FFTFFFFT")]
    [InlineData("a == ''", "FTFFFFFF")]
    [InlineData("a!='x'", "TTFTTTTF")]
    [InlineData("a != ''", "TFTTTTTT")]
    [InlineData("!a == 'x'", "TTFTTTTF")]
    [InlineData("!!a == 'x'", "FFTFFFFT")]
    [InlineData("!!!a == 'x'", "TTFTTTTF")]
    [InlineData("! ! has(a)", "FTTTTTFT")]
    [InlineData("!a != 'x'", "FFTFFFFT")]
    [InlineData("!(a == 'x' || b == 'x')", "TTFTTTFF")]
    [InlineData("!has(a) || a == 'x'", "TFTFFFTT")]
    [InlineData("!(has(a)) && !has(b)", "TFFFFFFF")]
    [InlineData("has( a )", "FTTTTTFT")]
    [InlineData("has(a)&&has(b)", "FFFFFFFT")]
    [InlineData("has(a)||has(b)", "FTTTTTTT")]
    [InlineData("a in{'x'}", "FFTFFFFT")]
    [InlineData("a in {\"x\",'y'}", "FFTTFFFT")]
    [InlineData("a in { 'x' , 'xy' , }", "FFTFTFFT")]
    [InlineData("a in {''}", "FTFFFFFF")]
    [InlineData("a in {}", "FFFFFFFF")]
    [InlineData("a not in {}", "TTTTTTTT")]
    [InlineData("a not in{'x','y'}", "TTFFTTTF")]
    [InlineData("a notin {'x'}", "TTFTTTTF")]
    [InlineData("a not\tin {''}", "TFTTTTTT")]
    [InlineData("!a not in {'x'}", "FFTFFFFT")]
    [InlineData("a contains 'y'", "FFFTTTFF")]
    [InlineData("a contains ''", "FTTTTTFT")]
    [InlineData("!a contains 'y'", "TTTFFFTT")]
    [InlineData("a starts with 'x'", "FFTFTFFT")]
    [InlineData("a startswith'x'", "FFTFTFFT")]
    [InlineData("a starts with ''", "FTTTTTFT")]
    [InlineData("a ends with \"x\"", "FFTFFTFT")]
    [InlineData("a endswith 'xy'", "FFFFTFFF")]
    [InlineData("all() && !has(a)", "TFFFFFTF")]
    [InlineData("global() && b == 'y'", "FFFFFFFT")]
    [InlineData("!all() || has(b)", "FFFFFFTT")]
    [InlineData("a == 'x' && b == 'y' || b == 'x'", "FFFFFFTT")]
    [InlineData("b == 'x' || a == 'x' && b == 'y'", "FFFFFFTT")]
    [InlineData("(b == 'x' || a == 'x') && b == 'y'", "FFFFFFFT")]
    [InlineData("a == 'x' && !b == 'y'", "FFTFFFFF")]
    [InlineData("((a == 'x'))", "FFTFFFFT")]
    [InlineData("a != 'x' && a != 'y'", "TTFFTTTF")]
    [InlineData("a != 'x' || a != 'y'", "TTTTTTTT")]
    [InlineData(" \t a == 'x' \t", "FFTFFFFT")]
    public void A_selector_matches_these(string selector, string matches)
    {
        var parsed = Selector.Parse(selector);
        Assert.Equal(matches, string.Concat(Maps.Select(labels => parsed.Matches(labels) ? 'T' : 'F')));
        var again = Selector.Parse(parsed.ToString());
        Assert.Equal((parsed, parsed.ToString()), (again, again.ToString()));
    }

    [Theory]
    [InlineData("a == 'x' \"y\"")]
    [InlineData("a == 'x")]
    [InlineData("a == \"x'")]
    [InlineData("a == 'x' &&")]
    [InlineData("&& a == 'x'")]
    [InlineData("a == 'x' || || b == 'x'")]
    [InlineData("a == 'x' | b == 'x'")]
    [InlineData("has(a, b)")]
    [InlineData("has('a')")]
    [InlineData("has(a))")]
    [InlineData("() ")]
    [InlineData("( )")]
    [InlineData("a")]
    [InlineData("!")]
    [InlineData("a !")]
    [InlineData("a not")]
    [InlineData("a not {'x'}")]
    [InlineData("a not in 'x'")]
    [InlineData("a in ['x']")]
    [InlineData("a in {'x';'y'}")]
    [InlineData("a in {,}")]
    [InlineData("a in {'x',,'y'}")]
    [InlineData("a in x")]
    [InlineData("a starts 'x'")]
    [InlineData("a starts with x")]
    [InlineData("a startswithx 'x'")]
    [InlineData("a containsx 'x'")]
    [InlineData("a endswith")]
    [InlineData("all")]
    [InlineData("all ()")]
    [InlineData("global ()")]
    [InlineData("all(")]
    [InlineData("has (a)")]
    [InlineData("a === 'x'")]
    [InlineData("a == == 'x'")]
    [InlineData("= 'x'")]
    [InlineData("== 'x'")]
    [InlineData("'a' == 'x'")]
    [InlineData("a == 'x'\nb == 'y'")]
    [InlineData("a\u00a0== 'x'")]
    [InlineData("a == `x`")]
    [InlineData("ü == 'x'")]
    [InlineData("a,b == 'x'")]
    public void This_is_no_selector(string selector) => Assert.False(Selector.TryParse(selector, out _, out _));
}
