using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Calico.Bgp.Dataplane.Dns;

namespace Calico.Bgp.Bgpctl.Tests;

public sealed class WatchTests : IAsyncLifetime
{
    private readonly BgpctlLab lab = new();

    public Task InitializeAsync() => lab.InitializeAsync();
    public Task DisposeAsync() => lab.DisposeAsync();

    [Fact]
    public async Task With_json_each_change_is_one_line()
    {
        using var run = new Run(lab, "kernel", "--watch", "--json");
        Assert.Equal(3_000_000_000, Writes(await run.NextAsync()));
        lab.Speaker.KernelStatus = lab.Speaker.KernelStatus with { Writes = 5 };
        Assert.Equal(5, Writes(await run.NextAsync()));
        Assert.Equal(0, await run.StopAsync());
    }

    [Fact]
    public async Task Denied_flows_come_one_a_line_each_once_and_again_when_they_go_on()
    {
        using var run = new Run(lab, "policy", "denied", "--watch", "--json");
        Assert.Equal((81, 12), Flow(await run.NextAsync()));
        Assert.Equal((null, 1), Flow(await run.NextAsync()));
        var first = lab.Dataplane.Denied.Flows[0];
        lab.Dataplane.Denied = lab.Dataplane.Denied with
        {
            Flows = [lab.Dataplane.Denied.Flows[1], first with { Number = 3, Packets = 13 }],
        };
        Assert.Equal((81, 13), Flow(await run.NextAsync()));
        Assert.Equal(0, await run.StopAsync());

        static (int?, int) Flow(string line) =>
            JsonNode.Parse(line) switch { var flow => (flow!["port"]?.GetValue<int>(), flow["packets"]!.GetValue<int>()) };
    }

