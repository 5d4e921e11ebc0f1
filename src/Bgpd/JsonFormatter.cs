using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Calico.Bgp.Bgpd;

/// <summary>
/// <c>log.format: json</c>: one object a line, for programs: <c>{"time":"2026-11-29T02:07:31.123Z","level":"warning","room":"session",
/// "event":2004,"text":"tor1: …","values":{"peer":"tor1",…}}</c>. An event keeps its number; of a defect <c>exception</c> has the stack.
/// </summary>
internal sealed class JsonFormatter(TimeProvider time) : ConsoleFormatter("bgpd-json")
{
    /// <summary>The log is no web page: quotes and letters of any alphabet may stand as they are.</summary>
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public override void Write<TState>(in LogEntry<TState> entry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var octets = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(octets, Plain))
        {
            json.WriteStartObject();
            json.WriteString("time", LogWords.Of(time.GetUtcNow()));
            json.WriteString("level", LogWords.Of(entry.LogLevel));
            json.WriteString("room", LogWords.RoomOf(entry.Category));
            json.WriteNumber("event", entry.EventId.Id);
            json.WriteString("text", entry.Formatter(entry.State, entry.Exception));
            if (entry.State is IReadOnlyList<KeyValuePair<string, object?>> values) Write(json, values);
            if (entry.Exception is { } defect) json.WriteString("exception", defect.ToString());
            json.WriteEndObject();
        }
        textWriter.WriteLine(Encoding.UTF8.GetString(octets.WrittenSpan));
    }

    /// <summary>What stands in the text by its name; the text's own pattern is among them, in braces.</summary>
    private static void Write(Utf8JsonWriter json, IReadOnlyList<KeyValuePair<string, object?>> values)
    {
        json.WriteStartObject("values");
        foreach (var (name, value) in values)
            if (!name.StartsWith('{'))
                json.WriteString(JsonNamingPolicy.CamelCase.ConvertName(name), Convert.ToString(value, CultureInfo.InvariantCulture));
        json.WriteEndObject();
    }
}
