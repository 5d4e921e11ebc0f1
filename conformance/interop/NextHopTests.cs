// Where packets go: next hops behind our own routes, and next hops that are link-local addresses only. What the kernel holds in the end is
// what counts; a BIRD in our daemon's place says what users expect.
//
//        far (loopback 192.0.2.9) ── 10.97.0.0/24 ── tor ── 10.99.0.0/24, eth0 ── us ── eth9 ── management (the default route)

using Calico.Bgp.Conformance.Routers;

namespace Calico.Bgp.Conformance.Interop;

public sealed class NextHopTests
{
    private const string Far = "192.0.2.9", Behind = "203.0.113.0/24";

    /// <summary>A loopback peering over an external underlay: the internal neighbour is known by the ToR's route alone.</summary>
    [Theory, Peer("bgpd"), Peer("bird")]
    public async Task An_internal_route_follows_the_underlays_route_to_its_next_hop_and_not_the_management_default(string subject)
    {
        await using var fabric = await Fabric.MakeAsync(subject, underlay: true);
        await fabric.LeadsAsync(Behind, "via 10.99.0.2 dev eth0");
        await fabric.Tor.DoAsync("birdc", "-s", fabric.SocketOf("tor"), "disable", "own");
        await fabric.LeadsElsewhereAsync(Behind, "via 10.99.0.2 dev eth0");
        await fabric.Tor.DoAsync("birdc", "-s", fabric.SocketOf("tor"), "enable", "own");
        await fabric.LeadsAsync(Behind, "via 10.99.0.2 dev eth0");
    }

    /// <summary>With the AS path that is the shorter one, and a default route that leads to its next hop too. BIRD 2 swings between the
    /// two.</summary>
    [Theory, Peer("bgpd")]
    public async Task A_neighbour_that_announces_the_way_to_itself_takes_it_from_nobody(string subject)
    {
        await using var fabric = await Fabric.MakeAsync(subject, underlay: true, farAnnouncesItself: true);
        await fabric.LeadsAsync(Behind, "via 10.99.0.2 dev eth0");
        await fabric.LeadsAsync(Far + "/32", "via 10.99.0.2 dev eth0");
        // It stays so: the kernel's table is written no more.
        await Until.StaysAsync("the number of writes", fabric.WritesAsync, 2);
    }

    [Theory, Peer("bgpd"), Peer("bird")]
    public async Task An_internal_route_follows_an_own_static_route_to_its_next_hop(string subject)
    {
        await using var fabric = await Fabric.MakeAsync(subject, underlay: false);
        await fabric.LeadsAsync(Behind, "via 10.99.0.2 dev eth0");
    }

    [Theory, Peer("bgpd"), Peer("bird")]
    public async Task Behind_an_own_blackhole_the_default_route_is_not_asked(string subject)
    {
        await using var fabric = await Fabric.MakeAsync(subject, underlay: true, blackhole: "192.0.2.0/24");
        await fabric.LeadsAsync(Behind, "via 10.99.0.2 dev eth0");
        await fabric.Tor.DoAsync("birdc", "-s", fabric.SocketOf("tor"), "disable", "own");
        await Until.TrueAsync("192.0.2.9/32 is gone", async () => await fabric.RouteAsync("192.0.2.9/32") == "", 20, fabric.SaidAsync);
        await Until.TrueAsync($"{Behind} leads nowhere",
            async () => !(await fabric.RouteAsync(Behind)).Contains("via", StringComparison.Ordinal), 20, fabric.SaidAsync);
    }

    /// <summary>FRR puts the link-local address into both halves of the next hop, BIRD puts :: before it (RFC 2545 section 3 knows
    /// neither).</summary>
    [Theory, Peer("bird"), Peer("frr")]
    public async Task Neighbours_with_link_local_addresses_only_are_reached_over_the_link_of_their_session(string peer)
    {
        var made = new List<Netns>();
        var programs = new List<Background>();
        using var folder = new Scratch();
        try
        {
            var (us, them) = (await Netns.MakeAsync("us"), await Netns.MakeAsync("them"));
            made.AddRange([us, them]);
            foreach (var space in made) space.Set("net/ipv6/conf/default/addr_gen_mode=1");
            await Netns.JoinAsync(us, "eth0", ["fe80::1/64"], them, "eth0", ["fe80::2/64"]);
            var theirs = peer == "frr" ? await StartFrrAsync(them, folder) : [StartBird(them, folder)];
            programs.AddRange(theirs);
            programs.Add(StartOurs(us, folder));

            await Until.TrueAsync("we have their IPv4 route", () => HoldsAsync(us, "198.51.100.0/24", "via inet6 fe80::2 dev eth0"), 45,
                Said);
            await Until.TrueAsync("we have their IPv6 route", () => HoldsAsync(us, "2001:db8:b::/48", "via fe80::2 dev eth0"), 30, Said);
            await Until.TrueAsync("they have our IPv4 route", () => HoldsAsync(them, "192.0.2.0/24", "via inet6 fe80::1 dev eth0"), 30,
                Said);
            await Until.TrueAsync("they have our IPv6 route", () => HoldsAsync(them, "2001:db8:a::/48", "via fe80::1 dev eth0"), 30, Said);
        }
        finally
        {
            foreach (var program in programs) await program.DisposeAsync();
            foreach (var space in made) await space.RemoveAsync();
        }

        string Said() => string.Join('\n', Directory.GetFiles(folder.Path, "*.log").Select(log => $"--- {log}\n{File.ReadAllText(log)}"));
    }

