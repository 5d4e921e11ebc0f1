using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.Versioning;
using Calico.Bgp.Control.Bird;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Speaker;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Calico.Bgp.Control.Tests.Bird;

public sealed class BirdSocketTests
{
    [Fact]
    public async Task A_client_is_greeted_before_it_says_anything()
    {
        await using var fixture = new SocketFixture(new());
        using var client = fixture.Connect();
        Assert.Equal("0001 BIRD 2.0.12 ready.\n", client.ReadReply());
    }

    [Fact]
    public async Task A_client_too_many_is_told_so_and_finds_room_when_one_has_gone()
    {
        await using var fixture = new SocketFixture(new());
        var clients = Enumerable.Range(0, 64).Select(_ => fixture.Connect()).ToArray();
        foreach (var client in clients) Assert.StartsWith("0001 ", client.ReadReply(), StringComparison.Ordinal);
        for (var i = 0; i < 1000; i++)
        {
            using var refused = fixture.Connect();
            Assert.Equal("8008 64 clients are connected: one must go first\n", refused.ReadReply());
        }
        Assert.StartsWith("1000-BIRD", clients[63].Ask("show status"), StringComparison.Ordinal);
        clients[0].Dispose();
        await Until.TrueAsync("there is room again", () =>
        {
            using var next = fixture.Connect();
            return next.ReadReply().StartsWith("0001 ", StringComparison.Ordinal);
        }, 20, () => "it is full");
        foreach (var client in clients) client.Dispose();
    }

    [Fact]
    public async Task A_repeated_code_is_one_space_and_a_new_one_is_written_out()
    {
        await using var fixture = new SocketFixture(new());
        Assert.Equal(
            "1000-BIRD 2.0.12\n" +
            "1011-Router ID is 10.99.0.1\n" +
            " Hostname is node-a\n" +
            " Current server time is 2026-11-21 10:00:00.139\n" +
            " Last reboot on 2026-11-21 09:00:00.139\n" +
            " Last reconfiguration on 2026-11-21 09:30:00.139\n" +
            "0013 Daemon is up and running\n", fixture.Ask("show status"));
    }

