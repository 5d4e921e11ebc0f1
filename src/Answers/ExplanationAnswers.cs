namespace Calico.Bgp.Answers;

/// <summary><c>/v1/explain/route</c>: a prefix's way through the daemon.</summary>
/// <param name="Kernel">Null: there is no best route.</param>
public sealed record RouteExplanationAnswer(
    string Prefix, IReadOnlyList<CandidateAnswer> Candidates, IReadOnlyList<ExportAnswer> Exports, KernelVerdictAnswer? Kernel);

public sealed record CandidateAnswer(string ImportRule, RouteAnswer Route);

public sealed record ExportAnswer(string Peer, bool Accepted, string Rule, bool Sent);

public sealed record KernelVerdictAnswer(bool Accepted, string Rule, OwnRouteAnswer? Route);

/// <summary><c>/v1/explain/peer/NAME</c>: its chains, rule by rule.</summary>
/// <param name="Origin">The object that asks for the peer, or its description.</param>
public sealed record PeerExplanationAnswer(
    string? Origin, string? Problem, IReadOnlyList<string> ImportRules, IReadOnlyList<string> ExportRules, PeerAnswer Peer);

/// <summary><c>/v1/explain/service/NAMESPACE/NAME</c>: what this node announces of it.</summary>
public sealed record ServiceExplanationAnswer(string Service, string Reason, int ReadyHere, IReadOnlyList<ServiceAddressAnswer> Addresses);

public sealed record ServiceAddressAnswer(string Address, string Kind, bool Announced, string Reason);
