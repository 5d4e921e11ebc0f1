using System.Text.Json;
using Calico.Bgp.Net;

namespace Calico.Bgp.Resources.Documents;

/// <summary>What is wrong with a JSON text, and in which line of the file.</summary>
public sealed record JsonMistake(int Line, string Text);

/// <summary>Names of members, as they are looked for while reading.</summary>
internal sealed class JsonNames(string[] names)
{
    private readonly byte[][] names = [.. names.Select(System.Text.Encoding.UTF8.GetBytes)];

    public bool Has(in Utf8JsonReader reader)
    {
        foreach (var name in names)
            if (reader.ValueTextEquals(name)) return true;
        return false;
    }
}

/// <summary>JSON → <see cref="DocumentNode"/>, with lines: the API server's and etcd's spelling, and YAML files that hold JSON.</summary>
public ref struct JsonTree
{
    private const int DepthLimit = 64;

    private readonly ReadOnlySpan<byte> text;
    private Utf8JsonReader reader;
    private int line;
    private int lineStart;
    private int counted;
    /// <summary>Members of the root's members that are left out.</summary>
    private readonly JsonNames? unread;

    private JsonTree(ReadOnlySpan<byte> text, int firstLine, JsonNames? unread = null)
    {
        this.text = text;
        this.unread = unread;
        reader = new(text, new JsonReaderOptions { MaxDepth = DepthLimit, AllowMultipleValues = true });
        line = firstLine;
    }

    /// <summary>The one value of a text.</summary>
    /// <param name="firstLine">The line of the file that <paramref name="utf8"/> begins in.</param>
    /// <param name="error">What is wrong, where the result is null.</param>
    public static DocumentNode? Read(ReadOnlySpan<byte> utf8, int firstLine, out string? error) => Read(utf8, firstLine, out error, null);

    internal static DocumentNode? Read(ReadOnlySpan<byte> utf8, int firstLine, out string? error, JsonNames? unread)
    {
        var values = ReadMany(new(utf8, firstLine, unread), out var mistake);
        error = mistake?.Text ?? (values.Count == 1 ? null : $"this is not JSON: expected one value, got {values.Count}");
        return error == null ? values[0] : null;
    }

    /// <summary>Values one after another, as <c>jq -c '.items[]'</c> prints them.</summary>
    /// <param name="error">What is wrong behind those of the result; null: nothing.</param>
    public static IReadOnlyList<DocumentNode> ReadMany(ReadOnlySpan<byte> utf8, int firstLine, out JsonMistake? error) =>
        ReadMany(new(utf8, firstLine), out error);

    private static List<DocumentNode> ReadMany(JsonTree tree, out JsonMistake? error)
    {
        error = null;
        var values = new List<DocumentNode>();
        var firstLine = tree.line;
        try
        {
            while (tree.reader.Read()) values.Add(tree.Node());
        }
        // The second is for a string that is no UTF-8, or half a surrogate pair.
        catch (Exception wrong) when (wrong is JsonException or InvalidOperationException)
        {
            var line = wrong is JsonException { LineNumber: { } number } ? firstLine + (int)number : tree.line;
            error = new(line, $"this is not JSON: {(wrong is JsonException json ? Failures.WordsOf(json) : "a string in it is no UTF-8")}");
        }
        return values;
    }

    private DocumentNode Node()
    {
        var (at, column) = Place();
        return reader.TokenType switch
        {
            JsonTokenType.StartObject => Mapping(at, column),
            JsonTokenType.StartArray => Sequence(at, column),
            JsonTokenType.String => new ScalarNode(at, column, reader.GetString()!, Plain: false),
            _ => new ScalarNode(at, column, System.Text.Encoding.ASCII.GetString(reader.ValueSpan), Plain: true),
        };
    }

    private MappingNode Mapping(int at, int column)
    {
        var entries = new List<MappingEntry>();
        var size = 1;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            if (unread != null && reader.CurrentDepth == 2 && unread.Has(reader))
            {
                reader.Skip();
                continue;
            }
            var (keyLine, keyColumn) = Place();
            var key = new ScalarNode(keyLine, keyColumn, reader.GetString()!, Plain: false);
            reader.Read();
            var value = Node();
            size += value.Size;
            entries.Add(new(key, value, Merged: false));
        }
        return new(at, column, size, entries);
    }

    private SequenceNode Sequence(int at, int column)
    {
        var items = new List<DocumentNode>();
        var size = 1;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            var item = Node();
            size += item.Size;
            items.Add(item);
        }
        return new(at, column, size, items);
    }

    /// <summary>The token's line and column; lines are counted on from the last token.</summary>
    private (int Line, int Column) Place()
    {
        var start = (int)reader.TokenStartIndex;
        var between = text[counted..start];
        var breaks = between.Count((byte)'\n');
        if (breaks > 0)
        {
            line += breaks;
            lineStart = counted + between.LastIndexOf((byte)'\n') + 1;
        }
        counted = start;
        return (line, start - lineStart + 1);
    }
}
