// Restarts (RFC 4724, RFC 8538, RFC 9494) between our daemon and a ToR, both of which route packets:
//
//   pods ── 10.98.0.0/24, fd98::/64 ── node ── 10.99.0.0/24, fd99::/64 ── tor ── 10.97.0.0/24, fd97::/64 ── server
//
// The pods' networks are 10.244.7.0/24 and fd44:7::/64; the node knows them by a kernel route of somebody else's, as Felix makes them.
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Calico.Bgp.Conformance.Routers;

namespace Calico.Bgp.Conformance.Interop;

/// <summary>Node and ToR with packets between; each may be killed and started again.</summary>
internal sealed class RestartLab : IAsyncDisposable
{
    public const string Pods4 = "10.244.7.0/24", Pods6 = "fd44:7::/64", Server4 = "10.97.0.0/24", Server6 = "fd97::/64";

    private readonly Scratch folder = new();
    private readonly List<Netns> spaces = [];
    private readonly string peer;
    private readonly BirdTimes times = new();
    private Background? daemon, tor, zebra;
    /// <summary>That has taken over: a child of the daemon before, not ours.</summary>
    private int? heir;

    public Netns Pods { get; private set; } = null!;
    public Netns Node { get; private set; } = null!;
    public Netns Tor { get; private set; } = null!;
    public Netns Server { get; private set; } = null!;
    /// <summary>Keys of the ToR's sessions at the node, and options of the node's neighbour at a BIRD.</summary>
    public required string NodeKeys { get; init; }
    public required string BirdOptions { get; init; }
    public string[] TorRoutes { get; set; } = [];
    /// <summary>3 s of restart, then 8 s as the last resort (RFC 9494); else a minute of restart.</summary>
    public bool IsLongLived { get; init; }

    private RestartLab(string peer) => this.peer = peer;

    /// <param name="isWatched">Node and ToR watch each other by BFD, and are lost after a second.</param>
    public static async Task<RestartLab> MakeAsync(string peer, bool isLongLived = false, bool isWatched = false)
    {
        const string LongLived =
            "graceful restart on; graceful restart time 3; long lived graceful restart on; long lived stale time 8;";
        var lab = new RestartLab(peer)
        {
            IsLongLived = isLongLived,
            NodeKeys = isLongLived ? "gracefulRestartTime: 3s, longLivedStaleTime: 8s"
                : "gracefulRestartTime: 60s" + (isWatched ? ", bfd: { interval: 100ms, multiplier: 10 }" : ""),
            BirdOptions = isLongLived ? LongLived : "graceful restart on; graceful restart time 60;" + (isWatched ? " bfd on;" : ""),
        };
        lab.Pods = await lab.SpaceAsync("pods");
        lab.Node = await lab.SpaceAsync("node");
        lab.Tor = await lab.SpaceAsync("tor");
        lab.Server = await lab.SpaceAsync("srv");
        await Netns.JoinAsync(lab.Pods, "eth0", ["10.98.0.2/24", "fd98::2/64"], lab.Node, "pods", ["10.98.0.1/24", "fd98::1/64"]);
        await Netns.JoinAsync(lab.Node, "eth0", ["10.99.0.1/24", "fd99::1/64"], lab.Tor, "node", ["10.99.0.2/24", "fd99::2/64"]);
        await Netns.JoinAsync(lab.Tor, "srv", ["10.97.0.1/24", "fd97::1/64"], lab.Server, "eth0", ["10.97.0.2/24", "fd97::2/64"]);
        foreach (var router in (Netns[])[lab.Node, lab.Tor]) router.Forward();
        await lab.Pods.RaiseAsync("lo", "10.244.7.2/32", "fd44:7::2/128");
        foreach (var words in (string[])["default via 10.98.0.1", "default via fd98::1"]) await lab.Pods.IpAsync("route add " + words);
        foreach (var words in (string[])["default via 10.97.0.1", "default via fd97::1"]) await lab.Server.IpAsync("route add " + words);
        await lab.Node.IpAsync($"route add {Pods4} via 10.98.0.2 proto 80");
        await lab.Node.IpAsync($"route add {Pods6} via fd98::2 proto 80");
        return lab;
    }

