using System.Net;
using static Calico.Bgp.Conformance.Policy.Yaml;

namespace Calico.Bgp.Conformance.Policy;

/// <summary>Addresses go from pod to pod: what one has begun is not the next one's, whose policies have not been asked about it.</summary>
public sealed class LeftAddressTests : IAsyncLifetime
{
    private static readonly PodPlace A = new("red", "a"), B = new("red", "b"), Next = new("red", "next");

    private PolicySite site = null!;
    private string others = "";

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, "nft") != null) return;
        site = await PolicySite.MakeAsync(B);
        // Pods of this kind are asked by nobody on port 80, and ask nobody there; 81 is open.
        others = site.Town.Objects() + Namespaced("red", "strict", "selector: \"app == 'next'\", types: [Ingress, Egress], "
            + "ingress: [{ action: Allow, protocol: TCP, destination: { ports: [81] } }], egress: [{ action: Allow, protocol: UDP }]");
        await site.AddAsync(A);
        site.Write(others + Pod(A));
        await site.StartAsync();
        await site.InForceAsync();
    }

    public async Task DisposeAsync()
    {
        if (site != null) await site.DisposeAsync();
    }

    /// <summary>Whoever it is has the addresses of the first.</summary>
    private string Pod(PodPlace pod) => PodPlace.Object(pod, site.Town[A.FullName], $"app: {pod.Name}");

    /// <summary>Connections that the node's kernel has with the address at one of their ends.</summary>
    private async Task<int> TrackedAsync(bool isIPv6)
    {
        var address = site.Town[A.FullName].Address(isIPv6);
        return (await site.Node.DoAsync("cat", "/proc/net/nf_conntrack")).Split('\n').Count(line => line.Split(' ')
            .Any(word => word.StartsWith("src=", StringComparison.Ordinal) && IPAddress.Parse(word[4..]).Equals(address)));
    }

    [NeedsTheory(Needs.Daemon, "nft")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_pod_that_is_gone_leaves_no_connections_and_others_keep_theirs(bool isIPv6)
    {
        using var served = await Flow.BeginAsync(site, "outside", "red/a", 80, isIPv6);
        using var asked = await Flow.BeginAsync(site, "red/a", "outside", 80, isIPv6);
        using var other = await Flow.BeginAsync(site, "outside", "red/b", 80, isIPv6);
        Assert.True(await TrackedAsync(isIPv6) >= 2);
        await site.PutAsync(others);
        await Until.TrueAsync("nothing of the pod's is tracked", async () => await TrackedAsync(isIPv6) == 0, PolicySite.Patience,
            site.LogAsync);
        Assert.True(await other.GoesOnAsync());
        await Until.TrueAsync("the log says so", () => Background.SaidIn(site.PathOf("bgpd.log"))
            .Contains("connections were ended whose workloads are gone: ", StringComparison.Ordinal), PolicySite.Patience);
    }

    [NeedsTheory(Needs.Daemon, "nft")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Who_gets_a_pods_address_has_none_of_its_connections_that_his_policies_deny(bool atOnce)
    {
        using var served = await Flow.BeginAsync(site, "outside", "red/a", 80);
        using var asked = await Flow.BeginAsync(site, "red/a", "outside", 80, isIPv6: true);
        using var allowed = await Flow.BeginAsync(site, "outside", "red/a", 81);
        using var other = await Flow.BeginAsync(site, "outside", "red/b", 80);
        if (!atOnce) await site.PutAsync(others);
        site.GiveAway(A, Next);
        await site.PutAsync(others + Pod(Next));
        foreach (var flow in (Flow[])[served, asked])
            await Until.TrueAsync($"{flow.Name} is cut", async () => !await flow.GoesOnAsync(seconds: 3), PolicySite.Patience,
                site.LogAsync);
        Assert.True(await other.GoesOnAsync());
        Assert.True(await allowed.GoesOnAsync());
        using var begun = await Flow.BeginAsync(site, "outside", "red/a", 81);
        Assert.True(await begun.GoesOnAsync());
    }

    /// <summary>Of what was in force before nothing is known then.</summary>
    [NeedsFact(Needs.Daemon, "nft")]
    public async Task A_daemon_that_starts_again_ends_nothing()
    {
        await using var flows = await Flows.BeginAsync(
            [Flow.BeginAsync(site, "outside", "red/a", 80), Flow.BeginAsync(site, "red/a", "outside", 80, isIPv6: true)]);
        await site.Daemon.KillAsync();
        await site.StartAsync();
        await site.PutAsync(others + Pod(A));
        Wrong.None(await flows.EndAsync());
        Assert.DoesNotContain("workloads are gone", await site.LogAsync(), StringComparison.Ordinal);
    }
}
