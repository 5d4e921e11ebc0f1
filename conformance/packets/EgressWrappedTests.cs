namespace Calico.Bgp.Conformance.Packets;

/// <summary>A network that lets nothing through between nodes with a pod's address, as clouds do that know each machine's.</summary>
public sealed class EgressWrappedTests : IAsyncLifetime
{
    private EgressSite site = null!;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, "nft", "bird", "birdc", "curl") != null) return;
        site = await EgressSite.MakeAsync();
        foreach (var gate in (string[])["gate1", "gate2"])
            site[gate].Tell("""
                table inet cloud {
                 chain between {
                  type filter hook prerouting priority -310;
                  iifname "eth0" ip saddr 192.168.0.0/16 drop
                  iifname "eth0" ip6 saddr fd01::/16 drop
                 }
                }
                """, "nft", "-f", "-");
    }

    public async Task DisposeAsync()
    {
        if (site != null) await site.DisposeAsync();
    }

    [NeedsFact(Needs.Daemon, "nft", "bird", "birdc", "curl")]
    public async Task Where_pools_say_so_packets_come_to_a_gateway_on_the_same_link_wrapped_and_its_loss_is_heard_as_ever()
    {
        site.Write(ofPods: "ipipMode: Always");
        await site.StartAsync("client", "gate1", "gate2");
        foreach (var address in (string[])[EgressSite.Red4, EgressSite.RedToo4, EgressSite.Red6, EgressSite.RedToo6])
            await site.AnnouncedAsync(address);
        await site.HeardAsync("client", 2);
        await site.ToldAsync("client", answer => answer.Contains("via 172.20.0.12 by VXLAN", StringComparison.Ordinal));
        foreach (var transport in (Transport[])[Transport.Tcp, Transport.Udp, Transport.Icmp])
            Assert.Contains(await site.SeenAsync("a", transport), (string?[])[EgressSite.Red4, EgressSite.RedToo4]);
        Assert.Contains(await site.SeenAsync("a", Transport.Tcp, ipv6: true), (string?[])[EgressSite.Red6, EgressSite.RedToo6]);
        var others = await site.OthersAsync();
        await site.KillAsync("gate2");
        await site.ToldAsync("client", answer => answer.Contains("172.20.0.12 is not heard", StringComparison.Ordinal));
        for (var n = 0; n < 8; n++) Assert.Equal(EgressSite.Red4, await site.SeenAsync("a"));
        Assert.Equal(others, await site.OthersAsync());
    }
}
