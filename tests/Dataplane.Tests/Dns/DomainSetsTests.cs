using Calico.Bgp.Dataplane.Dns;
using Calico.Bgp.Resources.Policies;
using FsCheck;
using FsCheck.Fluent;

namespace Calico.Bgp.Dataplane.Tests.Dns;

public class DomainSetsTests
{
    internal static DomainPattern Pattern(string text) =>
        DomainPattern.TryParse(text, out var pattern, out var error) ? pattern : throw new FormatException(error);

    internal static DomainSets Sets(params string[] sets) =>
        new(sets.Select((patterns, index) => new DomainSet(index + 1, [.. patterns.Split(' ').Select(Pattern)])));

    private static string Match(DomainSets sets, string name)
    {
        var into = new List<int>();
        sets.Match(DnsName.Parse(name), into);
        return string.Join(" ", into.Order());
    }

    /// <summary>Section 4.1 of calico-policy-nat.md, and row 23 of C.4.</summary>
    [Theory]
    [InlineData("google.com", "google.com", true)]
    [InlineData("google.com", "GOOGLE.com.", true)]
    [InlineData("google.com", "www.google.com", false)]
    [InlineData("google.com", "com", false)]
    [InlineData("*.google.com", "www.google.com", true)]
    [InlineData("*.google.com", "a.b.google.com", true)]
    [InlineData("*.google.com", "google.com", false)]
    [InlineData("*.google.com", "xgoogle.com", false)]
    [InlineData("*.google.com", "google.com.evil.example", false)]
    [InlineData("*.corp.example", "a.b.corp.example", true)]
    [InlineData("*.corp.example", "corp.example", false)]
    [InlineData("*.corp.example", "xcorp.example", false)]
    [InlineData("www.*.com", "www.sun.com", true)]
    [InlineData("www.*.com", "www.a.b.com", true)]
    [InlineData("www.*.com", "www.com", false)]
    [InlineData("www.*.com", "wwww.sun.com", false)]
    [InlineData("www.*.com", "a.www.sun.com", false)]
    [InlineData("update.*.x.com", "update.a.x.com", true)]
    [InlineData("update.*.x.com", "update.a.b.x.com", true)]
    [InlineData("update.*.x.com", "update.x.com", false)]
    [InlineData("a.b.*.c", "a.b.x.c", true)]
    [InlineData("a.b.*.c", "a.x.c", false)]
    [InlineData("a.b.*.c", "a.b.c", false)]
    [InlineData("a.*.a", "a.a.a", true)]
    [InlineData("a.*.a", "a.a", false)]
    public void A_pattern_matches(string pattern, string name, bool matches) =>
        Assert.Equal(matches ? "1" : "", Match(Sets(pattern), name));

    [Fact]
    public void A_name_is_of_every_set_with_a_pattern_for_it_once()
    {
        var sets = Sets("*.example.org www.example.org www.*.org", "a.b", "*.org", "www.example.org");
        Assert.Equal("1 3 4", Match(sets, "www.example.org"));
        Assert.Equal("2", Match(sets, "a.b"));
        Assert.Equal("", Match(sets, "org"));
        Assert.Equal("", Match(sets, "."));
        Assert.True(sets.Has(4));
        Assert.False(sets.Has(5));
    }

    [Fact]
    public void A_label_that_has_a_dot_inside_is_no_subdomain() => Assert.Equal("", Match(Sets("*.example.org"), "a\\.example.org"));

    private static readonly Gen<string> Label = Gen.Elements("a", "b", "c", "www");

    private static Gen<string> Labels(int from, int to) =>
        Gen.Choose(from, to).SelectMany(count => Gen.ListOf(Label, count)).Select(labels => string.Join(".", labels));

    private static readonly Gen<string> Patterns = Gen.OneOf(Labels(1, 4), Labels(1, 3).Select(end => $"*.{end}"),
        Labels(1, 2).SelectMany(front => Labels(1, 2).Select(end => $"{front}.*.{end}")));

    [Fact]
    public void Any_name_is_of_the_sets_that_a_plain_comparison_finds()
    {
        var cases = Gen.ListOf(Patterns, 12)
            .SelectMany(patterns => Labels(1, 5).Select(name => (Patterns: patterns.ToArray(), Name: name)));
        Prop.ForAll(cases.ToArbitrary(), one =>
        {
            var expected = one.Patterns.Select((pattern, index) => (pattern, index)).Where(row => Naive(row.pattern, one.Name))
                .Select(row => row.index + 1);
            return Match(Sets(one.Patterns), one.Name) == string.Join(" ", expected);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));
    }

    /// <summary>Label by label: a star takes one, or one and goes on.</summary>
    private static bool Naive(string pattern, string name)
    {
        static bool From(string[] pattern, int p, string[] name, int n) => p == pattern.Length ? n == name.Length
            : n < name.Length && (pattern[p] == "*" ? From(pattern, p + 1, name, n + 1) || From(pattern, p, name, n + 1)
                : pattern[p] == name[n] && From(pattern, p + 1, name, n + 1));
        return From(pattern.Split('.'), 0, name.Split('.'), 0);
    }

    [Fact]
    public void A_hundred_thousand_names_are_one_question_a_label()
    {
        var sets = Sets(Enumerable.Range(0, 100_000).Select(index => $"*.host{index}.example.org").ToArray());
        Assert.Equal("77778", Match(sets, "www.host77777.example.org"));
        Assert.Equal("", Match(sets, "host77777.example.org"));
    }
}
