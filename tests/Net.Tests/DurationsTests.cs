namespace Calico.Bgp.Net.Tests;

public class DurationsTests
{
    [Theory]
    [InlineData(0, "0")]
    [InlineData(0.4, "0")]
    [InlineData(8.39, "8ms")]
    [InlineData(1500, "1500ms")]
    [InlineData(59_999.9948, "1m")]
    [InlineData(90_000, "90s")]
    [InlineData(7_200_000, "2h")]
    public void A_time_is_said_in_the_largest_unit_that_it_is_whole_in(double milliseconds, string words) =>
        Assert.Equal(words, TimeSpan.FromMilliseconds(milliseconds).Words());

    [Theory]
    [InlineData("500ms", 500)]
    [InlineData("90", 90_000)]
    [InlineData("2m", 120_000)]
    public void What_is_said_is_read(string text, double milliseconds) =>
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), Durations.Parse(text));
}
