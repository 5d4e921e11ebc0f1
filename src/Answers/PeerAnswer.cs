using System.Text.Json.Serialization;

namespace Calico.Bgp.Answers;

/// <summary><c>/v1/peers/NAME</c>, and one of those of <c>/v1/peers</c>.</summary>
public sealed record PeerAnswer
{
    public required string Name { get; init; }
    public required string? Description { get; init; }
    /// <summary>What asks for it: <c>BGPPeer/tor1</c>, or the line of bgpd.yaml (<c>/etc/bgpd/bgpd.yaml:12</c>).</summary>
    public required string Origin { get; init; }
    /// <summary>It has called from this range (<c>peerRange</c>); absent of a peer that is configured by its address.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Range { get; init; }
    /// <summary><c>::</c> of a neighbour that is looked for on its interface and has not been found.</summary>
    public required string Address { get; init; }
    public required string? Interface { get; init; }
    /// <summary>0: any but ours (<c>asNumber: external</c>), and it has not said yet which.</summary>
    public required uint As { get; init; }
    public required uint LocalAs { get; init; }
    /// <summary>internal or external.</summary>
    public required string Type { get; init; }
    /// <summary>Absent of a peer that is not drained.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DrainAnswer? Drain { get; init; }
    public required bool Enabled { get; init; }
    public required bool Up { get; init; }
    /// <summary>Of RFC 4271 section 8.2.2: idle, connect, active, openSent, openConfirm, established.</summary>
    public required string State { get; init; }
    public required DateTimeOffset Since { get; init; }
    public required string? Message { get; init; }
    /// <summary>Why it is down; what the socket met after a NOTIFICATION is in <see cref="LastSocketError"/> alone.</summary>
    public required FaultAnswer? LastError { get; init; }
    /// <summary>Sent or received, whether or not the session has come up again.</summary>
    public FaultAnswer? LastNotification { get; init; }
    public FaultAnswer? LastSocketError { get; init; }
    /// <summary>By what BFD says of it; absent: it is not watched.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public PeerBfdAnswer? Bfd { get; init; }
    public required bool RouteReflectorClient { get; init; }
    public required bool Passive { get; init; }
    public required int Multihop { get; init; }
    public required bool Authenticated { get; init; }
    public required NegotiatedAnswer? Negotiated { get; init; }
    public required TimersAnswer Timers { get; init; }
    public required MessagesAnswer MessagesIn { get; init; }
    public required MessagesAnswer MessagesOut { get; init; }
    public required long AttributesDiscarded { get; init; }
    public required long TreatedAsWithdrawn { get; init; }
    public required int EstablishedTransitions { get; init; }
    public required IReadOnlyList<ChannelAnswer> Channels { get; init; }
    /// <summary>Families of which routes of a lost session are still there, stale (RFC 4724, RFC 9494); absent without any.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<KeptAnswer>? Kept { get; init; }
}

/// <param name="Stage">announced (graceful shutdown is said), withdrawn, or down.</param>
/// <param name="Until">The next stage; null: none, but by <c>bgpctl undrain</c>.</param>
public sealed record DrainAnswer(string Stage, string? Reason, DateTimeOffset Since, DateTimeOffset? Until);

/// <param name="LongLived">They are the last resort.</param>
/// <param name="SecondsLeft">Until they go, or become that.</param>
public sealed record KeptAnswer(string Family, bool LongLived, double SecondsLeft);

/// <param name="State">As <see cref="BfdAnswer.State"/>; null: there is no way to the peer on which it could be watched.</param>
public sealed record PeerBfdAnswer(string? State, DateTimeOffset? Since, double? Interval, double? DetectionTime, BfdLossAnswer? LastLoss)
{
    public string? Problem { get; init; }
}

