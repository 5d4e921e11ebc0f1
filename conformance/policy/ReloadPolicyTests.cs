using static Calico.Bgp.Conformance.Policy.Yaml;

namespace Calico.Bgp.Conformance.Policy;

/// <summary>The section <c>policy</c> of bgpd.yaml goes while the daemon runs, and comes back.</summary>
public sealed class ReloadPolicyTests : IAsyncLifetime
{
    private static readonly PodPlace[] Pods = [new("red", "a"), new("red", "b")];

    private const string Gone = "bgpd.yaml asks for no network policy any more: nothing is denied by it",
        AllGone = "bgpd.yaml asks for nothing in table inet bgpd any more";

    private PolicySite site = null!;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, "nft", "curl") != null) return;
        site = await PolicySite.MakeAsync(Pods);
        site.Write(site.Town.Objects() + Namespaced("red", "web",
            "selector: all(), types: [Ingress], ingress: [{ action: Allow, protocol: TCP, destination: { ports: [80] } }]"));
    }

    public async Task DisposeAsync()
    {
        if (site != null) await site.DisposeAsync();
    }

    private async Task<bool> IsOpenAsync()
    {
        var (from, to) = (Place.Outside, site.Town["red/a"]);
        return (await site.Prober.RunAsync(
            [new Probe(from, from.Address(false), to.Address(false), Protocols.Tcp) { Port = 81 }], Prober.Moment))[0].Arrival != null;
    }

    private Task BecomesAsync(bool isOpen) => Until.TrueAsync($"what is denied passes: {isOpen}",
        async () => await IsOpenAsync() == isOpen, PolicySite.Patience, site.LogAsync);

    private int Told(string words) => Background.SaidIn(site.PathOf("bgpd.log")).Split(words).Length - 1;

    [NeedsTheory(Needs.Daemon, "nft", "curl")]
    [InlineData("nat: { enabled: true }\n", 1, 0)]
    [InlineData("nat: { enabled: true }\npolicy: { enabled: false }\n", 1, 0)]
    [InlineData("", 0, 1)]
    public async Task What_was_denied_passes_and_one_line_says_so_and_no_connection_is_cut(string without, int gone, int allGone)
    {
        const string With = "nat: { enabled: true }\npolicy: { enabled: true }\n";
        site.Configuration = With;
        await site.StartAsync();
        await site.InForceAsync();
        await using var flows = await Flows.BeginAsync(
            [Flow.BeginAsync(site, "outside", "red/a", 80), Flow.BeginAsync(site, "red/a", "red/b", 80, isIPv6: true)]);
        Assert.False(await IsOpenAsync());
        site.Configuration = without;
        await site.ReloadAsync();
        await BecomesAsync(isOpen: true);
        Assert.Equal((gone, allGone), (Told(Gone), Told(AllGone)));
        site.Configuration = With;
        await site.ReloadAsync();
        await BecomesAsync(isOpen: false);
        Assert.Equal((gone, allGone), (Told(Gone), Told(AllGone)));
        Wrong.None(await flows.EndAsync());
    }
}
