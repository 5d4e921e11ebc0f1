// Link bandwidth (draft-ietf-idr-link-bandwidth) of real neighbours, down to the weights that the kernel shares packets by.
//
//        bird, AS 65002, 1 Gbit/s ──┐
//                                   ├── 10.99.0.0/24 ── us, AS 65001
//        frr,  AS 65003, 3 Gbit/s ──┘

using Calico.Bgp.Conformance.Routers;

namespace Calico.Bgp.Conformance.Interop;

public sealed class BandwidthTests
{
    private const string There = "198.51.100.0/24";

    [NeedsFact(Needs.Daemon, "bird", "birdc", "/usr/lib/frr/bgpd")]
    public async Task Packets_are_shared_out_by_the_bandwidth_that_each_neighbour_says()
    {
        using var folder = new Scratch();
        List<Netns> spaces = [];
        List<Background> programs = [];
        try
        {
            var (us, bird, frr) = (await Netns.MakeAsync("us"), await Netns.MakeAsync("bird"), await Netns.MakeAsync("frr"));
            spaces.AddRange([us, bird, frr]);
            await Netns.JoinAsync(us, "to-bird", ["10.99.2.1/24"], bird, "eth0", ["10.99.2.2/24"]);
            await Netns.JoinAsync(us, "to-frr", ["10.99.3.1/24"], frr, "eth0", ["10.99.3.2/24"]);
            programs.Add(StartBird(bird, folder));
            programs.AddRange(await StartFrrAsync(frr, folder));
            programs.Add(StartOurs(us, folder));

            await Until.TrueAsync("the kernel shares out one to three", async () =>
            {
                var (first, second) = await WeightsAsync(us);
                return (first, second) == (1, 3);
            }, 60, () => SaidAsync(us, programs));
            var shown = (await us.RunAsync(Project.Bgpctl, "--socket", folder.PathOf("bgpd.sock"), "routes")).Output;
            Assert.Contains("10.99.3.2 to-frr weight 3", shown, StringComparison.Ordinal);
            var kernel = (await us.RunAsync("birdc", "-s", folder.PathOf("bgpd.ctl"), "show protocols all kernel1")).Output;
            Assert.Matches("Routes: .* 1 exported", kernel);

            // Where one says nothing, none is weighed.
            await bird.RunAsync("birdc", "-s", folder.PathOf("bird.ctl"), "configure", $"\"{folder.PathOf("silent.conf")}\"");
            await Until.TrueAsync(
                "the kernel shares out equally", async () => await WeightsAsync(us) == (1, 1), 30, () => SaidAsync(us, programs));
        }
        finally
        {
            foreach (var program in programs) await program.DisposeAsync();
            foreach (var space in spaces) await space.RemoveAsync();
        }
    }

    private static async Task<(int Bird, int Frr)> WeightsAsync(Netns us)
    {
        var route = (await us.RunAsync("ip", "route", "show", There)).Output;
        return (Weight("via 10.99.2.2 dev to-bird weight "), Weight("via 10.99.3.2 dev to-frr weight "));

        int Weight(string before) => route.IndexOf(before, StringComparison.Ordinal) is var at and >= 0
            ? int.Parse(route[(at + before.Length)..].Split(' ', '\n')[0], System.Globalization.CultureInfo.InvariantCulture) : 0;
    }

    private static async Task<string> SaidAsync(Netns us, List<Background> programs) =>
        $"{(await us.RunAsync("ip", "route")).Output}\n{string.Join("\n", programs.Select(program => program.Said))}";

    private static Background StartOurs(Netns us, Scratch folder) => Background.Start(
        us, folder.PathOf("ours.log"), null, Project.Daemon, "--config", folder.Write("bgpd.yaml", """
            router: { id: 192.0.2.1, asNumber: 65001 }
            decision: { multipath: 4, multipathRelax: true }
            peers:
              - { name: bird, peerIP: 10.99.2.2, asNumber: 65002, import: accept, export: reject }
              - { name: frr, peerIP: 10.99.3.2, asNumber: 65003, import: accept, export: reject }
            control: { socket: bgpd.ctl, http: ["unix:bgpd.sock"] }

            """));

    // 125,000,000 octets in a second are 0x4cee6b28.
    private static Background StartBird(Netns bird, Scratch folder)
    {
        string Config(string filter) => $$"""
            router id 192.0.2.2;
            protocol device { }
            protocol static { ipv4 { }; route {{There}} blackhole; }
            protocol bgp ours {
              local 10.99.2.2 as 65002; neighbor 10.99.2.1 as 65001; connect retry time 2; connect delay time 1; error wait time 1,2;
              ipv4 { import none; export filter { {{filter}} accept; }; };
            }

            """;
        folder.Write("silent.conf", Config(""));
        var config = folder.Write("bird.conf", Config("bgp_ext_community.add((generic, 0x0004fdea, 0x4cee6b28));"));
        return Background.Start(
            bird, folder.PathOf("bird.log"), null, "bird", "-f", "-c", config, "-s", folder.PathOf("bird.ctl"),
            "-P", folder.PathOf("bird.pid"));
    }

    private static Task<Background[]> StartFrrAsync(Netns frr, Scratch folder) => FrrPrograms.StartAsync(frr, folder, $"""
            frr version 8.4.4
            router bgp 65003
             bgp router-id 192.0.2.3
             no bgp ebgp-requires-policy
             no bgp network import-check
             neighbor 10.99.3.1 remote-as 65001
             neighbor 10.99.3.1 timers connect 2
             address-family ipv4 unicast
              network {There}
              neighbor 10.99.3.1 route-map fast out
             exit-address-family
            route-map fast permit 10
             set extcommunity bandwidth 3000

            """);
}
