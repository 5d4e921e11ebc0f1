namespace Calico.Bgp.Session.Tests;

public sealed class BeatTimeProviderTests
{
    private readonly ManualTimeProvider inner = new();
    private readonly BeatTimeProvider time;
    private readonly List<string> fired = [];

    public BeatTimeProviderTests() => time = new(inner);

    private ITimer In(double seconds, string name) =>
        time.CreateTimer(_ => fired.Add(name), null, TimeSpan.FromSeconds(seconds), Timeout.InfiniteTimeSpan);

    private void Pass(double seconds) => inner.Advance(TimeSpan.FromSeconds(seconds));

    [Fact]
    public void What_is_far_ends_together_and_never_early()
    {
        In(30.01, "a");
        In(30.2, "b");
        In(30.6, "c");
        Pass(30.2);
        Assert.Empty(fired);
        Pass(0.1);
        Assert.Equal(["a", "b"], fired);
        Pass(0.5);
        Assert.Equal(["a", "b", "c"], fired);
    }

    [Fact]
    public void What_is_near_ends_when_it_should()
    {
        In(9.125, "a");
        Pass(9);
        Assert.Empty(fired);
        Pass(0.125);
        Assert.Equal(["a"], fired);
    }

    [Fact]
    public void A_timer_that_is_set_anew_ends_once_and_when_it_was_last_set_to()
    {
        var timer = In(30, "a");
        for (var i = 0; i < 5; i++)
        {
            Pass(7);
            timer.Change(TimeSpan.FromSeconds(30), Timeout.InfiniteTimeSpan);
        }
        Pass(29.9);
        Assert.Empty(fired);
        Pass(0.5);
        Assert.Equal(["a"], fired);
        Pass(100);
        Assert.Equal(["a"], fired);
    }

    [Fact]
    public void From_far_to_near_and_back()
    {
        var timer = In(30, "a");
        timer.Change(TimeSpan.FromSeconds(2), Timeout.InfiniteTimeSpan);
        timer.Change(TimeSpan.FromSeconds(20), Timeout.InfiniteTimeSpan);
        Pass(10);
        Assert.Empty(fired);
        timer.Change(TimeSpan.FromSeconds(1), Timeout.InfiniteTimeSpan);
        Pass(1);
        Assert.Equal(["a"], fired);
        Pass(60);
        Assert.Equal(["a"], fired);
    }

    [Fact]
    public void A_timer_stopped_or_disposed_does_not_end()
    {
        In(30, "a").Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        In(30, "b").Dispose();
        In(3, "c").Dispose();
        In(30, "d");
        Pass(60);
        Assert.Equal(["d"], fired);
    }

    [Fact]
    public void A_later_beat_does_not_hide_an_earlier_one()
    {
        In(60, "late");
        In(30, "soon");
        Pass(31);
        Assert.Equal(["soon"], fired);
        Pass(30);
        Assert.Equal(["soon", "late"], fired);
    }

    [Fact]
    public void A_callback_may_set_its_timer_again()
    {
        ITimer? timer = null;
        timer = time.CreateTimer(
            _ =>
            {
                fired.Add("a");
                timer!.Change(TimeSpan.FromSeconds(30), Timeout.InfiniteTimeSpan);
            },
            null, TimeSpan.FromSeconds(30), Timeout.InfiniteTimeSpan);
        Pass(95);
        Assert.Equal(["a", "a", "a"], fired);
    }
}
