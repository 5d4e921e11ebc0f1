// The body of POST /v1/routes: what a producer says of a route, read by hand so that what is wrong is told in words.

using System.Globalization;
using System.Text.Json;
using Calico.Bgp.Answers;
using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Speaker;

namespace Calico.Bgp.Control.Http;

internal static class LeaseRequest
{
    public const string DefaultProducer = "bgpctl";
    private const int MostCommunities = 64, LongestName = 32;
    private static readonly TimeSpan LeastTtl = TimeSpan.FromSeconds(1), MostTtl = TimeSpan.FromDays(30);

    private static readonly string[] Keys = ["prefix", "ttl", "nextHop", "communities", "localPref", "med", "producer"];

    /// <summary>One key is wrong; ends the reading.</summary>
    private sealed class Wrong(string key, string words) : Exception(words)
    {
        public ErrorAnswer Error => new(AnswerCode.BadBody, Message, key);
    }

    /// <returns>What is wrong; null: nothing.</returns>
    public static ErrorAnswer? Read(ReadOnlyMemory<byte> body, out RouteLease? lease)
    {
        lease = null;
        try
        {
            using var document = JsonDocument.Parse(body);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new Wrong("", $"expected an object with the key prefix, got {Word(document.RootElement)}");
            lease = Read(document.RootElement);
            return null;
        }
        catch (Wrong wrong)
        {
            return wrong.Error;
        }
        catch (Exception wrong) when (wrong is JsonException or InvalidOperationException)
        {
            // The second: half a surrogate pair in a text, which is read when it is asked for.
            return new(
                AnswerCode.BadBody, $"expected JSON such as {{\"prefix\": \"192.0.2.1/32\"}}, got something else: {wrong.Message}", "");
        }
    }

    private static RouteLease Read(JsonElement of)
    {
        foreach (var property in of.EnumerateObject())
            if (!Keys.Contains(property.Name))
                throw new Wrong(property.Name, $"expected one of {string.Join(", ", Keys)}, got \"{property.Name}\"");
        var prefix = PrefixOf(Text(of, "prefix") ?? throw new Wrong("prefix", "expected the key prefix, got a route without it"));
        var said = new SaidAttributes
        {
            NextHop = Text(of, "nextHop") is { } hop ? NextHop(hop, prefix.Family) : null,
            LocalPref = Number(of, "localPref"),
            Med = Number(of, "med"),
        };
        return new(Producer(Text(of, "producer")), prefix, Ttl(of), Communities(of, said));
    }

    private static string Producer(string? name)
    {
        if (name == null) return DefaultProducer;
        if (name.Length is > 0 and <= LongestName && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.')) return name;
        throw new Wrong("producer", $"expected a name of at most {LongestName} letters, digits and _ - . for producer, got \"{name}\"");
    }

    private static Prefix PrefixOf(string text)
    {
        if (!Prefix.TryParse(text, out var prefix)) throw new Wrong("prefix", $"expected a prefix such as 192.0.2.1/32, got \"{text}\"");
        if (PrefixText.HostBits(text, prefix) is { } set) throw new Wrong("prefix", set);
        if (prefix.Address.IsMulticast || prefix.Address.IsLinkLocal || prefix.Address.IsLoopback)
            throw new Wrong("prefix", $"expected a prefix that can be announced, got {prefix}");
        return prefix;
    }

    private static Address NextHop(string text, IpFamily family)
    {
        var isUsable = Address.TryParse(text, out var hop)
            && !hop.IsUnspecified && !hop.IsMulticast && !hop.IsLoopback && !hop.IsLinkLocal;
        if (isUsable && (family == IpFamily.IPv4 || !hop.IsIPv4)) return hop;
        throw new Wrong(
            "nextHop", $"expected a unicast address that is not link-local for nextHop, and for IPv6 an IPv6 one, got \"{text}\"");
    }

    private static TimeSpan? Ttl(JsonElement of)
    {
        if (!TryGet(of, "ttl", out var value)) return null;
        var ttl = value.ValueKind switch
        {
            JsonValueKind.String => Durations.Parse(value.GetString()!),
            JsonValueKind.Number when value.TryGetUInt32(out var seconds) => TimeSpan.FromSeconds(seconds),
            _ => null,
        };
        if (ttl >= LeastTtl && ttl <= MostTtl) return ttl;
        throw new Wrong("ttl", $"expected a time from 1s to 720h, such as \"10s\", for ttl, got {Word(value)}");
    }

    private static SaidAttributes Communities(JsonElement of, SaidAttributes said)
    {
        if (!TryGet(of, "communities", out var list)) return said;
        if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() > MostCommunities)
            throw new Wrong("communities", $"expected a list of at most {MostCommunities} communities, got {Word(list)}");
        foreach (var item in list.EnumerateArray())
        {
            var text = item.ValueKind == JsonValueKind.String ? item.GetString()! : "";
            if (One(CommunityKind.Standard, text) is { } standard)
                said = said with { Communities = [.. said.Communities, new((uint)standard)] };
            else if (One(CommunityKind.Large, text) is { } large)
            {
                var community = new LargeCommunity((uint)(large >> 64), (uint)(large >> 32), (uint)large);
                said = said with { LargeCommunities = [.. said.LargeCommunities, community] };
            }
            else throw new Wrong("communities", $"expected a community such as 65001:100, 65001:1:2 or no-export, got {Word(item)}");
        }
        return said;
    }

    /// <summary>A pattern that only one community matches.</summary>
    private static UInt128? One(CommunityKind kind, string text) =>
        CommunityPattern.TryParse(kind, text, out var patterns) && patterns is { Count: 1 } && patterns[0].IsExact
            ? patterns[0].Value : null;

    private static uint? Number(JsonElement of, string key)
    {
        if (!TryGet(of, key, out var value)) return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetUInt32(out var number)) return number;
        throw new Wrong(key, $"expected a number from 0 to 4294967295 for {key}, got {Word(value)}");
    }

    private static string? Text(JsonElement of, string key)
    {
        if (!TryGet(of, key, out var value)) return null;
        return value.ValueKind == JsonValueKind.String
            ? value.GetString() : throw new Wrong(key, $"expected a text for {key}, got {Word(value)}");
    }

    private static bool TryGet(JsonElement of, string key, out JsonElement value) =>
        of.TryGetProperty(key, out value) && value.ValueKind != JsonValueKind.Null;

    private static string Word(JsonElement value)
    {
        const int shown = 60;
        var text = value.GetRawText();
        return text.Length <= shown ? text : string.Create(CultureInfo.InvariantCulture, $"{text[..shown]}…");
    }
}
