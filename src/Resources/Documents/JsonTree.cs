using System.Text.Json;

namespace Calico.Bgp.Resources.Documents;

/// <summary>JSON → <see cref="DocumentNode"/>, with lines: the API server's and etcd's spelling, and YAML files that hold JSON.</summary>
public ref struct JsonTree
{
    private const int DepthLimit = 64;

    private readonly ReadOnlySpan<byte> text;
    private Utf8JsonReader reader;
    private int line;
    private int lineStart;
    private int counted;

    private JsonTree(ReadOnlySpan<byte> text, int firstLine)
    {
        this.text = text;
        reader = new(text, new JsonReaderOptions { MaxDepth = DepthLimit });
        line = firstLine;
    }

    /// <param name="firstLine">The line of the file that <paramref name="utf8"/> begins in.</param>
    /// <param name="error">What is wrong, where the result is null.</param>
    public static DocumentNode? Read(ReadOnlySpan<byte> utf8, int firstLine, out string? error)
    {
        error = null;
        var tree = new JsonTree(utf8, firstLine);
        try
        {
            tree.reader.Read();
            var root = tree.Node();
            // Reading on to the end makes the reader refuse what follows the value.
            tree.reader.Read();
            return root;
        }
        catch (JsonException wrong)
        {
            error = $"this is not JSON: {wrong.Message}";
            return null;
        }
        catch (InvalidOperationException wrong)
        {
            // A string that is no UTF-8, or half a surrogate pair.
            error = $"this is not JSON: {wrong.Message}";
            return null;
        }
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
