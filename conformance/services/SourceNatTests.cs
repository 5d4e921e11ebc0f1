using System.Net;
using System.Net.Sockets;
using static Calico.Bgp.Conformance.Services.ServiceSite;

namespace Calico.Bgp.Conformance.Services;

/// <summary>VPP's test_cnat.py, its source NAT (reference/cnat.md, section 2), in namespaces and in both families.</summary>
public sealed class SourceNatTests : IAsyncLifetime
{
    private const string New4 = "30.0.0.77", New6 = "fd30::77";

    private static readonly bool[] Families = [false, true];

    private ServiceSite site = null!;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, "nft") == null) site = await ServiceSite.MakeAsync();
    }

    public async Task DisposeAsync()
    {
        if (site != null) await site.DisposeAsync();
    }

    private static string Client(bool six) => six ? Client6 : Client4;

    private static string New(bool six) => six ? New6 : New4;

    /// <summary>Whom the backend sees when the client calls it.</summary>
    private async Task<string?> SeenAsync(bool six, int backend, bool tcp = true) => (await Answerer.AskAsync(
        site.Client, Client(six), Backend(backend, six), ServiceSite.Port, tcp))?.Seen.Address.ToString();

    private static string Snat(string keys) => $"services: {{ snat: {{ {keys} }} }}";

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task What_comes_in_by_an_included_interface_has_the_new_source_but_for_excluded_destinations_and_answers_come_back()
    {
        const string own = $"addresses: [{New4}, \"{New6}\"], policy: if-pfx, interfaces: {{ include: [c0] }}";
        await site.StartAsync(Snat($"{own}, exclude: [10.2.2.0/24, \"fd02:2::/64\"]"));
        foreach (var six in Families)
        {
            foreach (var tcp in (bool[])[true, false])
            {
                Assert.Equal(New(six), await SeenAsync(six, 0, tcp));
                Assert.Equal(Client(six), await SeenAsync(six, 1, tcp));
            }
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
            await Ping.SendAsync(
                site.Client, IPAddress.Parse(Client(six)), IPAddress.Parse(Backend(0, six)), Ping.NewToken(), patience.Token);
            // The backend's port unreachable names the client's own packet: without that the socket would hear nothing of it.
            using var socket = await Answerer.ConnectAsync(site.Client, Client(six), Backend(0, six), 4444, tcp: false);
            await socket.SendAsync(new byte[1], patience.Token);
            var refused = await Assert.ThrowsAsync<SocketException>(async () => await socket.ReceiveAsync(new byte[1], patience.Token));
            Assert.Equal(SocketError.ConnectionRefused, refused.SocketErrorCode);
            // Nobody's session: the backend's own packet to the new source goes nowhere, and is counted.
            Assert.Null(await Answerer.AskAsync(site.Backends[0], Backend(0, six), New(six), 9, tcp: true, attempts: 1));
            Assert.Matches($"daddr @svc-snatown{(six ? 6 : 4)} fib daddr type != local ct state new counter packets [1-9]",
                await site.ListAsync());
        }
        await site.ReloadAsync(Snat(own));
        foreach (var six in Families) Assert.Equal(New(six), await SeenAsync(six, 1));
        Assert.True((await site.Node.RunAsync("nft", "-j", "list", "ruleset")).Good);
        await site.ReloadAsync("services: {}");
        foreach (var six in Families) Assert.Equal(Client(six), await SeenAsync(six, 0));
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task As_in_Kubernetes_pods_keep_their_source_and_who_is_none_gets_the_new_one()
    {
        await site.StartAsync(Snat(
            $"addresses: [{New4}, \"{New6}\"], policy: k8s, interfaces: {{ pod: [b1], host: [b3] }}"));
        foreach (var six in Families)
        {
            Assert.Equal(Client(six), await SeenAsync(six, 0));
            Assert.Equal(New(six), await SeenAsync(six, 1));
            Assert.Equal(Client(six), await SeenAsync(six, 2));
            foreach (var (from, own) in ((Netns, string)[])[(site.Backends[0], Backend(0, six)), (site.Node, Gateway(1, six))])
                Assert.Equal(own, (await Answerer.AskAsync(
                    from, own, Backend(1, six), ServiceSite.Port, tcp: true))?.Seen.Address.ToString());
        }
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task A_prefix_stands_in_place_of_another_in_both_directions()
    {
        await site.StartAsync(Snat(
            "policy: dnat, rewrite: [{ from: 10.1.0.0/24, to: 30.0.9.0/24 }, { from: 'fd01::/64', to: 'fd30:9::/64' }]"));
        using var own4 = new Answerer(site.Client, Client4, 7777);
        using var own6 = new Answerer(site.Client, Client6, 7777);
        foreach (var six in Families)
        {
            var mapped = six ? "fd30:9::2" : "30.0.9.2";
            Assert.Equal(mapped, await SeenAsync(six, 0));
            Assert.Equal(Client(six), (await Answerer.AskAsync(site.Backends[0], Backend(0, six), mapped, 7777, tcp: true))?.Server);
        }
        Assert.True((await site.Node.RunAsync("nft", "-j", "list", "ruleset")).Good);
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task An_interface_gives_its_address_and_another_one_when_it_has_another()
    {
        await site.StartAsync(Snat("addresses: [out0, out0 v6], interfaces: { include: [c0] }"));
        await site.Node.IpAsync("link add out0 type bridge");
        await site.Node.IpAsync("link set out0 up");
        foreach (var round in (int[])[2, 3])
            foreach (var six in Families)
            {
                var address = six ? $"fd31::{round}" : $"31.0.0.{round}";
                var length = six ? "128" : "32";
                if (round == 3) await site.Node.IpAsync($"addr del {(six ? "fd31::2" : "31.0.0.2")}/{length} dev out0");
                await site.Node.IpAsync($"addr add {address}/{length} dev out0{(six ? " nodad" : "")}");
                await Until.TrueAsync($"backends see {address}", async () => await SeenAsync(six, 0) == address, Patience, site.LogAsync);
            }
    }
}
