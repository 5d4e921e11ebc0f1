namespace Calico.Bgp.Conformance.Packets;

/// <summary>Whatever becomes of a gateway (rows 21 and 22 of calico-policy-nat.md C.4), behind one ToR or another.</summary>
public sealed class EgressFailureTests : IAsyncLifetime
{
    private const int Flows = 60;

    private EgressSite site = null!;
    private readonly List<EgressFlow> flows = [];

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        foreach (var flow in flows) flow.Dispose();
        if (site != null) await site.DisposeAsync();
    }

    /// <summary>The gateway's daemon, its node, the wire to it, or what lies upstream of it is lost; the client has seen it.</summary>
    private async Task LoseAsync(string what, string node, string host, string address)
    {
        switch (what)
        {
            case "process": await site.KillAsync(node); break;
            case "node":
                await site[node].IpAsync("link set eth0 down");
                await site.KillAsync(node);
                break;
            case "link": await site.CutAsync(node); break;
            default: site.Silence("firewall", address, isSilent: true); break;
        }
        var seen = what == "target" ? $"{host} says that its targets upstream do not answer" : $"{host} is not heard";
        await site.ToldAsync("client", answer => answer.Contains(seen, StringComparison.Ordinal));
    }

    [NeedsTheory(Needs.Daemon, "nft", "bird", "birdc", "curl")]
    [InlineData("process")]
    [InlineData("node")]
    [InlineData("link")]
    [InlineData("target")]
    public Task A_lost_gateway_takes_its_own_flows_alone_and_after_the_last_nothing_leaves(string what) => LoseAllAsync(what, "bird");

    [NeedsTheory(Needs.Daemon, "nft", "vtysh", "curl")]
    [InlineData("process")]
    [InlineData("link")]
    public Task So_it_is_where_the_ToR_is_FRR(string what) => LoseAllAsync(what, "frr");

    private async Task LoseAllAsync(string what, string tor)
    {
        site = await EgressSite.MakeAsync(tor: tor);
        site.Write(ofRed: what != "target" ? ""
            : $"egressGatewayFailureDetection: {{ icmpProbe: {{ ips: [{EgressSite.Outside4}], intervalSeconds: 1, timeoutSeconds: 5 }} }}");
        await site.StartAsync("client", "gate1", "gate2");
        foreach (var address in (string[])[EgressSite.Red4, EgressSite.RedToo4]) await site.AnnouncedAsync(address);
        await site.HeardAsync("client", 2);
        var earlier = await EgressFlow.BeginAsync(site, Flows, flows);
        var before = earlier.ToDictionary(flow => flow, flow => flow.Seen!);
        var (lost, kept) = (earlier.Where(flow => before[flow].Address.ToString() == EgressSite.RedToo4).ToArray(),
            earlier.Where(flow => before[flow].Address.ToString() == EgressSite.Red4).ToArray());
        Assert.Equal(Flows, lost.Length + kept.Length);
        Assert.All((int[])[lost.Length, kept.Length], count => Assert.InRange(count, 10, 50));
        var others = await site.OthersAsync();
        await LoseAsync(what, "gate2", "172.20.0.12", EgressSite.RedToo4);
        foreach (var flow in kept) Assert.Equal(before[flow], await flow.AskAsync());
        foreach (var flow in lost.Concat(await EgressFlow.BeginAsync(site, Flows, flows)))
            Assert.Equal(EgressSite.Red4, (await flow.AskAsync())?.Address.ToString());
        await LoseAsync(what, "gate1", "172.20.0.11", EgressSite.Red4);
        foreach (var transport in (Transport[])[Transport.Tcp, Transport.Udp, Transport.Icmp])
            Assert.Null(await site.SeenAsync("a", transport, attempts: 1));
        Assert.Null(await site.SeenAsync("a", Transport.Udp, ipv6: true, attempts: 1));
        Assert.Equal(others, await site.OthersAsync());
        // In the cluster it goes on: a node is reached, by the pod's own address.
        Assert.Equal(EgressSite.AddressOf("a"),
            (await Echo.SeenAsync(site["a"], EgressSite.AddressOf("a"), EgressSite.Client4, Transport.Tcp))?.Address.ToString());
    }
}
