using System.Text.Json.Serialization;

namespace Calico.Bgp.Answers;

/// <summary><c>bgpctl plan</c>. Names are those of BGPPeer's fields where it has them.</summary>
public sealed record PlanAnswer
{
    public required string Node { get; init; }
    /// <summary>Null: there are no resources, bgpd.yaml says all.</summary>
    public required string? Compat { get; init; }
    public required string RouterId { get; init; }
    public required uint AsNumber { get; init; }
    public required int ListenPort { get; init; }
    public required IReadOnlyList<PlanPeerAnswer> Peers { get; init; }
    public required IReadOnlyList<PlanRouteAnswer> Routes { get; init; }
    public required IReadOnlyList<string> RejectedFromKernel { get; init; }
    public required IReadOnlyList<PlanProblemAnswer> Problems { get; init; }
}

/// <summary>A peer as its session would be set up. Times are seconds.</summary>
public sealed record PlanPeerAnswer
{
    public required string Name { get; init; }
    /// <summary>Or the range from which it calls, or the interface alone on which it is found.</summary>
    public required string Address { get; init; }
    public required int Port { get; init; }
    /// <summary>0: any but ours (<c>asNumber: external</c>).</summary>
    public required uint AsNumber { get; init; }
    public required uint? LocalAsNumber { get; init; }
    public required string? SourceAddress { get; init; }
    public required bool Passive { get; init; }
    /// <summary>Hops that a packet may take; the same as <see cref="TtlSecurity"/> where that is on.</summary>
    public required int Multihop { get; init; }
    /// <summary>Hops; null: off.</summary>
    public required int? TtlSecurity { get; init; }
    public required bool PasswordSet { get; init; }
    public required double? GracefulRestartTime { get; init; }
    public required double? LongLivedStaleTime { get; init; }
    public required double? KeepaliveTime { get; init; }
    public required double HoldTime { get; init; }
    public required bool RouteReflectorClient { get; init; }
    public required string? ClusterId { get; init; }
    /// <summary>Auto, Self or Keep.</summary>
    public required string NextHopMode { get; init; }
    public required int? AllowLocalAs { get; init; }
    /// <summary>BGPFilters, or filters of bgpd.yaml.</summary>
    public required IReadOnlyList<string> ImportFilters { get; init; }
    public required IReadOnlyList<string> ExportFilters { get; init; }
    /// <summary>Why the session stays down.</summary>
    public required string? Problem { get; init; }
}

/// <param name="Type">blackhole (announced, and in the kernel), announced (and never in the kernel), unicast (in the kernel alone).</param>
public sealed record PlanRouteAnswer(string Prefix, string Type, string Reason);

public sealed record PlanProblemAnswer(string Object, string Field, string Reason);

/// <summary><c>bgpctl plan --probe</c>.</summary>
public sealed record ProbesAnswer(IReadOnlyList<ProbeResultAnswer> Results);

/// <param name="Probe">Its place in the file, from 0.</param>
/// <param name="Verdict">The chain's.</param>
/// <param name="Attributes">As the chain leaves them; null where it rejects.</param>
public sealed record ProbeResultAnswer(int Probe, string Target, string Verdict, string Rule, ProbeAttributesAnswer? Attributes)
{
    /// <summary>What BGP itself imposes on the way there, whatever the chain says (loops, <c>no-export</c>, reflection, the next hop, the
    /// length); absent where nothing does.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Barred { get; init; }
}

public sealed record ProbeAttributesAnswer(
    uint? LocalPref, uint? Med, IReadOnlyList<string> Communities, IReadOnlyList<uint> AsPath, string? NextHop, uint? Metric,
    string? Tunnel);
