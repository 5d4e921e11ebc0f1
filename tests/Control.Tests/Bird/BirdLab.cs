namespace Calico.Bgp.Control.Tests.Bird;

/// <summary>
/// Two real BIRDs that peer with each other, each in a network namespace. The first is the oracle: our answers are held beside
/// its own. Link-local addresses are given by hand, so that next hops are the same in every run.
/// </summary>
public sealed class BirdLab : IAsyncLifetime, IDisposable
{
    private const string Oracle = """
        log stderr all;
        router id 10.99.0.1;
        hostname "node-a";
        filter imp4 { if net = 192.0.2.0/24 || net = 198.18.0.0/24 then reject; accept; }
        filter exp4 { if source = RTS_STATIC || source = RTS_BGP then accept; reject; }
        protocol device { scan time 10; }
        protocol direct { ipv4; ipv6; interface "eth0"; }
        protocol kernel { ipv4 { import all; export none; }; learn; }
        protocol kernel { ipv6 { import all; export none; }; learn; }
        protocol static { ipv4;
          route 10.50.0.0/16 via 10.99.0.2; route 10.51.0.0/16 via 10.99.0.2 weight 2 via 10.99.0.3; route 10.52.0.0/16 via "eth0";
          route 192.0.2.0/24 blackhole; route 192.0.3.0/24 unreachable; route 192.0.4.0/24 prohibit; }
        protocol static { ipv6; route 2001:db8:a::/48 blackhole; route 2001:db8:c::/48 via fe80::2%eth0; }
        template bgp peer { hold time 90; keepalive time 30; connect retry time 1; connect delay time 1; error wait time 600,600; }
        protocol bgp tor4 from peer { description "the ToR"; local 10.99.0.1 as 65001; neighbor 10.99.0.2 as 65002;
          graceful restart on; enable extended messages on;
          ipv4 { import filter imp4; import keep filtered on; receive limit 100 action disable; export filter exp4; next hop self; }; }
        protocol bgp tor6 from peer { local fd99::1 as 65001; neighbor fd99::2 as 65002;
          ipv6 { import all; import keep filtered on; export filter exp4; }; }
        protocol bgp inner from peer { local 10.99.0.101 as 65001; neighbor 10.99.0.12 as 65001; rr client;
          ipv4 { import all; import keep filtered on; export none; add paths on; }; }
        protocol bgp waits from peer { passive; local 10.99.0.1 as 65001; neighbor 10.99.0.77 as 65003;
          ipv4 { import none; export none; }; }
        protocol bgp many from peer { local 10.99.0.103 as 65001; neighbor 10.99.0.14 as 65002;
          ipv4 { receive limit 1 action disable; import all; export none; }; }
        protocol bgp shut from peer { disabled; local 10.99.0.1 as 65001; neighbor 10.99.0.78 as 65003; ipv4 { import all; export none; }; }
        protocol bgp wrong from peer { local 10.99.0.102 as 65001; neighbor 10.99.0.13 port 1179 as 65077;
          ipv4 { import all; export none; }; }
        """;

