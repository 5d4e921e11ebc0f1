using Calico.Bgp.Kernel.Routes;

namespace Calico.Bgp.Kernel.Tests;

public class RefusalsTests
{
    private static readonly RowName Row = new(1);

    [Fact]
    public void The_wait_doubles_up_to_a_minute()
    {
        var time = new ManualTimeProvider();
        var refusals = new Refusals<RowName>(time);
        var waits = new List<double>();
        for (var i = 0; i < 9; i++)
        {
            Assert.Equal(i + 1, refusals.Add(Row, 101, "no"));
            waits.Add(refusals.Wait!.Value.TotalSeconds);
            time.Advance(refusals.Wait.Value);
            var due = new List<RowName>();
            refusals.Release(everything: false, due.Add);
            Assert.Equal([Row], due);
        }
        Assert.Equal([1, 2, 4, 8, 16, 32, 60, 60, 60], waits);
    }

    [Fact]
    public void Before_its_time_a_row_is_blocked_unless_the_surroundings_change()
    {
        var refusals = new Refusals<RowName>(new ManualTimeProvider());
        refusals.Add(Row, 101, "no");
        refusals.Release(everything: false, row => Assert.Fail("not due yet"));
        Assert.True(refusals.Blocks(Row));
        refusals.Release(everything: true, _ => { });
        Assert.False(refusals.Blocks(Row));
    }

    [Fact]
    public void The_first_refusals_time_is_kept()
    {
        var time = new ManualTimeProvider();
        var refusals = new Refusals<RowName>(time);
        refusals.Add(Row, 101, "no");
        time.Advance(TimeSpan.FromSeconds(5));
        refusals.Add(Row, 17, "still no");
        var listed = Assert.Single(refusals.List(10)).Refusal;
        Assert.Equal((17, "still no", DateTimeOffset.UnixEpoch, 2), (listed.Errno, listed.Words, listed.Since, listed.Attempts));
    }
}
