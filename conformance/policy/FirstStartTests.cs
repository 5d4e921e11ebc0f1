using Calico.Bgp.Conformance.Etcd;
using static Calico.Bgp.Conformance.Policy.Yaml;

namespace Calico.Bgp.Conformance.Policy;

/// <summary>A node on which no daemon has run before, while one of the places that its objects come from does not answer.</summary>
public sealed class FirstStartTests : IAsyncLifetime
{
    private static readonly PodPlace[] Pods = [new("red", "a"), new("blue", "c"), new("blue", "far", 2)];

    private static readonly string Web =
        Namespaced("red", "web", "selector: all(), types: [Ingress], ingress: [{ action: Allow, protocol: TCP, "
            + "destination: { ports: [80] } }]");

    /// <summary>Pods begin and take nothing; hosts are open, and so is what is none of pods'.</summary>
    private const string Closed = """
        outside red/a tcp/80 nothing
        blue/far red/a udp/80 nothing
        red/a outside udp/80 nothing
        red/a blue/c tcp/80 nothing
        red/a node1 tcp/80 nothing
        node1 red/a tcp/80 arrives
        outside node1 tcp/443 arrives
        outside behind udp/80 arrives
        behind outside tcp/80 arrives
        """;

    private const string Open = """
        outside red/a tcp/80 arrives
        red/a outside udp/80 arrives
        red/a node1 tcp/80 arrives
        outside red/a udp/80 nothing
        blue/far red/a udp/80 nothing
        """;

    /// <summary>Of an etcd on the way to everybody.</summary>
    private const string Away = "172.20.0.254";

