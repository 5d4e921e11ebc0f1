using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace Calico.Bgp.Conformance.Life;

/// <summary>The daemon's life as whoever started it sees it: notifications, signals, exit codes, and the one line that says why
/// not.</summary>
public sealed partial class LifeTests : IAsyncLifetime, IDisposable
{
    private readonly Scratch folder = new();
    private Netns space = null!;
    private Background? daemon;

    private string Log => folder.PathOf("log");
    private string Said => File.Exists(Log) ? File.ReadAllText(Log) : "";

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, "birdc") == null) space = await Netns.MakeAsync("life");
    }

    public async Task DisposeAsync()
    {
        if (daemon != null) await daemon.DisposeAsync();
        if (space != null) await space.RemoveAsync();
    }

    public void Dispose() => folder.Dispose();

    private string Configuration(string more = "", string? socket = null, string http = "")
    {
        var file = folder.PathOf("bgpd.yaml");
        socket ??= folder.PathOf("ctl");
        File.WriteAllText(file, $"router: {{ id: 10.0.0.1 }}\ncontrol: {{ socket: {socket}, http: [{http}] }}\n{more}\n");
        return file;
    }

    private void Start(string file, params (string Name, string Value)[] environment) =>
        daemon = Background.Start(
            space, Log, environment.ToDictionary(one => one.Name, one => one.Value), Project.Daemon, "--config", file);

    private async Task<string> StatusAsync() => (await Shell.RunAsync("birdc", "-s", folder.PathOf("ctl"), "show", "status")).Output;

    private Task RunsAsync() =>
        Until.TrueAsync("it answers", async () => (await StatusAsync()).Contains("up and running"), 30, () => Said);

    [NeedsFact(Needs.Daemon, "birdc")]
    public async Task Systemd_is_told_when_it_is_ready_that_it_lives_that_it_reloads_and_that_it_stops()
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(folder.PathOf("notify")));
        Start(Configuration(), ("NOTIFY_SOCKET", folder.PathOf("notify")), ("WATCHDOG_USEC", "300000"));

        Assert.Equal("READY=1", await HeardAsync(socket));
        Assert.Contains("up and running", await StatusAsync(), StringComparison.Ordinal);
        Assert.Equal("WATCHDOG=1", await HeardAsync(socket));
        Assert.Equal("WATCHDOG=1", await HeardAsync(socket));

        daemon!.Signal("HUP");
        Assert.StartsWith("RELOADING=1\nMONOTONIC_USEC=", await AfterWatchdogAsync(socket), StringComparison.Ordinal);
        Assert.Equal("READY=1", await AfterWatchdogAsync(socket));

        daemon.Signal("TERM");
        Assert.Equal("STOPPING=1", await AfterWatchdogAsync(socket));
        await daemon.EndedAsync();
        Assert.Equal(0, daemon.ExitCode);
    }

    [NeedsFact(Needs.Daemon, "birdc")]
    public async Task Without_standard_streams_it_runs_as_with_them()
    {
        daemon = Background.Start(
            space, Log, new Dictionary<string, string>(), "sh", "-c", "exec \"$0\" --config \"$1\" <&- >&- 2>&-", Project.Daemon,
            Configuration());
        await RunsAsync();
        daemon.Signal("TERM");
        await daemon.EndedAsync();
        Assert.Equal(0, daemon.ExitCode);
    }

    /// <summary>Five times: a line that still waits in the log's queue when the process ends is lost by chance.</summary>
    [NeedsFact("birdc")]
    public async Task A_defect_in_a_loop_ends_the_daemon_with_a_code_of_its_own_and_leaves_its_routes()
    {
        const string Line =
            "Z critical net: the process ends, its routes and rules stay: "
            + "a mistake in this program, in the loop birdc socket";
        for (var round = 0; round < 5; round++)
        {
            File.Delete(Log);
            Start(Configuration("routes: [{ prefix: 203.0.113.0/24, type: blackhole }]"), ("BGPD_DEFECT", "birdc socket"));
            await Until.TrueAsync(
                "the route", async () => (await space.RunAsync("ip", "route")).Output.Contains("203.0.113.0/24"),
                30, () => Task.FromResult(Said));
            await Until.TrueAsync(
                "it is asked, and ends", async () => (await StatusAsync(), daemon!.Alive).Alive is false,
                30, () => Task.FromResult(Said));
            await daemon!.EndedAsync();
            Assert.Equal(70, daemon.ExitCode);
            Assert.Single(Said.Split('\n'), line => line.Contains(Line, StringComparison.Ordinal));
            Assert.Contains("blackhole 203.0.113.0/24", (await space.RunAsync("ip", "route")).Output, StringComparison.Ordinal);
        }
    }

    /// <summary>Those loops that no room's own tests reach. An earlier run has left the route.</summary>
    [NeedsTheory(Needs.Daemon, "birdc")]
    [InlineData("rib")]
    [InlineData("resources of the plan")]
    [InlineData("resources of the dataplane")]
    [InlineData("endpoint status")]
    [InlineData("upstream observer")]
    [InlineData("sources")]
    [InlineData("watchdog")]
    public async Task Whichever_loop_meets_a_defect_ends_the_daemon_with_one_line_and_its_routes_stay(string loop)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(folder.PathOf("notify")));
        Directory.CreateDirectory(folder.PathOf("objects"));
        Edit(0);
        var file = Configuration(
            """
            routes: [{ prefix: 203.0.113.0/24, type: blackhole }]
            sources: [{ files: ./objects }]
            nat: { enabled: true }
            """);
        Start(file);
        await Until.TrueAsync(
            "the route", async () => (await space.RunAsync("ip", "route")).Output.Contains("203.0.113.0/24"),
            30, () => Task.FromResult(Said));
        await daemon!.KillAsync();
        File.Delete(Log);

        Start(file, ("BGPD_DEFECT", loop), ("NOTIFY_SOCKET", folder.PathOf("notify")), ("WATCHDOG_USEC", "300000"));
        var edits = 0;
        await Until.TrueAsync(
            "it ends", () =>
            {
                // Who follows the resources has something to follow.
                Edit(++edits);
                return !daemon!.Alive;
            },
            30, () => Said);
        await daemon!.EndedAsync();
        Assert.Equal(70, daemon.ExitCode);
        var line = Assert.Single(Said.Split('\n'), line => line.Contains("Z critical net: ", StringComparison.Ordinal));
        Assert.Contains($"a mistake in this program, in the loop {loop}", line, StringComparison.Ordinal);
        Assert.Contains("blackhole 203.0.113.0/24", (await space.RunAsync("ip", "route")).Output, StringComparison.Ordinal);
    }

    private void Edit(int number) => File.WriteAllText(
        folder.PathOf("objects/pool.yaml"),
        $$"""
        apiVersion: projectcalico.org/v3
        kind: IPPool
        metadata: { name: pool }
        spec: { cidr: 192.168.{{number % 256}}.0/24, natOutgoing: true }

        """);

    /// <summary>The variables may be another process's, who handed its environment on.</summary>
    [NeedsFact(Needs.Daemon, "birdc")]
    public async Task Another_ones_watchdog_is_left_alone()
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(folder.PathOf("notify")));
        Start(Configuration(), ("NOTIFY_SOCKET", folder.PathOf("notify")), ("WATCHDOG_USEC", "1000"), ("WATCHDOG_PID", "1"));
        Assert.Equal("READY=1", await HeardAsync(socket));
        daemon!.Signal("TERM");
        Assert.Equal("STOPPING=1", await HeardAsync(socket));
    }

    [NeedsTheory(Needs.Daemon, "birdc")]
    [InlineData("TERM", false)]
    [InlineData("INT", false)]
    [InlineData("TERM", true)]
    [InlineData("INT", true)]
    public async Task It_ends_when_it_is_asked_to(string signal, bool notifies)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(folder.PathOf("notify")));
        Start(Configuration(), notifies ? [("NOTIFY_SOCKET", folder.PathOf("notify"))] : []);
        await RunsAsync();
        daemon!.Signal(signal);
        await daemon.EndedAsync();
        Assert.Equal(0, daemon.ExitCode);
        await Until.TrueAsync(
            "it says so", () => Said.Contains("ending: routes stay"), 20, () => Said);
        File.WriteAllText(folder.PathOf("sources.yaml"),
            $"sources: [{{ files: ./late }}]\ncontrol: {{ socket: {folder.PathOf("ctl")} }}\n");
        await CannotRunAsync(folder.PathOf("sources.yaml"), 1, "late is not there");
        Assert.False(File.Exists(folder.PathOf("ctl")));
    }

    /// <summary>
    /// What nobody can interrupt: a question to a file system that never answers (FUSE, whose daemon is a sleep). Without the last moment
    /// this is a test that does not end.
    /// </summary>
    [NeedsFact(Needs.Daemon, "birdc")]
    public async Task It_ends_also_while_a_source_is_held_by_a_file_system_that_does_not_answer()
    {
        var (resources, hung) = (folder.PathOf("resources"), folder.PathOf("hung"));
        Directory.CreateDirectory(resources);
        Directory.CreateDirectory(hung);
        var mount = $"mount -i -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0 hung {hung}";
        await using var silent = Background.Start(
            space, folder.PathOf("fuse"), null, "sh", "-c", $"exec 3<>/dev/fuse && {mount} && exec sleep 1000");
        try
        {
            await Until.TrueAsync("it is mounted", () => File.ReadAllText("/proc/mounts").Contains(hung), 20, () => silent.Said);
            Start(Configuration($"sources: [{{ files: {resources} }}]"));
            await RunsAsync();
            File.CreateSymbolicLink(Path.Combine(resources, "a.yaml"), Path.Combine(hung, "a.yaml"));
            await Until.TrueAsync("it is held", IsHeld, 30, () => Said);
            daemon!.Signal("TERM");
            await daemon.EndedAsync();
            Assert.Equal(0, daemon.ExitCode);
            Assert.Contains("ended without waiting longer", Said, StringComparison.Ordinal);
        }
        finally
        {
            await Shell.RunAsync("umount", "--lazy", hung);
        }
    }

    /// <summary>A thread of the daemon waits in the kernel for FUSE's answer.</summary>
    private bool IsHeld() =>
        Directory.EnumerateDirectories($"/proc/{daemon!.Pid}/task")
            .Any(task => File.ReadAllText(Path.Combine(task, "stack")).Contains("fuse_", StringComparison.Ordinal));

    /// <summary>Few as they are at a shell, the daemon helps itself to what it may have.</summary>
    [NeedsFact(Needs.Daemon, "birdc", "prlimit")]
    public async Task It_raises_its_own_limit_of_descriptors()
    {
        daemon = Background.Start(space, Log, null, "prlimit", "--nofile=64:4096", Project.Daemon, "--config", Configuration());
        await RunsAsync();
        var limit = File.ReadLines($"/proc/{daemon.Pid}/limits").First(line => line.StartsWith("Max open files", StringComparison.Ordinal));
        Assert.Equal(["4096", "4096", "files"], limit.Split(' ', StringSplitOptions.RemoveEmptyEntries)[3..]);
    }

    [NeedsFact(Needs.Daemon, "birdc")]
    public async Task A_second_daemon_with_the_same_marks_ends_before_it_writes_and_names_the_first()
    {
        Start(Configuration("routes: [{ prefix: 203.0.113.0/24, type: blackhole }]\nnat: { enabled: true }"));
        await RunsAsync();
        await Until.TrueAsync("its route is there", async () => (await RoutesAsync()).Contains("203.0.113.0/24"), 20, () => Said);
        await Until.TrueAsync("its table is there", async () => (await RulesetAsync()).Contains("table inet bgpd"), 20, () => Said);
        var before = (await RoutesAsync(), await RulesetAsync());

        await CannotRunAsync(
            Second("kernel: { protocol: 12 }"), 1,
            $"protocol 12 in table 254: held by another bgpd in this network namespace, process {daemon!.Pid}");
        var other = await space.RunAsync(Project.Daemon, "--config", Second("kernel: { protocol: 99 }\nnat: { enabled: true }"));
        Assert.Equal(1, other.Code);
        Assert.Contains($"in this network namespace, process {daemon.Pid}", other.Errors, StringComparison.Ordinal);
        Assert.Equal(before, (await RoutesAsync(), await RulesetAsync()));

        await daemon.KillAsync();
        await daemon.DisposeAsync();
        Start(Configuration());
        await RunsAsync();
    }

    /// <summary>Nobody writes into it, so that who opened it would wait, and every reload after him.</summary>
    [NeedsFact(Needs.Daemon, "birdc")]
    public async Task A_reload_of_a_FIFO_is_refused_and_the_next_one_is_taken()
    {
        var http = folder.PathOf("bgpd.sock");
        var file = Configuration(http: $"'unix:{http}'");
        Start(file);
        await RunsAsync();
        File.Delete(file);
        await Shell.RunAsync("mkfifo", file);
        var reload = await Shell.RunAsync(Project.Bgpctl, "--socket", http, "reload").WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal((1, $"bgpctl: {file}: expected a regular file, got a FIFO"), (reload.Code, reload.Errors.Trim()));
        File.Delete(file);
        Configuration("routes: [{ prefix: 203.0.113.0/24, type: blackhole }]", http: $"'unix:{http}'");
        reload = await Shell.RunAsync(Project.Bgpctl, "--socket", http, "reload").WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Contains("route 203.0.113.0/24: added", reload.Output, StringComparison.Ordinal);
    }

    /// <summary>Where <c>nat</c> comes by a reload the table is asked for as at a start, and given back where it goes.</summary>
    [NeedsFact(Needs.Daemon, "birdc")]
    public async Task A_reload_does_not_take_another_daemons_NAT_table()
    {
        Start(Configuration("nat: { enabled: true }"));
        await RunsAsync();
        await Until.TrueAsync("its table is there", async () => (await RulesetAsync()).Contains("table inet bgpd"), 20, () => Said);
        var before = await RulesetAsync();
        const string Kernel = "kernel: { protocol: 99 }";
        var (file, log) = (Second(Kernel), folder.PathOf("second.log"));
        await using var second = Background.Start(space, log, null, Project.Daemon, "--config", file);
        await Until.TrueAsync("the second one runs", () => Spoken().Contains("runs with"), 30, Spoken);

        Second($"{Kernel}\nnat: {{ enabled: true }}");
        second.Signal("HUP");
        await Until.TrueAsync(
            "it is told", () => Spoken().Contains($"held by another bgpd in this network namespace, process {daemon!.Pid}"), 20, Spoken);
        Assert.Equal(before, await RulesetAsync());

        Configuration();
        daemon!.Signal("HUP");
        await Until.TrueAsync("the first one's goes", async () => !(await RulesetAsync()).Contains("table inet bgpd"), 20, () => Said);
        second.Signal("HUP");
        await Until.TrueAsync("the second one has it", async () => (await RulesetAsync()).Contains("table inet bgpd"), 20, Spoken);

        string Spoken() => File.Exists(log) ? File.ReadAllText(log) : "";
    }

    private async Task<string> RoutesAsync() => (await space.RunAsync("ip", "route", "show", "table", "all")).Output;

    private async Task<string> RulesetAsync() => (await space.RunAsync("nft", "list", "ruleset")).Output;

    private string Second(string more)
    {
        var file = folder.PathOf("second.yaml");
        File.WriteAllText(file, $"router: {{ id: 10.0.0.2, listenPort: 1790 }}\ncontrol: {{ socket: {folder.PathOf("ctl2")} }}\n"
            + $"routes: [{{ prefix: 198.51.100.0/24, type: blackhole }}]\n{more}\n");
        return file;
    }

    /// <summary>Some of them do not read, some have gone before they were answered, some never ask.</summary>
    [NeedsFact(Needs.Daemon, "birdc")]
    public async Task Probes_are_answered_whatever_readers_of_the_table_do()
    {
        var routes = Enumerable.Range(0, 20_000).Select(i => $"  - {{ prefix: 11.{i / 256}.{i % 256}.0/24, type: blackhole }}");
        Start(Configuration(
            $"kernel: {{ installRoutes: false }}\nroutes:\n{string.Join('\n', routes)}", http: $"'unix:{folder.PathOf("http")}'"));
        await RunsAsync();
        await Until.TrueAsync(
            "it is ready", async () => (await AnswerAsync("/ready")).StartsWith("HTTP/1.1 200", StringComparison.Ordinal), 20, () => Said);
        var held = new List<Socket>();
        try
        {
            for (var round = 0; round < 3; round++)
            {
                for (var i = 0; i < 100; i++)
                {
                    held.Add(Ask("GET /v1/routes HTTP/1.1\r\nHost: localhost\r\n\r\n"));
                    Ask("GET /v1/routes HTTP/1.1\r\nHost: localhost\r\n\r\n").Dispose();
                    held.Add(Ask(""));
                }
                foreach (var probe in (string[])["/live", "/ready"]) Assert.StartsWith("HTTP/1.1 200", await AnswerAsync(probe));
            }
            Assert.Single(Said.Split('\n'), line => line.Contains("/v1/routes is refused", StringComparison.Ordinal));
            // The web server's own lines, whose room is no room of ours.
            Assert.DoesNotContain(Said.Split('\n'), line => Regex.IsMatch(line, @"Z \w+ http: "));
        }
        finally
        {
            foreach (var socket in held) socket.Dispose();
        }
        await Until.TrueAsync(
            "the table is told", async () => (await AnswerAsync("/v1/routes")).StartsWith("HTTP/1.1 200", StringComparison.Ordinal),
            20, () => Said);
    }

    private Socket Ask(string request)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(folder.PathOf("http")));
        if (request.Length > 0) socket.Send(Encoding.ASCII.GetBytes(request));
        return socket;
    }

    private async Task<string> AnswerAsync(string path)
    {
        using var socket = Ask($"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var octets = new byte[64];
        return Encoding.ASCII.GetString(octets, 0, await socket.ReceiveAsync(octets, patience.Token));
    }

    /// <summary>Whoever connects is no peer, and is hung up on: that is an answer.</summary>
    [NeedsTheory(Needs.Daemon, "birdc")]
    [InlineData("192.0.2.1", "/24")]
    [InlineData("2001:db8::1", "/64")]
    public async Task An_address_to_listen_on_may_come_later_and_go_and_come_again(string address, string length)
    {
        await space.RunAsync("ip", "link", "add", "later", "type", "veth", "peer", "name", "other");
        await space.RunAsync("ip", "link", "set", "later", "up");
        await space.RunAsync("ip", "link", "set", "other", "up");
        var file = folder.PathOf("later.yaml");
        File.WriteAllText(file,
            $"router: {{ id: 10.0.0.1, listen: [127.0.0.1, '{address}'] }}\n"
            + $"control: {{ socket: {folder.PathOf("ctl")}, http: ['unix:{folder.PathOf("http")}'] }}\n");
        Start(file);
        await RunsAsync();
        var missing = $"router.listen: this host has no {address}";
        await Until.TrueAsync("it is said", () => Said.Contains(missing), 20, () => Said);
        Assert.Single(Said.Split('\n'), line => line.Contains(missing, StringComparison.Ordinal));
        Assert.Contains($"waits for {address}", await StatusOfBgpctlAsync(), StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 503", await AnswerAsync("/ready"));

        await space.RunAsync("ip", "address", "add", address + length, "dev", "later");
        await AnswersAsync(address, 1);
        Assert.DoesNotContain("waits for", await StatusOfBgpctlAsync(), StringComparison.Ordinal);
        await Until.TrueAsync("it is ready", async () => (await AnswerAsync("/ready")).StartsWith("HTTP/1.1 200"), 20, () => Said);

        await space.RunAsync("ip", "address", "del", address + length, "dev", "later");
        await Until.TrueAsync("it is missed", async () => (await StatusOfBgpctlAsync()).Contains($"waits for {address}"), 20, () => Said);
        await space.RunAsync("ip", "address", "add", address + length, "dev", "later");
        await AnswersAsync(address, 2);
    }

    private async Task AnswersAsync(string address, int times)
    {
        await Until.TrueAsync(
            "it says that the address is there",
            () => Said.Split('\n').Count(line => line.Contains($"router.listen: {address} is there", StringComparison.Ordinal)) == times,
            20, () => Said);
        var at = System.Net.IPAddress.Parse(address);
        await Until.TrueAsync("it answers there", async () =>
        {
            using var socket = space.Socket(at.AddressFamily);
            try
            {
                await socket.ConnectAsync(at, 179);
                return await socket.ReceiveAsync(new byte[1]) == 0;
            }
            catch (SocketException)
            {
                return false;
            }
        }, 20, () => Said);
    }

    private async Task<string> StatusOfBgpctlAsync() =>
        (await Shell.RunAsync(Project.Bgpctl, "--socket", folder.PathOf("http"), "status")).Output;

    [NeedsFact(Needs.Daemon, "birdc")]
    public async Task Birdc_down_ends_it()
    {
        Start(Configuration());
        await RunsAsync();
        await Shell.RunAsync("birdc", "-s", folder.PathOf("ctl"), "down");
        await daemon!.EndedAsync();
        Assert.Equal(0, daemon.ExitCode);
    }

    [NeedsFact(Needs.Daemon, "birdc")]
    public async Task What_cannot_be_had_is_said_in_one_line_and_nothing_is_left_behind()
    {
        using var taken = space.Socket(AddressFamily.InterNetwork);
        taken.Bind(new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 0));
        taken.Listen();
        var port = ((System.Net.IPEndPoint)taken.LocalEndPoint!).Port;
        await CannotRunAsync(Configuration("router2: 1"), 2, "router2");
        await CannotRunAsync(Configuration(http: $"'127.0.0.1:{port}'"), 1, $"127.0.0.1:{port}");
        await CannotRunAsync(Configuration(socket: folder.PathOf("bgpd.yaml/ctl")), 1, "(control.socket) cannot be made");
        File.WriteAllText(folder.PathOf("listen.yaml"),
            $"router: {{ id: 10.0.0.1, listen: [127.0.0.1], listenPort: {port} }}\ncontrol: {{ socket: {folder.PathOf("ctl")} }}\n");
        await CannotRunAsync(folder.PathOf("listen.yaml"), 1, $"{port}");
        Assert.False(File.Exists(folder.PathOf("ctl")));
    }

    private async Task CannotRunAsync(string file, int code, string why)
    {
        var answer = await space.RunAsync(Project.Daemon, "--config", file);
        var lines = answer.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var line = Assert.Single(lines, line => !line.Contains("Z info ", StringComparison.Ordinal));
        Assert.Contains(why, line, StringComparison.Ordinal);
        Assert.Equal((code, ""), (answer.Code, answer.Output));
    }

    private static async Task<string> AfterWatchdogAsync(Socket socket)
    {
        for (var count = 0; count < 100; count++)
            if (await HeardAsync(socket) is var said && said != "WATCHDOG=1") return said;
        return "(100 times WATCHDOG=1)";
    }

    private static async Task<string> HeardAsync(Socket socket)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var octets = new byte[4096];
        return Encoding.ASCII.GetString(octets, 0, await socket.ReceiveAsync(octets, patience.Token)).TrimEnd('\n');
    }
}
