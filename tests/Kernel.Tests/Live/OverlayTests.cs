using Calico.Bgp.Kernel.Overlays;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Tests.Live;

/// <summary>An overlay and who is on it are wanted state, as rules and next hops are.</summary>
public class OverlayTests
{
    private static readonly MacAddress Own = new(0xa22a_0a00_0001), There = new(0xa22a_0a00_0002);

    private static readonly VxlanLink Link = new("egress.calico", 4097, 4790, Address.Parse("10.0.0.1")) { Mac = Own, Mtu = 1450 };

    private static KernelObject[] On(int link) =>
    [
        Link, new OverlayPeer(link, There, Address.Parse("10.0.0.2")), new OverlayNeighbour(link, Address.Parse("10.0.0.2"), There),
        new OverlayNeighbour(link, Address.Parse("fd00::2"), There),
    ];

    [NeedsFact(Needs.Namespaces)]
    public async Task An_overlay_comes_changes_is_put_back_and_goes_with_all_that_are_on_it()
    {
        using var ns = new NetworkNamespace();
        await using var loop = await ns.StartAsync();
        var claim = await loop.ClaimObjectsAsync("egress");
        await claim.WantAsync([Link]);
        Assert.Empty(loop.Status.RefusedObjects);
        var made = ns.Ip("-d link show egress.calico");
        foreach (var words in (string[])
            ["NOARP,UP", "mtu 1450", "a2:2a:0a:00:00:01", "vxlan id 4097 local 10.0.0.1", "dstport 4790", "nolearning"])
            Assert.Contains(words, made, StringComparison.Ordinal);
        await claim.WantAsync(On(ns.Index("egress.calico")));
        Assert.Empty(loop.Status.RefusedObjects);
        Assert.True(IsWhole(ns), Told(ns));
        await claim.WantAsync([Link with { Mtu = 1400 }, .. On(ns.Index("egress.calico"))[1..]]);
        Assert.Contains("mtu 1400", ns.Ip("link show egress.calico"), StringComparison.Ordinal);
        Assert.True(IsWhole(ns), Told(ns));
        ns.Ip("link del egress.calico");
        await Until.TrueAsync("the link is back", () => ns.Ip("link show").Contains("egress.calico", StringComparison.Ordinal));
        await claim.WantAsync(On(ns.Index("egress.calico")));
        await Until.TrueAsync("all is back", () => IsWhole(ns));
        await claim.WantAsync([]);
        Assert.DoesNotContain("egress.calico", ns.Ip("link show"), StringComparison.Ordinal);
    }

    [NeedsFact(Needs.Namespaces)]
    public async Task A_daemon_that_comes_back_takes_it_as_it_is_and_another_address_makes_another()
    {
        using var ns = new NetworkNamespace();
        int link;
        await using (var before = await ns.StartAsync())
        {
            var claimed = await before.ClaimObjectsAsync("egress");
            await claimed.WantAsync([Link]);
            await claimed.WantAsync(On(link = ns.Index("egress.calico")));
        }
        await using var loop = await ns.StartAsync();
        var claim = await loop.ClaimObjectsAsync("egress");
        await claim.WantAsync(On(link));
        Assert.Equal(link, ns.Index("egress.calico"));
        Assert.True(IsWhole(ns), Told(ns));
        await claim.WantAsync([Link, .. On(link)[2..]]);
        Assert.DoesNotContain("dst 10.0.0.2", Told(ns), StringComparison.Ordinal);
        await claim.WantAsync([new VxlanLink("egress.calico", 4097, 4790, Address.Parse("10.0.1.1")) { Mac = Own, Mtu = 1450 }]);
        Assert.Contains("local 10.0.1.1", ns.Ip("-d link show egress.calico"), StringComparison.Ordinal);
        Assert.Empty(loop.Status.RefusedObjects);
    }

    private static string Told(NetworkNamespace ns) => ns.Ip("neighbour show dev egress.calico") + ns.Bridge("fdb show dev egress.calico");

    private static bool IsWhole(NetworkNamespace ns)
    {
        var told = Told(ns);
        return told.Contains("10.0.0.2 lladdr a2:2a:0a:00:00:02 PERMANENT", StringComparison.Ordinal)
            && told.Contains("fd00::2 lladdr a2:2a:0a:00:00:02 PERMANENT", StringComparison.Ordinal)
            && told.Contains("a2:2a:0a:00:00:02 dst 10.0.0.2 self permanent", StringComparison.Ordinal);
    }
}
