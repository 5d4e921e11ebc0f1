using System.Text.Json.Serialization;

namespace Calico.Bgp.Answers;

/// <summary><c>POST /v1/reload</c>, and <c>bgpctl plan --diff</c>: one line for each thing that changed, or would.</summary>
public sealed record ReloadAnswer(IReadOnlyList<string> Changes);

/// <summary>The body of <c>POST /v1/routes</c>, as bgpctl sends it; what is null is not said.</summary>
public sealed record LeaseBody(
    string Prefix, string? Ttl, string? NextHop, IReadOnlyList<string>? Communities, uint? LocalPref, uint? Med, string? Producer);

/// <summary><c>POST /v1/routes</c> and <c>DELETE /v1/routes</c>: it is announced, or is no more.</summary>
/// <param name="Ttl">Seconds; null: without an end, or withdrawn.</param>
public sealed record LeaseAnswer(string Prefix, string Producer, double? Ttl)
{
    /// <summary>Why nobody is told of it although it is held; absent where it is the best route of its prefix.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? NotBest { get; init; }
}

/// <summary><c>POST /v1/drain</c> and <c>/v1/undrain</c>: the peers that are drained, or no longer so, by this order.</summary>
public sealed record DrainedAnswer(IReadOnlyList<string> Peers);

/// <summary><c>POST /v1/upgrade</c>: another process has taken over.</summary>
/// <param name="Seconds">From its start until the sessions were its own.</param>
public sealed record UpgradeAnswer(int Process, string Release, int Sessions, double Seconds);

/// <summary><c>POST /v1/peers/NAME/ORDER</c>: it was given.</summary>
public sealed record OrderAnswer(string Peer, string Order);