    private async Task<Netns> SpaceAsync(string role)
    {
        var made = await Netns.MakeAsync("gr" + role);
        spaces.Add(made);
        return made;
    }

    public Task StartNodeAsync()
    {
        var file = folder.Write("bgpd.yaml", $$"""
            router: { id: 10.99.0.1, asNumber: 65001 }
            control: { socket: {{folder.PathOf("ctl")}}, http: ["unix:{{folder.PathOf("http")}}"] }
            kernel: { learn: true }
            filters:
              pods:
                - { match: { prefix: {{Pods4}} }, action: Accept }
                - { match: { prefix: "{{Pods6}}" }, action: Accept }
                - { match: { prefix: {{Restless.OfNode}}+ }, action: Accept }
                - { action: Reject }
            peers:
              - &tor { name: tor4, peerIP: 10.99.0.2, asNumber: 65002, families: [ipv4], holdTime: 9s, {{NodeKeys}},
                  import: accept, export: [pods] }
              - { <<: *tor, name: tor6, peerIP: "fd99::2", families: [ipv6] }

            """);
        daemon = Background.Start(Node, folder.PathOf("node.log"), null, Project.Daemon, "--config", file);
        return Task.CompletedTask;
    }

    /// <param name="recovers">It says that it has restarted, and preserved its state.</param>
    public async Task StartTorAsync(bool recovers = false)
    {
        if (peer == "bird") StartBird(recovers);
        else if (peer == "gobgp") await StartGobgpAsync(recovers);
        else await StartFrrAsync(preserves: recovers);
    }

    /// <summary>It routes no packets here: what it announces is all that there is of it.</summary>
    private async Task StartGobgpAsync(bool recovers)
    {
        string Session(string own, string node, string family) => $"""
            [[neighbors]]
              [neighbors.config]
                neighbor-address = "{node}"
                peer-as = 65001
              [neighbors.timers.config]
                hold-time = 9
                connect-retry = 2
                idle-hold-time-after-reset = 1
              [neighbors.transport.config]
                local-address = "{own}"
              [neighbors.graceful-restart.config]
                enabled = true
                restart-time = {(IsLongLived ? 3 : 60)}
                notification-enabled = true
                long-lived-enabled = {(IsLongLived ? "true" : "false")}
              [[neighbors.afi-safis]]
                [neighbors.afi-safis.config]
                  afi-safi-name = "{family}-unicast"
                [neighbors.afi-safis.mp-graceful-restart.config]
                  enabled = true
                [neighbors.afi-safis.long-lived-graceful-restart.config]
                  enabled = {(IsLongLived ? "true" : "false")}
                  restart-time = 8

            """;
        var file = folder.Write("gobgpd.toml", $"""
            [global.config]
              as = 65002
              router-id = "10.99.0.2"
              port = 179
              local-address-list = ["10.99.0.2", "fd99::2"]
            {Session("10.99.0.2", "10.99.0.1", "ipv4")}{Session("fd99::2", "fd99::1", "ipv6")}
            """);
        string[] recovery = recovers ? ["-r"] : [];
        tor = Background.Start(
            Tor, folder.PathOf("tor.log"), null, "gobgpd",
            ["-f", file, "--api-hosts", "127.0.0.1:50051", "--pprof-disable", "-l", "info", .. recovery]);
        await Until.TrueAsync("GoBGP answers", async () => (await Tor.RunAsync("gobgp", "neighbor")).Good, 15, () => Task.FromResult(Said));
        foreach (var route in TorRoutes)
        {
            string[] family = route.Contains(':') ? ["-a", "ipv6", route, "nexthop", "::"] : ["-a", "ipv4", route, "nexthop", "0.0.0.0"];
            await Tor.RunAsync("gobgp", ["global", "rib", "add", .. family]);
        }
    }

