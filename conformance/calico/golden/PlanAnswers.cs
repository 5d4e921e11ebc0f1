// What bgpctl plan says, member by member as the issue writes it: a member too many or too few is an error.
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Calico.Bgp.Conformance.Golden;

internal sealed record PlanAnswer
{
    public required string Node { get; init; }
    public required string Compat { get; init; }
    public required string? RouterId { get; init; }
    public required uint AsNumber { get; init; }
    public required int ListenPort { get; init; }
    public required PeerAnswer[] Peers { get; init; }
    public required RouteAnswer[] Routes { get; init; }
    public required string[] RejectedFromKernel { get; init; }
    public required ProblemAnswer[] Problems { get; init; }
}

internal sealed record PeerAnswer
{
    public required string Name { get; init; }
    public required string Address { get; init; }
    public required uint Port { get; init; }
    public required uint AsNumber { get; init; }
    public required uint? LocalAsNumber { get; init; }
    public required string? SourceAddress { get; init; }
    public required bool Passive { get; init; }
    public required uint? Multihop { get; init; }
    public required uint? TtlSecurity { get; init; }
    public required bool PasswordSet { get; init; }
    public required uint? GracefulRestartTime { get; init; }
    public required uint? LongLivedStaleTime { get; init; }
    public required uint? KeepaliveTime { get; init; }
    public required uint? HoldTime { get; init; }
    public required bool RouteReflectorClient { get; init; }
    public required string? ClusterId { get; init; }
    public required string? NextHopMode { get; init; }
    public required uint? AllowLocalAs { get; init; }
    public required string[] ImportFilters { get; init; }
    public required string[] ExportFilters { get; init; }
    public required string? Problem { get; init; }
}

internal sealed record RouteAnswer
{
    public required string Prefix { get; init; }
    public required string Type { get; init; }
    public required string Reason { get; init; }
}

internal sealed record ProblemAnswer
{
    public required string Object { get; init; }
    public required string? Field { get; init; }
    public required string Reason { get; init; }
}

internal sealed record ProbeAnswers
{
    public required ProbeAnswer[] Results { get; init; }
}

internal sealed record ProbeAnswer
{
    public required int Probe { get; init; }
    public required string Target { get; init; }
    public required string Verdict { get; init; }
    public required string? Rule { get; init; }
    public string? Barred { get; init; }
    public required AttributesAnswer? Attributes { get; init; }
}

internal sealed record AttributesAnswer
{
    public required uint? LocalPref { get; init; }
    public required uint? Med { get; init; }
    public required string[] Communities { get; init; }
    public required uint[] AsPath { get; init; }
    public required string? NextHop { get; init; }
    public required uint? Metric { get; init; }
    public required string? Tunnel { get; init; }
}

internal static class PlanJson
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        NumberHandling = JsonNumberHandling.Strict,
        PropertyNameCaseInsensitive = false,
    };

    public static T Read<T>(string text) => JsonSerializer.Deserialize<T>(text, Options) ?? throw new JsonException("null is no answer");
}
