namespace Calico.Bgp.Conformance.Packets;

/// <summary>ExternalNetwork: what a gateway sends goes by a table of routes of its own.</summary>
public sealed class EgressNetworkTests : IAsyncLifetime
{
    private const string Enabled = """
        apiVersion: projectcalico.org/v3
        kind: FelixConfiguration
        metadata: { name: default }
        spec: { externalNetworkSupport: Enabled }
        ---

        """, Lab = """
        apiVersion: projectcalico.org/v3
        kind: ExternalNetwork
        metadata: { name: lab }
        spec: { routeTableIndex: 500 }
        ---

        """, Purple4 = "10.10.13.0";

    private static readonly string Purple = $$"""
        apiVersion: operator.tigera.io/v1
        kind: EgressGateway
        metadata: { name: purple, namespace: edge }
        spec:
          ipPools: [{ name: purple }]
          externalNetworks: [lab]
          template: { metadata: { labels: { code: purple } }, spec: { nodeSelector: { site: one } } }
        ---
        apiVersion: projectcalico.org/v3
        kind: IPPool
        metadata: { name: purple }
        spec: { cidr: 10.10.13.0/31, natOutgoing: false, nodeSelector: "!all()", blockSize: 32 }
        ---

        """;

    private EgressSite site = null!;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, "nft", "bird", "birdc", "curl") != null) return;
        site = await EgressSite.MakeAsync();
    }

    public async Task DisposeAsync()
    {
        if (site != null) await site.DisposeAsync();
    }

    private async Task StartAsync(string more)
    {
        site.Write(more, EgressObjects.Choosing("purple"));
        await site.StartAsync("client", "gate1", "gate2");
        await site.AnnouncedAsync(EgressSite.Blue4);
        await site.HeardAsync("client", 2);
    }

    [NeedsFact(Needs.Daemon, "nft", "bird", "birdc", "curl")]
    public async Task What_a_gateway_with_a_network_sends_goes_by_that_networks_table_and_others_by_the_nodes()
    {
        await site["gate1"].IpAsync("route add blackhole default table 500");
        await StartAsync(Enabled + Lab + Purple);
        await site.AnnouncedAsync(Purple4);
        Assert.Null(await site.SeenAsync("p", attempts: 1));
        Assert.Equal(EgressSite.Blue4, await site.SeenAsync("o"));
        await site["gate1"].IpAsync("route replace default via 172.20.0.254 table 500");
        await site["gate1"].IpAsync("route replace blackhole default");
        await site.SeesAsync("p", Purple4);
        Assert.Null(await site.SeenAsync("o", attempts: 1));
    }

    [NeedsFact(Needs.Daemon, "nft", "bird", "birdc", "curl")]
    public async Task A_gateway_whose_network_is_not_there_lets_nothing_out()
    {
        await StartAsync(Enabled + Purple);
        await site.ToldAsync("gate1", answer => answer.Contains("there is no ExternalNetwork lab", StringComparison.Ordinal));
        var others = await site.OthersAsync();
        Assert.Null(await site.SeenAsync("p", attempts: 1));
        Assert.Equal(others, await site.OthersAsync());
        site.Write(Enabled + Purple + Lab, EgressObjects.Choosing("purple"));
        await site.SeesAsync("p", Purple4);
    }
}
