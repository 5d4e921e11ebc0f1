using System.Text.Json.Serialization;

namespace Calico.Bgp.Answers;

/// <summary><c>/v1/explain/route</c>: a prefix's way through the daemon.</summary>
/// <param name="Kernel">Null: there is no best route.</param>
public sealed record RouteExplanationAnswer(
    string Prefix, IReadOnlyList<CandidateAnswer> Candidates, IReadOnlyList<ExportAnswer> Exports, KernelVerdictAnswer? Kernel)
{
    /// <summary>Why the prefix's own route is not in force; absent where there is none, or it is.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Inactive { get; init; }

    /// <summary>Whose pods' block it is of, and who holds the address; absent where it is of none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Block { get; init; }
}

/// <param name="Way">How its next hop is reached, or is not, step by step.</param>
public sealed record CandidateAnswer(string ImportRule, RouteAnswer Route, IReadOnlyList<WayStepAnswer> Way);

/// <summary>An address was looked up, and the longest match answered.</summary>
/// <param name="Depth">How many routes of ours led here; 0: the next hop itself.</param>
/// <param name="Over">The longest match, <paramref name="By"/> whom it is; null: there is none.</param>
/// <param name="Leads">False: it bars the way, or is passed over.</param>
public sealed record WayStepAnswer(
    int Depth, string Address, string? Over, string? By, uint Metric, IReadOnlyList<HopAnswer> NextHops, bool Leads, string Rule);

public sealed record ExportAnswer(string Peer, bool Accepted, string Rule, bool Sent);

public sealed record KernelVerdictAnswer(bool Accepted, string Rule, OwnRouteAnswer? Route)
{
    /// <summary>Why the kernel is not asked for it though it is accepted (a device is missing, or down); absent where it is.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Waits { get; init; }
}

/// <summary><c>/v1/explain/peer/NAME</c>: its chains, rule by rule.</summary>
/// <param name="Origin">The object that asks for the peer, or its line of bgpd.yaml.</param>
public sealed record PeerExplanationAnswer(
    string Origin, string? Problem, IReadOnlyList<string> ImportRules, IReadOnlyList<string> ExportRules, PeerAnswer Peer);

/// <summary><c>/v1/explain/service/NAMESPACE/NAME</c>: what this node announces of it.</summary>
public sealed record ServiceExplanationAnswer(string Service, string Reason, int ReadyHere, IReadOnlyList<ServiceAddressAnswer> Addresses)
{
    /// <summary>What of it is not translated here as it asks for, and why; absent where all is.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Problems { get; init; }
}

public sealed record ServiceAddressAnswer(string Address, string Kind, bool Announced, string Reason);
