namespace Calico.Bgp.Conformance.Packets;

/// <summary>Gateways that are nodes, and whose targets upstream are asked (egressGatewayFailureDetection).</summary>
public sealed class EgressProbeTests : IAsyncLifetime
{
    private const int Flows = 20;
    private const string SaysSo = "says that its targets upstream do not answer", Tor4 = "192.0.2.1";

    private EgressSite site = null!;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        if (site != null) await site.DisposeAsync();
    }

    private async Task StartAsync(string target, string? egress = null)
    {
        site = await EgressSite.MakeAsync(egress);
        await RunAsync($"icmpProbe: {{ ips: [{target}], intervalSeconds: 1, timeoutSeconds: 5 }}");
    }

    private async Task RunAsync(string detection)
    {
        site.Write(ofRed: $"egressGatewayFailureDetection: {{ {detection} }}");
        await site.StartAsync("client", "gate1", "gate2");
        await site.HeardAsync("client", 2);
    }

    private Task SaidByAsync(string name, string words, bool isSaid) =>
        site.ToldAsync(name, answer => answer.Contains(words, StringComparison.Ordinal) == isSaid && answer.Length > 0);

    private async Task<string[]> SeenAsync()
    {
        var seen = new SortedSet<string>(StringComparer.Ordinal);
        for (var n = 0; n < Flows; n++)
        {
            using var flow = new EgressFlow(site["a"], EgressSite.AddressOf("a"), EgressSite.Outside4, Echo.Port);
            seen.Add((await flow.AskAsync())?.Address.ToString() ?? "nobody");
        }
        return [.. seen];
    }

    /// <summary>The firewall lets through nobody but gateways, so that the questions have a gateway's address.</summary>
    [NeedsFact(Needs.Daemon, "nft", "bird", "birdc", "curl")]
    public async Task One_whose_targets_are_silent_is_left_for_the_others_and_after_the_last_nothing_leaves_until_they_answer()
    {
        await StartAsync(EgressSite.Outside4);
        foreach (var address in (string[])[EgressSite.Red4, EgressSite.RedToo4, EgressSite.Blue4]) await site.AnnouncedAsync(address);
        Assert.Equal([EgressSite.Red4, EgressSite.RedToo4], await SeenAsync());
        site.Silence("firewall", EgressSite.RedToo4, isSilent: true);
        await SaidByAsync("gate2", "icmpProbe: none of 198.51.100.1 has answered for 5 s", isSaid: true);
        await SaidByAsync("client", $"172.20.0.12 {SaysSo}", isSaid: true);
        Assert.Equal([EgressSite.Red4], await SeenAsync());
        var others = await site.OthersAsync();
        site.Silence("firewall", EgressSite.Red4, isSilent: true);
        await SaidByAsync("client", $"172.20.0.11 {SaysSo}", isSaid: true);
        Assert.Null(await site.SeenAsync("a", attempts: 1));
        // What the same node is for others goes on: blue asks nobody.
        Assert.Equal(EgressSite.Blue4, await site.SeenAsync("o"));
        Assert.Equal(others, await site.OthersAsync());
        foreach (var source in (string[])[EgressSite.Red4, EgressSite.RedToo4]) site.Silence("firewall", source, isSilent: false);
        await SaidByAsync("client", SaysSo, isSaid: false);
        Assert.Equal([EgressSite.Red4, EgressSite.RedToo4], await SeenAsync());
    }

    /// <summary>Of several nodes one has the address, and each asks with its own.</summary>
    [NeedsFact(Needs.Daemon, "nft", "bird", "birdc", "curl")]
    public async Task A_pinned_address_is_withdrawn_where_the_targets_are_silent_and_taken_by_the_next_node()
    {
        await StartAsync(Tor4, "egress: { pinned: true }");
        await site.HeardAsync("gate2", 2);
        await LedToAsync("172.20.0.11");
        Assert.Equal([EgressSite.Red4], await SeenAsync());
        site.Silence("tor", "172.20.0.11", isSilent: true);
        await SaidByAsync("client", $"172.20.0.11 {SaysSo}", isSaid: true);
        await LedToAsync("172.20.0.12");
        Assert.Equal([EgressSite.Red4], await SeenAsync());
        site.Silence("tor", "172.20.0.11", isSilent: false);
        await SaidByAsync("client", SaysSo, isSaid: false);
        await LedToAsync("172.20.0.11");
        Assert.Equal([EgressSite.Red4], await SeenAsync());
    }

    /// <summary>Of two gateways that share their nodes each is where its own targets answer: its packets are handed to the node that has
    /// its address, whatever is wrong there with the other.</summary>
    [NeedsFact(Needs.Daemon, "nft", "bird", "birdc", "curl")]
    public async Task Of_two_pinned_gateways_on_the_same_nodes_each_is_where_its_own_targets_answer()
    {
        const string gold4 = "10.10.13.0", first = "172.20.0.11", second = "172.20.0.12", ofRed = Tor4, ofGold = "172.20.0.254";
        site = await EgressSite.MakeAsync("egress: { pinned: true }");
        site.Write(ofRed: Asking(ofRed), plain: EgressObjects.Choosing("gold"), more: EgressObjects.Pool("gold", "10.10.13.0/31")
            + "\n" + EgressObjects.Gateway("gold", "gold", "egress: 'true'").Replace("  template:",
                $"  {Asking(ofGold)}\n  template:", StringComparison.Ordinal));
        await site.StartAsync("client", "gate1", "gate2");
        await site.HeardAsync("client", 2);
        await site.HeardAsync("gate2", 2);
        await AreAtAsync(first, first);
        site.Silence("tor", first, isSilent: true, ofRed);
        await AreAtAsync(red: second, gold: first);
        site.Silence("tor", second, isSilent: true, ofGold);
        await AreAtAsync(red: second, gold: first);
        site.Silence("tor", first, isSilent: true, ofGold);
        await AreAtAsync(red: second, gold: null);
        site.Silence("tor", second, isSilent: false, ofGold);
        await AreAtAsync(red: second, gold: second);
        foreach (var target in (string[])[ofRed, ofGold]) site.Silence("tor", first, isSilent: false, target);
        await AreAtAsync(first, first);

        async Task AreAtAsync(string? red, string? gold)
        {
            foreach (var (pod, address, at) in ((string, string, string?)[])[("a", EgressSite.Red4, red), ("p", gold4, gold)])
            {
                await LedToAsync(at, address);
                await Until.TrueAsync($"{pod} leaves with {(at == null ? "nothing" : address)}", async () =>
                    await site.SeenAsync(pod, attempts: 1) == (at == null ? null : address), 60, site.SaidAsync);
            }
        }
    }

    private static string Asking(string target) =>
        $"egressGatewayFailureDetection: {{ icmpProbe: {{ ips: [{target}], intervalSeconds: 1, timeoutSeconds: 5 }} }}";

    /// <summary>What a server says to each of the gateways, which ask with their own addresses.</summary>
    [NeedsTheory(Needs.Daemon, "nft", "bird", "birdc", "curl")]
    [InlineData("500 Internal Server Error")]
    [InlineData(null)] // it takes the connection, and says nothing
    [InlineData("refused")]
    public async Task Of_targets_of_http_only_what_is_no_error_keeps_a_gateway(string? answer)
    {
        site = await EgressSite.MakeAsync();
        using var server = new HttpTarget(site["outside"], EgressSite.Outside4) { Answer = "200 OK" };
        await RunAsync($"httpProbe: {{ urls: ['{server.Url}'], intervalSeconds: 1, timeoutSeconds: 5 }}");
        foreach (var address in (string[])[EgressSite.Red4, EgressSite.RedToo4]) await site.AnnouncedAsync(address);
        Assert.Equal([EgressSite.Red4, EgressSite.RedToo4], await SeenAsync());
        FailFor(EgressSite.RedToo4);
        await SaidByAsync("gate2", $"httpProbe: none of {server.Url} has answered for 5 s", isSaid: true);
        await SaidByAsync("client", $"172.20.0.12 {SaysSo}", isSaid: true);
        Assert.Equal([EgressSite.Red4], await SeenAsync());
        var others = await site.OthersAsync();
        FailFor(EgressSite.Red4);
        await SaidByAsync("client", $"172.20.0.11 {SaysSo}", isSaid: true);
        Assert.Null(await site.SeenAsync("a", attempts: 1));
        Assert.Equal(others, await site.OthersAsync());
        // Where it leads is an answer, wherever that is.
        server.AnswerTo(EgressSite.RedToo4, "302 Found");
        server.AnswerTo(EgressSite.Red4, "204 No Content");
        site.Refuse("outside", []);
        await SaidByAsync("client", SaysSo, isSaid: false);
        Assert.Equal([EgressSite.Red4, EgressSite.RedToo4], await SeenAsync());
        // The answers that were waited for came to it: nothing of its address was taken back.
        foreach (var address in (string[])[EgressSite.Red4, EgressSite.RedToo4]) await site.AnnouncedAsync(address);

        void FailFor(string gateway)
        {
            if (answer == "refused") site.Refuse("outside", [EgressSite.RedToo4, gateway], server.Port);
            else server.AnswerTo(gateway, answer);
        }
    }

    /// <param name="node">Null: nobody has it.</param>
    private Task LedToAsync(string? node, string address = EgressSite.Red4) =>
        Until.TrueAsync($"{address} is at {node ?? "nobody"}", async () => await site["tor"].IpAsync($"route show {address}") is var route
            && (node == null ? !route.Contains("via", StringComparison.Ordinal)
                : route.Contains($"via {node}", StringComparison.Ordinal) && !route.Contains("nexthop", StringComparison.Ordinal)),
            60, site.SaidAsync);
}
