using System.Net;

namespace Calico.Bgp.Conformance.Packets;

/// <summary>natOutgoingAddress and natPortRange: what packets leave with, where the operator says what.</summary>
public sealed class OutgoingAddressTests : IAsyncLifetime
{
    private const string First = "172.20.0.9", Second = "172.20.0.10";
    private const int Many = 40;
    private Site site = null!;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, "nft") != null) return;
        site = await Site.MakeAsync();
        foreach (var address in (string[])[First, Second]) await site.Node.IpAsync($"addr add {address}/32 dev eth0");
    }

    public async Task DisposeAsync()
    {
        if (site != null) await site.DisposeAsync();
    }

    private async Task<IPEndPoint> SeenAsync(Transport transport, string pod = "nat", string source = "192.168.1.2",
        string to = Site.Outside4)
    {
        var seen = await Echo.SeenAsync(site[pod], source, to, transport);
        Assert.NotNull(seen);
        return seen;
    }

    private async Task<IEnumerable<string>> AddressesAsync(string pod, string source, params string[] destinations)
    {
        var seen = await Task.WhenAll(Enumerable.Range(0, Many)
            .Select(i => SeenAsync(Transport.Udp, pod, source, destinations[i % destinations.Length])));
        return seen.Select(one => one.Address.ToString()).Distinct().Order(StringComparer.Ordinal);
    }

    [NeedsFact(Needs.Daemon, "nft", "curl")]
    public async Task One_address_and_a_range_of_ports()
    {
        site.Write(Site.Pools(felix: $", natOutgoingAddress: {First}, natPortRange: \"20000:20100\""));
        await site.StartAsync();
        foreach (var transport in (Transport[])[Transport.Tcp, Transport.Udp])
        {
            var seen = await SeenAsync(transport);
            Assert.Equal(First, seen.Address.ToString());
            Assert.InRange(seen.Port, 20000, 20100);
        }
        Assert.Equal(First, (await SeenAsync(Transport.Icmp)).Address.ToString());
        foreach (var transport in Enum.GetValues<Transport>())
            Assert.Equal(First, await Matrix.ToldAsync(site, "192.168.1.2", Site.Outside4, transport));
    }

    [NeedsFact(Needs.Daemon, "nft", "curl")]
    public async Task Addresses_of_a_list_share_the_connections()
    {
        site.Write(Site.Pools(felix: $", natOutgoingAddress: \"{First},{Second}\", natPortRange: \"20000:29999\""));
        await site.StartAsync();
        Assert.Equal([Second, First], await AddressesAsync("nat", "192.168.1.2", Site.Outside4));
    }

    [NeedsFact(Needs.Daemon, "nft", "curl")]
    public async Task Addresses_of_a_range_share_the_destinations()
    {
        // The kernel's own choice, by source and destination: what belongs together for a server stays together.
        string[] servers = [.. Enumerable.Range(2, 16).Select(last => $"198.51.100.{last}")];
        foreach (var server in servers)
        {
            await site.Outside.IpAsync($"addr add {server}/32 dev lo");
            site.Answer(site.Outside, server);
        }
        site.Write(Site.Pools(felix: $", natOutgoingAddress: \"{First}-{Second}\", natPortRange: \"20000:29999\""));
        await site.StartAsync();
        Assert.Equal([Second, First], await AddressesAsync("nat", "192.168.1.2", servers));
        Assert.Single(await AddressesAsync("nat", "192.168.1.2", Site.Outside4));
    }

    [NeedsTheory(Needs.Daemon, "nft", "curl")]
    [InlineData($"{First},{Second}")]
    [InlineData($"{First}-{Second}")]
    public async Task With_persistent_all_connections_of_a_source_have_one(string addresses)
    {
        site.Configuration = "nat: { persistent: true }\n";
        site.Write(Site.Pools(felix: $", natOutgoingAddress: \"{addresses}\""));
        await site.StartAsync();
        foreach (var (pod, source) in new[] { ("nat", "192.168.1.2"), ("nat-too", "192.168.1.3"), ("disabled", "100.64.1.2") })
        {
            var seen = Assert.Single(await AddressesAsync(pod, source, Site.Outside4, Site.Other4));
            // Of a list the rules say which one it is: by the same hash as the kernel.
            if (addresses.Contains(',')) Assert.Equal(seen, await Matrix.ToldAsync(site, source, Site.Outside4, Transport.Udp));
        }
    }

    [NeedsFact(Needs.Daemon, "nft", "curl")]
    public async Task Only_interfaces_that_the_filter_names_translate()
    {
        site.Write(Site.Pools(felix: ", natOutgoingInterfaceFilter: \"eth+\""));
        await site.StartAsync();
        Assert.Equal(Site.Node4, (await SeenAsync(Transport.Tcp)).Address.ToString());
        Assert.Equal(Site.Node4, await Matrix.ToldAsync(site, "192.168.1.2", Site.Outside4, Transport.Tcp));
        site.Write(Site.Pools(felix: ", natOutgoingInterfaceFilter: \"bond+\""));
        await site.TableAsync(table => table.Contains("bond*"), "another filter is in force");
        Assert.Equal("192.168.1.2", (await SeenAsync(Transport.Tcp)).Address.ToString());
        Assert.Equal("192.168.1.2", await Matrix.ToldAsync(site, "192.168.1.2", Site.Outside4, Transport.Tcp));
    }
}
