// Neighbours that have no addresses but those that the kernel gives every link, known to each other by the link's name alone. Each finds
// the other by what it hears there; IPv4 goes over next hops of IPv6 (RFC 8950), into the kernel too.
//
//        us ── eth0 ── them
//           ── eth1 ──

using System.Text.RegularExpressions;
using Calico.Bgp.Conformance.Routers;

namespace Calico.Bgp.Conformance.Interop;

public sealed class UnnumberedTests
{
    [Theory, Peer("bgpd"), Peer("frr"), Peer("bird")]
    public async Task Neighbours_without_addresses_find_each_other_and_exchange_both_families(string peer)
    {
        await using var pair = await Pair.MakeAsync();
        await pair.StartAsync(peer, "eth0");
        await pair.RoutesBothWaysAsync("eth0");
        if (peer != "bgpd") Matrix.Saw(peer, "unnumbered", "found by router advertisements, IPv4 over IPv6");
    }

    [Theory, Peer("frr"), Peer("bgpd")]
    public async Task Two_links_to_one_router_are_two_sessions_and_their_routes_are_used_together(string peer)
    {
        await using var pair = await Pair.MakeAsync("eth0", "eth1");
        await pair.StartAsync(peer, "eth0", "eth1");
        await pair.RoutesBothWaysAsync("eth0", "eth1");
    }

    /// <summary>The interface may come after the daemon, be called otherwise, and come anew, and the neighbour with it.</summary>
    [Theory, Peer("bgpd"), Peer("frr")]
    public async Task Links_come_and_go_are_renamed_and_bring_other_neighbours(string peer)
    {
        await using var pair = await Pair.MakeAsync([]);
        await pair.StartAsync(peer, "eth0");
        await pair.SaysAsync("there is no interface eth0");
        await pair.LinkAsync("eth0");
        await pair.RoutesBothWaysAsync("eth0");

        await pair.Us.IpAsync("link set eth0 down");
        await pair.Us.IpAsync("link set eth0 name eth5");
        await pair.Us.IpAsync("link set eth5 up");
        await pair.GoneAsync();
        await pair.Us.IpAsync("link set eth5 down");
        await pair.Us.IpAsync("link set eth5 name eth0");
        await pair.Us.IpAsync("link set eth0 up");
        await pair.RoutesBothWaysAsync("eth0");

        await pair.Us.IpAsync("link del eth0");
        await pair.GoneAsync();
        // Made anew, it has another number and other addresses at both ends.
        await pair.LinkAsync("eth0");
        await pair.RoutesBothWaysAsync("eth0");
    }

    private sealed class Pair : IAsyncDisposable
    {
        private const string OurRoute4 = "192.0.2.0/24", OurRoute6 = "2001:db8:a::/48";
        private const string TheirRoute4 = "198.51.100.0/24", TheirRoute6 = "2001:db8:b::/48";

        private readonly Scratch folder = new();
        private readonly List<Background> programs = [];
        private Netns them = null!;

        public Netns Us { get; private set; } = null!;

        public static Task<Pair> MakeAsync() => MakeAsync("eth0");

        public static async Task<Pair> MakeAsync(params string[] links)
        {
            var pair = new Pair { Us = await Netns.MakeAsync("us") };
            try
            {
                pair.them = await Netns.MakeAsync("them");
                foreach (var space in (Netns[])[pair.Us, pair.them])
                    space.Set("net/ipv4/ip_forward=1", "net/ipv6/conf/all/forwarding=1");
                foreach (var link in links) await pair.LinkAsync(link);
                return pair;
            }
            catch
            {
                await pair.DisposeAsync();
                throw;
            }
        }

        public Task LinkAsync(string name) => Netns.JoinAsync(Us, name, [], them, name, []);

        public async Task StartAsync(string peer, params string[] links)
        {
            programs.AddRange(peer switch
            {
                "frr" => await FrrAsync(links),
                "bird" => [Bird()],
                _ => [Ours(them, "them", "192.0.2.2", 65002, TheirRoute4, TheirRoute6, links)],
            });
            programs.Add(Ours(Us, "us", "192.0.2.1", 65001, OurRoute4, OurRoute6, links));
        }