    [Theory]
    [InlineData(false, null, "policy.logDenied in bgpd.yaml is false")]
    [InlineData(true, "the log of group 64 is not to be had", "the log of group 64 is not to be had")]
    public async Task Where_nothing_is_told_of_what_is_denied_watching_says_so_and_ends(bool logged, string? problem, string why)
    {
        lab.Dataplane.Denied = new(logged, problem, 0, []);
        Assert.Equal(1, await lab.RunAsync("policy", "denied", "--watch"));
        Assert.Contains(why, lab.Errors.ToString(), StringComparison.Ordinal);
        Assert.Equal(0, await lab.RunAsync("policy", "denied"));
        Assert.Contains(why, lab.Output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Responses_of_the_DNS_come_one_a_line_with_what_they_open()
    {
        const string server = "10.96.0.10";
        var opened = new DnsLookup("shop/web", "www.example.org", 1, server, DnsResult.Opened)
        {
            Number = 5,
            At = DateTimeOffset.FromUnixTimeMilliseconds(1_500),
            Addresses = ["192.0.2.1", "192.0.2.2"],
            Opened = [new("192.0.2.1", "*.example.org", 330), new("192.0.2.2", "*.example.org", 330)],
            Held = TimeSpan.FromMilliseconds(0.25),
        };
        using var run = new Run(lab, "dns", "watch");
        lab.Dataplane.Heard = new(5, [opened]);
        Assert.StartsWith("AT ", await run.NextAsync(), StringComparison.Ordinal);
        Assert.Matches(@"^1970-01-01T00:00:01.500Z +shop/web +www.example.org +A +10.96.0.10 +192.0.2.1 192.0.2.2 +"
            + "opened 2 addresses for \\*.example.org, after 250 µs$", await run.NextAsync());
        lab.Dataplane.Heard = new(8, [opened with { Number = 8, Result = DnsResult.Unasked, Opened = [], Addresses = [] }]);
        Assert.Equal("… 2 more responses came", await run.NextAsync());
        Assert.EndsWith("nobody had asked that: it is not believed", (await run.NextAsync()).TrimEnd(), StringComparison.Ordinal);
        Assert.Equal(0, await run.StopAsync());
    }

    [Fact]
    public async Task Where_no_rule_goes_by_names_watching_says_so_and_ends()
    {
        lab.Dataplane.Dns = DnsView.Off;
        Assert.Equal(1, await lab.RunAsync("dns", "watch"));
        Assert.Contains("no rule goes by names", lab.Errors.ToString(), StringComparison.Ordinal);
    }

    /// <summary>
    /// script(1) gives it a terminal, and sends that what stands on its own input: Ctrl-C is an octet there. The terminal has no size
    /// before stty gives it one, and of a page that is longer than 24 lines the end alone is drawn, where tor1 does not stand. A shell's
    /// background jobs, of which the tests may be one, are born deaf to SIGINT.
    /// </summary>
    [Fact]
    public async Task Ctrl_C_ends_it_and_shows_the_cursor_again()
    {
        var bgpctl = Path.Combine(AppContext.BaseDirectory, "bgpctl.dll");
        var command = $"stty rows 50 cols 200; exec env --default-signal=INT dotnet {bgpctl} peers --watch --socket {lab.Socket}";
        var start = new ProcessStartInfo("script", ["-qec", command, "/dev/null"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            Environment = { ["TERM"] = "xterm" },
        };
        using var script = Process.Start(start)!;
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var (seen, octets) = (new StringBuilder(), new char[4096]);
        async Task ReadUntilAsync(string what)
        {
            while (!seen.ToString().Contains(what, StringComparison.Ordinal))
            {
                var count = await script.StandardOutput.ReadAsync(octets, patience.Token);
                Assert.True(count > 0, $"it ended without {what}: {seen}");
                seen.Append(octets, 0, count);
            }
        }
        await ReadUntilAsync("tor1");
        Assert.Contains("\e[?25l", seen.ToString(), StringComparison.Ordinal);
        await script.StandardInput.WriteAsync("\x03");
        await script.StandardInput.FlushAsync();
        await ReadUntilAsync("\e[?25h");
        await script.WaitForExitAsync(patience.Token);
        Assert.Equal(0, script.ExitCode);
    }

    [Fact]
    public async Task Routes_are_shown_anew_when_they_have_changed()
    {
        using var run = new Run(lab, "routes", "--watch", "--json");
        Assert.Equal(7, JsonNode.Parse(await run.NextAsync())!.AsArray().Count);
        lab.Speaker.Table = [.. lab.Speaker.Table.Take(2)];
        lab.Speaker.Protocols = [.. lab.Speaker.Protocols.Take(2)];
        Assert.Equal(2, JsonNode.Parse(await run.NextAsync())!.AsArray().Count);
    }

    [Fact]
    public async Task One_route_is_one()
    {
        lab.Speaker.Table = [.. lab.Speaker.Table.Take(1)];
        using var run = new Run(lab, "routes", "--watch");
        Assert.Equal("1 route", await run.NextAsync());
    }

    [Fact]
    public async Task Without_a_terminal_what_changed_alone_is_printed_again()
    {
        using var run = new Run(lab, "status", "--watch");
        while (!(await run.NextAsync()).StartsWith("https://192.0.2.70:2379", StringComparison.Ordinal)) { }
        lab.Speaker.Ready = false;
        var changed = new List<string>();
        while (await run.NextAsync() is var line && !line.StartsWith("+ state        not ready: waiting for node2 (active)"))
            changed.Add(line);
        // This process's memory and loops may have moved as well, and be told before, too.
        changed.RemoveAll(line => line[2..].StartsWith("memory ", StringComparison.Ordinal) || line[2..].StartsWith("loops "));
        Assert.Equal("- state        ready, but the kernel refuses routes (bgpctl kernel says why)", changed[^1]);
        Assert.All(changed[..^1], line => Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", line));
        Assert.NotEmpty(changed[..^1]);
    }

    [Fact]
    public async Task On_a_terminal_the_page_is_drawn_again()
    {
        using var run = new Run(lab, terminal: true, "kernel", "--watch");
        while (!(await run.NextAsync()).Contains("3000000000, 4 failed", StringComparison.Ordinal)) { }
        lab.Speaker.KernelStatus = lab.Speaker.KernelStatus with { Failures = 5 };
        while (!(await run.NextAsync()).Contains("3000000000, 5 failed", StringComparison.Ordinal)) { }
        Assert.Equal(0, await run.StopAsync());
    }

    [Fact]
    public async Task The_end_of_the_daemon_is_told()
    {
        using var run = new Run(lab, "kernel", "--watch", "--json");
        await run.NextAsync();
        await lab.StopServerAsync();
        Assert.Equal(1, await run.EndAsync());
        Assert.StartsWith("bgpctl: bgpd has ended", lab.Errors.ToString());
    }

    private static long Writes(string line) => (long)JsonNode.Parse(line)!["counts"]!["writes"]!;

    /// <summary>A watching bgpctl, its lines as they come.</summary>
    private sealed class Run : IDisposable
    {
        private readonly CancellationTokenSource stop = new();
        private readonly LineWriter lines = new();
        private readonly Task<int> task;

        public Run(BgpctlLab lab, params string[] args) => task = StartAsync(lab, args, new Screen(lines, lab.Errors, null));

        public Run(BgpctlLab lab, bool terminal, params string[] args) =>
            task = StartAsync(lab, args, terminal ? lab.Terminal(lines) : new Screen(lines, lab.Errors, null));

        private Task<int> StartAsync(BgpctlLab lab, string[] args, Screen screen) =>
            Commands.RunAsync([.. args, "--socket", lab.Socket], screen, TimeProvider.System, stop.Token);

        /// <summary>The next line. A bgpctl that has ended writes none, and nobody waits for it.</summary>
        public async Task<string> NextAsync()
        {
            var next = lines.Lines.Reader.ReadAsync().AsTask();
            if (await Task.WhenAny(next, task) == task && !next.IsCompleted) Assert.Fail($"bgpctl ended with {await task}");
            return await next;
        }

        public Task<int> EndAsync() => task;

        public async Task<int> StopAsync()
        {
            await stop.CancelAsync();
            return await task;
        }

        public void Dispose()
        {
            stop.Cancel();
            stop.Dispose();
            lines.Dispose();
        }
    }

    private sealed class LineWriter : TextWriter
    {
        private readonly StringBuilder line = new();

        public Channel<string> Lines { get; } = Channel.CreateUnbounded<string>();
        public override Encoding Encoding => Encoding.UTF8;

        public override void Write(char value)
        {
            if (value != '\n') line.Append(value);
            else
            {
                Lines.Writer.TryWrite(line.ToString());
                line.Clear();
            }
        }
    }
}
