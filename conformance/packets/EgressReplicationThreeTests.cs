namespace Calico.Bgp.Conformance.Packets;

/// <summary><c>egress.replicateFlows</c> with three nodes, of which one after the other is lost, comes back, begins anew, or is replaced by
/// another process, behind a router of BIRD's or FRR's.</summary>
public sealed class EgressReplicationThreeTests : IAsyncLifetime
{
    private const string Replicated = "egress: { pinned: true, replicateFlows: true }";

    private readonly EgressReplicationTests all = new();
    private EgressSite site = null!;

    public Task InitializeAsync() => all.InitializeAsync();

    public Task DisposeAsync() => all.DisposeAsync();

    private async Task StartAsync(string tor)
    {
        site = await all.StartAsync(Replicated, tor, gates: 3);
        await SharedAsync("gate1", "gate2", "gate3");
        await all.BeginAsync(each: 10);
        foreach (var other in (string[])["gate2", "gate3"]) await all.ThereAsync(other);
    }

    /// <summary>Each of these has all flows of the first.</summary>
    private async Task SharedAsync(string giver, params string[] takers)
    {
        foreach (var taker in takers) await all.InSyncAsync(taker, giver);
    }

    private async Task LoseAsync(string gate, string next)
    {
        await site.CutAsync(gate);
        await site.ToldAsync("client", answer => answer.Contains($"{Address(gate)} is not heard", StringComparison.Ordinal));
        await all.LedToAsync(Address(next));
    }

    private static string Address(string gate) => $"172.20.0.1{gate[^1]}";

    [NeedsFact(Needs.Daemon, "nft", "vtysh", "curl")]
    public async Task Flows_go_on_from_the_first_node_to_the_last_and_back()
    {
        await StartAsync("frr");
        var others = await site.OthersAsync();
        await LoseAsync("gate1", next: "gate2");
        await all.GoOnAsync();
        // What begins at the second goes on at the third.
        await all.BeginOneAsync(21000);
        await all.ThereAsync("gate3");
        await LoseAsync("gate2", next: "gate3");
        await all.GoOnAsync();
        await all.BeginOneAsync(21001);
        // The second stands before the third, and the first before both.
        await site.MendAsync("gate2");
        await all.LedToAsync(Address("gate2"));
        await all.GoOnAsync();
        await site.MendAsync("gate1");
        await all.LedToAsync(Address("gate1"));
        await all.GoOnAsync();
        Assert.Equal(others, await site.OthersAsync());
        all.AssertNobodyComplains("gate1", "gate2", "gate3");
    }

    /// <summary>Whoever has the address, or stands by: no flow ends, and the address stays where its node has not gone.</summary>
    [NeedsFact(Needs.Daemon, "nft", "bird", "birdc", "curl")]
    public async Task Flows_go_on_while_one_daemon_after_the_other_begins_anew()
    {
        await StartAsync("bird");
        var others = await site.OthersAsync();
        foreach (var (gate, next) in ((string, string?)[])[("gate3", null), ("gate2", null), ("gate1", "gate2")])
        {
            await site.EndAsync(gate);
            if (next != null) await all.LedToAsync(Address(next));
            await all.GoOnAsync();
            await site.StartAsync(gate);
            if (next != null) await all.LedToAsync(Address(gate));
            else await SharedAsync("gate1", gate);
            await all.GoOnAsync();
        }
        // Those that have begun anew have what the others had.
        await site.HeardAsync("gate2", 3);
        await SharedAsync("gate1", "gate2", "gate3");
        await LoseAsync("gate1", next: "gate2");
        await all.GoOnAsync();
        Assert.Equal(others, await site.OthersAsync());
    }

    /// <summary>The daemon hands over to another process while its flows go on: nobody hears of it, and the heir gives what it had.
    /// </summary>
    [NeedsFact(Needs.Daemon, "nft", "bird", "birdc", "curl")]
    public async Task Flows_go_on_while_daemons_are_replaced_and_when_the_address_moves_from_one_that_was()
    {
        await StartAsync("bird");
        foreach (var gate in (string[])["gate1", "gate2", "gate3"]) await site.SettledAsync(gate);
        var (others, heard) = (await site.OthersAsync(), await site.ListenAsync());
        foreach (var gate in (string[])["gate1", "gate2"])
        {
            await site.UpgradeAsync(gate);
            await all.GoOnAsync();
        }
        await SharedAsync("gate1", "gate2", "gate3");
        Assert.DoesNotContain(EgressSite.Red4, heard(), StringComparison.Ordinal);
        await all.BeginOneAsync(21000);
        await all.ThereAsync("gate2");
        await LoseAsync("gate1", next: "gate2");
        await all.GoOnAsync();
        await site.MendAsync("gate1");
        await all.LedToAsync(Address("gate1"));
        await all.GoOnAsync();
        Assert.Equal(others, await site.OthersAsync());
    }
}
