using System.Collections.Immutable;
using System.Text;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Sources.Yaml;

namespace Calico.Bgp.Sources;

/// <summary>
/// A file of objects to be tried: all of it counts, or nothing. What a folder warns of and passes over (a kind of Calico's that decides
/// nothing here, a document that is no object) is refused, because whoever tries it takes it to be in force.
/// </summary>
internal static class TrialFile
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <returns>The objects; none: <paramref name="problem"/> says why.</returns>
    public static ImmutableArray<ResourceDefinition> Read(string file, ReadOnlySpan<byte> octets, out string? problem)
    {
        string text;
        try
        {
            text = Strict.GetString(octets.StartsWith(Encoding.UTF8.Preamble) ? octets[3..] : octets);
        }
        catch (DecoderFallbackException wrong)
        {
            problem = $"{file}: expected UTF-8, {Failures.WordsOf(wrong)}";
            return [];
        }
        var readings = YamlDocuments.Split(text)
            .Select(chunk => YamlDocuments.Read(chunk, file, Concern.Anybody, out _)).ToArray();
        var objects = readings.SelectMany(reading => reading.Definitions).ToImmutableArray();
        string[] problems =
        [
            .. readings.SelectMany(reading => reading.Problems).Select(one => one.ToString()),
            .. objects.SelectMany(one => one.Problems).Where(one => one.Severity == ProblemSeverity.Error).Select(one => one.ToString()),
            .. objects.Where(one => (one.Id.Kind.Concerns & ~Concern.Egress) != Concern.Policy).Select(one =>
                $"{file}:{one.Line}: {one.Id}: expected an object that network policy alone follows from, got a {one.Id.Kind.Word}"),
            .. objects.GroupBy(one => one.Id).Where(same => same.Count() > 1).Select(same =>
                $"{file}:{same.Last().Line}: {same.Key} stands there more than once"),
        ];
        problem = problems.Length > 0 ? string.Join('\n', problems) : objects.Length == 0 ? $"{file}: expected objects, got none" : null;
        return problem == null ? objects : [];
    }
}