        private Background Ours(Netns space, string name, string id, int asn, string route4, string route6, string[] links)
        {
            var peers = links.Select(link =>
                $"{{ interface: {link}, asNumber: external, connectRetryTime: 2s, import: accept, export: accept }}");
            var config = folder.Write($"{name}.yaml", $$"""
                router: { id: {{id}}, asNumber: {{asn}} }
                decision: { multipath: 4 }
                peers: [{{string.Join(", ", peers)}}]
                routes: [{ prefix: {{route4}}, type: blackhole }, { prefix: "{{route6}}", type: blackhole }]
                control: { socket: {{name}}.ctl, http: ["unix:{{name}}.sock"] }

                """);
            return Background.Start(space, folder.PathOf($"{name}.log"), null, Project.Daemon, "--config", config);
        }

        private Background Bird()
        {
            var config = folder.Write("bird.conf", $$"""
                router id 192.0.2.2;
                protocol device { scan time 1; }
                protocol static { ipv4 { }; route {{TheirRoute4}} blackhole; }
                protocol static { ipv6 { }; route {{TheirRoute6}} blackhole; }
                protocol kernel { ipv4 { export all; }; }
                protocol kernel { ipv6 { export all; }; }
                protocol radv { interface "eth0" { max ra interval 5; default lifetime 0; }; }
                protocol bgp ours {
                  local as 65002; neighbor range fe80::/10 external; interface "eth0"; dynamic name "dyn";
                  ipv4 { import all; export all; extended next hop; };
                  ipv6 { import all; export all; };
                }

                """);
            return Background.Start(them, folder.PathOf("bird.log"), null, "bird", "-f", "-c", config, "-s", folder.PathOf("bird.ctl"));
        }

        private Task<Background[]> FrrAsync(string[] links)
        {
            var neighbours = links.Select(link =>
                $" neighbor {link} interface remote-as external\n neighbor {link} timers connect 2\n");
            var activated = string.Concat(links.Select(link => $"  neighbor {link} activate\n"));
            return FrrPrograms.StartAsync(them, folder, $"""
                frr version 8.4.4
                router bgp 65002
                 bgp router-id 192.0.2.2
                 no bgp ebgp-requires-policy
                 no bgp network import-check
                 bgp bestpath as-path multipath-relax
                {string.Concat(neighbours)} address-family ipv4 unicast
                  network {TheirRoute4}
                 exit-address-family
                 address-family ipv6 unicast
                  network {TheirRoute6}
                {activated} exit-address-family

                """);
        }

        public async Task RoutesBothWaysAsync(params string[] links)
        {
            await HoldsAsync(Us, TheirRoute4, links);
            await HoldsAsync(Us, TheirRoute6, links);
            await HoldsAsync(them, OurRoute4, links);
            await HoldsAsync(them, OurRoute6, links);
        }

        private async Task HoldsAsync(Netns space, string prefix, string[] links) => await Until.TrueAsync(
            $"{space.Name} has {prefix} over {string.Join(" and ", links)}", async () =>
            {
                var (is6, route) = (prefix.Contains(':'), await RouteAsync(space, prefix));
                return links.All(link => Regex.IsMatch(route, $"via {(is6 ? "" : "inet6 ")}fe80::[0-9a-f:]+ dev {link}"));
            }, 60, SaidAsync);

        private static Task<string> RouteAsync(Netns space, string prefix) =>
            space.IpAsync($"{(prefix.Contains(':') ? "-6" : "-4")} route show {prefix}");

        public Task GoneAsync() => Until.TrueAsync(
            "their routes have gone",
            async () => await RouteAsync(Us, TheirRoute4) == "" && await RouteAsync(Us, TheirRoute6) == "", 30, SaidAsync);

        public Task SaysAsync(string words) => Until.TrueAsync(
            $"the peer says: {words}", async () => (await PeersAsync()).Contains(words, StringComparison.Ordinal), 30, SaidAsync);

        private async Task<string> PeersAsync() => (await Shell.RunAsync(
            "curl", "-s", "--unix-socket", folder.PathOf("us.sock"), "http://bgpd/v1/peers")).Output;

        private async Task<string> SaidAsync() => $"{await PeersAsync()}\n"
            + string.Join('\n', Directory.GetFiles(folder.Path, "*.log").Select(log => $"--- {log}\n{File.ReadAllText(log)}"));

        public async ValueTask DisposeAsync()
        {
            foreach (var program in programs) await program.DisposeAsync();
            await Us.RemoveAsync();
            if (them != null) await them.RemoveAsync();
            folder.Dispose();
        }
    }
}
