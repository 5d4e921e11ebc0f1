using System.Text;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Sources.Yaml;

/// <summary>
/// A document that is a list of objects in block style (<c>kind: List</c>, <c>items:</c>), cut into its items by their indentation, so that
/// each is remembered by its text as a document is. Whoever cuts so understands no YAML: what stands in quotes or brackets over the cut, or
/// an alias of another item's anchor, cannot be read in its piece. Then, or where the frame is no list by itself, the document is read as a
/// whole.
/// </summary>
/// <param name="Items">As the list's sequence with this one alone.</param>
internal sealed record YamlList(ListedAs Listed, IReadOnlyList<YamlChunk> Items)
{
    private const string Opening = "items:";

    /// <summary>Null: it is none, or not plainly so.</summary>
    public static YamlList? Split(YamlChunk document)
    {
        var text = document.Text.Span;
        if (!text.Contains("\n" + Opening, StringComparison.Ordinal)) return null;
        var (frame, items) = (new StringBuilder(), new List<YamlChunk>());
        var (indent, start, startLine, isOver) = (-1, -1, 0, false);
        var isIn = false;
        for (int at = 0, line = document.Line; at < text.Length; line++)
        {
            var length = text[at..].IndexOf('\n') is var end and >= 0 ? end + 1 : text.Length - at;
            var row = text.Slice(at, length);
            if (!isIn || isOver) frame.Append(row);
            if (!isIn) isIn = row.TrimEnd() is Opening;
            else if (!isOver && IndentOf(row) is { } depth)
            {
                var begins = row[depth..].TrimEnd() is ['-'] or ['-', ' ', ..];
                if (indent < 0 && begins) indent = depth;
                if (indent < 0 || (depth < indent && depth > 0)) return null;
                isOver = depth < indent || (depth == indent && !begins);
                if (isOver && depth > 0) return null;
                if ((isOver || (begins && depth == indent)) && start >= 0) items.Add(new(startLine, document.Text[start..at]));
                if (isOver) frame.Append(row);
                else if (begins && depth == indent) (start, startLine) = (at, line);
            }
            at += length;
        }
        if (start >= 0 && !isOver) items.Add(new(startLine, document.Text[start..]));
        if (items.Count == 0) return null;
        return YamlDocuments.Tree(new(document.Line, frame.ToString().AsMemory()), out _) is { } tree
            && ResourceJson.ListedBy(tree) is { } listed ? new(listed, items) : null;
    }

    /// <summary>Null: nothing stands there, or a comment.</summary>
    private static int? IndentOf(ReadOnlySpan<char> row)
    {
        var indent = row.Length - row.TrimStart(' ').Length;
        return row[indent..].TrimEnd() is [] or ['#', ..] ? null : indent;
    }
}
