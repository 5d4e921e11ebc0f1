using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Calico.Bgp.Conformance.Packets;

/// <summary>The daemon dies, its table is deleted under it, pools change under connections: what becomes of packets?</summary>
public sealed class FaultTests : IAsyncLifetime
{
    private const string Source = "192.168.1.2";
    private Site site = null!;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, "nft", "curl") != null) return;
        site = await Site.MakeAsync();
        site.Write(Site.Pools());
    }

    public async Task DisposeAsync()
    {
        if (site != null) await site.DisposeAsync();
    }

    private async Task<string?> SeenAsync() =>
        (await Echo.SeenAsync(site["nat"], Source, Site.Outside4, Transport.Tcp))?.Address.ToString();

    /// <summary>The file's last good version counts, and what is edited later is taken.</summary>
    [NeedsFact(Needs.Daemon, "nft", "curl")]
    public async Task An_interface_that_no_kernel_can_have_is_refused_and_the_rest_goes_on()
    {
        site.Write(Site.Pools(felix: ", natOutgoingInterfaceFilter: eth0"));
        await site.StartAsync();
        await site.TableAsync(table => table.Contains("oifname \"eth0\""), "the filter is in force");
        site.Write(Site.Pools(felix: ", natOutgoingInterfaceFilter: an-interface-of-19-"));
        await Until.TrueAsync("the object is refused", async () =>
            (await site.LogAsync()).Contains("spec.natOutgoingInterfaceFilter: expected"), Site.Patience, site.LogAsync);
        Assert.Contains("spec.natOutgoingInterfaceFilter", await site.HttpAsync("/v1/status"), StringComparison.Ordinal);
        Assert.Contains("oifname \"eth0\"", await site.ListAsync(), StringComparison.Ordinal);
        site.Write(Site.Pools(felix: ", natOutgoingInterfaceFilter: eth+"));
        await site.TableAsync(table => table.Contains("oifname \"eth*\""), "a good one is taken");
        site.Write(Site.Pools(felix: ", natOutgoingInterfaceFilter: +"));
        await site.TableAsync(table => !table.Contains("eth"), "any interface is no filter");
        Assert.NotEqual(Source, await SeenAsync());
    }

    /// <summary>A transfer that lasts: octets go and come back, one after the other.</summary>
    private sealed class Transfer(Socket socket) : IDisposable
    {
        private readonly Socket socket = socket;

        public string Seen { get; private set; } = "";

        public static async Task<Transfer> BeginAsync(Netns from, string to)
        {
            var transfer = new Transfer(from.Socket(AddressFamily.InterNetwork));
            await transfer.socket.ConnectAsync(IPAddress.Parse(to), Echo.Port);
            var octets = new byte[64];
            transfer.Seen = IPEndPoint.Parse(Encoding.ASCII.GetString(octets, 0, await transfer.socket.ReceiveAsync(octets)).TrimEnd())
                .Address.ToString();
            return transfer;
        }

        public Task<bool> GoesOnAsync(int seconds = 30) => socket.GoesOnAsync(seconds);

        public void Dispose() => socket.Dispose();
    }

    [NeedsFact(Needs.Daemon, "nft", "curl")]
    public async Task A_killed_daemon_leaves_its_rules_and_a_new_one_takes_them_over_as_they_are()
    {
        await site.StartAsync();
        using var transfer = await Transfer.BeginAsync(site["nat"], Site.Outside4);
        var rules = await site.ListAsync();
        await site.Daemon!.KillAsync();
        Assert.Equal((rules, Site.Node4, Site.Node4, true),
            (await site.ListAsync(), transfer.Seen, await SeenAsync(), await transfer.GoesOnAsync()));

        await site.StartAsync();
        await Until.TrueAsync("the dataplane is ready", async () => (await site.HttpAsync("/v1/nat")).Contains("\"ready\":true"),
            Site.Patience);
        Assert.Contains("\"transactions\":0", await site.HttpAsync("/v1/nat"));
        Assert.Equal((rules, Site.Node4, true), (await site.ListAsync(), await SeenAsync(), await transfer.GoesOnAsync()));
    }

    [NeedsFact(Needs.Daemon, "nft", "curl")]
    public async Task A_table_deleted_under_it_comes_back_and_is_counted()
    {
        await site.StartAsync();
        using var transfer = await Transfer.BeginAsync(site["nat"], Site.Outside4);
        for (var time = 1; time <= 3; time++)
        {
            await site.Node.DoAsync("nft", "delete", "table", "inet", "bgpd");
            await Until.TrueAsync("the table is back", async () => (await site.ListAsync()).Contains("@nat-masq4"), Site.Patience);
            var counted = $"\"repairs\":{time}";
            await Until.TrueAsync("it was counted", async () => (await site.HttpAsync("/v1/nat")).Contains(counted), Site.Patience);
            Assert.Equal((Site.Node4, true), (await SeenAsync(), await transfer.GoesOnAsync()));
        }
    }

    [NeedsFact(Needs.Daemon, "nft", "curl")]
    public async Task A_pool_edit_concerns_new_connections_and_cuts_old_ones_only_where_that_is_asked_for()
    {
        site.Configuration = "nat: { onChange: cut }\n";
        await site.StartAsync();
        using var outside = await Transfer.BeginAsync(site["nat"], Site.Outside4);
        using var inside = await Transfer.BeginAsync(site["nat"], "172.16.1.2");
        site.Write(Site.Pools().Replace("\"192.168.0.0/16\", natOutgoing: true", "\"192.168.0.0/16\", natOutgoing: false"));
        await site.TableAsync(table => table.Contains("elements = { 100.64.0.0/16 }"), "the pool is not translated any more");
        await Until.TrueAsync("one connection was cut", async () => (await site.HttpAsync("/v1/nat")).Contains("\"connectionsCut\":1"),
            Site.Patience);
        Assert.Equal((Source, false, true), (await SeenAsync(), await outside.GoesOnAsync(2), await inside.GoesOnAsync()));
    }

    /// <summary>The kernel's table of connections knows no interfaces: its routes are asked.</summary>
    [NeedsFact(Needs.Daemon, "nft", "curl")]
    public async Task What_another_interface_filter_excepts_is_cut_and_what_both_let_through_is_not()
    {
        site.Configuration = "nat: { onChange: cut }\n";
        await site.StartAsync();
        using var outside = await Transfer.BeginAsync(site["nat"], Site.Outside4);
        site.Write(Site.Pools(felix: ", natOutgoingInterfaceFilter: \"eth+\""));
        await site.TableAsync(table => table.Contains("oifname \"eth*\""), "the filter is in force");
        Assert.True(await outside.GoesOnAsync());
        Assert.Contains("\"connectionsCut\":0", await site.HttpAsync("/v1/nat"));
        site.Write(Site.Pools(felix: ", natOutgoingInterfaceFilter: \"bond+\""));
        await Until.TrueAsync("one connection was cut", async () => (await site.HttpAsync("/v1/nat")).Contains("\"connectionsCut\":1"),
            Site.Patience);
        Assert.Equal((Source, false), (await SeenAsync(), await outside.GoesOnAsync(2)));
    }

    [NeedsFact(Needs.Daemon, "nft", "curl")]
    public async Task Kept_connections_keep_the_translation_that_they_have()
    {
        await site.StartAsync();
        using var transfer = await Transfer.BeginAsync(site["nat"], Site.Outside4);
        site.Write(Site.Pools().Replace("\"192.168.0.0/16\", natOutgoing: true", "\"192.168.0.0/16\", natOutgoing: false"));
        await site.TableAsync(table => table.Contains("elements = { 100.64.0.0/16 }"), "the pool is not translated any more");
        Assert.Equal((Source, true), (await SeenAsync(), await transfer.GoesOnAsync()));
    }

    [NeedsFact(Needs.Daemon, "nft", "curl")]
    public async Task A_flush_takes_everything_away()
    {
        await site.StartAsync();
        await site.Daemon!.DisposeAsync();
        await site.Node.DoAsync(Project.Daemon, "--flush", "--config", site.PathOf("bgpd.yaml"));
        Assert.DoesNotContain("bgpd", await site.Node.DoAsync("nft", "list", "ruleset"));
    }

    /// <summary>What runs would lose what it has in force, until it has seen that.</summary>
    [NeedsFact(Needs.Daemon, "nft", "curl")]
    public async Task A_flush_beside_a_daemon_that_runs_is_refused_unless_it_is_forced()
    {
        await site.StartAsync();
        var refused = await site.Node.RunAsync(Project.Daemon, "--flush", "--config", site.PathOf("bgpd.yaml"));
        Assert.Equal(1, refused.Code);
        Assert.Contains("held by another bgpd in this network namespace, process ", refused.Errors, StringComparison.Ordinal);
        Assert.Contains("end it first, or say --force", refused.Errors, StringComparison.Ordinal);
        Assert.Contains("table inet bgpd", await site.Node.DoAsync("nft", "list", "ruleset"));
        var forced = await site.Node.RunAsync(Project.Daemon, "--flush", "--force", "--config", site.PathOf("bgpd.yaml"));
        Assert.Contains("warning: ", forced.Errors, StringComparison.Ordinal);
    }

    [NeedsFact(Needs.Daemon, "nft", "curl", "setpriv")]
    public async Task Without_CAP_NET_ADMIN_it_says_what_it_needs_and_BGP_goes_on()
    {
        site.Capabilities = "-net_admin";
        await site.StartAsync(withTable: false);
        // It answers before its sources have been read, and then before the table has been asked for.
        await Until.TrueAsync("it says what it needs", async () =>
            (await site.HttpAsync("/v1/nat")).Contains("(root or CAP_NET_ADMIN is needed)"), Site.Patience, site.LogAsync);
        await Until.TrueAsync("it runs", async () => (await site.LogAsync()).Contains("router id"), Site.Patience, site.LogAsync);
        Assert.Contains("(root or CAP_NET_ADMIN is needed); BGP goes on", await site.LogAsync());
    }

    [NeedsFact(Needs.Daemon, "nft", "curl")]
    public async Task Explanations_are_what_packets_meet()
    {
        await site.StartAsync();
        await Until.TrueAsync("the dataplane is ready", async () => (await site.HttpAsync("/v1/nat")).Contains("\"ready\":true"),
            Site.Patience);
        foreach (var (source, destination, translated) in new[]
        {
            (Source, Site.Outside4, true), (Source, Site.Remote4, false), (Source, Site.Exempt4, false),
            (Source, Site.Other4, true), (Source, Site.Node4, false),
            ("203.0.113.2", Site.Outside4, false), ("fd01::1:2", Site.Outside6, true), ("100.99.1.2", Site.Outside4, false),
        })
            Assert.Contains($"\"translated\":{(translated ? "true" : "false")}",
                await site.HttpAsync($"/v1/nat/explain?src={source}&dst={destination}"));
        var told = await site.HttpAsync($"/v1/nat/explain?src={Source}&dst={Site.Outside4}");
        foreach (var words in (string[])[
            $"\"address\":\"{Site.Node4}\"", "\"interface\":\"eth0\"",
            "\"rule\":\"chain postrouting: meta nfproto ipv4 ip saddr @nat-masq4"])
            Assert.Contains(words, told);
        Assert.Contains("the destination is in pool exempt (10.0.0.0/8)",
            await site.HttpAsync($"/v1/nat/explain?src={Source}&dst={Site.Exempt4}"));
    }
}
