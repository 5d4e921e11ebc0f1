namespace Calico.Bgp.Bfd.Tests;

public class BfdLatenessTests
{
    [Fact]
    public void Each_packet_stands_in_the_first_bucket_that_holds_it()
    {
        var lateness = new BfdLateness();
        foreach (var microseconds in (long[])[0, 50, 51, 99_999, 100_000, 100_001, 5_000_000]) lateness.Add(microseconds);
        Assert.Equal([2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2], Enumerable.Range(0, BfdLateness.Bounds.Length + 1).Select(lateness.Count));
        Assert.Equal((7, TimeSpan.FromSeconds(5)), (lateness.Samples, lateness.Most));
    }
}
