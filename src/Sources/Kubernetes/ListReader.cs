using System.Text.Json;

namespace Calico.Bgp.Sources.Kubernetes;

/// <summary>
/// One page of a list, object by object as they come: <c>{ "metadata": { … }, "items": [ … ] }</c>, in whatever order (CustomResources'
/// come sorted, <c>items</c> first).
/// </summary>
internal sealed class ListReader(JsonFeed feed)
{
    /// <summary>Takes one object's JSON.</summary>
    public delegate void Taker(ReadOnlySpan<byte> item);

    private bool isInside, isInItems;

    /// <summary>From which a watch goes on; empty before the list's end, and for what is no list.</summary>
    public string Version { get; private set; } = "";
    /// <summary>Of the next page; empty: there is none.</summary>
    public string Continue { get; private set; } = "";
    /// <summary>The closing brace has come.</summary>
    public bool IsWhole { get; private set; }

    /// <summary>All objects that are there now.</summary>
    /// <exception cref="JsonException">This is not a list.</exception>
    public void Read(Taker take)
    {
        while (!IsWhole && TryStep(take)) { }
    }

    private bool TryStep(Taker take)
    {
        var reader = feed.Reader;
        if (!reader.Read()) return false;
        var done = isInItems ? TryItem(ref reader, take) : isInside ? TryMember(ref reader) : TryBegin(reader);
        if (done) feed.Advance(reader);
        return done;
    }

    private bool TryBegin(in Utf8JsonReader reader) =>
        isInside = reader.TokenType == JsonTokenType.StartObject ? true : throw new JsonException("expected a list of objects");

    private bool TryMember(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.EndObject) return IsWhole = true;
        if (reader.ValueTextEquals("items"u8)) return TryBeginItems(ref reader);
        var isMetadata = reader.ValueTextEquals("metadata"u8);
        if (!reader.Read()) return false;
        var from = (int)reader.TokenStartIndex;
        if (!reader.TrySkip()) return false;
        if (isMetadata) ReadMetadata(feed.Unread[from..(int)reader.BytesConsumed]);
        return true;
    }

    /// <summary>An empty list of Go's may be <c>null</c>.</summary>
    private bool TryBeginItems(ref Utf8JsonReader reader)
    {
        if (!reader.Read()) return false;
        isInItems = reader.TokenType == JsonTokenType.StartArray;
        return true;
    }

    private bool TryItem(ref Utf8JsonReader reader, Taker take)
    {
        if (reader.TokenType == JsonTokenType.EndArray)
        {
            isInItems = false;
            return true;
        }
        var from = (int)reader.TokenStartIndex;
        if (!reader.TrySkip()) return false;
        take(feed.Unread[from..(int)reader.BytesConsumed]);
        return true;
    }

    private void ReadMetadata(ReadOnlySpan<byte> metadata)
    {
        var reader = new Utf8JsonReader(metadata);
        while (reader.Read())
        {
            if (reader.CurrentDepth != 1 || reader.TokenType != JsonTokenType.PropertyName) continue;
            var (isVersion, isContinue) = (reader.ValueTextEquals("resourceVersion"u8), reader.ValueTextEquals("continue"u8));
            if (!reader.Read() || reader.TokenType != JsonTokenType.String) continue;
            if (isVersion) Version = reader.GetString()!;
            if (isContinue) Continue = reader.GetString()!;
        }
    }
}
