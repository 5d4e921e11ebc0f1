// /v1/routes and /v1/kernel/routes: a million routes leave as they are read, never as one text. The client's socket paces the
// reading: a batch is asked for once the one before has been taken over. Format: a JSON array, or a line per route (ndjson).

using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Calico.Bgp.Answers;
using Calico.Bgp.Speaker;
using Microsoft.AspNetCore.Http;

namespace Calico.Bgp.Control.Http;

internal sealed class RouteStream(ISpeaker speaker)
{
    private const string LinesType = "application/x-ndjson";
    private const int FlushAt = 16 * 1024;

    public async Task RoutesAsync(HttpContext http)
    {
        if (!RouteQueryText.TryRead(http.Request.Query, out var query, out var error) || !TryName(ref query, out error))
            await Answer.ErrorAsync(http, error).ConfigureAwait(false);
        else
        {
            var isTable = query.Prefix == null || query.Scope == PrefixScope.In;
            var kind = isTable ? PlaceKind.Table : PlaceKind.Answer;
            await Visit.Of(http).Entrance.Places.HoldAsync(http, kind, place => WriteRoutesAsync(http, place, query)).ConfigureAwait(false);
        }
    }

    /// <summary>A name that nobody has would select nothing, and that would look like an empty table.</summary>
    private bool TryName(ref RouteQuery query, [NotNullWhen(false)] out ErrorAnswer? error)
    {
        error = null;
        if (query.Peer is { } peer)
        {
            if (PeerNames.Find(speaker, peer) is { } found) query = query with { Peer = found.Name };
            else error = new(AnswerCode.UnknownPeer, PeerNames.Unknown(speaker, peer), "peer");
        }
        if (query.Protocol is { } protocol)
        {
            if (PeerNames.Source(speaker, protocol) is { } source) query = query with { Protocol = source };
            else error ??= new(AnswerCode.UnknownProtocol, PeerNames.UnknownSource(speaker, protocol), "protocol");
        }
        return error == null;
    }

    public async Task KernelRoutesAsync(HttpContext http, Place place)
    {
        var state = speaker.KernelState;
        await using var array = new Items<OwnRouteAnswer>(http, place, Answer.Json.OwnRouteAnswer);
        await foreach (var route in speaker.KernelRoutes(http.RequestAborted).ConfigureAwait(false))
        {
            array.Add(StatusAnswers.OwnRoute(route, state));
            if (array.Unflushed >= FlushAt) await array.FlushAsync().ConfigureAwait(false);
        }
        await array.CloseAsync().ConfigureAwait(false);
    }

    private async Task WriteRoutesAsync(HttpContext http, Place place, RouteQuery query)
    {
        var state = speaker.KernelState;
        await using var array = new Items<RouteAnswer>(http, place, Answer.Json.RouteAnswer);
        await foreach (var batch in speaker.Routes(query, http.RequestAborted).ConfigureAwait(false))
        {
            foreach (var route in batch)
            {
                array.Add(RouteAnswers.Route(route, state));
                if (array.Unflushed >= FlushAt) await array.FlushAsync().ConfigureAwait(false);
            }
        }
        foreach (var waiting in speaker.ConfiguredRoutes.Where(route => !route.IsActive && IsAsked(route, query)))
            array.Add(RouteAnswers.Dormant(waiting, speaker.Router.Reconfigured));
        await array.CloseAsync().ConfigureAwait(false);
    }

    /// <summary>Own routes that wait are in no table; they are told where the whole is asked for, as <c>show static</c> does.</summary>
    private static bool IsAsked(ConfiguredRoute route, RouteQuery query)
    {
        if (query.Selection != RouteSelection.All || (query.Protocol is { } protocol && protocol != route.Protocol)) return false;
        if (query.Family is { } family && family != route.Prefix.Family) return false;
        return query.Prefix is not { } asked || query.Scope switch
        {
            PrefixScope.In => asked.Contains(route.Prefix),
            PrefixScope.For => route.Prefix.Contains(asked),
            _ => asked == route.Prefix,
        };
    }

    /// <summary>Writes values one after the other into the response, as an array or as lines.</summary>
    private sealed class Items<T> : IAsyncDisposable
    {
        private readonly HttpContext http;
        private readonly Place place;
        private readonly JsonTypeInfo<T> type;
        private readonly bool lines;
        private readonly Utf8JsonWriter json;
        private bool any;

        public Items(HttpContext http, Place place, JsonTypeInfo<T> type)
        {
            (this.http, this.place, this.type) = (http, place, type);
            var accepted = http.Request.Headers.Accept.ToString();
            lines = http.Request.Query["format"] == "ndjson" || accepted.Contains(LinesType, StringComparison.Ordinal);
            Answer.Begin(http, lines ? LinesType : Answer.JsonType);
            json = new(http.Response.BodyWriter, new() { Encoder = Answer.Json.Options.Encoder });
        }

        public long Unflushed => http.Response.BodyWriter.UnflushedBytes;

        public void Add(T value)
        {
            Raw((lines, any) switch { (true, false) => ""u8, (true, true) => "\n"u8, (false, false) => "[\n"u8, _ => ",\n"u8 });
            any = true;
            JsonSerializer.Serialize(json, value, type);
            json.Reset();
        }

        public ValueTask FlushAsync() => place.FlushAsync(http.RequestAborted);

        public ValueTask CloseAsync()
        {
            Raw((lines, any) switch { (true, false) => ""u8, (true, true) => "\n"u8, (false, false) => "[]\n"u8, _ => "\n]\n"u8 });
            return FlushAsync();
        }

        public ValueTask DisposeAsync() => json.DisposeAsync();

        private void Raw(ReadOnlySpan<byte> octets) => Answer.Put(http, octets);
    }
}
