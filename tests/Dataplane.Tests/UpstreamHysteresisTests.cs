using static Calico.Bgp.Dataplane.Tests.Plans;

namespace Calico.Bgp.Dataplane.Tests;

public class UpstreamHysteresisTests
{
    private readonly ManualTimeProvider time = new();
    private readonly UpstreamHysteresis hysteresis;
    private TimeSpan? wait;

    public UpstreamHysteresisTests() => hysteresis = new(time);

    private AddressRanges After(double seconds, params string[] offered)
    {
        time.Advance(TimeSpan.FromSeconds(seconds));
        var offer = offered.Length == 0 ? UpstreamOffer.No("") : new UpstreamOffer(Ranges(offered), ["tor1"], "");
        return hysteresis.Update(new Dictionary<string, UpstreamOffer> { ["pods"] = offer }, TimeSpan.FromSeconds(10), out wait)["pods"];
    }

    [Fact]
    public void What_is_offered_holds_after_a_while()
    {
        Assert.Equal((AddressRanges.None, TimeSpan.FromSeconds(10)), (After(0, "0.0.0.0/0"), wait!.Value));
        Assert.Equal((AddressRanges.None, TimeSpan.FromSeconds(1)), (After(9, "0.0.0.0/0"), wait.Value));
        Assert.Equal((Ranges("0.0.0.0/0"), (TimeSpan?)null), (After(1, "0.0.0.0/0"), wait));
    }

    [Fact]
    public void What_is_lost_is_lost_at_once_and_comes_back_after_a_while()
    {
        After(0, "0.0.0.0/0");
        After(10, "0.0.0.0/0");
        Assert.Equal(AddressRanges.None, After(1));
        Assert.Equal(AddressRanges.None, After(1, "0.0.0.0/0"));
        Assert.Equal(Ranges("0.0.0.0/0"), After(10, "0.0.0.0/0"));
    }

    [Fact]
    public void Whoever_flaps_never_holds()
    {
        for (var i = 0; i < 50; i++)
        {
            Assert.Equal(AddressRanges.None, After(3, "0.0.0.0/0"));
            Assert.Equal(AddressRanges.None, After(6));
        }
    }

    [Fact]
    public void What_shrinks_holds_on_in_the_rest()
    {
        After(0, "0.0.0.0/0");
        After(10, "0.0.0.0/0");
        Assert.Equal(Ranges("0.0.0.0/1"), After(1, "0.0.0.0/1"));
        Assert.Equal(Ranges("0.0.0.0/1"), After(1, "0.0.0.0/0"));
        Assert.Equal(Ranges("0.0.0.0/0"), After(10, "0.0.0.0/0"));
    }
}
