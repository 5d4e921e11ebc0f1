
namespace Calico.Bgp.Conformance.Packets;

/// <summary>
/// VXLAN between the nodes, as Calico sets it up. A process of the host that speaks to a service has chosen its source before the service's
/// address became that of a pod beyond the tunnel; it has to arrive there with the tunnel's address. And no translated UDP connection may
/// come from VXLAN's own port, because the answers would not be tracked.
/// </summary>
public sealed class TunnelTests : IAsyncLifetime
{
    private const string Far4 = "192.168.3.2", Far6 = "fd01::3:2", Tunnel4 = "192.168.1.192", Tunnel6 = "fd01::1:c0";
    private Site site = null!;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, Needs.Link + "vxlan", "nft", "bridge") != null) return;
        site = await Site.MakeAsync();
        await TunnelAsync("vxlan.calico", 4096, (Site.Node4, Tunnel4), (Site.Other4, "192.168.2.192"), Far4);
        await TunnelAsync("vxlan-v6.calico", 4097, (Site.Node6, Tunnel6), (Site.Other6, "fd01::2:c0"), Far6);
    }

    public async Task DisposeAsync()
    {
        if (site != null) await site.DisposeAsync();
    }

    private async Task TunnelAsync(string name, int number, (string Node, string Tunnel) near, (string Node, string Tunnel) far, string pod)
    {
        var (family, bits, udp) = pod.Contains(':') ? ("-6", 128, " udp6zerocsumtx udp6zerocsumrx") : ("-4", 32, "");
        var (nearMac, farMac) = ($"66:00:00:00:{number & 0xff:x2}:01", $"66:00:00:00:{number & 0xff:x2}:02");
        foreach (var (space, mac, own, other, otherMac) in new[] { (site.Node, nearMac, near, far, farMac),
            (site.Other, farMac, far, near, nearMac) })
        {
            await space.IpAsync(
                $"link add {name} address {mac} type vxlan id {number} local {own.Node} dev eth0 dstport 4789 nolearning{udp}");
            await space.IpAsync($"addr add {own.Tunnel}/{bits} dev {name}{(bits == 128 ? " nodad" : "")}");
            await space.IpAsync($"link set {name} up");
            await space.IpAsync($"{family} neigh add {other.Tunnel} lladdr {otherMac} dev {name}");
            await space.DoAsync("bridge", "fdb", "add", otherMac, "dst", other.Node, "dev", name);
        }
        await site.Node.IpAsync($"{family} route add {far.Tunnel}/{bits} dev {name}");
        await site.Node.IpAsync($"{family} route add {pod}/{bits} via {far.Tunnel} dev {name} onlink");
        await site.Other.IpAsync($"{family} route add {near.Tunnel}/{bits} dev {name}");
        await site.Other.IpAsync($"addr add {pod}/{bits} dev lo{(bits == 128 ? " nodad" : "")}");
        site.Answer(site.Other, pod);
    }

    [NeedsFact(Needs.Daemon, Needs.Link + "vxlan", "nft", "curl", "bridge")]
    public async Task What_the_host_sends_into_a_tunnel_has_the_tunnels_address()
    {
        site.Write(Site.Pools(felix: ", vxlanEnabled: true"));
        await site.StartAsync();
        await site.TableAsync(table => table.Contains("vxlan-v6.calico"), "the tunnels are known");
        foreach (var (node, tunnel, far) in new[] { (Site.Node4, Tunnel4, Far4), (Site.Node6, Tunnel6, Far6) })
            foreach (var transport in Enum.GetValues<Transport>())
            {
                Assert.Equal(tunnel, (await Echo.SeenAsync(site.Node, node, far, transport))?.Address.ToString());
                Assert.Equal(tunnel, await Matrix.ToldAsync(site, node, far, transport));
            }
        // A pod's address is its own there, too.
        Assert.Equal("192.168.1.2", (await Echo.SeenAsync(site["nat"], "192.168.1.2", Far4, Transport.Tcp))?.Address.ToString());
    }

    [NeedsFact(Needs.Daemon, Needs.Link + "vxlan", "nft", "curl", "bridge")]
    public async Task No_UDP_connection_comes_from_VXLANs_port()
    {
        site.Write(Site.Pools(felix: ", vxlanEnabled: true, natPortRange: \"4700:4800\""));
        await site.StartAsync();
        var seen = await Task.WhenAll(Enumerable.Range(0, 40)
            .Select(_ => Echo.SeenAsync(site["nat"], "192.168.1.2", Site.Outside4, Transport.Udp)));
        Assert.All(seen, one => Assert.InRange(one!.Port, 4700, 4788));
        Assert.InRange((await Echo.SeenAsync(site["nat"], "192.168.1.2", Site.Outside4, Transport.Tcp))!.Port, 4700, 4800);
        Assert.InRange((await Echo.SeenAsync(site.Node, Site.Node4, Far4, Transport.Udp))!.Port, 4790, ushort.MaxValue);
    }
}
