using static Calico.Bgp.Conformance.Packets.EgressCentres;

namespace Calico.Bgp.Conformance.Packets;

/// <summary>Two data centres: pods leave by gateways of their own, of the other, or of both, and what is lost is lost for one.</summary>
public sealed class EgressCentresTests : IAsyncLifetime
{
    /// <summary>So many that none of three gateways is missed by chance.</summary>
    private const int Flows = 45;

    private static readonly string[] First = [First4, FirstToo4], Second = [Second4], All = [First4, FirstToo4, Second4],
        Nobody = ["nobody"];

    private EgressCentres site = null!;
    private readonly List<EgressFlow> flows = [];

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, "nft", "bird", "birdc", "vtysh", "curl") != null) return;
        site = await MakeAsync();
        await site.AnnouncedAsync(1, First4, 11);
        await site.AnnouncedAsync(1, FirstToo4, 12);
        await site.AnnouncedAsync(2, Second4, 11);
        await site.HeardAsync("client1", 3);
        await site.HeardAsync("client2", 1);
    }

    public async Task DisposeAsync()
    {
        foreach (var flow in flows) flow.Dispose();
        if (site != null) await site.DisposeAsync();
    }

    private async Task<EgressFlow[]> BeginAsync(string pod, int count)
    {
        EgressFlow[] begun = [.. Enumerable.Range(0, count).Select(_ => new EgressFlow(site[pod], AddressOf(pod), Outside4, Echo.Port))];
        flows.AddRange(begun);
        foreach (var flow in begun) Assert.NotNull(await flow.AskAsync());
        return begun;
    }

    /// <summary>With which addresses what the pod begins leaves.</summary>
    private async Task LeavesAsync(string pod, string[] expected)
    {
        var seen = new SortedSet<string>(StringComparer.Ordinal);
        if (expected == Nobody) seen.Add((await AskAsync(pod, Transport.Udp, 1)) ?? (await AskAsync(pod, Transport.Tcp, 1)) ?? "nobody");
        else
            foreach (var flow in await BeginAsync(pod, Flows)) seen.Add($"{flow.Seen!.Address}");
        Assert.Equal(expected, seen);
    }

    private async Task<string?> AskAsync(string pod, Transport transport, int attempts) =>
        (await Echo.SeenAsync(site[pod], AddressOf(pod), Outside4, transport, attempts: attempts))?.Address.ToString();

    /// <param name="both">Null: by any; what has come back gets its share when buckets have been idle for two minutes.</param>
    private async Task LeaveAsync(string[] near, string[] far, string[]? both, string[] there)
    {
        await LeavesAsync("near", near);
        await LeavesAsync("far", far);
        if (both != null) await LeavesAsync("both", both);
        else foreach (var flow in await BeginAsync("both", Flows)) Assert.Contains($"{flow.Seen!.Address}", All);
        await LeavesAsync("there", there);
    }

    /// <summary>What went by gateways that are left goes by the same.</summary>
    private static async Task GoOnAsync(IEnumerable<EgressFlow> kept)
    {
        foreach (var flow in kept)
        {
            var before = flow.Seen;
            Assert.Equal(before, await flow.AskAsync());
        }
    }

    [NeedsFact(Needs.Daemon, "nft", "bird", "birdc", "vtysh", "curl")]
    public async Task Pods_leave_by_gateways_of_their_own_centre_of_the_other_or_of_both_and_nobody_else_comes_to_the_firewall()
    {
        await LeaveAsync(First, Second, All, Second);
        foreach (var pod in (string[])["near", "far", "both", "there"])
            Assert.Contains(await AskAsync(pod, Transport.Tcp, 4), All);
        Assert.Equal(0, await site.OthersAsync());
    }

    /// <summary>Its nodes are there, and lead nowhere.</summary>
    [NeedsFact(Needs.Daemon, "nft", "bird", "birdc", "vtysh", "curl")]
    public async Task A_centre_whose_uplink_is_lost_is_left_by_whoever_may_use_the_others_and_comes_back()
    {
        var begun = await BeginAsync("both", Flows);
        await site["tor1"].IpAsync("link set up0 down");
        foreach (var number in (int[])[11, 12])
            await site.ToldAsync("client1", $"{NodeAt(1, number)} says that its targets upstream do not answer");
        await GoOnAsync(begun.Where(flow => $"{flow.Seen!.Address}" == Second4));
        await LeaveAsync(Nobody, Second, Second, Second);
        await site["tor1"].IpAsync("link set up0 up");
        await site["tor1"].IpAsync("route add default via 192.0.2.66");
        await site.ToldAsync("client1", "says that its targets upstream do not answer", isSaid: false);
        await LeaveAsync(First, Second, null, Second);
        Assert.Equal(0, await site.OthersAsync());
    }

    [NeedsFact(Needs.Daemon, "nft", "bird", "birdc", "vtysh", "curl")]
    public async Task After_the_last_gateway_of_a_centre_only_whoever_may_use_the_others_leaves()
    {
        var begun = await BeginAsync("both", Flows);
        await site.KillAsync("gate1");
        await site["tor1"].IpAsync("link set p-gate2 nomaster");
        foreach (var number in (int[])[11, 12]) await site.ToldAsync("client1", $"{NodeAt(1, number)} is not heard");
        await GoOnAsync(begun.Where(flow => $"{flow.Seen!.Address}" == Second4));
        await LeaveAsync(Nobody, Second, Second, Second);
        Assert.Equal(0, await site.OthersAsync());
    }

    [NeedsFact(Needs.Daemon, "nft", "bird", "birdc", "vtysh", "curl")]
    public async Task Where_the_centres_lose_each_other_each_goes_on_by_its_own_gateways()
    {
        var begun = await BeginAsync("both", Flows);
        await site["tor1"].IpAsync("link set between down");
        await site.ToldAsync("client1", $"{NodeAt(2, 11)} is not heard");
        await GoOnAsync(begun.Where(flow => $"{flow.Seen!.Address}" != Second4));
        await LeaveAsync(First, Nobody, First, Second);
        await site["tor1"].IpAsync("link set between up");
        await site["tor1"].IpAsync("route add 172.20.2.0/24 via 192.0.2.10");
        await site["tor1"].IpAsync("route add 192.168.2.0/24 via 192.0.2.10");
        await site.ToldAsync("client1", "is not heard", isSaid: false);
        await LeaveAsync(First, Second, null, Second);
        Assert.Equal(0, await site.OthersAsync());
    }
}
