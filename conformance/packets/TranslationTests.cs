
using Calico.Bgp.Conformance.Fabric;

namespace Calico.Bgp.Conformance.Packets;

/// <summary>What leaves the pools, alone on the node and beside kube-proxy in each of its modes; the pools in a folder, or wherever
/// CONFORMANCE_OBJECTS says.</summary>
public sealed class TranslationTests : IAsyncLifetime
{
    private Site site = null!;

    public Task InitializeAsync() => Needs.Missing(Needs.Daemon, "nft") == null ? MakeAsync(ObjectPlace.Asked) : Task.CompletedTask;

    private async Task MakeAsync(ObjectPlace place)
    {
        site = await Site.MakeAsync(place);
        site.Write(Site.Pools());
    }

    public async Task DisposeAsync()
    {
        if (site != null) await site.DisposeAsync();
    }

    /// <summary>In both modes of exclusion.</summary>
    private async Task MatrixHoldsAsync()
    {
        await site.TableAsync(
            table => table.Contains("masq6") && !table.Contains("@nat-hosts4") && Site.PoolCidrs.All(table.Contains),
            "both families are translated, and all pools are known");
        await Matrix.HoldsAsync(site, exceptHosts: false);
        site.Write(Site.Pools(exceptHosts: true));
        await site.TableAsync(
            table => table.Contains("@nat-hosts4") && table.Contains(Site.Other4) && table.Contains(Site.Other6), "hosts are excepted");
        await Matrix.HoldsAsync(site, exceptHosts: true);
    }

    [NeedsFact(Needs.Daemon, "nft", "curl")]
    public async Task What_leaves_the_pools_is_translated_and_nothing_else()
    {
        await site.StartAsync();
        await MatrixHoldsAsync();
    }

    [NeedsFact(Needs.Daemon, Needs.Cluster, "nft", "curl")]
    public Task It_is_the_same_with_the_pools_in_an_API_server() => ElsewhereAsync(ObjectPlace.Kubernetes);

    [NeedsFact(Needs.Daemon, "nft", "curl", "etcd", "etcdctl")]
    public Task It_is_the_same_with_the_pools_in_etcd() => ElsewhereAsync(ObjectPlace.Etcd);

    private async Task ElsewhereAsync(ObjectPlace place)
    {
        await site.DisposeAsync();
        await MakeAsync(place);
        await site.StartAsync();
        await MatrixHoldsAsync();
    }

    [NeedsTheory(Needs.Daemon, "nft", "curl", "iptables-nft-restore", "iptables-legacy-restore")]
    [InlineData("nftables")]
    [InlineData("iptables-nft")]
    [InlineData("iptables-legacy")]
    public async Task Beside_kube_proxy_it_is_the_same_and_services_work(string mode)
    {
        await site.StartAsync();
        foreach (var ipv6 in (bool[])[false, true])
            foreach (var services in (KubeProxy[])[new(ipv6, ipv6 ? "fd01::1:3" : "192.168.1.3", IsLocal: true),
                new(ipv6, ipv6 ? Site.Remote6 : Site.Remote4, IsLocal: false)])
            {
                await services.WriteAsync(site, mode);
                Assert.Empty(await WrongAsync(services));
            }
        await MatrixHoldsAsync();
    }

    /// <summary>
    /// kube-proxy decides where its services' packets go, and masquerades what its mark says: what comes to a service from outside of its
    /// clusterCIDR, and to a NodePort with externalTrafficPolicy Cluster. To all the rest, only what leaves the pools is ours.
    /// </summary>
    private async Task<IEnumerable<string>> WrongAsync(KubeProxy services)
    {
        var (node, outside) = services.IPv6 ? (Site.Node6, Site.Outside6) : (Site.Node4, Site.Outside4);
        var (pod, open, plain) = services.IPv6 ? ("fd01::1:2", "2001:db8:1::2", "fd02::1:2") : ("192.168.1.2", "203.0.113.2", "172.16.1.2");
        (string What, Netns From, string Source, string To, int Port, string? Expected)[] packets =
        [
            ("pod to ClusterIP", site["nat"], pod, services.Web, KubeProxy.ServicePort, pod),
            ("pod to ClusterIP with a server outside", site["nat"], pod, services.Far, KubeProxy.ServicePort, node),
            ("public pod to ClusterIP", site["public"], open, services.Web, KubeProxy.ServicePort, node),
            ("public pod to ClusterIP with a server outside", site["public"], open, services.Far, KubeProxy.ServicePort, node),
            ("pod without NAT to ClusterIP with a server outside", site["plain"], plain, services.Far, KubeProxy.ServicePort, node),
            ("host to ClusterIP", site.Node, node, services.Web, KubeProxy.ServicePort, node),
            ("outside to NodePort, Cluster", site.Outside, outside, node, KubeProxy.ClusterPort, node),
            ("outside to NodePort, Local", site.Outside, outside, node, KubeProxy.LocalPort, services.IsLocal ? outside : null),
            ("pod to NodePort, Cluster", site["nat"], pod, node, KubeProxy.ClusterPort, node),
            ("pod to NodePort, Local", site["nat"], pod, node, KubeProxy.LocalPort, pod),
        ];
        var wrong = await Task.WhenAll(packets.Select(async packet =>
        {
            var (what, from, source, to, port, expected) = packet;
            // That nothing comes can only be waited for; a moment will do, because an answer that comes too late is no reason to fail.
            var seen = (await Echo.SeenAsync(from, source, to, Transport.Tcp, port,
                attempts: expected == null ? 1 : 4))?.Address.ToString();
            return seen == expected ? null : $"{what} ({services}): expected {expected ?? "nothing"}, saw {seen ?? "nothing"}";
        }));
        return wrong.OfType<string>();
    }
}
