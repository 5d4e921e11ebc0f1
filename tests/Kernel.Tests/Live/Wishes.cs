using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Tests.Live;

/// <summary>Short words for what the tests wish for.</summary>
internal static class Wishes
{
    public static RouteHop Hop(string gateway, int link = 0, int weight = 1, bool onLink = false) =>
        new(Address.Parse(gateway), link, weight, onLink);

    public static RouteTarget Via(string gateway, int link = 0) => Over(Hop(gateway, link));

    public static RouteTarget Over(params RouteHop[] hops) => new(RouteType.Unicast, [.. hops]);

    public static RouteTarget Straight(int link) => Over(new RouteHop(null, link));

    public static RouteTarget Nowhere(RouteType type = RouteType.Blackhole) => new(type, []);

    public static RouteWish Wish(string prefix, RouteTarget? target) => new(Prefix.Parse(prefix), target);

    /// <summary>Wishes, and waits until the kernel has answered.</summary>
    public static async Task Have(this KernelLoop loop, params RouteWish[] wishes)
    {
        await loop.WishAsync(wishes);
        await loop.SettledAsync();
    }

    public static Task Have(this KernelLoop loop, string prefix, RouteTarget? target) => loop.Have(Wish(prefix, target));
}