    private void StartBird(bool recovers)
    {
        string Session(string name, string own, string node, string channel) => $$"""
            protocol bgp {{name}} { local {{own}} as 65002; neighbor {{node}} as 65001; hold time 9;
              connect retry time 2; error wait time 1,2; connect delay time 1; {{BirdOptions}}
              {{channel}} { import all; export where source = RTS_DEVICE || source = RTS_STATIC; next hop self; }; }
            """;
        string Static(string channel, bool isIPv6) => $"protocol static {{ {channel}; {string.Concat(
            TorRoutes.Where(route => route.Contains(':') == isIPv6).Select(route => $"route {route} blackhole; "))} }}";
        var file = folder.Write("bird.conf", $$"""
            log stderr all;
            router id 10.99.0.2;
            protocol device { scan time 10; }
            protocol bfd { interface "node" { interval 100 ms; multiplier 10; }; }
            protocol direct { ipv4; ipv6; interface "srv"; }
            protocol kernel { persist; graceful restart; ipv4 { import none; export where source = RTS_BGP; }; }
            protocol kernel { persist; graceful restart; ipv6 { import none; export where source = RTS_BGP; }; }
            {{Restless.Bird}}
            {{Static("ipv4", false)}}
            {{Static("ipv6", true)}}
            {{Session("node4", "10.99.0.2", "10.99.0.1", "ipv4")}}
            {{Session("node6", "fd99::2", "fd99::1", "ipv6")}}

            """);
        string[] recovery = recovers ? ["-R"] : [];
        tor = Background.Start(
            Tor, folder.PathOf("tor.log"), null, "bird",
            ["-f", "-c", file, "-s", folder.PathOf("bird.ctl"), "-P", folder.PathOf("bird.pid"), .. recovery]);
    }

    /// <param name="preserves">It says that packets went on by its routes (the F bits).</param>
    private async Task StartFrrAsync(bool preserves)
    {
        string Session(string node) => string.Concat(
            ((string[])["remote-as 65001", "timers 3 9", "timers connect 2"]).Select(word => $" neighbor {node} {word}\n"));
        string Family(string name, string node) => string.Concat(
            $" address-family {name} unicast\n  neighbor {node} activate\n  redistribute connected\n",
            string.Concat(TorRoutes.Where(route => route.Contains(':') == (name == "ipv6")).Select(route => $"  network {route}\n")),
            " exit-address-family\n");
        var file = folder.Write("frr.conf", $"""
            frr version 8.4.4
            hostname frr
            router bgp 65002
             bgp router-id 10.99.0.2
             no bgp ebgp-requires-policy
             no bgp default ipv4-unicast
             bgp graceful-restart
             bgp graceful-restart notification
             bgp graceful-restart restart-time {(IsLongLived ? 3 : 60)}
            {(IsLongLived ? " bgp long-lived-graceful-restart stale-time 8" : "")}
             no bgp network import-check
            {(preserves ? " bgp graceful-restart preserve-fw-state" : "")}
            {Session("10.99.0.1")}{Session("fd99::1")}{Family("ipv4", "10.99.0.1")}{Family("ipv6", "fd99::1")}
            """);
        var (zserv, empty) = (folder.PathOf("zserv"), folder.Write("zebra.conf", ""));
        await Shell.DoAsync("chown", "-R", "frr:frr", folder.Path);
        // It outlives bgpd, and so do the routes in the kernel.
        zebra ??= Background.Start(Tor, folder.PathOf("zebra.log"), null, "/usr/lib/frr/zebra", "-P", "0", "-f", empty,
            "-i", folder.PathOf("zebra.pid"), "-z", zserv, "--vty_socket", folder.Path);
        await Until.TrueAsync("zebra answers", () => File.Exists(zserv), 20, () => Said);
        tor = Background.Start(Tor, folder.PathOf("tor.log"), null, "/usr/lib/frr/bgpd", "-P", "0", "-f", file,
            "-i", folder.PathOf("frr.pid"), "-z", zserv, "--vty_socket", folder.Path, "--log", "stdout", "--log-level", "informational");
    }

    public string Said => $"--- node:\n{SaidBy("node")}\n--- tor:\n{SaidBy("tor")}";

    private string SaidBy(string who) => Background.SaidIn(folder.PathOf(who + ".log"));

    public async Task EndNodeAsync(string signal)
    {
        daemon!.Signal(signal);
        await daemon.EndedAsync();
        await daemon.DisposeAsync();
        daemon = null;
    }

    /// <summary>Another process takes the node's sessions over, with <c>bgpctl upgrade</c>.</summary>
    public async Task UpgradeNodeAsync(int sessions = 2)
    {
        var said = await Shell.RunAsync(Project.Bgpctl, "--socket", folder.PathOf("http"), "--json", "upgrade");
        Assert.True(said.Good, $"{said.Errors}\n{Said}");
        var answer = JsonDocument.Parse(said.Output).RootElement;
        Assert.Equal(sessions, answer.GetProperty("sessions").GetInt32());
        heir = answer.GetProperty("process").GetInt32();
        if (daemon != null) await daemon.EndedAsync();
        Assert.Equal(0, daemon?.ExitCode ?? 0);
        daemon = null;
    }

    /// <summary>The node's daemon is given no further descriptor, or as many as at first.</summary>
    public Task<string> LimitNodeAsync(int descriptors) => Shell.DoAsync("prlimit", "--pid", $"{daemon!.Pid}", $"--nofile={descriptors}:");

    /// <summary>SIGUSR2, and what it says of what came of it.</summary>
    public Task SignalledUpgradeAsync(string saying)
    {
        daemon!.Signal("USR2");
        return Until.TrueAsync($"the node says {saying}", () => SaidBy("node").Contains(saying, StringComparison.Ordinal), 20, () => Said);
    }

    /// <summary>What it says to an upgrade that cannot be.</summary>
    public async Task<string> RefusedUpgradeAsync(params string[] words)
    {
        var said = await Shell.RunAsync(Project.Bgpctl, ["--socket", folder.PathOf("http"), "upgrade", .. words]);
        Assert.Equal(1, said.Code);
        return said.Errors;
    }

    public string Program(string name, string script)
    {
        var path = folder.Write(name, script);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        return path;
    }

    /// <summary>Of each session with the node at the ToR: since when, and how many routes and withdrawals came.</summary>
    public async Task<string> TorSessionsAsync(bool andCounts = true)
    {
        if (peer == "bird")
        {
            var all = (await BirdcAsync("show", "protocols", "all")).Split('\n');
            return string.Join('\n', all.Where(line => line.StartsWith("node", StringComparison.Ordinal)).Select(times.Of)
                .Concat(all.Where(line => andCounts && (line.Contains("Import updates") || line.Contains("Import withdraws")))));
        }
        var said = "";
        foreach (var node in (string[])["10.99.0.1", "fd99::1"])
        {
            var its = JsonDocument.Parse(await VtyAsync($"show bgp neighbors {node} json")).RootElement.GetProperty(node);
            var updates = andCounts ? its.GetProperty("messageStats").GetProperty("updatesRecv").ToString() : "";
            said += $"{node} {its.GetProperty("connectionsEstablished")} {updates}\n";
        }
        return said;
    }

    /// <summary>Prefixes of this beginning that came of the node to the ToR's BGP, once for each path, and are in its kernel.</summary>
    public async Task<(string Bgp, string Kernel)> TorHasAsync(string beginning)
    {
        IEnumerable<string> its;
        if (peer == "bird")
            its = (await BirdcAsync("show", "route", "protocol", "node4")).Split('\n').Select(line => line.Split(' ')[0]);
        else
            its = JsonDocument.Parse(await VtyAsync("show bgp ipv4 unicast json")).RootElement.GetProperty("routes").EnumerateObject()
                .SelectMany(route => route.Value.EnumerateArray().Select(_ => route.Name));
        return (Sorted(its, beginning), await KernelHasAsync(Tor, beginning));
    }

    /// <summary>The same at the node, of the ToR's.</summary>
    public async Task<(string Bgp, string Kernel)> NodeHasAsync(string beginning)
    {
        var its = JsonDocument.Parse(await BgpctlAsync("routes", "--peer", "tor4", "--json")).RootElement.EnumerateArray()
            .Select(route => route.GetProperty("prefix").GetString()!);
        return (Sorted(its, beginning), await KernelHasAsync(Node, beginning));
    }

    private static async Task<string> KernelHasAsync(Netns space, string beginning) => Sorted(
        (await space.RunAsync("ip", "-4", "route")).Output.Split('\n').Where(line => !line.Contains("proto 80"))
            .Select(line => line.Split(' ')[0]), beginning);

    private static string Sorted(IEnumerable<string> prefixes, string beginning) => string.Join(
        ' ', prefixes.Where(prefix => prefix.StartsWith(beginning, StringComparison.Ordinal)).Order(StringComparer.Ordinal));

    /// <summary>The ToR announces routes of a group, or takes them back.</summary>
    public Task TorAnnouncesAsync(int group, bool isThere)
    {
        if (peer == "bird") return BirdcAsync(isThere ? "enable" : "disable", $"restless{group}");
        IEnumerable<string> words = ["conf t", "router bgp 65002", "address-family ipv4 unicast",
            .. Restless.Tor(group).Select(prefix => $"{(isThere ? "" : "no ")}network {prefix}")];
        return VtyOutAsync(["--vty_socket", folder.Path, .. words.SelectMany(word => (string[])["-c", word])]);
    }

    /// <summary>The node has routes of a group, or has them no more.</summary>
    public Task NodeHasRoutesAsync(int group, bool isThere) => Task.Run(() => Node.Tell(
        string.Concat(Restless.Node(group).Select(prefix => $"route {(isThere ? "add" : "del")} {prefix} via 10.98.0.2 proto 80\n")),
        "ip", "-batch", "-"));

    public Task KillTorAsync() => tor!.KillAsync();

    public bool TorRoutesPackets => peer != "gobgp";

    public async Task<string> BgpctlAsync(params string[] words) => (await Shell.RunAsync(
        Project.Bgpctl, ["--socket", folder.PathOf("http"), .. words])).Output;

    public Task<string> VtyAsync(string command) => VtyOutAsync(["--vty_socket", folder.Path, "-c", command]);

    private static async Task<string> VtyOutAsync(string[] words) => (await Shell.RunAsync("vtysh", words)).Output;

    public async Task<string> BirdcAsync(params string[] words) =>
        (await Shell.RunAsync("birdc", ["-s", folder.PathOf("bird.ctl"), .. words])).Output;

    public async Task<string> OurBirdcAsync(params string[] words) =>
        (await Shell.RunAsync("birdc", ["-s", folder.PathOf("ctl"), .. words])).Output;

    /// <summary>What the ToR says of its route to a prefix; empty: it has none.</summary>
    public async Task<string> TorSaysOfAsync(string prefix)
    {
        var said = peer switch
        {
            "bird" => await BirdcAsync("show", "route", "all", prefix),
            "gobgp" => (await Tor.RunAsync("gobgp", "global", "rib", prefix)).Output,
            _ => await VtyAsync($"show bgp ipv4 unicast {prefix}"),
        };
        // All of them name the AS that it came through.
        return said.Contains("65001", StringComparison.Ordinal) ? said : "";
    }

    /// <summary>The ToR's route as the node has it: "gone", "fresh" or "stale", with what else it says of it.</summary>
    public async Task<(string State, string[] Communities)> RouteAsync(string prefix)
    {
        var output = await BgpctlAsync("routes", "--json");
        if (!output.TrimStart().StartsWith('[')) return ("(no answer)", []);
        foreach (var route in JsonDocument.Parse(output).RootElement.EnumerateArray())
        {
            var isTheirs = route.GetProperty("from").ValueKind != JsonValueKind.Null;
            if (!isTheirs || route.GetProperty("prefix").GetString() != prefix) continue;
            var communities = route.GetProperty("attributes").GetProperty("communities").EnumerateArray().Select(one => one.GetString()!);
            return (route.GetProperty("stale").GetBoolean() ? "stale" : "fresh", [.. communities]);
        }
        return ("gone", []);
    }

    public Task RouteIsAsync(string prefix, string state, int seconds = 30) => Until.TrueAsync(
        $"{prefix} is {state}", async () => (await RouteAsync(prefix)).State == state, seconds, () => Said);

    public static async Task<bool> HasAsync(Netns space, string prefix) =>
        (await space.RunAsync("ip", prefix.Contains(':') ? "-6" : "-4", "route", "show", prefix)).Output.Contains("via");

    /// <summary>Both have each other's networks in their kernels.</summary>
    public async Task RoutesBothWaysAsync()
    {
        foreach (var (space, prefix) in new[] { (Tor, Pods4), (Tor, Pods6), (Node, Server4), (Node, Server6) })
            await Until.TrueAsync($"{space.Name} has {prefix}", () => HasAsync(space, prefix), 60, () => Task.FromResult(Said));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in (Background?[])[daemon, tor, zebra])
            if (process != null) await process.DisposeAsync();
        if (heir is { } last)
        {
            Signals.Send(last, "TERM");
            await Until.WithinAsync(6, () => !Directory.Exists($"/proc/{last}"));
        }
        foreach (var space in spaces) await space.DisposeAsync();
        folder.Dispose();
    }
}

