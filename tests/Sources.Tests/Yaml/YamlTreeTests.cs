using Calico.Bgp.Sources.Yaml;

namespace Calico.Bgp.Sources.Tests.Yaml;

public class YamlTreeTests
{
    [Theory]
    [InlineData("a: 1\n\tb: 2\n", 2, 1)]
    [InlineData("a:\n  b: 1\n  \tc: 2\n", 3, 3)]
    [InlineData("a:\n\t- b\n", 2, 1)]
    [InlineData("a:\n  - b\n\t- c\n", 3, 1)]
    public void A_tab_that_indents_is_told_where_it_stands(string text, int line, int column)
    {
        Assert.Null(YamlTree.Read(text, 1, new(16, 100), out var mistake));
        Assert.Contains("tab", mistake!.Text, StringComparison.Ordinal);
        Assert.Equal((line, column), (mistake.Line, mistake.Column));
        YamlTree.Read(text, 11, new(16, 100), out var further);
        Assert.Equal(line + 10, further!.Line);
    }

    [Theory]
    [InlineData("a: 1\t# a comment\n")]
    [InlineData("a:\t1\n")]
    [InlineData("a: |\n  text\n  \twith a tab\n")]
    public void A_tab_that_does_not_indent_is_none_of_these(string text)
    {
        Assert.NotNull(YamlTree.Read(text, 1, new(16, 100), out var mistake));
        Assert.Null(mistake);
    }
}
