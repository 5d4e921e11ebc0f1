// How every answer that is not a stream is written: JSON with a length, never cached; errors say what was expected and what came.

using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Calico.Bgp.Answers;
using Microsoft.AspNetCore.Http;

namespace Calico.Bgp.Control.Http;

internal static class Answer
{
    public static readonly AnswersJson Json = AnswersJson.Legible;

    public const string JsonType = "application/json; charset=utf-8";

    public static async Task JsonAsync<T>(HttpContext http, T value, JsonTypeInfo<T> type, int status = 200)
    {
        var octets = JsonSerializer.SerializeToUtf8Bytes(value, type);
        Begin(http, JsonType, status);
        http.Response.ContentLength = octets.Length;
        await http.Response.BodyWriter.WriteAsync(octets, http.RequestAborted).ConfigureAwait(false);
    }

    public static Task ErrorAsync(HttpContext http, ErrorAnswer error) => JsonAsync(http, error, Json.ErrorAnswer, error.Code.Status());

    /// <summary>It is about the request's path.</summary>
    public static Task ErrorAsync(HttpContext http, AnswerCode code, string message) =>
        ErrorAsync(http, new(code, message, http.Request.Path.Value ?? ""));

    /// <summary>Puts octets into the response's pipe. BuffersExtensions.Write does not serve: Kestrel may lend it an empty span.</summary>
    public static void Put(HttpContext http, ReadOnlySpan<byte> octets)
    {
        octets.CopyTo(http.Response.BodyWriter.GetSpan(octets.Length));
        http.Response.BodyWriter.Advance(octets.Length);
    }

    public static void Begin(HttpContext http, string contentType, int status = 200)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = contentType;
        http.Response.Headers.CacheControl = "no-store";
    }
}
