using Calico.Bgp.Dataplane.Dns;

namespace Calico.Bgp.Dataplane.Tests.Dns;

public class DnsWatchTests
{
    private readonly ManualTimeProvider clock = new();
    private readonly DnsWatch watch;

    public DnsWatchTests() => watch = new(clock);

    private static DnsLookup Lookup(string name) => new("cali1", name, DnsType.A, "10.0.0.53", DnsResult.Nothing);

    [Fact]
    public void Each_is_told_once_from_the_first_question_on()
    {
        var began = watch.Since(null);
        Assert.Empty(began.Lookups);
        watch.Add(Lookup("one.example"));
        watch.Add(Lookup("two.example"));
        var (last, lookups) = watch.Since(began.Last);
        Assert.Equal(["one.example", "two.example"], lookups.Select(one => one.Name));
        Assert.Equal([last - 1, last], lookups.Select(one => one.Number));
        Assert.Empty(watch.Since(last).Lookups);
        Assert.Empty(watch.Since(null).Lookups);
        Assert.Equal(2, watch.Since(began.Last).Lookups.Length);
    }

    [Fact]
    public void Nothing_is_kept_while_nobody_asks()
    {
        Assert.False(watch.IsWatched);
        var began = watch.Since(null);
        Assert.True(watch.IsWatched);
        watch.Add(Lookup("one.example"));
        clock.Advance(TimeSpan.FromSeconds(9));
        Assert.True(watch.IsWatched);
        Assert.Single(watch.Since(began.Last).Lookups);
        clock.Advance(TimeSpan.FromSeconds(10));
        Assert.False(watch.IsWatched);
        Assert.Empty(watch.Since(began.Last).Lookups);
        Assert.True(watch.IsWatched);
    }

    [Fact]
    public void Of_too_many_the_first_are_lost_and_the_numbers_say_so()
    {
        var began = watch.Since(null);
        for (var i = 0; i < DnsWatch.Most + 3; i++) watch.Add(Lookup("one.example"));
        var lookups = watch.Since(began.Last).Lookups;
        Assert.Equal(DnsWatch.Most, lookups.Length);
        Assert.Equal(began.Last + 4, lookups[0].Number);
    }
}
