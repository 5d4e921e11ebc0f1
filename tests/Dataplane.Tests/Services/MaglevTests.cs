using Calico.Bgp.Dataplane.Services;

namespace Calico.Bgp.Dataplane.Tests.Services;

public sealed class MaglevTests
{
    private const int Size = 1009;

    private static string[] Names(int count) => [.. Enumerable.Range(0, count).Select(i => $"20.0.0.{i} 80")];

    private static string[] Places(string[] names, params int[] weights) =>
        [.. Maglev.Fill(names, weights.Length > 0 ? weights : [.. names.Select(_ => 1)], Size).Select(i => names[i])];

    [Fact]
    public void Every_backend_has_nearly_the_same_share()
    {
        var shares = Places(Names(10)).CountBy(name => name).Select(one => one.Value).ToArray();
        Assert.Equal(10, shares.Length);
        Assert.All(shares, share => Assert.InRange(share, 100, 102));
    }

    [Fact]
    public void The_order_in_which_backends_are_named_makes_no_difference() =>
        Assert.Equal(Places(Names(10)), Places([.. Names(10).Reverse()]));

    [Fact]
    public void Weights_are_shares() => Assert.InRange(Places(Names(2), 1, 3).Count(name => name == "20.0.0.1 80"), 755, 758);

    /// <summary>The first in their order had all places where the weights together are more than these are.</summary>
    [Fact]
    public void Weights_are_shares_however_large_they_are()
    {
        var shares = Places(Names(20), [.. Enumerable.Range(0, 20).Select(i => 81 + i)]).CountBy(name => name).Select(one => one.Value);
        Assert.Equal(20, shares.Count());
        Assert.All(shares, share => Assert.InRange(share, 40, 60));
    }

    [Fact]
    public void One_that_goes_takes_few_places_of_the_others_along()
    {
        var (all, less) = (Places(Names(10)), Places(Names(9)));
        var moved = Enumerable.Range(0, Size).Count(i => all[i] != less[i] && all[i] != "20.0.0.9 80");
        Assert.InRange(moved, 0, Size / 10);
    }

    [Fact]
    public void Without_backends_there_are_no_places() => Assert.Empty(Places([]));
}
