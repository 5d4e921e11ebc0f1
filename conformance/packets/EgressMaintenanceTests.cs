namespace Calico.Bgp.Conformance.Packets;

/// <summary>Others tell pods of a gateway that is about to go (annotations gatewayMaintenance…).</summary>
public sealed class EgressMaintenanceTests : IAsyncLifetime
{
    private const int Flows = 40;

    private EgressSite site = null!;
    private readonly List<EgressFlow> flows = [];

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, "nft", "bird", "birdc", "curl") != null) return;
        site = await EgressSite.MakeAsync();
        site.Write();
        await site.StartAsync("client", "gate1", "gate2");
        foreach (var address in (string[])[EgressSite.Red4, EgressSite.RedToo4]) await site.AnnouncedAsync(address);
        await site.HeardAsync("client", 2);
    }

    public async Task DisposeAsync()
    {
        foreach (var flow in flows) flow.Dispose();
        if (site != null) await site.DisposeAsync();
    }

    private static string[] Seen(IEnumerable<EgressFlow> some) =>
        [.. some.Select(flow => flow.Seen!.Address.ToString()).Distinct().Order(StringComparer.Ordinal)];

    private Task TellAsync(string until, bool isOver)
    {
        site.Write(ofA: $"egress.projectcalico.org/gatewayMaintenanceGatewayIP: {EgressSite.RedToo4}, "
            + "egress.projectcalico.org/gatewayMaintenanceStartedTimestamp: '2026-01-31T12:00:00Z', "
            + $"egress.projectcalico.org/gatewayMaintenanceFinishedTimestamp: '{until}'");
        return site.ToldAsync("client", answer => answer.Contains("under maintenance", StringComparison.Ordinal) != isOver);
    }

    [NeedsFact(Needs.Daemon, "nft", "bird", "birdc", "curl")]
    public async Task New_flows_avoid_a_gateway_under_maintenance_and_no_flow_is_moved_neither_then_nor_behind_it()
    {
        string[] both = [EgressSite.Red4, EgressSite.RedToo4];
        var earlier = await EgressFlow.BeginAsync(site, Flows, flows);
        Assert.Equal(both, Seen(earlier));
        var others = await site.OthersAsync();
        await TellAsync("2099-12-31T12:00:00Z", isOver: false);
        var meanwhile = await EgressFlow.BeginAsync(site, Flows, flows);
        Assert.Equal([EgressSite.Red4], Seen(meanwhile));
        await GoOnAsync();
        await TellAsync("2026-01-31T12:00:01Z", isOver: true);
        Assert.Equal(both, Seen(await EgressFlow.BeginAsync(site, Flows, flows)));
        await GoOnAsync();
        Assert.Equal(others, await site.OthersAsync());
    }

    private async Task GoOnAsync()
    {
        foreach (var flow in flows) Assert.Equal(flow.Seen, await flow.AskAsync());
    }
}