    private PolicySite site = null!;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, "nft", "curl", "etcd", "etcdctl") != null) return;
        site = await PolicySite.MakeAsync(Pods);
        site.MoreSources = $", {{ etcd: {{ endpoints: [\"http://{Away}:2379\"] }} }}";
    }

    public async Task DisposeAsync()
    {
        if (site != null) await site.DisposeAsync();
    }

    private int Told(string words) => Background.SaidIn(site.PathOf("bgpd.log")).Split(words).Length - 1;

    private Task ToldAsync(string words, int times = 1) =>
        Until.TrueAsync($"the log says: {words}", () => Told(words) >= times, PolicySite.Patience,
            () => Background.SaidIn(site.PathOf("bgpd.log")));

    private async Task<bool> PassesAsync(string from, string to, int protocol = Protocols.Tcp)
    {
        var (source, target) = (site.Town[from], site.Town[to]);
        var probe = new Probe(source, source.Address(false), target.Address(false), protocol) { Port = 80 };
        return (await site.Prober.RunAsync([probe], Prober.Moment))[0].Arrival != null;
    }

    private const string IsClosed = "workloads are closed, but for connections that have begun before";

    [NeedsFact(Needs.Daemon, "nft", "curl", "etcd", "etcdctl")]
    public async Task Pods_are_closed_until_all_sources_have_been_read_and_what_has_begun_goes_on()
    {
        await using var etcd = new EtcdStore(site.Tor, Away);
        // Somebody has connections tracked, as kube-proxy does.
        site.Node.Tell("table inet others { chain c { type filter hook input priority 0; ct state invalid counter; }; }", "nft", "-f", "-");
        var objects = site.Town.Objects() + Web;
        site.Write(objects);
        await using var flows = await Flows.BeginAsync(
            [Flow.BeginAsync(site, "outside", "red/a", 80), Flow.BeginAsync(site, "red/a", "outside", 80, isIPv6: true)]);
        await site.StartAsync();
        await ToldAsync(IsClosed);
        await Rows.HoldAsync(site, "", Closed);
        // The folder may be read a moment later.
        var answer = await Until.SeenAsync("bgpctl is told which sources are waited for", () => site.HttpAsync("/v1/policy/endpoints"),
            said => said.Contains($"the sources: etcd {etcd.Endpoint} (", StringComparison.Ordinal), PolicySite.Patience);
        Assert.Contains("\"starting\"", answer, StringComparison.Ordinal);
        Assert.Contains("until they are read workloads are closed", answer, StringComparison.Ordinal);

        // What others take away is put right; and another run goes on with it.
        await site.Node.DoAsync("nft", "flush", "table", "inet", "bgpd");
        await Until.TrueAsync("closed again", async () => !await PassesAsync("outside", "red/a"), PolicySite.Patience, site.LogAsync);
        await site.Daemon.KillAsync();
        await Rows.HoldAsync(site, "", Closed);
        await site.StartAsync();
        await ToldAsync(IsClosed, times: 2);
        await Rows.HoldAsync(site, "", Closed);

        await etcd.StartAsync();
        await site.InForceAsync();
        await Rows.HoldAsync(site, objects, Open);
        Assert.DoesNotContain("chain first", await site.Node.DoAsync("nft", "list", "table", "inet", "bgpd"), StringComparison.Ordinal);

        // Over a table that has begun nobody is closed anew.
        await etcd.KillAsync();
        await site.Daemon.KillAsync();
        await site.StartAsync();
        await Until.TrueAsync("the daemon waits for its sources", async () =>
            (await site.HttpAsync("/v1/status")).Contains("the sources: etcd", StringComparison.Ordinal), PolicySite.Patience,
            site.LogAsync);
        await Rows.HoldAsync(site, objects, Open);
        Assert.Equal(2, Told(IsClosed));
        Wrong.None(await flows.EndAsync());
    }

    [NeedsFact(Needs.Daemon, "nft", "curl", "etcd", "etcdctl")]
    public async Task Pods_that_were_closed_are_open_where_nobody_asks_for_policy_any_more()
    {
        site.Write(site.Town.Objects() + Web);
        await site.StartAsync();
        await ToldAsync(IsClosed);
        Assert.False(await PassesAsync("outside", "red/a"));
        await site.Daemon.KillAsync();
        site.Configuration = "nat: { enabled: true }\n";
        await site.StartAsync();
        await ToldAsync("and bgpd.yaml does not ask for that any more: they are open");
        Assert.True(await PassesAsync("outside", "red/a"));
        Assert.DoesNotContain("inet bgpd\n", await site.Node.DoAsync("nft", "list", "tables"), StringComparison.Ordinal);
    }

    private const string Pool = """
        ---
        apiVersion: projectcalico.org/v3
        kind: IPPool
        metadata: { name: elsewhere }
        spec: { cidr: 10.123.0.0/16, natOutgoing: true }

        """;

    private const string IsClosedBeside = "an earlier run has left rules without network policy", Masquerade = "the way out of the pools";

    private Task<string> ListAsync() => site.Node.DoAsync("nft", "list", "table", "inet", "bgpd");

    [NeedsFact(Needs.Daemon, "nft", "curl", "etcd", "etcdctl")]
    public async Task Over_a_table_without_policy_pods_are_closed_until_the_sources_are_read_and_what_it_translates_stays()
    {
        await using var etcd = new EtcdStore(site.Tor, Away);
        var (sources, objects) = (site.MoreSources, site.Town.Objects() + Pool + Web);
        (site.MoreSources, site.Configuration) = ("", "nat: { enabled: true }\n");
        site.Write(objects);
        await site.StartAsync();
        await site.ReadyAsync();
        Assert.True(await PassesAsync("blue/far", "red/a"));
        await using var flows = await Flows.BeginAsync(
            [Flow.BeginAsync(site, "outside", "red/a", 80), Flow.BeginAsync(site, "red/a", "outside", 80, isIPv6: true)]);
        await site.Daemon.KillAsync();

        (site.MoreSources, site.Configuration) = (sources, "nat: { enabled: true }\npolicy: { enabled: true }\n");
        for (var times = 1; times <= 2; times++)
        {
            await site.StartAsync();
            await ToldAsync(IsClosedBeside, times);
            await Rows.HoldAsync(site, "", Closed);
            Assert.Contains(Masquerade, await ListAsync(), StringComparison.Ordinal);
            await site.Node.DoAsync("nft", "flush", "chain", "inet", "bgpd", "forward-to");
            await Until.TrueAsync("closed again", async () => !await PassesAsync("outside", "red/a"), PolicySite.Patience, site.LogAsync);
            if (times == 1) await site.Daemon.KillAsync();
        }

        await etcd.StartAsync();
        await site.InForceAsync();
        await Rows.HoldAsync(site, objects, Open);
        var listed = await ListAsync();
        Assert.Contains(Masquerade, listed, StringComparison.Ordinal);
        Assert.DoesNotContain("chain first", listed, StringComparison.Ordinal);
        Wrong.None(await flows.EndAsync());
    }

    [NeedsFact(Needs.Daemon, "nft", "curl", "etcd", "etcdctl")]
    public async Task Rules_of_policies_that_nobody_would_keep_any_more_are_taken_away_at_the_start()
    {
        site.MoreSources = "";
        site.Write(site.Town.Objects() + Web);
        await site.StartAsync();
        await site.InForceAsync();
        await using var flows = await Flows.BeginAsync([Flow.BeginAsync(site, "outside", "red/a", 80)]);
        await site.Daemon.KillAsync();
        Assert.False(await PassesAsync("outside", "red/a", Protocols.Udp));
        site.Configuration = "";
        await site.StartAsync();
        await ToldAsync("and nothing is denied by it");
        Assert.True(await PassesAsync("outside", "red/a", Protocols.Udp));
        Assert.DoesNotContain("inet bgpd", await site.Node.DoAsync("nft", "list", "tables"), StringComparison.Ordinal);
        Wrong.None(await flows.EndAsync());
    }

    private const string IsOpenAgain = "workloads, which it had closed until the sources are read, are open";

    private async Task EndsAsync(int code)
    {
        await site.Daemon.EndedAsync();
        Assert.Equal(code, site.Daemon.ExitCode);
    }

    /// <summary>HTTP's port is missed before the sources are read (here one of them cannot be), BGP's when they have been.</summary>
    [NeedsTheory(Needs.Daemon, "nft", "curl", "etcd", "etcdctl")]
    [InlineData(179)]
    [InlineData(8179)]
    public async Task A_start_that_fails_closes_nobody(int port)
    {
        using var taken = site.SocketOf(Place.Node1, isIPv6: false, port);
        taken.Listen();
        if (port == 179) site.MoreSources = "";
        else site.MoreHttp = $", \"{Place.Node1.IPv4}:{port}\"";
        site.Write(site.Town.Objects() + Web);
        await site.StartAsync();
        await EndsAsync(1);
        Assert.Equal((1, 1), (Told(IsClosed), Told(IsOpenAgain)));
        Assert.True(await PassesAsync("outside", "red/a", Protocols.Udp));
        Assert.DoesNotContain("inet bgpd", await site.Node.DoAsync("nft", "list", "tables"), StringComparison.Ordinal);
    }

    [NeedsFact(Needs.Daemon, "nft", "curl", "etcd", "etcdctl")]
    public async Task Who_ends_the_daemon_before_it_has_begun_has_pods_as_they_were()
    {
        site.Write(site.Town.Objects() + Web);
        await site.StartAsync();
        await ToldAsync(IsClosed);
        Assert.False(await PassesAsync("outside", "red/a"));
        site.Daemon.Signal("TERM");
        await EndsAsync(0);
        Assert.Equal(1, Told(IsOpenAgain));
        Assert.True(await PassesAsync("outside", "red/a"));

        // What was closed before a run stays so, as it was not this run that did it.
        await site.StartAsync();
        await ToldAsync(IsClosed, times: 2);
        await site.Daemon.KillAsync();
        await site.StartAsync();
        await ToldAsync(IsClosed, times: 3);
        site.Daemon.Signal("TERM");
        await EndsAsync(0);
        Assert.Equal((1, 1), (Told(IsOpenAgain), Told("workloads stay closed, as they were before it; `bgpd --flush` opens them")));
        Assert.False(await PassesAsync("outside", "red/a"));
    }

    [NeedsFact(Needs.Daemon, "nft", "curl", "etcd", "etcdctl")]
    public async Task Who_ends_it_over_a_table_without_policy_has_that_table_as_it_was()
    {
        var sources = site.MoreSources;
        (site.MoreSources, site.Configuration) = ("", "nat: { enabled: true }\n");
        site.Write(site.Town.Objects() + Pool + Web);
        await site.StartAsync();
        await site.ReadyAsync();
        await site.Daemon.KillAsync();
        var before = await ListAsync();
        Assert.Contains(Masquerade, before, StringComparison.Ordinal);
        (site.MoreSources, site.Configuration) = (sources, "nat: { enabled: true }\npolicy: { enabled: true }\n");
        await site.StartAsync();
        await ToldAsync(IsClosedBeside);
        Assert.False(await PassesAsync("outside", "red/a"));
        site.Daemon.Signal("TERM");
        await EndsAsync(0);
        Assert.Equal(1, Told(IsOpenAgain));
        Assert.True(await PassesAsync("outside", "red/a"));
        Assert.Equal(before, await ListAsync());
    }

    [NeedsFact(Needs.Daemon, "nft", "curl", "etcd", "etcdctl")]
    public async Task A_policy_that_was_never_good_is_said_to_be_refused_and_without_effect()
    {
        var wrong = Namespaced("red", "web", "selector: all(), types: [Ingress], ingress: [{ action: Perhaps }]");
        site.MoreSources = "";
        site.Write(site.Town.Objects() + wrong);
        await site.StartAsync();
        await site.InForceAsync();
        await ToldAsync("refused, and no good version of it is known, so that it has no effect:");
        Assert.Equal(0, Told("its last good version stays"));
        Assert.Contains("\"refused: ", await site.HttpAsync("/v1/policy/show?name=red/web"), StringComparison.Ordinal);
        Assert.Contains("\"withoutEffect\":true", await site.HttpAsync("/v1/status"), StringComparison.Ordinal);
        await site.PutAsync(site.Town.Objects() + Web);
        await site.PutAsync(site.Town.Objects() + wrong);
        await ToldAsync("refused, its last good version stays:");
        Assert.Contains("\"state\":\"enforced\"", await site.HttpAsync("/v1/policy/show?name=red/web"), StringComparison.Ordinal);
    }

    /// <summary>As after a reboot: another name than Calico's is remembered of the run before.</summary>
    [NeedsFact(Needs.Daemon, "nft", "curl", "etcd", "etcdctl")]
    public async Task Workloads_by_another_name_are_closed_as_an_earlier_run_has_known_them()
    {
        var sources = site.MoreSources;
        site.MoreSources = "";
        site.Write(site.Town.Objects(felix: ", interfacePrefix: \"cali,eth1\""));
        await site.StartAsync();
        await site.InForceAsync();
        await site.Daemon.KillAsync();
        foreach (var left in (string[])["bgpd", "bgpd-hold"]) await site.Node.DoAsync("nft", "delete", "table", "inet", left);
        site.MoreSources = sources;
        await site.StartAsync();
        await ToldAsync(IsClosed, times: 2);
        Assert.False(await PassesAsync("behind", "outside"));
        Assert.False(await PassesAsync("outside", "behind"));
        Assert.False(await PassesAsync("outside", "red/a"));
        Assert.True(await PassesAsync("outside", "node1"));

        // Where it is Calico's again, nothing is kept of it.
        await site.Daemon.KillAsync();
        site.MoreSources = "";
        site.Write(site.Town.Objects());
        await site.StartAsync();
        await site.InForceAsync();
        Assert.True(await PassesAsync("behind", "outside"));
        Assert.False(File.Exists(site.PathOf("state1/interface-prefix")));
    }

    /// <summary>A pod that is not known may be one that leaves by a gateway, and not with the node's address.</summary>
    [NeedsFact(Needs.Daemon, "nft", "curl", "etcd", "etcdctl")]
    public async Task Where_only_egress_is_on_pods_do_not_leave_before_they_are_known()
    {
        await using var etcd = new EtcdStore(site.Tor, Away);
        site.Configuration = "egress: { enabled: true }\n";
        site.Write(site.Town.Objects());
        await site.StartAsync();
        await ToldAsync(IsClosed);
        Assert.False(await PassesAsync("red/a", "outside"));
        Assert.True(await PassesAsync("red/a", "node1"));
        Assert.True(await PassesAsync("outside", "red/a"));
        await etcd.StartAsync();
        await Until.TrueAsync("the pod is known", () => PassesAsync("red/a", "outside"), PolicySite.Patience, site.LogAsync);
    }
}
