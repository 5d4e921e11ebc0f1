// A file of probes: a JSON list of them, or {"probes": [...]}. What is wrong with one is said with its place in the list.

using System.Text.Json;
using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Speaker.Plan;

namespace Calico.Bgp.Bgpctl.Planning;

internal static class ProbeReader
{
    public static IReadOnlyList<Probe> Read(string path) =>
        [.. Questions(path).Select((question, place) => Probe(question, $"{path}: probe {place}"))];

    private static IReadOnlyList<ProbeQuestion> Questions(string path)
    {
        try
        {
            var octets = File.ReadAllBytes(path);
            var isList = octets.AsSpan().TrimStart(" \t\r\n"u8) is [(byte)'[', ..];
            return (isList ? JsonSerializer.Deserialize(octets, ProbeJson.Default.IReadOnlyListProbeQuestion)
                : JsonSerializer.Deserialize(octets, ProbeJson.Default.ProbeFile)?.Probes)
                ?? throw Wrong($"{path}: expected a list of probes, got null");
        }
        catch (JsonException wrong)
        {
            throw Wrong($"{path}: expected a JSON list of probes, or an object with the list probes: {Failures.WordsOf(wrong)}");
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException)
        {
            throw Wrong($"{path}: cannot be read: {Failures.WordsOf(wrong)}");
        }
    }

    private static Probe Probe(ProbeQuestion question, string place) => new(
        Prefix.TryParse(question.Prefix, out var prefix)
            ? prefix : throw Expected(place, "a prefix such as 10.0.0.0/26", "prefix", question.Prefix),
        Source(question.Source ?? "bgp", place))
    {
        Interface = question.Interface,
        Metric = question.Metric,
        LocalPref = question.LocalPref,
        Med = question.Med,
        Communities = [.. (question.Communities ?? []).Select(text => Community(text, place))],
        AsPath = [.. (question.AsPath ?? []).Select(number => new Asn(number))],
        NextHop = NextHop(question.NextHop, place),
        FromPeer = question.FromPeer,
    };

    private static RouteOrigin Source(string word, string place) => word switch
    {
        "bgp" => RouteOrigin.Bgp,
        "static" => RouteOrigin.Static,
        "kernel" => RouteOrigin.Kernel,
        "direct" => RouteOrigin.Direct,
        _ => throw Expected(place, "bgp, static, kernel or direct", "source", word),
    };

    private static CommunityPattern Community(string text, string place)
    {
        var kind = text.Count(':') == 2 ? CommunityKind.Large : CommunityKind.Standard;
        return CommunityPattern.TryParse(kind, text, out var patterns) && patterns is [{ IsExact: true } pattern]
            ? pattern : throw Expected(place, "a community such as 65001:100 or 65001:1:2", "communities", text);
    }

    private static Address? NextHop(string? text, string place)
    {
        if (text == null) return null;
        return Address.TryParse(text, out var address) ? address : throw Expected(place, "an address", "nextHop", text);
    }

    private static Refusal Expected(string place, string expected, string key, string came) =>
        Wrong($"{place}: expected {expected} for {key}, got \"{came}\"");

    private static Refusal Wrong(string words) => new(words) { IsMistake = true };
}
