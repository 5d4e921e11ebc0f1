using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using FsCheck.Xunit;

namespace Calico.Bgp.Rib.Tests.Filters;

public class PrefixSetTests
{
    private static PrefixPattern Pattern(string text) =>
        PrefixPattern.TryParse(text, out var pattern) ? pattern : throw new FormatException(text);

    [Theory]
    [InlineData("10.0.0.0/8", "10.0.0.0/8", true)]
    [InlineData("10.0.0.0/8", "10.1.0.0/16", false)]
    [InlineData("10.0.0.0/8{24,32}", "10.1.2.0/24", true)]
    [InlineData("10.0.0.0/8{24,32}", "10.1.2.3/32", true)]
    [InlineData("10.0.0.0/8{24,32}", "10.1.0.0/16", false)]
    [InlineData("10.0.0.0/8{24,32}", "11.1.2.0/24", false)]
    [InlineData("10.0.0.0/8+", "10.0.0.0/8", true)]
    [InlineData("10.0.0.0/8+", "10.255.0.0/16", true)]
    [InlineData("10.0.0.0/8+", "0.0.0.0/0", false)]
    [InlineData("10.0.0.0/8-", "0.0.0.0/0", true)]
    [InlineData("10.0.0.0/8-", "8.0.0.0/5", true)]
    [InlineData("10.0.0.0/8-", "16.0.0.0/4", false)]
    [InlineData("10.0.0.0/8-", "10.0.0.0/9", false)]
    [InlineData("10.0.0.0/16{8,24}", "10.0.0.0/8", true)]
    [InlineData("10.0.0.0/16{8,24}", "10.0.5.0/24", true)]
    [InlineData("10.0.0.0/16{8,24}", "10.1.0.0/24", false)]
    [InlineData("::/0+", "2001:db8::1/128", true)]
    [InlineData("::/0{128,128}", "2001:db8::1/128", true)]
    [InlineData("::/0{0,127}", "2001:db8::1/128", false)]
    [InlineData("0.0.0.0/0+", "2001:db8::/32", false)]
    public void A_pattern_takes_what_BIRD_would(string pattern, string prefix, bool taken)
    {
        Assert.Equal(taken, Pattern(pattern).Has(Prefix.Parse(prefix)));
        Assert.Equal(taken, new PrefixSet([Pattern(pattern)]).Has(Prefix.Parse(prefix)));
    }

    [Theory]
    [InlineData("10.0.0.1/8")]
    [InlineData("10.0.0.0/33")]
    [InlineData("10.0.0.0/8{9}")]
    [InlineData("10.0.0.0/8{24,16}")]
    [InlineData("10.0.0.0/8{24,33}")]
    [InlineData("10.0.0.0/8{24,32")]
    [InlineData("10.0.0.0/8++")]
    [InlineData("10.0.0.0")]
    public void What_is_no_pattern_is_refused(string text) => Assert.False(PrefixPattern.TryParse(text, out _));

    [Fact]
    public void A_pattern_is_written_as_it_is_read() =>
        Assert.All(["10.0.0.0/8", "10.0.0.0/8+", "10.0.0.0/8-", "10.0.0.0/8{9,24}", "2001:db8::/32{0,128}"],
            text => Assert.Equal(text, Pattern(text).ToString()));

    [Property(MaxTest = 500, EndSize = 1_000_000)]
    public void A_set_takes_what_one_of_its_patterns_takes(int seed)
    {
        var random = new Random(seed);
        var patterns = Enumerable.Range(0, random.Next(1, 12)).Select(_ => RandomPattern(random)).ToArray();
        var set = new PrefixSet([.. patterns]);
        for (var i = 0; i < 200; i++)
        {
            var prefix = RandomPrefix(random);
            Assert.Equal(patterns.Any(pattern => pattern.Has(prefix)), set.Has(prefix));
        }
    }

    /// <summary>The fourth set's answers are those of a set "or longer", whatever its lengths say; five and six are about origins (RFC
    /// 6811).</summary>
    [NeedsTheory(Needs.Shared + "data/prefix-sets")]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(3, false)]
    [InlineData(4, true)]
    public void OpenBGPDs_sets_give_OpenBGPDs_answers(int number, bool orLonger)
    {
        var file = Path.Combine(SharedData.Get("data/prefix-sets"), $"rde_trie_test.{number}");
        var set = new PrefixSet([.. File.ReadLines(file + ".in").Select(line => line.Split(' '))
            .Select(words => new PrefixPattern(Prefix.Parse(words[0]), int.Parse(words[1], null), int.Parse(words[2], null)))
            .Select(pattern => orLonger ? pattern with { Most = pattern.Base.Family.Bits() } : pattern)]);
        var answers = File.ReadLines(file + ".out").Select(line => line.Split(' ')).ToList();
        Assert.NotEmpty(answers);
        Assert.All(answers, words => Assert.Equal(words[1] == "MATCH", set.Has(Prefix.Parse(words[0]))));
    }

    /// <summary>Few bits vary, and at both ends, so that patterns and prefixes meet.</summary>
    private static Prefix RandomPrefix(Random random)
    {
        var family = (IpFamily)random.Next(2);
        var bits = (UInt128)(uint)random.Next(4) << 126 | (UInt128)(uint)random.Next(4) << (128 - family.Bits());
        int[] lengths = [0, 1, 2, 3, 8, family.Bits() - 2, family.Bits() - 1, family.Bits()];
        return new(new(bits, family), lengths[random.Next(lengths.Length)]);
    }

    private static PrefixPattern RandomPattern(Random random)
    {
        var prefix = RandomPrefix(random);
        var (a, b) = (random.Next(prefix.Family.Bits() + 1), random.Next(prefix.Family.Bits() + 1));
        return new(prefix, Math.Min(a, b), Math.Max(a, b));
    }
}
