using System.Net.Sockets;
using System.Text.RegularExpressions;
using Xunit.Abstractions;
using static Calico.Bgp.Conformance.Services.ServiceSite;

namespace Calico.Bgp.Conformance.Services;

/// <summary>
/// Translations are edited all the time while clients connect all the time, and the daemon is killed with an edit on its way: whoever is
/// sent to a backend that lives reaches it. With CONFORMANCE_LONG=1 for a minute, fifty edits and a thousand connections a second.
/// </summary>
public sealed partial class EditStormTests(ITestOutputHelper output) : IAsyncLifetime, IDisposable
{
    private const string On = "services: { onBackendRemoval: keep }";
    private const int EditsPerSecond = 50, CallsPerSecond = 1_000, TicksPerSecond = 100, MostAtOnce = 500;

    private static readonly bool IsLong = Environment.GetEnvironmentVariable("CONFORMANCE_LONG") == "1";
    private static readonly int Edits = IsLong ? 60 * EditsPerSecond : 100, Kills = IsLong ? 6 : 2;

    /// <summary>Which of them a translation has, in turn; all of them live.</summary>
    private static readonly int[][] Turns = [[0, 1, 2], [0], [0, 2], [0, 1]];

    private readonly CancellationTokenSource ending = new();
    private ServiceSite site = null!;
    private HttpClient http = null!;
    private long good, begun;
    private string? failed;

    public async Task InitializeAsync()
    {
        if (Needs.Missing(Needs.Daemon, "nft") != null) return;
        site = await ServiceSite.MakeAsync();
        http = new(new SocketsHttpHandler
        {
            ConnectCallback = async (_, stop) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(site.Http), stop);
                return new NetworkStream(socket, ownsSocket: true);
            },
        })
        {
            BaseAddress = new("http://localhost"),
            Timeout = TimeSpan.FromSeconds(Patience),
        };
    }

    public async Task DisposeAsync()
    {
        if (site != null) await site.DisposeAsync();
    }

    public void Dispose()
    {
        http?.Dispose();
        ending.Dispose();
    }

    private static bool IsSix(int edit) => edit % 2 == 1;

    private static string Vip(int edit) => IsSix(edit) ? Vip6 : Vip4;

    private static int[] BackendsOf(int edit) => Turns[edit / 2 % Turns.Length];

    /// <returns>False: the daemon has gone.</returns>
    private async Task<bool> EditAsync(int edit)
    {
        var six = IsSix(edit);
        var backends = BackendsOf(edit).Select(i => six ? $"[{Backend(i, six)}]:{Port}" : $"{Backend(i, six)}:{Port}");
        var body = $$"""
            {"protocol": "tcp", "vip": "{{Vip(edit)}}", "port": 80,
             "backends": [{{string.Join(", ", backends.Select(one => $$"""{"to": "{{one}}"}"""))}}]}
            """;
        try
        {
            using var answer = await http.PostAsync(new Uri("/v1/cnat/translations?save=true", UriKind.Relative), new StringContent(body));
            Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
            return true;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private async Task BeginAsync()
    {
        await site.StartAsync(On);
        await Until.TrueAsync("it answers", async () =>
        {
            try
            {
                using var answer = await http.GetAsync(new Uri("/v1/cnat/translations", UriKind.Relative));
                return answer.IsSuccessStatusCode && (await answer.Content.ReadAsStringAsync()).StartsWith(
                    "{\"enabled\":true", StringComparison.Ordinal);
            }
            catch (HttpRequestException)
            {
                return false;
            }
        }, Patience, site.LogAsync);
    }

    /// <summary>The daemon dies with the edit on its way: the kernel has the one before, or this one, and nothing between.</summary>
    private async Task KillAsync(int edit)
    {
        var late = EditAsync(edit);
        await site.KillAsync();
        await late;
        var there = Ends().Matches(await site.ListAsync()).Where(end => end.Groups["vip"].Value == Vip(edit))
            .Select(end => end.Groups["to"].Value).Distinct().Order().ToArray();
        var six = IsSix(edit);
        string[] Of(int which) => [.. BackendsOf(which).Select(i => Backend(i, six)).Order()];
        Assert.Contains(there, (string[][])[Of(edit), Of(edit - 2)]);
        await BeginAsync();
    }

    [GeneratedRegex(@"(?<vip>[0-9a-f:.]+) \. tcp \. 80 \. 0x[0-9a-f]+ : (?<to>[0-9a-f:.]+) \. 8080")]
    private static partial Regex Ends();

    [GeneratedRegex(@"counter packets (?<count>\d+) bytes \d+ drop comment ""to a virtual address")]
    private static partial Regex Dropped();

    private async Task CallAsync(bool six, SemaphoreSlim room)
    {
        try
        {
            using var socket = await Answerer.ConnectAsync(
                site.Client, six ? Client6 : Client4, six ? Vip6 : Vip4, 80, seconds: Patience);
            await Answerer.AnswerAsync(socket, seconds: Patience);
            // No port waits for its time to be over.
            socket.LingerState = new(true, 0);
            Interlocked.Increment(ref good);
        }
        catch (Exception wrong) when (wrong is SocketException or OperationCanceledException)
        {
            failed ??= wrong.Message;
        }
        finally
        {
            room.Release();
        }
    }

    /// <summary>As many a second, where the machine is fast enough; not more at once than it can bear.</summary>
    private async Task CallAsync()
    {
        var calls = new List<Task>();
        using var room = new SemaphoreSlim(MostAtOnce);
        using var ticks = new PeriodicTimer(TimeSpan.FromSeconds(1.0 / TicksPerSecond));
        while (!ending.IsCancellationRequested)
        {
            await ticks.WaitForNextTickAsync();
            calls.RemoveAll(call => call.IsCompleted);
            for (var i = 0; i < CallsPerSecond / TicksPerSecond; i++)
            {
                await room.WaitAsync();
                calls.Add(CallAsync(begun++ % 2 == 1, room));
            }
        }
        await Task.WhenAll(calls);
    }

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task No_connection_fails_while_translations_are_edited_and_the_daemon_is_killed_with_an_edit_on_its_way()
    {
        await BeginAsync();
        for (var first = 0; first < 2; first++) Assert.True(await EditAsync(first));
        var clock = TimeProvider.System;
        var start = clock.GetTimestamp();
        var calling = CallAsync();
        using (var ticks = new PeriodicTimer(TimeSpan.FromSeconds(1.0 / EditsPerSecond)))
            for (var edit = 2; edit < Edits; edit++)
            {
                await ticks.WaitForNextTickAsync();
                if (edit % (Edits / Kills) == Edits / Kills / 2) await KillAsync(edit);
                else Assert.True(await EditAsync(edit), await site.LogAsync());
            }
        var took = clock.GetElapsedTime(start).TotalSeconds;
        await ending.CancelAsync();
        await calling;
        output.WriteLine($"{Edits} edits, {Kills} kills, {good} connections in {took:0.0} s: "
            + $"{Edits / took:0} and {good / took:0} a second");
        Assert.Null(failed);
        Assert.Equal(begun, good);
        Assert.InRange(good, Edits, long.MaxValue);
        // The first packet of a connection that met no translation would have been sent again, and nobody been the wiser.
        var counts = Dropped().Matches(await site.ListAsync());
        Assert.NotEmpty(counts);
        Assert.All(counts, count => Assert.Equal("0", count.Groups["count"].Value));
    }
}
