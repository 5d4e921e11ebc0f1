using Calico.Bgp.Net;

namespace Calico.Bgp.Rib.Tests;

public class NextHopsTests
{
    private static readonly Address A = Address.Parse("10.0.0.1"), B = Address.Parse("10.0.0.2");

    [Fact]
    public void One_address_has_one_handle_until_its_last_holder_lets_go()
    {
        var nextHops = new NextHops(new FlatNetwork());
        var (first, second, other) = (nextHops.Hold(A, 0), nextHops.Hold(A, 0), nextHops.Hold(B, 0));
        Assert.Equal(first, second);
        Assert.NotEqual(first, other);
        nextHops.Release(first);
        Assert.Equal(A, nextHops.NameOf(second).Address);
        nextHops.Release(second);
        Assert.Equal(first, nextHops.Hold(Address.Parse("10.0.0.3"), 0));
    }

    [Fact]
    public void A_link_local_next_hop_is_another_on_another_interface()
    {
        var (nextHops, local) = (new NextHops(new FlatNetwork()), Address.Parse("fe80::1"));
        Assert.NotEqual(nextHops.Hold(local, 1), nextHops.Hold(local, 2));
    }

    [Fact]
    public void Only_what_answers_differently_has_changed()
    {
        var nextHops = new NextHops(new FlatNetwork());
        var (a, b) = (nextHops.Hold(A, 0), nextHops.Hold(B, 0));
        var before = nextHops.Generation;
        nextHops.ResolveBy(new FlatNetwork(A));
        Assert.Equal(nextHops.Generation, nextHops.LastChange);
        using var table = PrefixTable.Of(IpFamily.IPv4);
        Assert.False(nextHops.For(a, direct: false, table, node: 0).Resolvable);
        Assert.True(nextHops.ChangedSince(a, before));
        Assert.False(nextHops.ChangedSince(b, before));
        nextHops.ResolveBy(new FlatNetwork(A));
        Assert.True(nextHops.LastChange < nextHops.Generation);
    }
}
