// bgpd, as seen through its Unix socket. Whatever goes wrong on the way ends as a Refusal: one sentence that says what to do.

using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Calico.Bgp.Answers;

namespace Calico.Bgp.Bgpctl;

/// <summary>The command cannot be carried out; the message is for the person at the terminal.</summary>
internal sealed class Refusal(string message) : Exception(message);

internal sealed class DaemonClient : IDisposable
{
    private const string UnknownPath = "expected one of /live";

    private readonly string socket;
    private readonly HttpClient http;

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

    public async Task<T> GetAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken stop) =>
        Read(await GetTextAsync(path, stop).ConfigureAwait(false), type);

    public async Task<string> GetTextAsync(string path, CancellationToken stop)
    {
        using var answer = await SendAsync(HttpMethod.Get, path, stop).ConfigureAwait(false);
        return await answer.Content.ReadAsStringAsync(stop).ConfigureAwait(false);
    }

    public async Task<string> PostAsync(string path, CancellationToken stop)
    {
        using var answer = await SendAsync(HttpMethod.Post, path, stop).ConfigureAwait(false);
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
            return JsonSerializer.Deserialize(json, type) ?? throw new Refusal(Differs("an empty answer"));
        }
        catch (JsonException problem)
        {
            throw new Refusal(Differs(problem.Message));
        }
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, CancellationToken stop)
    {
        try
        {
            using var request = new HttpRequestMessage(method, path);
            var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop).ConfigureAwait(false);
            return answer.IsSuccessStatusCode ? answer : throw await RefusedAsync(answer, path, stop).ConfigureAwait(false);
        }
        catch (HttpRequestException broken)
        {
            throw new Refusal(broken.InnerException is SocketException why ? Unreachable(why) : Silent(broken.Message));
        }
    }

    private static async Task<string?> NextAsync(StreamReader lines, CancellationToken stop)
    {
        try
        {
            return await lines.ReadLineAsync(stop).ConfigureAwait(false);
        }
        catch (IOException broken)
        {
            throw new Refusal($"bgpd has ended in the middle of its answer: {broken.Message}");
        }
    }

    private async Task<Refusal> RefusedAsync(HttpResponseMessage answer, string path, CancellationToken stop)
    {
        using (answer)
        {
            var body = await answer.Content.ReadAsStringAsync(stop).ConfigureAwait(false);
            var isJson = answer.Content.Headers.ContentType?.MediaType == "application/json";
            var error = isJson ? Read(body, AnswersJson.Default.ErrorAnswer).Error : null;
            if (error == null || error.StartsWith(UnknownPath, StringComparison.Ordinal)) return new(TooOld(path, answer.StatusCode));
            return new(error);
        }
    }

    private async ValueTask<Stream> ConnectAsync(CancellationToken stop)
    {
        var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), stop).ConfigureAwait(false);
            return new NetworkStream(connection, ownsSocket: true);
        }
        catch
        {
            connection.Dispose();
            throw;
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

    private string TooOld(string path, HttpStatusCode status) =>
        $"bgpd at {socket} does not know {path.Split('?')[0]} (it answered {(int)status}): it is older than this bgpctl, "
        + "or another program; take both from one release";

    private string Differs(string problem) =>
        $"the answer of bgpd at {socket} is not understood: bgpd and bgpctl are of different releases, take both from one ({problem})";
}
