using Calico.Bgp.Kernel;
using Calico.Bgp.Net;

namespace Calico.Bgp.Speaker.Tests;

public class LearnedRoutesTests
{
    private const byte Global = 0, Host = 254;

    private static LinkAddress OnLoopback(string address, int length, byte scope = Global) =>
        new(1, Address.Parse(address), length, null, scope, false);

    private static KernelSnapshot Node(params LinkAddress[] more)
    {
        var node = FakeKernel.Node();
        return node with { Addresses = [.. node.Addresses, .. more] };
    }

    [Fact]
    public void Own_addresses_on_the_loopback_are_announceable_and_the_loopbacks_are_not()
    {
        var node = Node(
            OnLoopback("10.0.9.11", 32), OnLoopback("127.0.0.1", 8, Host), OnLoopback("fd00:9::11", 128), OnLoopback("::1", 128, Host));
        var four = Assert.Single(LearnedRoutes.Direct(node, IpFamily.IPv4, []));
        Assert.Equal((Prefix.Parse("10.0.9.11/32"), 1), (four.Key, four.Value.Interface));
        Assert.Equal(Prefix.Parse("fd00:9::11/128"), Assert.Single(LearnedRoutes.Direct(node, IpFamily.IPv6, [])).Key);
        Assert.Empty(LearnedRoutes.Direct(node, IpFamily.IPv4, ["l*"]));
    }
}
