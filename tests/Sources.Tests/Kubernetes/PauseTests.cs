using Calico.Bgp.Sources.Kubernetes;

namespace Calico.Bgp.Sources.Tests.Kubernetes;

public class PauseTests
{
    /// <summary>A kind whose definition comes later counts within so long: who asked for it and was told no asks again by then.</summary>
    [Fact]
    public void After_however_many_refusals_the_next_question_is_at_most_30_seconds_away()
    {
        var pause = Pause.Long();
        var next = Enumerable.Range(0, 1000).Select(_ => pause.Next());
        Assert.All(next, one => Assert.InRange(one, TimeSpan.Zero, TimeSpan.FromSeconds(30)));
    }
}
