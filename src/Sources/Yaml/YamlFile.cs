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

    private readonly record struct Remembered(int Line, ResourceReading Reading);

    private readonly ImmutableDictionary<UInt128, Remembered> known;

    private YamlFile(ImmutableDictionary<UInt128, Remembered> known, OriginContent content, bool ended) =>
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
        var known = before?.known ?? ImmutableDictionary<UInt128, Remembered>.Empty;
        return new(known, new(origin, [], [problem], Whole: false), ended: true);
    }

    private static YamlFile Read(ResourceOrigin origin, string text, Concern wanted, YamlFile? before)
    {
        var known = ImmutableDictionary.CreateBuilder<UInt128, Remembered>();
        var definitions = ImmutableArray.CreateBuilder<ResourceDefinition>();
        var problems = ImmutableArray.CreateBuilder<ResourceProblem>();
        var whole = true;
        foreach (var chunk in YamlDocuments.Split(text))
        {
            var hash = Hash(chunk.Text.Span);
            if (!(before?.known.TryGetValue(hash, out var remembered) ?? false))
            {
                remembered = new(chunk.Line, YamlDocuments.Read(chunk, origin.Name, wanted, out var readable));
                whole &= readable;
                if (readable) known[hash] = remembered;
            }
            else known[hash] = remembered;
            var reading = remembered.Reading.Shifted(chunk.Line - remembered.Line);
            definitions.AddRange(reading.Definitions);
            problems.AddRange(reading.Problems);
        }
        var ended = text.Length == 0 || text[^1] == '\n';
        return new(known.ToImmutable(), new(origin, definitions.ToImmutable(), problems.ToImmutable(), whole), ended);
    }

    private static UInt128 Hash(ReadOnlySpan<char> text)
    {
        Span<byte> digest = stackalloc byte[Sha256.Size];
        Sha256.Hash(MemoryMarshal.AsBytes(text), digest);
        return MemoryMarshal.Read<UInt128>(digest);
    }
}
