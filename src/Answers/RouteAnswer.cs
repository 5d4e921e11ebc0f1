using System.Text.Json.Serialization;

namespace Calico.Bgp.Answers;

/// <summary>One of those of <c>/v1/routes</c>.</summary>
public sealed record RouteAnswer
{
    public required string Prefix { get; init; }
    /// <summary>bgp, static, direct or kernel.</summary>
    public required string Origin { get; init; }
    public required string Type { get; init; }
    public required string Protocol { get; init; }
    public required string? From { get; init; }
    public required DateTimeOffset Since { get; init; }
    public required bool Best { get; init; }
    /// <summary>Used beside the best one (<c>decision.multipath</c>).</summary>
    public required bool Multipath { get; init; }
    public required bool Filtered { get; init; }
    public required bool Stale { get; init; }
    /// <summary>
    /// Of a stale one: until it goes, or becomes the last resort (RFC 9494). Of a leased one: until it is withdrawn. Absent of those
    /// without an end.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? SecondsLeft { get; init; }
    public required uint Preference { get; init; }
    public required IReadOnlyList<HopAnswer> NextHops { get; init; }
    public required bool Recursive { get; init; }
    public required bool Resolvable { get; init; }
    public required uint? IgpMetric { get; init; }
    /// <summary>Why it is (not) the best one.</summary>
    public required string Reason { get; init; }
    /// <summary>What keeps it out, of routes that an import or export filter, or a rule of BGP's, rejects; absent of others.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Rule { get; init; }
    /// <summary>An own route that is not in the table, for it waits for its way out (<see cref="Reason"/>); absent of others.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Dormant { get; init; }
    public required uint? PathId { get; init; }
    /// <summary>The kernel refused it.</summary>
    public required bool KernelProblem { get; init; }
    /// <summary>Null for routes without BGP attributes.</summary>
    public required AttributesAnswer? Attributes { get; init; }
}

public sealed record HopAnswer(string? Via, string? Interface, int Weight, bool OnLink);

/// <summary>A route's path attributes, in the words of their RFCs.</summary>
public sealed record AttributesAnswer
{
    public required string Origin { get; init; }
    public required string AsPath { get; init; }
    public required int AsPathLength { get; init; }
    public required string? NextHop { get; init; }
    public required string? NextHopLinkLocal { get; init; }
    public required uint? Med { get; init; }
    public required uint? LocalPref { get; init; }
    public required bool AtomicAggregate { get; init; }
    public required AggregatorAnswer? Aggregator { get; init; }
    public required IReadOnlyList<string> Communities { get; init; }
    public required IReadOnlyList<string> LargeCommunities { get; init; }
    public required IReadOnlyList<string> ExtendedCommunities { get; init; }
    public required string? OriginatorId { get; init; }
    public required IReadOnlyList<string> ClusterList { get; init; }
    public required uint? Otc { get; init; }
    public required ulong? Aigp { get; init; }
    public required IReadOnlyList<UnknownAnswer> Unknown { get; init; }
}

public sealed record AggregatorAnswer(uint As, string Address);

/// <summary>An attribute that bgpd has no name for.</summary>
/// <param name="Octets">In hexadecimal.</param>
public sealed record UnknownAnswer(int Type, string Octets);
