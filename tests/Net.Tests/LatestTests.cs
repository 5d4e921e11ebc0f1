namespace Calico.Bgp.Net.Tests;

public sealed class LatestTests
{
    [Fact]
    public void However_often_it_changes_the_reader_is_rung_once_and_sees_the_newest()
    {
        var rings = 0;
        var latest = new Latest<string>("none", () => rings++);
        foreach (var value in (string[])["a", "b", "c"]) latest.Set(value);
        Assert.Equal(1, rings);
        Assert.Equal("c", latest.Take());
        latest.Set("d");
        Assert.Equal(2, rings);
        Assert.Equal("d", latest.Value);
    }

    [Fact]
    public async Task A_bell_that_was_rung_before_is_heard_at_once_and_once()
    {
        var bell = new Bell();
        bell.Ring();
        bell.Ring();
        await bell.HeardAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(10));
        Assert.False(await bell.HeardAsync(TimeSpan.FromMilliseconds(1), TimeProvider.System, CancellationToken.None));
        bell.Ring();
        Assert.True(await bell.HeardAsync(TimeSpan.FromSeconds(10), TimeProvider.System, CancellationToken.None));
    }

    [Fact]
    public async Task Of_many_who_ring_at_once_none_is_missed()
    {
        const int Ringers = 4, Times = 5_000;
        var (bell, value) = (new Bell(), 0);
        var ringers = Enumerable.Range(0, Ringers).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < Times; i++)
            {
                Interlocked.Increment(ref value);
                bell.Ring();
            }
        })).ToArray();
        while (true)
        {
            await bell.HeardAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(10));
            if (Volatile.Read(ref value) == Ringers * Times) break;
        }
        await Task.WhenAll(ringers);
    }

    [Fact]
    public async Task Who_is_told_to_stop_hears_nothing()
    {
        using var stop = new CancellationTokenSource();
        var heard = new Bell().HeardAsync(TimeSpan.FromHours(1), TimeProvider.System, stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => heard);
    }
}
