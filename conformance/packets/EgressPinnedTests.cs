namespace Calico.Bgp.Conformance.Packets;

/// <summary><c>egress.pinned</c>: a gateway's one address moves to another of its nodes when the first is lost, and back with it.</summary>
public sealed class EgressPinnedTests : IAsyncLifetime
{
    private const int Flows = 40;

    private EgressSite site = null!;
    private readonly List<EgressFlow> flows = [];

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, "nft", "bird", "birdc", "curl") != null) return;
        site = await EgressSite.MakeAsync("egress: { pinned: true }");
        site.Write();
        await site.StartAsync("client", "gate1", "gate2");
        foreach (var address in (string[])[EgressSite.Red4, EgressSite.Blue4, EgressSite.Green4]) await site.AnnouncedAsync(address);
        await site.HeardAsync("client", 2);
        await site.HeardAsync("gate2", 2);
    }

    public async Task DisposeAsync()
    {
        foreach (var flow in flows) flow.Dispose();
        if (site != null) await site.DisposeAsync();
    }

    /// <summary>The ToR sends what comes for the address to this node alone.</summary>
    private Task LedToAsync(string node) => Until.TrueAsync($"{EgressSite.Red4} is at {node}", async () =>
        await site["tor"].IpAsync($"route show {EgressSite.Red4}") is var route && route.Contains($"via {node}", StringComparison.Ordinal)
            && !route.Contains("nexthop", StringComparison.Ordinal), 60, site.SaidAsync);

    private async Task AskAsync()
    {
        foreach (var flow in flows)
        {
            var before = flow.Seen?.Address;
            var seen = await flow.AskAsync();
            Assert.Equal(EgressSite.Red4, seen?.Address.ToString());
            if (before != null) Assert.Equal(before, seen?.Address);
        }
    }

    [NeedsFact(Needs.Daemon, "nft", "bird", "birdc", "curl")]
    public async Task The_address_moves_to_the_next_node_when_the_first_is_lost_and_back_and_nobody_else_has_it()
    {
        var others = await site.OthersAsync();
        await LedToAsync("172.20.0.11");
        await site.AnnouncedAsync(EgressSite.RedToo4, isThere: false);
        await site.ToldAsync("client", answer => answer.Contains("via 172.20.0.12, via fd20::12, stands by", StringComparison.Ordinal));
        for (var n = 0; n < Flows; n++) flows.Add(new(site["a"], EgressSite.AddressOf("a"), EgressSite.Outside4, Echo.Port));
        await AskAsync();
        await site.CutAsync("gate1");
        await site.ToldAsync("client", answer => answer.Contains("172.20.0.11 is not heard", StringComparison.Ordinal));
        await LedToAsync("172.20.0.12");
        await AskAsync();
        Assert.Equal(EgressSite.Red4, await site.SeenAsync("b"));
        await site.MendAsync("gate1");
        await site.ToldAsync("client", answer => answer.Contains("via 172.20.0.12, via fd20::12, stands by", StringComparison.Ordinal));
        await LedToAsync("172.20.0.11");
        await AskAsync();
        Assert.Equal(others, await site.OthersAsync());
    }

    /// <summary>The gateway's nodes do not hear each other, whoever else hears them.</summary>
    private void Part(bool isParted)
    {
        foreach (var gate in (string[])["gate1", "gate2"])
            site[gate].Tell($$"""
                table inet parted { }
                delete table inet parted
                {{(isParted ? "table inet parted {\n chain in {\n  type filter hook prerouting priority -310;\n"
                    + "  ip saddr { 172.20.0.11, 172.20.0.12 } udp dport 3784 drop\n"
                    + "  ip6 saddr { fd20::11, fd20::12 } udp dport 3784 drop\n }\n}" : "")}}
                """, "nft", "-f", "-");
    }

    private Task KnownByTorAsync(int ways) => Until.TrueAsync($"the ToR has been told {ways} ways to {EgressSite.Red4}", async () =>
        (await site["tor"].DoAsync("birdc", "-s", site.PathOf("bird.ctl"), "show", "route", "for", $"{EgressSite.Red4}/32"))
            .Split("via 172.20.0.1").Length - 1 == ways, 60, site.SaidAsync);

    /// <summary>Both have the address, for as long as they do not hear each other; who hears both goes by the first.</summary>
    [NeedsFact(Needs.Daemon, "nft", "bird", "birdc", "curl")]
    public async Task Nodes_that_do_not_hear_each_other_both_have_the_address_and_whoever_hears_both_goes_by_the_first()
    {
        var others = await site.OthersAsync();
        await LedToAsync("172.20.0.11");
        for (var n = 0; n < Flows; n++) flows.Add(new(site["a"], EgressSite.AddressOf("a"), EgressSite.Outside4, Echo.Port));
        await AskAsync();
        Part(isParted: true);
        await site.ToldAsync("gate2", answer => answer.Contains("172.20.0.11 is not heard", StringComparison.Ordinal));
        await site.ToldAsync("gate1", answer => answer.Contains("172.20.0.12 is not heard", StringComparison.Ordinal));
        await KnownByTorAsync(2);
        Assert.Contains("via 172.20.0.12, via fd20::12, stands by", await site.HttpAsync("client", "/v1/egress"), StringComparison.Ordinal);
        // Of two ways that are as good BIRD takes that of the lower router id, which is the second's here.
        await LedToAsync("172.20.0.11");
        await AskAsync();
        Part(isParted: false);
        await site.ToldAsync("gate2", answer => answer.Length > 0 && !answer.Contains("is not heard", StringComparison.Ordinal));
        await KnownByTorAsync(1);
        await AskAsync();
        Assert.Equal(others, await site.OthersAsync());
    }
}