    private static async Task<bool> HoldsAsync(Netns space, string prefix, string words) =>
        (await space.IpAsync($"{(prefix.Contains(':') ? "-6" : "-4")} route show {prefix}")).Contains(words, StringComparison.Ordinal);

    private static Background StartOurs(Netns space, Scratch folder)
    {
        var config = folder.Write("bgpd.yaml", """
            router: { id: 192.0.2.1, asNumber: 65001 }
            peers: [{ name: them, peerIP: "fe80::2%eth0", asNumber: 65002, connectRetryTime: 2s, import: accept, export: accept }]
            routes: [{ prefix: 192.0.2.0/24, type: blackhole }, { prefix: "2001:db8:a::/48", type: blackhole }]
            control: { socket: bgpd.ctl, http: ["unix:bgpd.sock"] }

            """);
        return Background.Start(space, folder.PathOf("ours.log"), null, Project.Daemon, "--config", config);
    }

    private static Background StartBird(Netns space, Scratch folder)
    {
        var config = folder.Write("bird.conf", """
            router id 192.0.2.2;
            protocol device { }
            protocol static { ipv4 { }; route 198.51.100.0/24 blackhole; }
            protocol static { ipv6 { }; route 2001:db8:b::/48 blackhole; }
            protocol kernel { ipv4 { export all; }; }
            protocol kernel { ipv6 { export all; }; }
            protocol bgp ours {
              local fe80::2 as 65002; neighbor fe80::1 % 'eth0' as 65001; connect retry time 2; connect delay time 1; error wait time 1,2;
              ipv4 { import all; export all; extended next hop; };
              ipv6 { import all; export all; };
            }

            """);
        return Background.Start(space, folder.PathOf("bird.log"), null, "bird", "-f", "-c", config, "-s", folder.PathOf("bird.ctl"));
    }

    private static Task<Background[]> StartFrrAsync(Netns space, Scratch folder) => FrrPrograms.StartAsync(space, folder, """
            frr version 8.4.4
            router bgp 65002
             bgp router-id 192.0.2.2
             no bgp ebgp-requires-policy
             no bgp default ipv4-unicast
             no bgp network import-check
             neighbor fe80::1 remote-as 65001
             neighbor fe80::1 interface eth0
             neighbor fe80::1 capability extended-nexthop
             neighbor fe80::1 timers connect 2
             address-family ipv4 unicast
              network 198.51.100.0/24
              neighbor fe80::1 activate
             exit-address-family
             address-family ipv6 unicast
              network 2001:db8:b::/48
              neighbor fe80::1 activate
             exit-address-family

            """);

    /// <summary>The subject between a ToR and a management network; an internal neighbour sits behind the ToR.</summary>
    private sealed class Fabric : IAsyncDisposable
    {
        private readonly List<Netns> spaces = [];
        private readonly List<Background> programs = [];
        private readonly Scratch folder = new();

        public Netns Us { get; private set; } = null!;
        public Netns Tor { get; private set; } = null!;

        public string SocketOf(string name) => folder.PathOf(name + ".ctl");

        /// <param name="underlay">The ToR announces the way to the neighbour; else a static route of the subject's leads there.</param>
        public static async Task<Fabric> MakeAsync(string subject, bool underlay, string? blackhole = null, bool farAnnouncesItself = false)
        {
            var fabric = new Fabric();
            try
            {
                await fabric.BuildAsync(subject, underlay, blackhole, farAnnouncesItself);
                return fabric;
            }
            catch
            {
                await fabric.DisposeAsync();
                throw;
            }
        }

