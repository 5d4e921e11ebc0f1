// A route that does not exist, asked about: in BIRD's terms for the golden filters, and in the words of bgpctl plan --probe.
using System.Collections.Immutable;
using System.Net;
using System.Text.Json.Nodes;
using Calico.Bgp.Conformance.Bird;

namespace Calico.Bgp.Conformance.Golden;

internal sealed record Probe(IPNetwork Prefix, Source Source)
{
    public string? Interface { get; init; }
    public uint? Metric { get; init; }
    public uint? LocalPref { get; init; }
    public ImmutableArray<Community> Communities { get; init; } = [];
    public ImmutableArray<LargeCommunity> LargeCommunities { get; init; } = [];
    public ImmutableArray<uint> AsPath { get; init; } = [];
    public IPAddress? NextHop { get; init; }

    /// <summary>The peer that it is learned from; null starts behind the import.</summary>
    public string? From { get; init; }

    public bool IsIPv4 => Prefix.BaseAddress.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork;

    /// <summary>What comes by BGP without a local preference has 100 here, as BIRD gives it.</summary>
    public BirdRoute Route() => new BirdRoute(Prefix, Source)
        .With("ifname", Interface).With("krt_metric", Metric).With("bgp_local_pref", LocalPref ?? (Source == Source.RTS_BGP ? 100u : null))
        .With("bgp_next_hop", NextHop).With("bgp_path", AsPath).With("bgp_community", Communities)
            .With("bgp_large_community", LargeCommunities);

    public JsonObject ToJson() => new()
    {
        ["prefix"] = $"{Prefix}",
        ["source"] = Word,
        ["interface"] = Interface,
        ["metric"] = Metric,
        ["localPref"] = LocalPref,
        ["communities"] = Json(Communities.Select(one => $"{one}").Concat(LargeCommunities.Select(one => $"{one}"))),
        ["asPath"] = Json(AsPath),
        ["nextHop"] = NextHop?.ToString(),
        ["fromPeer"] = From,
    };

    private string Word => Source switch
    {
        Source.RTS_BGP => "bgp",
        Source.RTS_STATIC => "static",
        Source.RTS_INHERIT => "kernel",
        _ => "direct",
    };

    public override string ToString() => ToJson().ToJsonString();

    private static JsonArray Json<T>(IEnumerable<T> values) => [.. values.Select(value => (JsonNode?)JsonValue.Create(value))];
}
