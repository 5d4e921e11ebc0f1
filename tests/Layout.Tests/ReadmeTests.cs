using System.Text.RegularExpressions;

namespace Calico.Bgp.Layout.Tests;

/// <summary>The README explains every key that the configuration's readers ask for.</summary>
public sealed partial class ReadmeTests
{
    [Fact]
    public void Every_key_of_bgpd_yaml_is_explained()
    {
        var readme = File.ReadAllText(Tree.Path("README.md"));
        var explained = Word().Matches(readme[readme.IndexOf("<!-- bgpd.yaml: begin", StringComparison.Ordinal)..readme.IndexOf("<!-- bgpd.yaml: end", StringComparison.Ordinal)])
            .Select(word => word.Value).ToHashSet();
        var asked = Directory.EnumerateFiles(Tree.Path("src", "Configuration"), "*.cs")
            .SelectMany(file => AskedKey().Matches(File.ReadAllText(file)).Select(match => match.Groups[1].Value)).Distinct().Order();
        Assert.Equal([], asked.Where(key => !explained.Contains(key)));
    }

    [GeneratedRegex("[A-Za-z]+")]
    private static partial Regex Word();

    /// <summary>A key is the first argument of one of Section's questions.</summary>
    [GeneratedRegex("\\b[A-Z][A-Za-z]+\\(\"([a-z][A-Za-z]+)\"")]
    private static partial Regex AskedKey();
}
