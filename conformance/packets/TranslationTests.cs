using System.Text;
using Calico.Bgp.Conformance.Machine;

namespace Calico.Bgp.Conformance.Packets;

/// <summary>Every kind of source to every kind of destination, over every transport, in both families: who did the server see?</summary>
public sealed class TranslationTests : IAsyncLifetime
{
    private Site site = null!;

    public async Task InitializeAsync()
    {
        if (Project.Missing("nft") != null) return;
        site = await Site.MakeAsync();
    }

    public async Task DisposeAsync()
    {
        if (site != null) await site.DisposeAsync();
    }

    private static readonly (string Name, string IPv4, string IPv6)[] Destinations =
    [
        ("same pool", "192.168.1.3", "fd01::1:3"), ("same pool, other node", Site.Remote4, Site.Remote6), ("other pool", "172.16.1.2", "fd02::1:2"),
        ("disabled pool", Site.Exempt4, Site.Exempt6), ("own node", Site.Node4, Site.Node6), ("other node", Site.Other4, Site.Other6),
        ("outside", Site.Outside4, Site.Outside6),
    ];

    /// <summary>Sources from pools with natOutgoing, disabled or not; destinations that are in no pool, and are not delivered here.</summary>
    private static bool IsTranslated(string source, string destination, bool exceptHosts) =>
        source is "nat" or "disabled" && (destination == "outside" || (destination == "other node" && !exceptHosts));

    /// <summary>A row for each source and destination that the server did not see as it should.</summary>
    private async Task<string> WrongAsync(Transport transport, bool ipv6, bool exceptHosts)
    {
        var wrong = new StringBuilder();
        foreach (var pod in Site.Pods.Where(pod => pod.Name != "nat-too"))
            foreach (var (name, ipv4, six) in Destinations)
            {
                var (source, destination) = ipv6 ? (pod.IPv6, six) : (pod.IPv4, ipv4);
                if (source == destination) continue;
                var expected = IsTranslated(pod.Name, name, exceptHosts) ? ipv6 ? Site.Node6 : Site.Node4 : source;
                var seen = await Echo.SeenAsync(site[pod.Name], source, destination, transport);
                if (seen?.Address.ToString() != expected) wrong.AppendLine($"{pod.Name} to {name} ({destination}): expected {expected}, saw {seen?.ToString() ?? "nothing"}");
            }
        return wrong.ToString();
    }

    private async Task HoldsAsync(bool exceptHosts)
    {
        foreach (var transport in Enum.GetValues<Transport>())
            foreach (var ipv6 in (bool[])[false, true])
                Assert.Equal($"{transport} {ipv6}:\n", $"{transport} {ipv6}:\n" + await WrongAsync(transport, ipv6, exceptHosts));
    }

    [NeedsFact("nft", "curl")]
    public async Task What_leaves_the_pools_is_translated_and_nothing_else()
    {
        site.Write(Site.Pools());
        await site.StartAsync();
        await site.TableAsync(table => table.Contains("masq6"), "both families are translated");
        await HoldsAsync(exceptHosts: false);

        site.Write(Site.Pools(exceptHosts: true));
        await site.TableAsync(table => table.Contains("@hosts4"), "hosts are excepted");
        await HoldsAsync(exceptHosts: true);
    }

    [NeedsFact("nft", "curl")]
    public async Task Beside_kube_proxy_it_is_the_same_and_services_work()
    {
        site.Write(Site.Pools());
        await site.StartAsync();
        foreach (var endpoint in (string[])["192.168.1.3", Site.Remote4])
        {
            var file = site.PathOf("kube-proxy.nft");
            await File.WriteAllTextAsync(file, KubeProxy.Table(endpoint));
            await site.Node.DoAsync("nft", "-f", file);
            var pod = site["nat"];
            var local = endpoint == "192.168.1.3";
            Assert.Equal("192.168.1.2", await SeenAsync(pod, "192.168.1.2", KubeProxy.Web, KubeProxy.ServicePort));
            Assert.Equal(Site.Node4, await SeenAsync(pod, "192.168.1.2", KubeProxy.Far, KubeProxy.ServicePort));
            Assert.Equal("203.0.113.2", await SeenAsync(site["public"], "203.0.113.2", KubeProxy.Far, KubeProxy.ServicePort));
            Assert.Equal(Site.Node4, await SeenAsync(site.Outside, Site.Outside4, Site.Node4, KubeProxy.ClusterPort));
            if (local) Assert.Equal(Site.Outside4, await SeenAsync(site.Outside, Site.Outside4, Site.Node4, KubeProxy.LocalPort));
            await site.Node.DoAsync("nft", "delete", "table", "ip", "kube-proxy");
        }
        await site.Node.DoAsync("nft", "-f", site.PathOf("kube-proxy.nft"));
        await HoldsAsync(exceptHosts: false);
    }

    private static async Task<string?> SeenAsync(Netns from, string source, string to, int port) =>
        (await Echo.SeenAsync(from, source, to, Transport.Tcp, port))?.Address.ToString();

    [NeedsFact("nft", "curl")]
    public async Task A_given_address_and_port_range_are_used()
    {
        await site.Node.IpAsync("addr add 172.20.0.9/32 dev eth0");
        await site.Node.IpAsync("addr add 172.20.0.10/32 dev eth0");
        site.Write(Site.Pools(felix: ", natOutgoingAddress: 172.20.0.9, natPortRange: \"20000:20010\""));
        await site.StartAsync();
        foreach (var transport in (Transport[])[Transport.Tcp, Transport.Udp])
        {
            var seen = await Echo.SeenAsync(site["nat"], "192.168.1.2", Site.Outside4, transport);
            Assert.Equal("172.20.0.9", seen?.Address.ToString());
            Assert.InRange(seen!.Port, 20000, 20010);
        }
        Assert.Equal("172.20.0.9", (await Echo.SeenAsync(site["nat"], "192.168.1.2", Site.Outside4, Transport.Icmp))?.Address.ToString());

        site.Write(Site.Pools(felix: ", natOutgoingAddress: \"172.20.0.9,172.20.0.10\""));
        await site.TableAsync(table => table.Contains("172.20.0.10"), "two addresses are used");
        var all = new HashSet<string?>();
        for (var i = 0; i < 40; i++) all.Add((await Echo.SeenAsync(site["nat"], "192.168.1.2", Site.Outside4, Transport.Udp))?.Address.ToString());
        Assert.Equal(["172.20.0.10", "172.20.0.9"], all.Order());
    }
}
