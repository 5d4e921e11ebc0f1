// The JSON that `bgpctl plan --probe` reads.

using System.Text.Json.Serialization;

namespace Calico.Bgp.Bgpctl.Planning;

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
[JsonSerializable(typeof(ProbeFile))]
[JsonSerializable(typeof(IReadOnlyList<ProbeQuestion>))]
internal sealed partial class ProbeJson : JsonSerializerContext;
