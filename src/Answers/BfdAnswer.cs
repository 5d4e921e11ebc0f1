namespace Calico.Bgp.Answers;

/// <summary>One of <c>/v1/bfd</c>: a neighbour that BFD watches. Times are seconds.</summary>
public sealed record BfdAnswer
{
    public required string Address { get; init; }
    /// <summary>Of one hop (RFC 5881); null: several (RFC 5883).</summary>
    public required string? Interface { get; init; }
    public required bool Multihop { get; init; }
    /// <summary>Of RFC 5880 section 4.1: adminDown, down, init, up.</summary>
    public required string State { get; init; }
    public required DateTimeOffset Since { get; init; }
    /// <summary>Peers whose sessions it takes down with it.</summary>
    public required IReadOnlyList<string> Peers { get; init; }
    /// <summary>How often we send, before jitter; less often than configured while the session is not up.</summary>
    public required double Interval { get; init; }
    /// <summary>After so much silence it is down; 0: nothing was heard yet.</summary>
    public required double DetectionTime { get; init; }
    public required BfdTimesAnswer Configured { get; init; }
    /// <summary>Why the state last changed, in the RFC's words; null: nothing is wrong.</summary>
    public required string? Diagnostic { get; init; }
    public required string RemoteState { get; init; }
    public required string? RemoteDiagnostic { get; init; }
    /// <summary>The neighbour's BFD outlives its control plane (the C bit).</summary>
    public required bool RemoteIsIndependent { get; init; }
    public required uint LocalDiscriminator { get; init; }
    public required uint RemoteDiscriminator { get; init; }
    public required int UpTransitions { get; init; }
    public required int Losses { get; init; }
    public required BfdLossAnswer? LastLoss { get; init; }
    public required long PacketsSent { get; init; }
    public required long PacketsReceived { get; init; }
    public required long PacketsDiscarded { get; init; }
    /// <summary>Why nothing can be sent or heard; null: it can.</summary>
    public required string? Problem { get; init; }
}

public sealed record BfdTimesAnswer(double Send, double Receive, double Idle, int Multiplier);

public sealed record BfdLossAnswer(string Text, DateTimeOffset At);
