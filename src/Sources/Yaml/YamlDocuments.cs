using System.Text;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Documents;

namespace Calico.Bgp.Sources.Yaml;

/// <summary>One document of a file, as text.</summary>
/// <param name="Line">Of its first character, from 1.</param>
internal readonly record struct YamlChunk(int Line, ReadOnlyMemory<char> Text);

/// <summary>
/// A file's text → its documents → objects. A line that begins with <c>---</c> always begins a document (YAML allows it nowhere else), so
/// that a document that cannot be read does not take the others with it.
/// </summary>
internal static class YamlDocuments
{
    private static readonly YamlLimits Limits = new(Depth: 128, Size: 20_000_000, Tags: true);

    public static List<YamlChunk> Split(string text)
    {
        var chunks = new List<YamlChunk>();
        var (start, startLine, line) = (0, 1, 1);
        for (var at = 0; at < text.Length; line++)
        {
            if (IsMarker(text.AsSpan(at)) && at > start)
            {
                chunks.Add(new(startLine, text.AsMemory(start..at)));
                (start, startLine) = (at, line);
            }
            var end = text.IndexOf('\n', at);
            at = end < 0 ? text.Length : end + 1;
        }
        if (start < text.Length) chunks.Add(new(startLine, text.AsMemory(start)));
        return chunks;
    }

    private static bool IsMarker(ReadOnlySpan<char> rest) =>
        rest.StartsWith("---", StringComparison.Ordinal) && (rest.Length == 3 || rest[3] is ' ' or '\t' or '\r' or '\n');

    /// <summary>An item of a list, which is read by itself.</summary>
    /// <param name="left">So many values may be in it, and so many fewer in those behind it.</param>
    /// <returns>Null: it has to be read with the others.</returns>
    public static ResourceReading? ReadItem(YamlChunk item, ListedAs listed, string file, Concern wanted, ref int left)
    {
        var tree = Tree(item, Limits with { Size = left }, out var mistake);
        if (mistake != null || tree is not SequenceNode { Items: [var only] }) return null;
        left -= only.Size;
        return ResourceJson.Read([only], file, wanted, listed) is { IsCutOff: false } reading ? reading : null;
    }

    /// <summary>So many values may be in one document.</summary>
    public static int MostValues => Limits.Size;

    public static DocumentNode? Tree(YamlChunk chunk, out YamlMistake? mistake) => Tree(chunk, Limits, out mistake);

    private static DocumentNode? Tree(YamlChunk chunk, YamlLimits limits, out YamlMistake? mistake) =>
        YamlTree.Read(chunk.Text.ToString(), chunk.Line, limits, out mistake);

    /// <param name="whole">False: a part of it cannot be read, and nobody knows which objects that held.</param>
    public static ResourceReading Read(YamlChunk chunk, string file, Concern wanted, out bool whole)
    {
        var documents = Trees(chunk, out var mistake);
        var reading = ResourceJson.Read(documents, file, wanted);
        whole = mistake == null && !reading.IsCutOff;
        if (mistake == null) return reading;
        var problem = new ResourceProblem("", "", mistake.Text, file, mistake.Line, ProblemSeverity.Error);
        return reading with { Problems = reading.Problems.Add(problem) };
    }

    private static IReadOnlyList<DocumentNode> Trees(YamlChunk chunk, out YamlMistake? mistake)
    {
        mistake = null;
        if (IsBlank(chunk.Text.Span)) return [];
        var text = chunk.Text.ToString();
        // kubectl -o json, jq, and most of what machines write: the JSON reader is many times as fast. YAML in brackets is not always JSON.
        if (text.AsSpan().TrimStart() is ['{' or '[', ..])
        {
            var values = JsonTree.ReadMany(Encoding.UTF8.GetBytes(text), chunk.Line, out var error);
            if (error == null) return values;
            if (values.Count > 0)
            {
                mistake = new(error.Line, 1, error.Text);
                return values;
            }
        }
        return YamlTree.Read(text, chunk.Line, Limits, out mistake) is { } document ? [document] : [];
    }

    /// <summary>Only comments, directives and empty lines: what may stand before a first <c>---</c>.</summary>
    private static bool IsBlank(ReadOnlySpan<char> text)
    {
        foreach (var line in text.EnumerateLines())
            if (line.TrimStart() is { Length: > 0 } rest && rest[0] is not ('#' or '%')) return false;
        return true;
    }
}
