using static Calico.Bgp.Conformance.Policy.Yaml;

namespace Calico.Bgp.Conformance.Policy;

/// <summary>Sections of bgpd.yaml that write into one table go one by one while the daemon runs, and the others stay in force all the
/// while.</summary>
public sealed class ReloadSectionsTests : IAsyncLifetime
{
    private static readonly string Objects = Namespaced("red", "web",
        "selector: all(), types: [Ingress], ingress: [{ action: Allow, protocol: TCP, destination: { ports: [80] } }]");

    private const string Nat = "nat: { enabled: true }\n", Policy = "policy: { enabled: true }\n", Egress = "egress: { enabled: true }\n",
        Services = """
            services:
              translations: [{ name: near, vip: 10.96.0.10, port: 80, protocol: tcp, backends: [{ to: "192.168.1.3:80" }] }]

            """;

    private PolicySite site = null!;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, "nft", "curl") != null) return;
        site = await PolicySite.MakeAsync(new PodPlace("red", "a"), new PodPlace("red", "b"));
        site.Write(site.Town.Objects() + Objects);
    }

    public async Task DisposeAsync()
    {
        if (site != null) await site.DisposeAsync();
    }

    private async Task<bool> ArrivesAsync(string to, int protocol)
    {
        var from = Place.Outside;
        var address = to.Contains('/', StringComparison.Ordinal) ? site.Town[to].Address(false) : System.Net.IPAddress.Parse(to);
        return (await site.Prober.RunAsync([new Probe(from, from.Address(false), address, protocol) { Port = 80 }], Prober.Moment))[0]
            .Arrival != null;
    }

    private Task<bool> IsOpenAsync() => ArrivesAsync("red/a", Protocols.Udp);

    private Task<bool> IsTranslatedAsync() => ArrivesAsync("10.96.0.10", Protocols.Tcp);

    /// <summary>Asked as long as something else is done: whether what policy denies has passed.</summary>
    private async Task<int> PassedWhileAsync(Func<Task> done)
    {
        var passed = 0;
        for (var doing = done(); !doing.IsCompleted;) passed += await IsOpenAsync() ? 1 : 0;
        return passed + (await IsOpenAsync() ? 1 : 0);
    }

    private async Task BecomesAsync(string sections)
    {
        site.Configuration = sections;
        await site.ReloadAsync();
        // What the answer to the reload does not wait for.
        await site.ReadyAsync();
    }

    [NeedsFact(Needs.Daemon, "nft", "curl")]
    public async Task Each_section_that_goes_leaves_the_others_in_force()
    {
        site.Configuration = Nat + Policy + Services + Egress;
        await site.StartAsync();
        await site.InForceAsync();
        await using var flows = await Flows.BeginAsync(
            [Flow.BeginAsync(site, "outside", "red/a", 80), Flow.BeginAsync(site, "red/a", "red/b", 80, isIPv6: true)]);
        Assert.False(await IsOpenAsync());
        await Until.TrueAsync("translated", IsTranslatedAsync, PolicySite.Patience, site.LogAsync);

        Assert.Equal(0, await PassedWhileAsync(() => BecomesAsync(Nat + Policy + Services)));
        Assert.True(await IsTranslatedAsync());
        Assert.Equal(0, await PassedWhileAsync(() => BecomesAsync(Nat + Policy)));
        await Until.TrueAsync("not translated", async () => !await IsTranslatedAsync(), PolicySite.Patience, site.LogAsync);
        Assert.Equal(0, await PassedWhileAsync(() => BecomesAsync(Policy + Egress)));
        Assert.Equal(0, await PassedWhileAsync(() => BecomesAsync(Policy + Services + Egress)));
        await Until.TrueAsync("translated again", IsTranslatedAsync, PolicySite.Patience, site.LogAsync);

        await BecomesAsync(Services + Egress);
        await Until.TrueAsync("open", IsOpenAsync, PolicySite.Patience, site.LogAsync);
        Assert.True(await IsTranslatedAsync());
        await BecomesAsync(Services + Egress + Policy);
        await Until.TrueAsync("closed", async () => !await IsOpenAsync(), PolicySite.Patience, site.LogAsync);
        Assert.True(await IsTranslatedAsync());
        Wrong.None(await flows.EndAsync());
    }
}
