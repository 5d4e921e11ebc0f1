// bgpd, as seen through its Unix socket. Whatever goes wrong on the way ends as a Refusal: one sentence that says what to do.

using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Calico.Bgp.Answers;
using Calico.Bgp.Net;

namespace Calico.Bgp.Bgpctl;

/// <summary>The command cannot be carried out; the message is for the person at the terminal.</summary>
internal sealed class Refusal(string message) : Exception(message)
{
    /// <summary>A file that was to be read is wrong, as <c>bgpd --check</c> judges it: exit code 2.</summary>
    public bool IsMistake { get; init; }
}

internal sealed class DaemonClient : IDisposable
{
    private const string BrokenOff = "bgpd has ended in the middle of its answer";

    private const int Attempts = 40;
    private static readonly TimeSpan BetweenAttempts = TimeSpan.FromMilliseconds(50);

    private readonly string socket;
    private readonly HttpClient http;
    /// <summary>The daemon's, of the last answer; null: it does not say.</summary>
    private string? release;

    public DaemonClient(string socket)
    {
        this.socket = socket;
        http = new(new SocketsHttpHandler { ConnectCallback = (_, stop) => ConnectAsync(stop), UseProxy = false })
        {
            BaseAddress = new("http://bgpd"),
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    public void Dispose() => http.Dispose();

    public async Task<string> GetTextAsync(string path, CancellationToken stop)
    {
        using var answer = await SendAsync(HttpMethod.Get, path, stop).ConfigureAwait(false);
        return await BodyAsync(answer, stop).ConfigureAwait(false);
    }

    public Task<string> PostAsync(string path, CancellationToken stop) => AskAsync(HttpMethod.Post, path, null, stop);

    /// <param name="body">JSON.</param>
    public Task<string> PostAsync(string path, string body, CancellationToken stop) => AskAsync(HttpMethod.Post, path, body, stop);

    public Task<string> DeleteAsync(string path, CancellationToken stop) => AskAsync(HttpMethod.Delete, path, null, stop);

    private async Task<string> AskAsync(HttpMethod method, string path, string? body, CancellationToken stop)
    {
        using var answer = await SendAsync(method, path, stop, body).ConfigureAwait(false);
        return await answer.Content.ReadAsStringAsync(stop).ConfigureAwait(false);
    }

    /// <summary>One line of an answer after the other, as they come.</summary>
    public async IAsyncEnumerable<string> LinesAsync(string path, [EnumeratorCancellation] CancellationToken stop)
    {
        using var answer = await SendAsync(HttpMethod.Get, path, stop).ConfigureAwait(false);
        using var lines = new StreamReader(await answer.Content.ReadAsStreamAsync(stop).ConfigureAwait(false), Encoding.UTF8);
        while (await NextAsync(lines, stop).ConfigureAwait(false) is { } line) yield return line;
    }

    /// <summary>The data of each event of a topic; ends only by <paramref name="stop"/>.</summary>
    public async IAsyncEnumerable<string> EventsAsync(string topic, [EnumeratorCancellation] CancellationToken stop)
    {
        const string Data = "data: ";
        await foreach (var line in LinesAsync($"/v1/events?topics={topic}", stop).ConfigureAwait(false))
            if (line.StartsWith(Data, StringComparison.Ordinal)) yield return line[Data.Length..];
        throw new Refusal("bgpd has ended");
    }

    public T Read<T>(string json, JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(json, type) ?? throw new Refusal(NotUnderstood("an empty answer"));
        }
        catch (JsonException problem)
        {
            throw new Refusal(NotUnderstood(Failures.WordsOf(problem)));
        }
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, CancellationToken stop, string? body = null)
    {
        try
        {
            using var request = new HttpRequestMessage(method, path);
            if (body != null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
            var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop).ConfigureAwait(false);
            release = Release.Of(answer.Headers.TryGetValues("Server", out var server) ? server.FirstOrDefault() : null);
            return answer.IsSuccessStatusCode ? answer : throw await RefusedAsync(answer, path, stop).ConfigureAwait(false);
        }
        catch (HttpRequestException broken)
        {
            throw new Refusal(broken.InnerException is SocketException why ? Unreachable(why) : Silent(WordsOf(broken)));
        }
    }

    private static async Task<string?> NextAsync(StreamReader lines, CancellationToken stop)
    {
        try
        {
            return await lines.ReadLineAsync(stop).ConfigureAwait(false);
        }
        catch (IOException)
        {
            throw new Refusal(BrokenOff);
        }
    }

    private static async Task<string> BodyAsync(HttpResponseMessage answer, CancellationToken stop)
    {
        try
        {
            return await answer.Content.ReadAsStringAsync(stop).ConfigureAwait(false);
        }
        catch (Exception broken) when (broken is IOException or HttpRequestException)
        {
            throw new Refusal(BrokenOff);
        }
    }

    private static string WordsOf(HttpRequestException broken) => broken.HttpRequestError switch
    {
        HttpRequestError.ResponseEnded => "it has hung up",
        HttpRequestError.InvalidResponse => "what it says is no HTTP; is it another program's socket?",
        _ => broken.InnerException is IOException gone ? Failures.WordsOf(gone) : broken.Message,
    };

    private async Task<Refusal> RefusedAsync(HttpResponseMessage answer, string path, CancellationToken stop)
    {
        using (answer)
        {
            var body = await BodyAsync(answer, stop).ConfigureAwait(false);
            var isAnswer = release != null && answer.Content.Headers.ContentType?.MediaType == "application/json";
            if (!isAnswer) return new(NotUnderstood($"to {path.Split('?')[0]} it answered {(int)answer.StatusCode}: {FirstLine(body)}"));
            var error = Read(body, AnswersJson.Default.ErrorAnswer);
            var isOfAnother = error.Code == AnswerCode.UnknownPath && release != Release.Version;
            return new(isOfAnother ? NotUnderstood($"it does not know {path.Split('?')[0]}") : error.Message);
        }
    }

    private static string FirstLine(string body) => body.Split('\n') is [{ Length: > 0 } line, ..] ? line : "nothing";

    /// <summary>Where one daemon takes over from another, nobody listens at the socket for a moment.</summary>
    private async ValueTask<Stream> ConnectAsync(CancellationToken stop)
    {
        for (var attempt = 1; ; attempt++)
        {
            var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), stop).ConfigureAwait(false);
                return new NetworkStream(connection, ownsSocket: true);
            }
            catch (Exception refused)
            {
                connection.Dispose();
                if (refused is not SocketException { SocketErrorCode: SocketError.ConnectionRefused } || attempt == Attempts) throw;
            }
            await Task.Delay(BetweenAttempts, stop).ConfigureAwait(false);
        }
    }

    private string Unreachable(SocketException why) => why.SocketErrorCode switch
    {
        SocketError.AccessDenied => $"may not open {socket}: permission denied; try sudo, or join the group that owns it",
        SocketError.ConnectionRefused => $"nobody answers at {socket}: bgpd has ended without removing it; start bgpd again",
        _ when !File.Exists(socket) =>
            $"is bgpd running? tried {socket}: there is no such socket; start bgpd, use sudo if the folder is closed to you, "
            + "or name the socket: --socket PATH (control.http in bgpd.yaml)",
        _ => Silent(why.Message),
    };

    private string Silent(string why) => $"bgpd at {socket} does not answer: {why}";

    /// <summary>What bgpctl cannot make sense of is most often of another release; which, the daemon says itself.</summary>
    private string NotUnderstood(string problem) => release switch
    {
        null => $"this bgpctl is {Release.Version}, and who answers at {socket} does not say that it is bgpd, or of which release: "
            + $"it is an older one, or another program; take both from one release ({problem})",
        _ when release == Release.Version =>
            $"bgpd at {socket} is not understood, though it is of this bgpctl's release, {release} ({problem})",
        _ => $"this bgpctl is {Release.Version}, the daemon at {socket} {release}: take both from one release ({problem})",
    };
}