        private async Task BuildAsync(string subject, bool underlay, string? blackhole, bool farAnnouncesItself)
        {
            Us = await SpaceAsync("us");
            Tor = await SpaceAsync("tor");
            var (far, management) = (await SpaceAsync("far"), await SpaceAsync("mgmt"));
            await Netns.JoinAsync(Us, "eth0", ["10.99.0.1/24"], Tor, "eth0", ["10.99.0.2/24"]);
            await Netns.JoinAsync(Tor, "eth1", ["10.97.0.1/24"], far, "eth0", ["10.97.0.2/24"]);
            await Netns.JoinAsync(Us, "eth9", ["10.96.0.1/24"], management, "eth0", ["10.96.0.254/24"]);
            await Us.IpAsync("route add default via 10.96.0.254");
            await far.IpAsync($"addr add {Far}/32 dev lo");
            await far.IpAsync("route add default via 10.97.0.1");
            await Tor.IpAsync($"route add {Far}/32 via 10.97.0.2");
            Tor.Forward();
            Bird(Tor, "tor", "10.99.0.2", $$"""
                protocol static own { ipv4 { }; route {{Far}}/32 via 10.97.0.2; }
                protocol bgp subject { local 10.99.0.2 as 65002; neighbor 10.99.0.1 as 65001; {{Hurry}}
                  ipv4 { import all; export {{(underlay ? "all" : "none")}}; }; }
                """);
            Bird(far, "far", Far, $$"""
                protocol static { ipv4 { }; route {{Behind}} blackhole; }
                protocol bgp subject { local {{Far}} as 65001; neighbor 10.99.0.1 as 65001; multihop; passive; {{Hurry}}
                  ipv4 { import all; export {{(farAnnouncesItself ? "all" : "where source = RTS_STATIC")}}; next hop self; }; }
                """);
            if (subject == "bird") Bird(Us, "us", "10.99.0.1", AsBird(underlay, blackhole));
            else Ours(underlay, blackhole);
        }

        private const string Hurry = "connect retry time 1; connect delay time 1; error wait time 1,2;";

        private static string AsBird(bool underlay, string? blackhole) => $$"""
            protocol static { ipv4 { }; {{(underlay ? "" : $"route {Far}/32 via 10.99.0.2;")}}
                {{(blackhole == null ? "" : $"route {blackhole} blackhole;")}} }
            protocol kernel { learn; ipv4 { import all; export all; }; }
            protocol bgp tor { local 10.99.0.1 as 65001; neighbor 10.99.0.2 as 65002; {{Hurry}} ipv4 { import all; export none; }; }
            protocol bgp far { local 10.99.0.1 as 65001; neighbor {{Far}} as 65001; multihop; {{Hurry}} ipv4 { import all; export none; }; }
            """;

        private void Ours(bool underlay, string? blackhole)
        {
            string[] routes = [.. underlay ? [] : new[] { $"{{ prefix: {Far}/32, via: 10.99.0.2 }}" },
                .. blackhole == null ? [] : new[] { $"{{ prefix: {blackhole}, type: blackhole }}" }];
            var config = folder.Write("bgpd.yaml", $$"""
                router: { id: 10.99.0.1, asNumber: 65001 }
                peers:
                  - { name: tor, peerIP: 10.99.0.2, asNumber: 65002, connectRetryTime: 1s, import: accept }
                  - { name: far, peerIP: {{Far}}, asNumber: 65001, sourceAddress: 10.99.0.1, multihop: 64, connectRetryTime: 1s }
                routes: [{{string.Join(", ", routes)}}]
                control: { socket: {{SocketOf("us")}}, http: ["unix:us.sock"] }

                """);
            programs.Add(Background.Start(Us, folder.PathOf("us.log"), null, Project.Daemon, "--config", config));
        }

        private void Bird(Netns space, string name, string id, string protocols)
        {
            var config = folder.Write(
                name + ".conf", $"router id {id};\nprotocol device {{ scan time 1; }}\nprotocol direct {{ ipv4; }}\n{protocols}\n");
            programs.Add(Background.Start(space, folder.PathOf(name + ".log"), null, "bird", "-f", "-c", config, "-s", SocketOf(name)));
        }

        private async Task<Netns> SpaceAsync(string role)
        {
            var made = await Netns.MakeAsync(role);
            spaces.Add(made);
            return made;
        }

        /// <summary>How often our daemon has written to the kernel.</summary>
        public async Task<string> WritesAsync() =>
            (await Shell.DoAsync("curl", "-s", "--unix-socket", folder.PathOf("us.sock"), "http://bgpd/metrics")).Split('\n')
            .Single(line => line.StartsWith("calico_bgp_fib_writes_total", StringComparison.Ordinal));

        public Task<string> RouteAsync(string prefix) => Us.IpAsync($"route show {prefix}");

        public Task LeadsAsync(string prefix, string words) => Until.TrueAsync(
            $"{prefix} leads {words}", async () => (await RouteAsync(prefix)).Contains(words, StringComparison.Ordinal), 45, SaidAsync);

        public Task LeadsElsewhereAsync(string prefix, string words) => Until.TrueAsync(
            $"{prefix} leads not {words}", async () => !(await RouteAsync(prefix)).Contains(words, StringComparison.Ordinal), 30,
            SaidAsync);

        public async Task<string> SaidAsync() =>
            $"{await Us.IpAsync("route")}\n{(await Us.RunAsync("birdc", "-s", SocketOf("us"), "show", "route", "all")).Output}\n"
            + string.Join('\n', Directory.GetFiles(folder.Path, "*.log").Select(log => $"--- {log}\n{File.ReadAllText(log)}"));

        public async ValueTask DisposeAsync()
        {
            foreach (var program in programs) await program.DisposeAsync();
            foreach (var space in spaces) await space.RemoveAsync();
            folder.Dispose();
        }
    }
}
