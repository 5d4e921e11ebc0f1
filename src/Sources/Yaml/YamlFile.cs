using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Sources.Yaml;

/// <summary>
/// What one file says. Its documents are remembered by their text, so that reading a file of thousands again costs the parsing of those
/// that changed.
/// </summary>
internal sealed class YamlFile
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <param name="Size">Values of an item of a list.</param>
    private readonly record struct Remembered(int Line, ResourceReading Reading, int Size = 0);

    /// <summary>By its text, and as what it is listed.</summary>
    private readonly Dictionary<(UInt128 Hash, ListedAs Listed), Remembered> known;

    private YamlFile(Dictionary<(UInt128, ListedAs), Remembered> known, OriginContent content, bool ended) =>
        (this.known, Content, IsEnded) = (known, content, ended);

    public OriginContent Content { get; }

    /// <summary>The text is empty or ends with a line's end: what a file that is still being written rarely does.</summary>
    public bool IsEnded { get; }

    public static YamlFile Read(ResourceOrigin origin, byte[] octets, Concern wanted, YamlFile? before)
    {
        string text;
        try { text = Strict.GetString(octets.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? octets.AsSpan(3) : octets); }
        catch (DecoderFallbackException wrong) { return Unreadable(origin, $"expected UTF-8, {Failures.WordsOf(wrong)}", before); }
        return Read(origin, text, wanted, before);
    }

    /// <summary>Nothing of it can be read now: what it said before stays.</summary>
    public static YamlFile Unreadable(ResourceOrigin origin, string reason, YamlFile? before)
    {
        var problem = new ResourceProblem("", "", reason, origin.Name, 0, ProblemSeverity.Error);
        return new(before?.known ?? [], new(origin, [], [problem], Whole: false), ended: true);
    }

    private static YamlFile Read(ResourceOrigin origin, string text, Concern wanted, YamlFile? before)
    {
        var known = new Dictionary<(UInt128, ListedAs), Remembered>(before?.known.Count ?? 0);
        var definitions = ImmutableArray.CreateBuilder<ResourceDefinition>();
        var problems = ImmutableArray.CreateBuilder<ResourceProblem>();
        var whole = true;
        foreach (var chunk in YamlDocuments.Split(text))
        {
            if (YamlList.Split(chunk) is { } list && ReadItems(list, origin.Name, wanted, before, known) is { } items)
            {
                definitions.AddRange(items.SelectMany(item => item.Definitions));
                problems.AddRange(Once(items.SelectMany(item => item.Problems)));
                continue;
            }
            var key = (Hash(chunk.Text.Span), default(ListedAs));
            if (!(before?.known.TryGetValue(key, out var remembered) ?? false))
            {
                remembered = new(chunk.Line, YamlDocuments.Read(chunk, origin.Name, wanted, out var readable));
                whole &= readable;
                if (readable) known[key] = remembered;
            }
            else known[key] = remembered;
            var reading = remembered.Reading.Shifted(chunk.Line - remembered.Line);
            definitions.AddRange(reading.Definitions);
            problems.AddRange(reading.Problems);
        }
        var ended = text.Length == 0 || text[^1] == '\n';
        return new(known, new(origin, definitions.ToImmutable(), problems.ToImmutable(), whole), ended);
    }

    /// <summary>Null: they have to be read together.</summary>
    private static List<ResourceReading>? ReadItems(
        YamlList list, string file, Concern wanted, YamlFile? before, Dictionary<(UInt128, ListedAs), Remembered> known)
    {
        var (readings, left) = (new List<ResourceReading>(list.Items.Count), YamlDocuments.MostValues);
        foreach (var item in list.Items)
        {
            var key = (Hash(item.Text.Span), list.Listed);
            if (before?.known.TryGetValue(key, out var remembered) ?? false) left -= remembered.Size;
            else
            {
                var had = left;
                if (YamlDocuments.ReadItem(item, list.Listed, file, wanted, ref left) is not { } reading) return null;
                remembered = new(item.Line, reading, had - left);
            }
            if (left <= 0) return null;
            known[key] = remembered;
            readings.Add(remembered.Reading.Shifted(item.Line - remembered.Line));
        }
        return readings;
    }

    /// <summary>What is said of a kind is said once for all of a list.</summary>
    private static IEnumerable<ResourceProblem> Once(IEnumerable<ResourceProblem> problems) =>
        problems.DistinctBy(one => one is { Object: "", Field: "", Severity: ProblemSeverity.Warning } ? one with { Line = 0 } : one);

    private static UInt128 Hash(ReadOnlySpan<char> text)
    {
        Span<byte> digest = stackalloc byte[Sha256.Size];
        Sha256.Hash(MemoryMarshal.AsBytes(text), digest);
        return MemoryMarshal.Read<UInt128>(digest);
    }
}