/// <summary>2,000 packets a second from the server to a pod, each of which comes back.</summary>
internal sealed class Traffic : IDisposable
{
    private const int PerMillisecond = 2, Port = 7100;
    private readonly Socket asks, answers;
    private readonly CancellationTokenSource ending = new();
    private readonly Task sending, receiving, reflecting;
    private long sent, back;

    public Traffic(RestartLab lab, string server, string pod)
    {
        var (from, to) = (IPAddress.Parse(server), IPAddress.Parse(pod));
        asks = lab.Server.Socket(from.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        answers = lab.Pods.Socket(from.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        asks.ReceiveBufferSize = answers.ReceiveBufferSize = 8 << 20;
        answers.Bind(new IPEndPoint(to, Port));
        asks.Bind(new IPEndPoint(from, 0));
        asks.Connect(new IPEndPoint(to, Port));
        reflecting = Task.Factory.StartNew(Reflect, TaskCreationOptions.LongRunning);
        receiving = Task.Factory.StartNew(Receive, TaskCreationOptions.LongRunning);
        sending = Task.Factory.StartNew(Send, TaskCreationOptions.LongRunning);
    }

    public long Sent => Volatile.Read(ref sent);
    public long Back => Volatile.Read(ref back);

    private void Send()
    {
        var clock = Stopwatch.StartNew();
        while (!ending.IsCancellationRequested)
        {
            // Who was not let run sends what is due.
            for (var due = clock.ElapsedMilliseconds * PerMillisecond; sent < due; Volatile.Write(ref sent, sent + 1))
            {
                // An ICMP error of an earlier packet is told by the next call, which sends nothing.
                try
                {
                    asks.Send(BitConverter.GetBytes(sent));
                }
                catch (SocketException) { }
            }
            Thread.Sleep(1);
        }
    }

    private void Receive()
    {
        var octets = new byte[16];
        while (Serves(() => asks.Receive(octets))) Volatile.Write(ref back, back + 1);
    }

    private void Reflect()
    {
        EndPoint whom = new IPEndPoint(answers.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        var octets = new byte[16];
        while (Serves(() => answers.SendTo(octets, 0, answers.ReceiveFrom(octets, ref whom), SocketFlags.None, whom))) { }
    }

    private bool Serves(Func<int> serve)
    {
        while (true)
        {
            try
            {
                serve();
                return true;
            }
            catch (SocketException) when (!ending.IsCancellationRequested) { }
            catch (Exception closed) when (closed is SocketException or ObjectDisposedException)
            {
                return false;
            }
        }
    }

    /// <summary>How many did not come back, of how many.</summary>
    public async Task<(long Lost, long Sent)> EndAsync()
    {
        await ending.CancelAsync();
        await sending;
        await Until.WithinAsync(3, () => Back >= Sent);
        return (Sent - Back, Sent);
    }

    public void Dispose()
    {
        ending.Cancel();
        sending.Wait();
        asks.Dispose();
        answers.Dispose();
        Task.WaitAll(receiving, reflecting);
        ending.Dispose();
    }
}