    /// <summary>The fixture's clock stands: whoever takes the end for a failure to accept, and pauses, never comes back.</summary>
    [Fact]
    public async Task It_ends_though_its_end_meets_it_at_any_moment_of_accepting()
    {
        for (var round = 0; round < 2_000; round++)
        {
            var fixture = new SocketFixture(new());
            if (round % 2 == 0) fixture.Connect().Dispose();
            await fixture.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20));
        }
    }

    [Fact]
    public async Task Pipelined_commands_are_answered_in_their_order()
    {
        await using var fixture = new SocketFixture(new());
        using var client = fixture.Connect();
        client.Send("restrict\r\nshow foo\ndown\n");
        client.ReadReply();
        Assert.Equal(
            "0016 Access restricted\n9001 syntax error, unexpected CF_SYM_UNDEFINED\n8007 Access denied\n",
            client.ReadReply() + client.ReadReply() + client.ReadReply());
    }

    [Fact]
    public async Task A_command_of_4094_octets_is_taken()
    {
        await using var fixture = new SocketFixture(new());
        Assert.Equal("0023 1\n", fixture.Ask("eval 1".PadRight(4094)));
    }

    [Fact]
    public async Task A_longer_command_is_refused_and_the_next_one_is_answered()
    {
        await using var fixture = new SocketFixture(new());
        using var client = fixture.Connect();
        client.Send("eval 1".PadRight(9000) + "\neval 2\n");
        client.ReadReply();
        Assert.Equal("9000 Command too long\n0023 2\n", client.ReadReply() + client.ReadReply());
    }

    [Fact]
    public async Task A_dead_daemons_socket_is_replaced()
    {
        await using var other = new SocketFixture(new());
        var path = Path.Combine(Path.GetDirectoryName(other.Path)!, "new", "bgpd.ctl");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            // Moved away so that closing does not unlink it.
            dead.Bind(new UnixDomainSocketEndPoint(path + ".dead"));
            File.Move(path + ".dead", path);
        }
        await using var socket = Create(path);
        socket.Start();
        using var client = new RawClient(path);
        Assert.StartsWith("0001 ", client.ReadReply(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_live_daemons_socket_is_left_alone()
    {
        await using var fixture = new SocketFixture(new());
        await using var second = Create(fixture.Path);
        var problem = Assert.Throws<InvalidOperationException>(second.Start);
        Assert.Contains("another daemon answers", problem.Message, StringComparison.Ordinal);
    }

    [Fact, SupportedOSPlatform("linux")]
    public async Task The_owner_and_the_group_may_use_the_socket()
    {
        await using var fixture = new SocketFixture(new());
        Assert.Equal(Convert.ToInt32("660", 8), (int)File.GetUnixFileMode(fixture.Path));
    }

    [Fact]
    public async Task The_sockets_file_goes_with_the_daemon()
    {
        var fixture = new SocketFixture(new());
        await fixture.DisposeAsync();
        Assert.False(File.Exists(fixture.Path));
    }

    private static BirdSocket Create(string path) =>
        new(path, new FakeSpeaker(), new FakeDaemon(), new(TimeProvider.System, NullLogger<Net.Loops>.Instance, (_, _) => { }),
            TimeProvider.System, NullLogger<BirdSocket>.Instance);

    /// <summary>Endless routes; counts the batches that were taken and tells when the query was stopped.</summary>
    private sealed class EndlessSpeaker : FakeSpeaker
    {
        public int Batches;
        public TaskCompletionSource Stopped { get; } = new();

        public override async IAsyncEnumerable<IReadOnlyList<RouteView>> Routes(
            RouteQuery query, [EnumeratorCancellation] CancellationToken stop)
        {
            var batch = Enumerable.Range(0, 256).Select(i => Route($"10.0.{i}.0/24", RouteOrigin.Static, "static1")).ToArray();
            try
            {
                while (true)
                {
                    await Task.Yield();
                    Interlocked.Increment(ref Batches);
                    yield return batch;
                }
            }
            finally
            {
                Stopped.TrySetResult();
            }
        }
    }

    [Fact]
    public async Task A_client_that_leaves_in_the_middle_of_an_answer_ends_its_query()
    {
        var speaker = new EndlessSpeaker();
        await using var fixture = new SocketFixture(speaker);
        using (var client = fixture.Connect())
        {
            client.ReadReply();
            client.Send("show route\n");
            client.ReadLine();
        }
        await speaker.Stopped.Task.WaitAsync(TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task A_client_that_does_not_read_holds_its_own_query_and_no_other()
    {
        var speaker = new EndlessSpeaker();
        await using var fixture = new SocketFixture(speaker);
        using var slow = fixture.Connect();
        slow.Send("show route\n");
        await Until.TrueAsync("it is asked", () => Volatile.Read(ref speaker.Batches) > 0);
        await Until.RestsAsync("its own query", () =>
        {
            Assert.StartsWith("1000-BIRD", fixture.Ask("show status"), StringComparison.Ordinal);
            return Task.FromResult(Volatile.Read(ref speaker.Batches));
        }, TimeSpan.FromMilliseconds(50));
    }

    [Fact]
    public async Task Log_lines_reach_the_clients_that_asked_for_their_class()
    {
        using var echo = new BirdLogEcho();
        await using var fixture = new SocketFixture(new(), echo: echo);
        using var client = fixture.Connect();
        client.ReadReply();
        client.Ask("echo { warning, error }");
        var log = echo.CreateLogger("any");
        log.Log(LogLevel.Information, 0, "not this", null, Plain);
        log.Log(LogLevel.Warning, 0, "peer tor1 is slow\nvery slow", null, Plain);
        Assert.Equal("+peer tor1 is slow\n+very slow\n", client.ReadLine() + client.ReadLine());
    }

    private static string Plain(string state, Exception? exception) => state;

    [Fact]
    public async Task Echo_off_ends_the_echo()
    {
        using var echo = new BirdLogEcho();
        await using var fixture = new SocketFixture(new(), echo: echo);
        using var client = fixture.Connect();
        client.ReadReply();
        client.Ask("echo all");
        client.Ask("echo off");
        echo.CreateLogger("any").Log(LogLevel.Error, 0, "nobody listens", null, Plain);
        Assert.Equal("0023 1\n", client.Ask("eval 1"));
    }
}