    private const string Neighbour = """
        log stderr all;
        router id 10.99.0.2;
        filter out4 {
          bgp_med = 50;
          bgp_community.add((65002,100)); bgp_community.add((65535,65281));
          bgp_large_community.add((65002,1,2)); bgp_large_community.add((4200000000,10,20));
          bgp_ext_community.add((rt,65002,300)); bgp_ext_community.add((ro,65002,301)); bgp_ext_community.add((rt,10.0.0.1,5));
          bgp_ext_community.add((generic,0x80060000,0x12345)); bgp_ext_community.add((rt,4200000000,7));
          if net = 203.0.113.128/25 then { bgp_path.prepend(64999); bgp_path.prepend(64998); bgp_origin = ORIGIN_INCOMPLETE; }
          if net = 203.0.114.0/24 then bgp_origin = ORIGIN_EGP;
          accept;
        }
        protocol device {}
        protocol static { ipv4;
          route 203.0.113.0/24 blackhole; route 203.0.113.128/25 blackhole; route 203.0.114.0/24 blackhole; route 192.0.2.0/24 blackhole;
          route 198.18.0.0/24 blackhole; }
        protocol static { ipv6; route 2001:db8:b::/48 blackhole; route 2001:db8:a::/48 blackhole; }
        protocol bgp tor4 { local 10.99.0.2 as 65002; neighbor 10.99.0.1 as 65001; graceful restart on; enable extended messages on;
          ipv4 { import none; export filter out4; next hop self; }; }
        protocol bgp tor6 { local fd99::2 as 65002; neighbor fd99::1 as 65001;
          ipv6 { import none; export where source = RTS_STATIC; next hop self; }; }
        protocol bgp inner { local 10.99.0.12 as 65001; neighbor 10.99.0.101 as 65001;
          ipv4 { import none; next hop self; add paths on;
            export filter { if net = 203.0.114.0/24 then { bgp_local_pref = 150; accept; } reject; }; }; }
        protocol bgp many { local 10.99.0.14 as 65002; neighbor 10.99.0.103 as 65001; ipv4 { import none; export all; next hop self; }; }
        protocol bgp wrong { local 10.99.0.13 port 1179 as 65066; neighbor 10.99.0.102 as 65001; ipv4 { import none; export none; }; }
        """;

    private readonly Scratch folder = new("birdc");
    private readonly List<Netns> spaces = [];
    private readonly List<Background> daemons = [];

    public string OracleSocket => folder.PathOf("a.ctl");

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Namespaces, "bird") != null) return;
        var (a, b) = (await SpaceAsync("a"), await SpaceAsync("b"));
        await a.IpAsync($"link add eth0 type veth peer name eth0 netns {b.Name}");
        foreach (var space in spaces)
        {
            await space.IpAsync("link set eth0 addrgenmode none");
            await space.IpAsync("link set eth0 up");
        }
        await a.RaiseAsync("eth0", "10.99.0.1/24", "fd99::1/64", "fe80::1/64", "10.99.0.101/24", "10.99.0.102/24", "10.99.0.103/24");
        await b.RaiseAsync("eth0", "10.99.0.2/24", "fd99::2/64", "fe80::2/64", "10.99.0.12/24", "10.99.0.13/24", "10.99.0.14/24");
        await a.IpAsync("route add 172.21.0.0/16 via 10.99.0.9");
        await StartAsync(a, "a", Oracle);
        await StartAsync(b, "b", Neighbour);
    }

    private async Task<Netns> SpaceAsync(string role)
    {
        var made = await Netns.MakeAsync(role);
        spaces.Add(made);
        return made;
    }

    private async Task StartAsync(Netns space, string name, string configuration)
    {
        var (bird, file) = (Shell.Find("bird")!, folder.Write(name + ".conf", configuration));
        await Shell.DoAsync(bird, "-p", "-c", file);
        daemons.Add(Background.Start(space, folder.PathOf(name + ".log"), null, bird, "-f", "-c", file,
            "-s", folder.PathOf(name + ".ctl"), "-P", folder.PathOf(name + ".pid")));
    }

    /// <summary>Asks the oracle once it answers, again and again until the answer is settled.</summary>
    public async Task<string> AskWhenAsync(string command, Func<string, bool> settled)
    {
        var answer = "";
        await Until.TrueAsync($"BIRD's answer to '{command}' is settled", () => settled(answer = AskOnceItListens(command)), 60,
            () => $"{answer}\n{string.Join('\n', daemons.Select(daemon => daemon.Said))}");
        return answer;
    }

    private string AskOnceItListens(string command)
    {
        try
        {
            return Ask(command);
        }
        catch (System.Net.Sockets.SocketException notYet)
        {
            return notYet.Message;
        }
    }

    public string Ask(string command)
    {
        using var client = new RawClient(OracleSocket);
        client.ReadReply();
        return client.Ask(command);
    }

    public async Task DisposeAsync()
    {
        foreach (var daemon in daemons) await daemon.DisposeAsync();
        foreach (var space in spaces) await space.DisposeAsync();
    }

    public void Dispose() => folder.Dispose();
}
