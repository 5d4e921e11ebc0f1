using System.Net;
using System.Text;
using System.Text.Json;

namespace Calico.Bgp.Sources.Kubernetes;

/// <summary>The API server's own words for what it refuses (meta/v1 Status): as an answer's body, or as the last word of a watch.</summary>
internal static class StatusObject
{
    private const int Longest = 64 << 10, Shown = 300;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public static async Task<ApiRefusal> RefusalAsync(HttpResponseMessage answer, TimeProvider time, CancellationToken stop)
    {
        using (answer)
        {
            var body = await BodyAsync(answer, stop).ConfigureAwait(false);
            return new(answer.StatusCode, Message(body) ?? Plain(answer, body) ?? answer.ReasonPhrase ?? "", RetryAfter(answer, time));
        }
    }

    /// <summary>In a watch: HTTP's status was given long ago, and was 200.</summary>
    public static ApiRefusal Refusal(ReadOnlySpan<byte> status)
    {
        var code = Read(status, "code"u8, out var number) && number is > 0 and < 1000 ? number : 500;
        return new((HttpStatusCode)code, Message(status) ?? "a watch's error without a message");
    }

    /// <summary>What of it comes soon.</summary>
    private static async Task<byte[]> BodyAsync(HttpResponseMessage answer, CancellationToken stop)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(stop);
        enough.CancelAfter(Patience);
        try
        {
            var body = await answer.Content.ReadAsStreamAsync(enough.Token).ConfigureAwait(false);
            var octets = new byte[Longest];
            var count = await body.ReadAtLeastAsync(octets, octets.Length, throwOnEndOfStream: false, enough.Token).ConfigureAwait(false);
            return octets[..count];
        }
        catch (Exception broken) when (ApiServer.IsBroken(broken)) { return []; }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested) { return []; }
    }

    private static TimeSpan? RetryAfter(HttpResponseMessage answer, TimeProvider time) =>
        answer.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } when date > time.GetUtcNow() => date - time.GetUtcNow(),
            _ => null,
        };

    /// <summary>What stands before a server, or in it before it is one, says so in a line of text: "Client sent an HTTP request to an HTTPS
    /// server."</summary>
    private static string? Plain(HttpResponseMessage answer, ReadOnlySpan<byte> body)
    {
        if (answer.Content.Headers.ContentType?.MediaType is not (null or "text/plain")) return null;
        var line = Encoding.UTF8.GetString(body).Trim();
        return line.Length > 0 && !line.Any(char.IsControl) ? Short(line) : null;
    }

    /// <summary>Null: it is no Status (a proxy's page, for one).</summary>
    private static string? Message(ReadOnlySpan<byte> status)
    {
        try
        {
            var reader = new Utf8JsonReader(status);
            while (reader.Read())
                if (reader.CurrentDepth == 1 && reader.TokenType == JsonTokenType.PropertyName && reader.ValueTextEquals("message"u8)
                    && reader.Read() && reader.TokenType == JsonTokenType.String) return Short(reader.GetString()!);
        }
        catch (Exception wrong) when (wrong is JsonException or InvalidOperationException) { }
        return null;
    }

    private static string Short(string text) => text.Length <= Shown ? text : $"{text[..Shown]}…";

    private static bool Read(ReadOnlySpan<byte> status, ReadOnlySpan<byte> name, out int number)
    {
        number = 0;
        try
        {
            var reader = new Utf8JsonReader(status);
            while (reader.Read())
                if (reader.CurrentDepth == 1 && reader.TokenType == JsonTokenType.PropertyName && reader.ValueTextEquals(name))
                    return reader.Read() && reader.TokenType == JsonTokenType.Number && reader.TryGetInt32(out number);
        }
        catch (JsonException) { }
        return false;
    }
}
