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
}
