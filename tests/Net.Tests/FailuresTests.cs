using System.Text;
using System.Text.Json;

namespace Calico.Bgp.Net.Tests;

public class FailuresTests
{
    private static Exception Failing(Action action) => Record.Exception(action) ?? throw new InvalidOperationException("it has not failed");

    [Fact]
    public void A_file_that_cannot_be_read_is_told_in_the_systems_words()
    {
        Assert.Equal("No such file or directory", Failures.WordsOf(Failing(() => File.ReadAllText("/not/there"))));
        Assert.Equal("File name too long", Failures.WordsOf(Failing(() => File.ReadAllText("/" + new string('x', 300)))));
    }

    [Fact]
    public void Our_own_words_are_left_alone() => Assert.Equal("it is not there", Failures.WordsOf(new IOException("it is not there")));

    [Theory]
    [InlineData("{\"a\": x}", "'x' is an invalid start of a value at $.a")]
    [InlineData("{\"a\": \"x\"}", "a value of another kind at $.a")]
    public void Broken_JSON_is_told_without_positions_and_types(string text, string words)
    {
        var wrong = (JsonException)Failing(() => JsonSerializer.Deserialize<Dictionary<string, int>>(text));
        Assert.Equal(words, Failures.WordsOf(wrong));
    }

    [Fact]
    public void Octets_that_are_no_UTF8_are_told_with_their_place()
    {
        var strict = new UTF8Encoding(false, throwOnInvalidBytes: true);
        var wrong = (DecoderFallbackException)Failing(() => strict.GetString([0x61, 0xff, 0x62]));
        Assert.Equal("got ff (hexadecimal) at octet 1", Failures.WordsOf(wrong));
    }
}
