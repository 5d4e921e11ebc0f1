// A neighbour that announces a network that one of our links is on: the link's own route wins, whatever the metric of ours and whichever
// came first (metric 32 is what Calico's BIRD uses; the kernel's own IPv6 routes have 256).
//
//        them ── 2001:db8:1::/64, eth0 ── us ── 2001:db8:7::/64, eth1 ── hosts
using Calico.Bgp.Conformance.Routers;

namespace Calico.Bgp.Conformance.Interop;

public sealed class ConnectedTests
{
    private const string First = "2001:db8:7::/64", Second = "2001:db8:8::/64", Far = "2001:db8:9::/48", Ours = "2001:db8:7::1";

    [Theory, Peer("bird")]
    public async Task A_connected_network_is_taken_over_by_nobody(string peer)
    {
        await using var us = await Netns.MakeAsync("ours");
        await using var them = await Netns.MakeAsync("theirs");
        await using var hosts = await Netns.MakeAsync("hosts");
        await Netns.JoinAsync(us, "eth0", ["2001:db8:1::1/64"], them, "eth0", ["2001:db8:1::2/64"]);
        await Netns.JoinAsync(us, "eth1", [Ours + "/64"], hosts, "eth0", ["2001:db8:7::2/64"]);
        await using var tor = Router.Make(
            peer, them, new(65002, "10.0.0.2", [new("node", "2001:db8:1::2", "2001:db8:1::1", 65001, false)], [First, Second, Far]));
        await tor.StartAsync();
        using var folder = new Scratch();
        var (socket, log) = (folder.PathOf("http"), folder.PathOf("log"));
        File.WriteAllText(folder.PathOf("bgpd.yaml"), $$"""
            router: { id: 10.0.0.1, asNumber: 65001 }
            control: { socket: {{folder.PathOf("ctl")}}, http: ["unix:{{socket}}"] }
            kernel: { metric: 32 }
            peers:
              - { name: tor, peerIP: "2001:db8:1::2", asNumber: 65002, families: [ipv6], import: accept, export: reject }
            """);
        await using var daemon = Background.Start(us, log, null, Project.Daemon, "--config", folder.PathOf("bgpd.yaml"));

        async Task<string> RouteAsync(string prefix) => (await us.RunAsync("ip", "-6", "route", "show", prefix)).Output;
        Task ShowsAsync(string prefix, bool connected, bool learned) => Until.TrueAsync(
            $"{prefix}: connected {connected}, learned {learned}",
            async () => await RouteAsync(prefix) is var route && route.Contains("proto kernel") == connected
                && route.Contains("via 2001:db8:1::2") == learned && !route.Contains("nexthop"),
            30, async () => $"{await RouteAsync(prefix)}\n{daemon.Said}");

        await ShowsAsync(Far, connected: false, learned: true);
        await ShowsAsync(Second, connected: false, learned: true);
        await ShowsAsync(First, connected: true, learned: false);
        var why = await Shell.RunAsync(Project.Bgpctl, "--socket", socket, "explain", "route", First);
        Assert.Contains("is not given it: the network is connected, and connected ones win", why.Output, StringComparison.Ordinal);

        await us.IpAsync("addr add 2001:db8:8::1/64 dev eth1 nodad");
        await ShowsAsync(Second, connected: true, learned: false);
        await us.IpAsync("addr del 2001:db8:8::1/64 dev eth1");
        await ShowsAsync(Second, connected: false, learned: true);
        await us.IpAsync($"addr del {Ours}/64 dev eth1");
        await ShowsAsync(First, connected: false, learned: true);
    }
}
