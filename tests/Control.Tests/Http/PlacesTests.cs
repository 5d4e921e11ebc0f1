using System.Net;
using System.Net.Sockets;
using System.Text;
using Calico.Bgp.Control.Http;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Control.Tests.Http;

/// <summary>What outsiders hold, on purpose or not, and who is answered meanwhile.</summary>
public sealed class PlacesTests : IAsyncLifetime, IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("bgp-places-");
    private readonly ManualTimeProvider time = new();
    private readonly FakeSpeaker speaker = new() { Batches = 20_000 };
    private readonly Lines log = new();
    private readonly List<Socket> held = [];
    private HttpControl server = null!;
    private HttpClient unix = null!, tcp = null!;

    private string Path => System.IO.Path.Combine(folder.FullName, "bgpd.sock");

    public async Task InitializeAsync()
    {
        var loops = new Net.Loops(TimeProvider.System, log.CreateLogger<Net.Loops>(), (_, _) => { });
        server = new([$"unix:{Path}", "127.0.0.1:0"], speaker, new FakeDaemon(), loops, time, log);
        await server.StartAsync();
        unix = HttpLab.Client(Path);
        tcp = new() { BaseAddress = new(server.Addresses.Single(address => !address.Contains("unix:"))) };
    }

    public async Task DisposeAsync()
    {
        foreach (var socket in held) socket.Dispose();
        await server.DisposeAsync();
    }

    public void Dispose()
    {
        unix.Dispose();
        tcp.Dispose();
        log.Dispose();
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task However_many_read_a_table_or_do_not_a_probe_is_answered()
    {
        foreach (var _ in Enumerable.Range(0, 200)) Ask("/v1/routes");
        await ProbesAsync(unix);
        foreach (var _ in Enumerable.Range(0, 200)) Ask("/v1/kernel/routes");
        await ProbesAsync(unix);
        await ProbesAsync(tcp);
    }

    [Fact]
    public async Task However_many_connect_and_say_nothing_a_probe_is_answered_and_the_oldest_of_them_go()
    {
        foreach (var _ in Enumerable.Range(0, Entrance.MostConnections + 10))
        {
            Connect();
            time.Advance(TimeSpan.FromMilliseconds(1));
            await ProbesAsync(unix);
        }
        await EndedAsync(held[0]);
        Assert.Equal(1, log.Count("connections are open"));
        // The last one may ask.
        await held[^1].SendAsync(Request("/ready"));
        Assert.StartsWith("HTTP/1.1 200", await HeadAsync(held[^1]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_finds_no_place_is_told_so_at_once_and_the_log_says_it_once()
    {
        await FillTablesAsync();
        for (var round = 0; round < 3; round++)
        {
            using var answer = await unix.GetAsync("/v1/routes");
            Assert.Equal((HttpStatusCode.ServiceUnavailable, "1"), (answer.StatusCode, answer.Headers.RetryAfter?.ToString()));
            const string Words = "4 requests for whole tables are being answered, and there is no place for more: ask again in a moment";
            Assert.Equal(
                $$"""{"code":"busy","message":"{{Words}}","where":"/v1/routes"}""", await answer.Content.ReadAsStringAsync());
        }
        Assert.Equal(1, log.Count("/v1/routes is refused: 4 of its kind are being answered"));
        time.Advance(TimeSpan.FromMinutes(1));
        speaker.Batches = 1;
        using var one = await unix.GetAsync("/v1/routes?prefix=0.0.0.0/0");
        Assert.Equal(HttpStatusCode.OK, one.StatusCode);
        using var ofThePort = await tcp.GetAsync("/v1/routes");
        Assert.Equal(HttpStatusCode.OK, ofThePort.StatusCode);
    }

    [Fact]
    public async Task A_reader_who_hangs_up_leaves_his_place()
    {
        await FillTablesAsync();
        held[0].Dispose();
        await Machine.Until.TrueAsync("there is a place", async () => (await StatusAsync("/v1/routes")) == HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_reader_who_stands_still_loses_his_place_to_the_next_who_asks()
    {
        await FillTablesAsync();
        time.Advance(Places.Standstill);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync("/v1/routes"));
        await Machine.Until.TrueAsync("one of them is hung up on", () => held.Any(HasEnded));
    }

    [Fact]
    public async Task A_reader_who_stands_still_for_long_is_ended_though_nobody_wants_his_place()
    {
        await FillTablesAsync();
        time.Advance(Places.Patience + TimeSpan.FromSeconds(10));
        foreach (var reader in held) await Machine.Until.TrueAsync("he is hung up on", () => HasEnded(reader));
    }

    [Fact]
    public void There_are_more_connections_than_places_for_answers() => Assert.Equal(
        (true, Places.All),
        (Places.All < Entrance.MostConnections, Enum.GetValues<PlaceKind>().Sum(Places.Most)));

    private async Task FillTablesAsync()
    {
        foreach (var _ in Enumerable.Range(0, Places.Most(PlaceKind.Table)))
            Assert.StartsWith("HTTP/1.1 200", await HeadAsync(Ask("/v1/routes")), StringComparison.Ordinal);
        // Until none of them is read any more, and none writes any more.
        var before = -1;
        await Machine.Until.TrueAsync("all of them wait", async () =>
        {
            await Task.Delay(100);
            return before == (before = speaker.BatchesTaken);
        });
    }

    private async Task<HttpStatusCode> StatusAsync(string path)
    {
        using var answer = await unix.GetAsync(path, HttpCompletionOption.ResponseHeadersRead);
        return answer.StatusCode;
    }

    private static async Task ProbesAsync(HttpClient client)
    {
        foreach (var path in (string[])["/live", "/ready"])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { ConnectionClose = true } };
            using var answer = await client.SendAsync(request);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }
    }

    private Socket Connect()
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        held.Add(socket);
        socket.Connect(new UnixDomainSocketEndPoint(Path));
        return socket;
    }

    private Socket Ask(string path)
    {
        var socket = Connect();
        socket.Send(Request(path));
        return socket;
    }

    private static byte[] Request(string path) => Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");

    private static async Task<string> HeadAsync(Socket socket)
    {
        var octets = new byte[64];
        return Encoding.ASCII.GetString(octets, 0, await socket.ReceiveAsync(octets));
    }

    private static async Task EndedAsync(Socket socket) => Assert.Equal(0, await socket.ReceiveAsync(new byte[1]));

    /// <summary>A hang-up shows though nothing has been read.</summary>
    private static bool HasEnded(Socket socket)
    {
        try
        {
            return socket.Send(" "u8) == 0;
        }
        catch (SocketException)
        {
            return true;
        }
    }

    private sealed class Lines : ILoggerFactory, ILogger
    {
        private readonly List<string> said = [];

        public int Count(string words)
        {
            lock (said) return said.Count(line => line.Contains(words, StringComparison.Ordinal));
        }

        public void AddProvider(ILoggerProvider provider) { }
        public ILogger CreateLogger(string categoryName) => this;
        public void Dispose() { }
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(LogLevel level, EventId id, TState state, Exception? problem, Func<TState, Exception?, string> words)
        {
            if (!IsEnabled(level)) return;
            lock (said) said.Add(words(state, problem));
        }
    }
}
