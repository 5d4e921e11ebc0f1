
namespace Calico.Bgp.Conformance.Packets;

/// <summary>The ToR speaks BGP and translates; the outside server sees pods' own addresses when the node leaves it to the ToR.</summary>
public sealed class UpstreamNatTests : IAsyncLifetime
{
    private const string Source = "192.168.1.2";
    private Site site = null!;
    private Background? bird;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, "nft", "curl", "bird") != null) return;
        site = await Site.MakeAsync();
        site.Write(Site.Pools());
        // The node's way out is what the ToR announces, nothing else.
        await site.Node.IpAsync("route del default");
    }

    public async Task DisposeAsync()
    {
        if (bird != null) await bird.DisposeAsync();
        if (site != null) await site.DisposeAsync();
    }

    private static string Configuration(string upstream, string stableFor) => $$"""
        nat: { upstream: { {{upstream}}stableFor: {{stableFor}} } }
        routes: [{ prefix: 192.168.1.0/26, type: blackhole }]
        peers: [{ name: tor, peerIP: 172.20.0.254, asNumber: 65001, families: [ipv4], import: accept, export: accept,
                   connectRetryTime: 1s, idleHoldTime: 200ms }]

        """;

    private Task StartAsync(string upstream) => StartWithAsync(Configuration(upstream + ", ", stableFor: "1s"));

    private async Task StartWithAsync(string configuration)
    {
        site.Configuration = configuration;
        await File.WriteAllTextAsync(site.PathOf("bird.conf"), """
            log stderr all;
            router id 172.20.0.254;
            protocol device { }
            protocol static announced { ipv4; route 0.0.0.0/0 blackhole { bgp_community.add((65001,77)); }; }
            protocol bgp node {
              local 172.20.0.254 as 65001; neighbor 172.20.0.1 as 64512; passive on;
              connect delay time 1; error wait time 1,2;
              ipv4 { next hop self; import all; export where proto = "announced"; };
            }
            """);
        bird = Background.Start(site.Tor, site.PathOf("bird.log"), null, "bird", "-f", "-c", site.PathOf("bird.conf"), "-s",
            site.PathOf("bird.ctl"), "-P", site.PathOf("bird.pid"));
        // The node's first attempt shall find it: the next one may be two minutes away.
        await Until.TrueAsync("BIRD answers", async () =>
            (await Shell.RunAsync("birdc", "-s", site.PathOf("bird.ctl"), "show", "status")).Good);
        await site.StartAsync();
    }

    private Task BirdAsync(params string[] words) => Shell.DoAsync("birdc", ["-s", site.PathOf("bird.ctl"), .. words]);

    private Task AppliesAsync(string pool, string treatment) => Until.TrueAsync($"{pool}: {treatment}", async () =>
        (await site.HttpAsync("/v1/nat")).Replace("\n", "").Split("{\"name\":")
            .Any(part => part.StartsWith($"\"{pool}\"", StringComparison.Ordinal) && part.Contains($"\"applies\":\"{treatment}\"")),
        Site.Patience, async () => await site.HttpAsync("/v1/nat") + await site.LogAsync());

    private Task ReasonAsync(string words) =>
        Until.TrueAsync($"the reason is: {words}", async () => (await site.HttpAsync("/v1/nat")).Contains(words),
        Site.Patience, async () => await site.HttpAsync("/v1/nat") + await site.LogAsync());

    /// <summary>As the server saw it, which is what the daemon says of it.</summary>
    private async Task<string?> SeenAsync(string source = Source, string pod = "nat")
    {
        var seen = (await Echo.SeenAsync(site[pod], source, Site.Outside4, Transport.Tcp))?.Address.ToString();
        Assert.Equal(seen, await Matrix.ToldAsync(site, source, Site.Outside4, Transport.Tcp));
        return seen;
    }

    [NeedsFact(Needs.Daemon, "nft", "curl", "bird")]
    public async Task While_the_network_translates_the_node_does_not_and_when_it_is_lost_it_does_again()
    {
        await StartAsync("peers: [tor]");
        await AppliesAsync("nat", "upstream NAT");
        Assert.Equal(Source, await SeenAsync());
        // What is connected, or in no pool that this peer knows, is this node's matter as ever.
        Assert.Equal(Site.Node4, (await Echo.SeenAsync(site["nat"], Source, Site.Other4, Transport.Tcp))?.Address.ToString());

        // The way out stays, so that packets tell who translates; the session goes.
        await site.Node.IpAsync("route add default via 172.20.0.254 metric 500");
        await BirdAsync("disable", "node");
        await AppliesAsync("nat", "masquerade");
        Assert.Equal(Site.Node4, await SeenAsync());

        await BirdAsync("enable", "node");
        await AppliesAsync("nat", "upstream NAT");
        Assert.Equal(Source, await SeenAsync());
    }

    [NeedsFact(Needs.Daemon, "nft", "curl", "bird")]
    public async Task Who_translates_may_be_told_by_a_community_and_the_default_route_may_go_alone()
    {
        await StartAsync("community: \"65001:77\"");
        await AppliesAsync("nat", "upstream NAT");
        await site.Node.IpAsync("route add default via 172.20.0.254 metric 500");
        await BirdAsync("disable", "announced");
        await AppliesAsync("nat", "masquerade");
        Assert.Equal(Site.Node4, await SeenAsync());
    }

    [NeedsFact(Needs.Daemon, "nft", "curl", "bird")]
    public async Task A_flapping_peer_leaves_the_node_translating()
    {
        await StartAsync("peers: all");
        await AppliesAsync("nat", "upstream NAT");
        // From now on nothing is stable for long enough, however slow this machine is.
        site.Configuration = Configuration("peers: all, ", stableFor: "1h");
        await site.ReloadAsync();
        Assert.Equal(Source, await SeenAsync());
        await site.Node.IpAsync("route add default via 172.20.0.254 metric 500");
        await BirdAsync("disable", "announced");
        await AppliesAsync("nat", "masquerade");
        for (var i = 0; i < 4; i++)
        {
            await BirdAsync("enable", "announced");
            await ReasonAsync("tor translates, but not for long enough yet");
            Assert.Equal(Site.Node4, await SeenAsync());
            await BirdAsync("disable", "announced");
            await ReasonAsync("no way leads through tor");
        }
    }

    [NeedsFact(Needs.Daemon, "nft", "curl", "bird")]
    public async Task A_pool_may_require_it_or_ignore_it()
    {
        await StartAsync("peers: all");
        await AppliesAsync("nat", "upstream NAT");
        site.Write(Site.Pools(natAnnotation: "Ignore"));
        await AppliesAsync("nat", "masquerade");
        Assert.Equal(Site.Node4, await SeenAsync());

        site.Write(Site.Pools(natAnnotation: "Require"));
        await AppliesAsync("nat", "upstream NAT only");
        await site.Node.IpAsync("route add default via 172.20.0.254 metric 500");
        await BirdAsync("disable", "node");
        await ReasonAsync("required, but");
        Assert.Equal(Source, await SeenAsync());
    }

    [NeedsFact(Needs.Daemon, "nft", "curl", "bird")]
    public async Task A_BGPPeer_says_by_its_annotation_that_its_network_translates()
    {
        // All that bgpd.yaml says of it is how patient to be: peer, announced block and annotation are resources.
        site.Write(Site.Pools() + Rack("true"));
        await StartWithAsync("nat: { upstream: { stableFor: 1s } }\n");
        await AppliesAsync("nat", "upstream NAT");
        Assert.Equal(Source, await SeenAsync());

        site.Write(Site.Pools() + Rack("false"));
        await AppliesAsync("nat", "masquerade");
        await ReasonAsync("no upstream NAT is configured");
        Assert.Equal(Site.Node4, await SeenAsync());
    }

    private static string Rack(string translates) => $$"""
        ---
        apiVersion: projectcalico.org/v3
        kind: BGPPeer
        metadata: { name: rack, annotations: { nat.bgpd/upstream: "{{translates}}" } }
        spec: { peerIP: 172.20.0.254, asNumber: 65001 }
        ---
        apiVersion: projectcalico.org/v3
        kind: BlockAffinity
        metadata: { name: node1-192-168-1-0-26 }
        spec: { node: node1, cidr: 192.168.1.0/26, state: confirmed, deleted: "false" }

        """;
}
