using System.Text.Json.Serialization;

namespace Calico.Bgp.Answers;

/// <summary><c>/v1/policy/denied</c>: the last flows that policies have denied.</summary>
/// <param name="Logged"><c>policy.logDenied</c> of bgpd.yaml: else nobody tells.</param>
/// <param name="Problem">Why nothing is heard; null: it is.</param>
/// <param name="Lost">Packets that rules told of and nobody took: more came than are kept.</param>
/// <param name="Flows">The newest last.</param>
public sealed record DeniedAnswer(bool Logged, string? Problem, long Lost, IReadOnlyList<DeniedFlowAnswer> Flows);

/// <summary>Packets of one client to one port that one rule has denied.</summary>
/// <param name="Number">Counts what was told: a flow that goes on gets a new one.</param>
/// <param name="Protocol">By name, or its number.</param>
public sealed record DeniedFlowAnswer(long Number, DateTimeOffset First, DateTimeOffset Last, long Packets, string Protocol)
{
    public required string Source { get; init; }
    /// <summary>Of the last packet; null: it has none.</summary>
    public required int? SourcePort { get; init; }
    public required string Destination { get; init; }
    /// <summary>What the client has sent it to, where that was translated before it was denied; absent: it was not, or the kernel does not
    /// say.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? AskedFor { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? AskedPort { get; init; }
    /// <summary>Null: the protocol has none.</summary>
    public required int? Port { get; init; }
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? IcmpType { get; init; }
    /// <summary>The interface that it came in by; null: it is the host's own.</summary>
    public required string? In { get; init; }
    /// <summary>The one that it was to leave by; null: none.</summary>
    public required string? Out { get; init; }
    /// <summary>Where on its way it was asked; null: that is not known.</summary>
    public required string? Program { get; init; }
    /// <summary>Whose policies these were: NAMESPACE/POD, or a host endpoint's name; null: nobody's.</summary>
    public required string? Endpoint { get; init; }
    /// <summary>ingress or egress; null: no policy's.</summary>
    public required string? Direction { get; init; }
    public required string? Tier { get; init; }
    /// <summary>With its kind; null: none decided.</summary>
    public required string? Policy { get; init; }
    /// <summary>From 0; null: none decided.</summary>
    public required int? Rule { get; init; }
    public required string Reason { get; init; }
}
