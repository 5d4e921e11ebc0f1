using System.Buffers.Binary;
using System.Text.RegularExpressions;
using Calico.Bgp.Rib.Filters;
using FsCheck.Xunit;

namespace Calico.Bgp.Rib.Tests.Filters;

public class AsPathRegexTests
{
    internal static AsPathRegex Regex(string text) =>
        AsPathRegex.TryParse(text, out var regex, out var problem) ? regex : throw new FormatException(problem);

    /// <summary>AS_PATH octets; what stands in braces is an AS_SET.</summary>
    internal static byte[] Path(string text)
    {
        var octets = new List<byte>();
        foreach (System.Text.RegularExpressions.Match part in System.Text.RegularExpressions.Regex.Matches(text, @"\{[^}]*\}|[^{}]+"))
        {
            var numbers = part.Value.Trim('{', '}', ' ').Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(uint.Parse).ToArray();
            if (numbers.Length == 0) continue;
            octets.AddRange([part.Value[0] == '{' ? (byte)1 : (byte)2, (byte)numbers.Length]);
            var value = new byte[4];
            foreach (var number in numbers)
            {
                BinaryPrimitives.WriteUInt32BigEndian(value, number);
                octets.AddRange(value);
            }
        }
        return [.. octets];
    }

    [Theory]
    [InlineData("^65001 .* (64512|64513)$", "65001 1 2 64512", true)]
    [InlineData("^65001 .* (64512|64513)$", "65001 64513", true)]
    [InlineData("^65001 .* (64512|64513)$", "65002 65001 64513", false)]
    [InlineData("^65001 .* (64512|64513)$", "65001 64513 1", false)]
    [InlineData("65001", "1 65001 2", true)]
    [InlineData("6500", "65001", false)]
    [InlineData("^$", "", true)]
    [InlineData("^$", "1", false)]
    [InlineData("^.$", "1", true)]
    [InlineData("^. .$", "1", false)]
    [InlineData("^65001+$", "65001 65001", true)]
    [InlineData("^65001+$", "65001 2", false)]
    [InlineData("^1 2?$", "1", true)]
    [InlineData("[65000-65010]", "1 65005", true)]
    [InlineData("[65000-65010]", "1 65011", false)]
    [InlineData("^[1 3 5-7]+$", "1 3 6", true)]
    [InlineData("^[1 3 5-7]+$", "1 4", false)]
    [InlineData("_65001_", "1 65001", true)]
    [InlineData("^1 (2 3)*$", "1 2 3 2 3", true)]
    [InlineData("^1 (2 3)*$", "1 2 3 2", false)]
    [InlineData("1 3 4", "1 {2 3} 4", true)]
    [InlineData("1 2 3 4", "1 {2 3} 4", false)]
    [InlineData("^1|2$", "3 2", true)]
    public void An_expression_matches_as_it_reads(string expression, string path, bool matches) =>
        Assert.Equal(matches, Regex(expression).Matches(new(Path(path))));

    [Theory]
    [InlineData("", "expected an AS number, ., ^ or $ at character 1")]
    [InlineData("(1", "expected ) at character 3")]
    [InlineData("1)", "expected the end of the expression at character 2")]
    [InlineData("^*", "expected nothing that repeats ^ or $ at character 2")]
    [InlineData("*", "expected an AS number, ., ^, $, [ or ( at character 1")]
    [InlineData("abc", "expected an AS number, ., ^, $, [ or ( at character 1")]
    [InlineData("4294967296", "expected an AS number at character 1")]
    [InlineData("[]", "expected an AS number between [ and ] at character 3")]
    [InlineData("[5-1]", "expected a range that rises, got 5-1 at character 5")]
    public void A_wrong_expression_is_refused_with_the_place(string expression, string expected)
    {
        Assert.False(AsPathRegex.TryParse(expression, out _, out var problem));
        Assert.Equal(expected, problem);
    }

    [Fact]
    public void Too_deep_or_too_long_expressions_are_refused()
    {
        Assert.False(AsPathRegex.TryParse(new string('(', 100_000), out _, out _));
        Assert.False(AsPathRegex.TryParse(string.Concat(Enumerable.Repeat("1 ", 300)), out _, out _));
    }

    [Fact]
    public void Nested_repetitions_end()
    {
        var path = Path(string.Join(' ', Enumerable.Repeat("1", 250)));
        var regex = Regex("^((1*)*)*((1 1*)+ 1*)*2$");
        // A backtracking matcher would not come back from here.
        Assert.False(regex.Matches(new(path)));
    }

    /// <summary>Each AS number 1 to 6 becomes a letter, and a path a word.</summary>
    [Property(MaxTest = 500, EndSize = 1_000_000)]
    public void It_agrees_with_a_matcher_of_letters(int seed)
    {
        var random = new Random(seed);
        var (ours, theirs) = Alternation(random, 3);
        var regex = Regex(ours);
        var letters = new Regex(theirs, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        for (var i = 0; i < 20; i++)
        {
            var numbers = Enumerable.Range(0, random.Next(8)).Select(_ => random.Next(1, 7)).ToArray();
            var word = string.Concat(numbers.Select(Letter));
            Assert.True(
                letters.IsMatch(word) == regex.Matches(new(Path(string.Join(' ', numbers)))), $"{ours} on {string.Join(' ', numbers)}");
        }
    }

    private static char Letter(int number) => (char)('a' + number);

    private static (string, string) Alternation(Random random, int depth)
    {
        var branches = Enumerable.Range(0, random.Next(1, 3)).Select(_ => Branch(random, depth)).ToArray();
        return (string.Join('|', branches.Select(b => b.Item1)), string.Join('|', branches.Select(b => b.Item2)));
    }

    private static (string, string) Branch(Random random, int depth)
    {
        var (begin, end) = (depth == 3 && random.Next(3) == 0 ? "^" : "", depth == 3 && random.Next(3) == 0 ? "$" : "");
        var items = Enumerable.Range(0, random.Next(1, 4)).Select(_ => Item(random, depth)).ToArray();
        return (begin + string.Join(' ', items.Select(i => i.Item1)) + end, begin + string.Concat(items.Select(i => i.Item2)) + end);
    }

    private static (string, string) Item(Random random, int depth)
    {
        var number = random.Next(1, 7);
        var more = random.Next(number, 7);
        var (ours, theirs) = random.Next(depth > 0 ? 5 : 3) switch
        {
            0 => ($"{number}", $"{Letter(number)}"),
            1 => (".", "[a-z]"),
            2 => ($"[{number}-{more}]", $"[{Letter(number)}-{Letter(more)}]"),
            _ => Group(Alternation(random, depth - 1)),
        };
        var sign = random.Next(5) switch { 0 => "*", 1 => "+", 2 => "?", _ => "" };
        return (ours + sign, theirs + sign);
    }

    private static (string, string) Group((string, string) inner) => ($"({inner.Item1})", $"({inner.Item2})");
}