/// <param name="Kind">socket, sent, received, stopped, or way: the link or our own address is gone, or BFD no longer
/// hears the peer.</param>
/// <param name="Code">Of the NOTIFICATION, where there was one.</param>
public sealed record FaultAnswer(string Kind, string Text, int? Code, int? Subcode, DateTimeOffset At)
{
    /// <summary>What was expected and what came, where the text does not say it.</summary>
    public string? Detail { get; init; }
}

/// <summary>What both sides' OPENs come to.</summary>
public sealed record NegotiatedAnswer
{
    public required string RouterId { get; init; }
    public required string LocalAddress { get; init; }
    public required string PeerAddress { get; init; }
    public required int HoldTime { get; init; }
    public required IReadOnlyList<string> Families { get; init; }
    public required bool FourOctetAs { get; init; }
    public required bool ExtendedMessages { get; init; }
    public required bool RouteRefresh { get; init; }
    public required bool EnhancedRouteRefresh { get; init; }
    public required IReadOnlyList<string> AddPathReceive { get; init; }
    public required IReadOnlyList<string> AddPathSend { get; init; }
    public required bool ExtendedNextHop { get; init; }
    public required IReadOnlyList<string> GracefulRestart { get; init; }
    public required int PeerRestartTime { get; init; }
    /// <summary>Families of ours that the peer keeps over our restart.</summary>
    public required IReadOnlyList<string> KeptByPeer { get; init; }
    /// <summary>RFC 8538: routes stay over a NOTIFICATION too.</summary>
    public required bool NotificationRestart { get; init; }
    /// <summary>RFC 9494: seconds beyond <see cref="PeerRestartTime"/>; 0: not longer.</summary>
    public required uint PeerStaleTimeIPv4 { get; init; }
    public required uint PeerStaleTimeIPv6 { get; init; }
    public required string? PeerHostName { get; init; }
}

/// <summary>Seconds left; null: not running.</summary>
public sealed record TimersAnswer(double? Hold, double? Keepalive, double? Retry);

public sealed record MessagesAnswer(long Opens, long Updates, long Notifications, long Keepalives, long Refreshes, long Octets);

/// <summary>The routes of one family, to and from a peer or another source.</summary>
public sealed record ChannelAnswer
{
    public required string Family { get; init; }
    public required bool Up { get; init; }
    public required string Import { get; init; }
    /// <summary>Nothing was configured, so RFC 8212 rejects.</summary>
    public required bool ImportDefault { get; init; }
    public required string Export { get; init; }
    public required bool ExportDefault { get; init; }
    public required string? NextHop { get; init; }
    /// <summary>Routes in the table from here before the filter; accepted ones pass it.</summary>
    public required long Received { get; init; }
    public required long Accepted { get; init; }
    public required long Filtered { get; init; }
    public required long Advertised { get; init; }
    public required long Preferred { get; init; }
    /// <summary>Received routes at which the session ends (<c>prefixLimit</c>); absent: none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? PrefixLimit { get; init; }
    /// <summary>Of the received updates, those that an AS_SET in the path made count as withdrawn (RFC 9774); absent: none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public long AsSets { get; init; }
    public required ChangesAnswer Changes { get; init; }
}

/// <summary>birdc's table of route changes.</summary>
public sealed record ChangesAnswer
{
    public required long ImportUpdatesReceived { get; init; }
    public required long ImportUpdatesRejected { get; init; }
    public required long ImportUpdatesFiltered { get; init; }
    public required long ImportUpdatesIgnored { get; init; }
    public required long ImportUpdatesAccepted { get; init; }
    public required long ImportWithdrawsReceived { get; init; }
    public required long ImportWithdrawsRejected { get; init; }
    public required long ImportWithdrawsIgnored { get; init; }
    public required long ImportWithdrawsAccepted { get; init; }
    public required long ExportUpdatesReceived { get; init; }
    public required long ExportUpdatesRejected { get; init; }
    public required long ExportUpdatesFiltered { get; init; }
    public required long ExportUpdatesAccepted { get; init; }
    public required long ExportWithdrawsReceived { get; init; }
    public required long ExportWithdrawsAccepted { get; init; }
}
