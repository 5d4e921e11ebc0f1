using static Calico.Bgp.Kernel.Tests.Live.Wishes;

namespace Calico.Bgp.Kernel.Tests.Live;

public class RouteWritingTests
{
    [LiveFact]
    public async Task A_route_through_a_gateway_is_written()
    {
        using var ns = new NetworkNamespace();
        await using var loop = await ns.StartAsync();
        await loop.Have("192.0.2.0/24", Via("10.0.0.2"));
        Assert.Equal("192.0.2.0/24 via 10.0.0.2 dev a0", ns.Own());
    }
}
