using Calico.Bgp.Resources.Egress;

namespace Calico.Bgp.Resources.Tests;

public class ProbeRecordTests
{
    private static readonly DateTimeOffset Begun = new(2026, 11, 29, 12, 0, 0, TimeSpan.Zero);

    private static EgressProbe Icmp(int timeout, params string[] targets) =>
        new(EgressProbeKind.Icmp, [.. targets], TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(timeout));

    private static EgressProbe Http(int timeout, params string[] targets) =>
        new(EgressProbeKind.Http, [.. targets], TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(timeout));

    private static ProbeRecord Of(bool isBelieved, params EgressProbe[] probes) => new(probes, Begun, isBelieved);

    private static DateTimeOffset At(double seconds) => Begun.AddSeconds(seconds);

    [Fact]
    public void Who_asks_nobody_is_well_and_waits_for_nothing()
    {
        Assert.Equal(new ProbeVerdict(null, null), Of(isBelieved: false).At(Begun));
        Assert.Equal(new ProbeVerdict(null, null), Of(isBelieved: false, Icmp(5)).At(Begun));
    }

    [Fact]
    public void Before_the_first_answer_it_is_well_only_where_that_is_believed_and_for_as_long()
    {
        const string words = "icmpProbe: none of 192.0.2.1, 192.0.2.2 has answered for 5 s";
        var (believed, not) = (Of(true, Icmp(5, "192.0.2.1", "192.0.2.2")), Of(false, Icmp(5, "192.0.2.1", "192.0.2.2")));
        Assert.Equal(new ProbeVerdict(words, null), not.At(Begun));
        Assert.Equal(new ProbeVerdict(null, TimeSpan.FromSeconds(3)), believed.At(At(2)));
        Assert.Equal(new ProbeVerdict(words, null), believed.At(At(5)));
    }

    [Fact]
    public void One_target_of_a_kind_is_enough_for_its_timeout()
    {
        var record = Of(false, Icmp(5, "192.0.2.1", "192.0.2.2"));
        record.Answered(EgressProbeKind.Icmp, "192.0.2.2", At(1));
        Assert.Equal(new ProbeVerdict(null, TimeSpan.FromSeconds(4)), record.At(At(2)));
        record.Answered(EgressProbeKind.Icmp, "192.0.2.1", At(4));
        Assert.Equal(new ProbeVerdict(null, TimeSpan.FromSeconds(2)), record.At(At(7)));
        Assert.Equal(new ProbeVerdict(null, TimeSpan.FromMilliseconds(1)), record.At(At(8.999)));
        Assert.NotNull(record.At(At(9)).Problem);
    }

    [Fact]
    public void All_kinds_are_to_be_well_and_the_first_that_may_fall_silent_is_waited_for()
    {
        var record = Of(false, Icmp(5, "192.0.2.1"), Http(30, "http://192.0.2.3/"));
        record.Answered(EgressProbeKind.Icmp, "192.0.2.1", At(1));
        Assert.Equal(new ProbeVerdict("httpProbe: none of http://192.0.2.3/ has answered for 30 s", null), record.At(At(1)));
        record.Answered(EgressProbeKind.Http, "http://192.0.2.3/", At(1));
        Assert.Equal(new ProbeVerdict(null, TimeSpan.FromSeconds(5)), record.At(At(1)));
        record.Answered(EgressProbeKind.Icmp, "192.0.2.1", At(29));
        Assert.Equal(new ProbeVerdict(null, TimeSpan.FromSeconds(1)), record.At(At(30)));
        Assert.StartsWith("httpProbe", record.At(At(31)).Problem, StringComparison.Ordinal);
    }

    /// <summary>Whoever waits for what is left and asks again finds that it is over: there is no circle.</summary>
    [Fact]
    public void What_is_left_is_more_than_nothing_or_it_is_not_well()
    {
        var record = Of(true, Icmp(2, "192.0.2.1"));
        for (var tick = 0; tick <= 20; tick++)
        {
            var verdict = record.At(At(2).AddTicks(tick - 10));
            Assert.Equal(tick < 10, verdict.Problem == null);
            Assert.Equal(tick < 10 ? TimeSpan.FromTicks(10 - tick) : null, verdict.Left);
        }
    }
}
