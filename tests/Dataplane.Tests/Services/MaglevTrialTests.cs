using Calico.Bgp.Dataplane.Services;

namespace Calico.Bgp.Dataplane.Tests.Services;

public sealed class MaglevTrialTests
{
    [Fact]
    public void Backends_have_nearly_the_same_share_and_of_one_that_goes_the_others_keep_most()
    {
        var trial = MaglevTrial.Run(tests: 20, backends: 10, size: 1009);
        Assert.InRange(trial.Least, 100, 101);
        Assert.InRange(trial.Most, 101, 102);
        // As Maglev's authors found with so few places (NSDI 2016, figure 13).
        Assert.InRange(trial.Moved, 0.0001, 0.1);
        Assert.InRange(trial.MostMoved, trial.Moved, 0.15);
    }

    [Fact]
    public void More_places_have_fewer_of_them_move() =>
        Assert.True(MaglevTrial.Run(10, 10, 10_007).Moved < MaglevTrial.Run(10, 10, 251).Moved);

    [Fact]
    public void The_table_is_another_with_other_backends_and_else_the_same()
    {
        var digest = MaglevTrial.Run(1, 10, 1009).Digest;
        Assert.Equal(16, digest.Length);
        Assert.Equal(digest, MaglevTrial.Run(5, 10, 1009).Digest);
        Assert.NotEqual(digest, MaglevTrial.Run(1, 11, 1009).Digest);
    }

    [Fact]
    public void One_backend_alone_has_all_and_nobody_goes()
    {
        var trial = MaglevTrial.Run(5, 1, 251);
        Assert.Equal((251, 251, 0d, 0d), (trial.Least, trial.Most, trial.Moved, trial.MostMoved));
    }

    [Theory]
    [InlineData(251, true)]
    [InlineData(65_537, true)]
    [InlineData(1000, false)]
    [InlineData(241, false)]
    [InlineData(65_539, false)]
    public void So_many_places_there_may_be(long size, bool may) => Assert.Equal(may, MaglevTrial.IsSize(size));
}
