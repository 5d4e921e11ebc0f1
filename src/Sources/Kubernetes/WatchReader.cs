using System.Text.Json;

namespace Calico.Bgp.Sources.Kubernetes;

internal enum WatchEvent : byte { Added, Modified, Deleted, Bookmark, Error, Unknown }

/// <summary>Events of a watch as they come: <c>{ "type": "ADDED", "object": { … } }</c>, one after the other (meta/v1
/// WatchEvent).</summary>
internal sealed class WatchReader(JsonFeed feed)
{
    /// <summary>Takes one event with its object's JSON.</summary>
    public delegate void Taker(WatchEvent type, ReadOnlySpan<byte> subject);

    /// <summary>All events that are there now as a whole.</summary>
    /// <exception cref="JsonException">These are no events.</exception>
    public void Read(Taker take)
    {
        while (TryRead(take)) { }
    }

    private bool TryRead(Taker take)
    {
        if (feed.Unread.IsEmpty) return false;
        var reader = feed.Reader;
        if (!reader.Read()) return false;
        var from = (int)reader.TokenStartIndex;
        if (!reader.TrySkip()) return false;
        Split(feed.Unread[from..(int)reader.BytesConsumed], take);
        feed.Advance(reader);
        return true;
    }

    private static void Split(ReadOnlySpan<byte> json, Taker take)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 256 });
        var (type, subject) = (WatchEvent.Unknown, default(Range));
        while (reader.Read())
        {
            if (reader.CurrentDepth != 1 || reader.TokenType != JsonTokenType.PropertyName) continue;
            var (isType, isObject) = (reader.ValueTextEquals("type"u8), reader.ValueTextEquals("object"u8));
            reader.Read();
            if (isType) type = TypeOf(reader);
            var from = (int)reader.TokenStartIndex;
            reader.Skip();
            if (isObject) subject = from..(int)reader.BytesConsumed;
        }
        take(type, json[subject]);
    }

    private static WatchEvent TypeOf(in Utf8JsonReader reader) =>
        reader.TokenType != JsonTokenType.String ? WatchEvent.Unknown
        : reader.ValueTextEquals("ADDED"u8) ? WatchEvent.Added
        : reader.ValueTextEquals("MODIFIED"u8) ? WatchEvent.Modified
        : reader.ValueTextEquals("DELETED"u8) ? WatchEvent.Deleted
        : reader.ValueTextEquals("BOOKMARK"u8) ? WatchEvent.Bookmark
        : reader.ValueTextEquals("ERROR"u8) ? WatchEvent.Error : WatchEvent.Unknown;
}
