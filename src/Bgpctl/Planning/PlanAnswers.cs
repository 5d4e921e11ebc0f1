// The JSON of `bgpctl plan` and `bgpctl plan --probe`. Absent values are null; names are those of BGPPeer's fields where it has them.

using System.Text.Json.Serialization;

namespace Calico.Bgp.Bgpctl.Planning;

/// <param name="Compat">Null: there are no resources, bgpd.yaml says all.</param>
internal sealed record PlanAnswer(
    string Node, string? Compat, string RouterId, uint AsNumber, int ListenPort, IReadOnlyList<PlanPeerAnswer> Peers,
    IReadOnlyList<PlanRouteAnswer> Routes, IReadOnlyList<string> RejectedFromKernel, IReadOnlyList<PlanProblemAnswer> Problems);

/// <param name="Multihop">Hops that a packet may take; the same as <paramref name="TtlSecurity"/> where that is on.</param>
/// <param name="TtlSecurity">Hops; null: off.</param>
/// <param name="GracefulRestartTime">Seconds, as are the other times.</param>
/// <param name="NextHopMode">Auto, Self or Keep.</param>
/// <param name="ImportFilters">BGPFilters, or filters of bgpd.yaml.</param>
/// <param name="Problem">Why the session stays down.</param>
internal sealed record PlanPeerAnswer(
    string Name, string Address, int Port, uint AsNumber, uint? LocalAsNumber, string? SourceAddress, bool Passive, int Multihop,
    int? TtlSecurity, bool PasswordSet, double? GracefulRestartTime, double? KeepaliveTime, double HoldTime, bool RouteReflectorClient,
    string? ClusterId, string NextHopMode, int? AllowLocalAs, IReadOnlyList<string> ImportFilters, IReadOnlyList<string> ExportFilters,
    string? Problem);

/// <param name="Type">blackhole (announced, and in the kernel), announced (and never in the kernel), unicast (in the kernel alone).</param>
internal sealed record PlanRouteAnswer(string Prefix, string Type, string Reason);

internal sealed record PlanProblemAnswer(string Object, string Field, string Reason);

internal sealed record ProbesAnswer(IReadOnlyList<ProbeResultAnswer> Results);

/// <param name="Probe">Its place in the file, from 0.</param>
/// <param name="Attributes">As the chain leaves them; null where it rejects.</param>
internal sealed record ProbeResultAnswer(int Probe, string Target, string Verdict, string Rule, ProbeAttributesAnswer? Attributes);

internal sealed record ProbeAttributesAnswer(
    uint? LocalPref, uint? Med, IReadOnlyList<string> Communities, IReadOnlyList<uint> AsPath, string? NextHop, uint? Metric, string? Tunnel);

/// <summary>A probe as its file writes it.</summary>
internal sealed record ProbeQuestion
{
    public required string Prefix { get; init; }
    /// <summary>Absent: bgp.</summary>
    public string? Source { get; init; }
    public string? Interface { get; init; }
    public uint? Metric { get; init; }
    public uint? LocalPref { get; init; }
    public uint? Med { get; init; }
    public IReadOnlyList<string>? Communities { get; init; }
    public IReadOnlyList<uint>? AsPath { get; init; }
    public string? NextHop { get; init; }
    public string? FromPeer { get; init; }
}

internal sealed record ProbeFile(IReadOnlyList<ProbeQuestion> Probes);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    NumberHandling = JsonNumberHandling.AllowReadingFromString)]
[JsonSerializable(typeof(PlanAnswer))]
[JsonSerializable(typeof(ProbesAnswer))]
[JsonSerializable(typeof(ProbeFile))]
[JsonSerializable(typeof(IReadOnlyList<ProbeQuestion>))]
internal sealed partial class PlanJson : JsonSerializerContext;
