// The JSON of /v1: one record per noun, addresses and prefixes as text, null for what is absent. bgpctl has its own records for the
// same nouns, since it may not see the daemon's rooms; a test there reads every answer with them, so the two cannot drift apart.

using System.Text.Json.Serialization;

namespace Calico.Bgp.Control.Http;

internal sealed record ErrorAnswer(string Error);

internal sealed record LiveAnswer(bool Live, string? Reason);

internal sealed record ReadyAnswer(bool Ready, string? Reason);

internal sealed record StatusAnswer(
    string Version, string HostName, string RouterId, uint As, DateTimeOffset Now, DateTimeOffset Started, DateTimeOffset Reconfigured,
    bool ShuttingDown, bool Ready, string? NotReadyBecause, string ConfigFile, IReadOnlyList<string> Filters, SessionsAnswer Sessions,
    IReadOnlyList<ProtocolAnswer> Protocols, KernelCountsAnswer Kernel, MemoryAnswer Memory)
{
    /// <summary>Absent where bgpd.yaml names no sources.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ResourcesAnswer? Resources { get; init; }
}

/// <param name="Compat">The release of Calico that is followed.</param>
internal sealed record ResourcesAnswer(string Node, string Compat, IReadOnlyList<ProblemAnswer> Problems);

/// <param name="Refused">The object is not in force (its last good version is).</param>
internal sealed record ProblemAnswer(string Object, string Field, string Reason, string? File, int? Line, bool Refused);

internal sealed record SessionsAnswer(int Configured, int Enabled, int Established);

/// <summary>A source of routes that is no peer: device1, kernel1, static1, …</summary>
internal sealed record ProtocolAnswer(
    string Name, string Kind, bool Enabled, bool Up, DateTimeOffset Since, IReadOnlyList<ChannelAnswer> Channels);

internal sealed record MemoryAnswer(
    long RoutingTables, long RouteAttributes, long Protocols, long Configuration, long Total, long Resident);

internal sealed record PeerAnswer(
    string Name, string? Description, string Address, string? Interface, uint As, uint LocalAs, string Type, bool Enabled, bool Up,
    string State, DateTimeOffset Since, string? Message, FaultAnswer? LastError, bool RouteReflectorClient, bool Passive, int Multihop,
    bool Authenticated, NegotiatedAnswer? Negotiated, TimersAnswer Timers, MessagesAnswer MessagesIn, MessagesAnswer MessagesOut,
    long AttributesDiscarded, long TreatedAsWithdrawn, int EstablishedTransitions, IReadOnlyList<ChannelAnswer> Channels);

/// <param name="Kind">socket, sent, received or stopped.</param>
/// <param name="Code">Of the NOTIFICATION, where there was one.</param>
internal sealed record FaultAnswer(string Kind, string Text, int? Code, int? Subcode, DateTimeOffset At);

internal sealed record NegotiatedAnswer(
    string RouterId, string LocalAddress, string PeerAddress, int HoldTime, IReadOnlyList<string> Families, bool FourOctetAs,
    bool ExtendedMessages, bool RouteRefresh, bool EnhancedRouteRefresh, IReadOnlyList<string> AddPathReceive,
    IReadOnlyList<string> AddPathSend, bool ExtendedNextHop, IReadOnlyList<string> GracefulRestart, int PeerRestartTime,
    string? PeerHostName);

/// <summary>Seconds left; null: not running.</summary>
internal sealed record TimersAnswer(double? Hold, double? Keepalive, double? Retry);

internal sealed record MessagesAnswer(long Opens, long Updates, long Notifications, long Keepalives, long Refreshes, long Octets);

/// <param name="ImportDefault">Nothing was configured, so RFC 8212 rejects.</param>
/// <param name="Received">Routes in the table from here before the filter; accepted ones pass it.</param>
internal sealed record ChannelAnswer(
    string Family, bool Up, string Import, bool ImportDefault, string Export, bool ExportDefault, string? NextHop,
    long Received, long Accepted, long Filtered, long Advertised, long Preferred, ChangesAnswer Changes);

internal sealed record ChangesAnswer(
    long ImportUpdatesReceived, long ImportUpdatesRejected, long ImportUpdatesFiltered, long ImportUpdatesIgnored,
    long ImportUpdatesAccepted,
    long ImportWithdrawsReceived, long ImportWithdrawsRejected, long ImportWithdrawsIgnored, long ImportWithdrawsAccepted,
    long ExportUpdatesReceived, long ExportUpdatesRejected, long ExportUpdatesFiltered, long ExportUpdatesAccepted,
    long ExportWithdrawsReceived, long ExportWithdrawsAccepted);

/// <param name="Origin">bgp, static, direct or kernel.</param>
/// <param name="Reason">Why it is (not) the best one.</param>
/// <param name="KernelProblem">The kernel refused it.</param>
/// <param name="Attributes">Null for routes without BGP attributes.</param>
internal sealed record RouteAnswer(
    string Prefix, string Origin, string Type, string Protocol, string? From, DateTimeOffset Since, bool Best, bool Filtered, bool Stale,
    uint Preference, IReadOnlyList<HopAnswer> NextHops, bool Recursive, bool Resolvable, uint? IgpMetric, string Reason, uint? PathId,
    bool KernelProblem, AttributesAnswer? Attributes);

internal sealed record HopAnswer(string? Via, string? Interface, int Weight, bool OnLink);

internal sealed record AttributesAnswer(
    string Origin, string AsPath, int AsPathLength, string? NextHop, string? NextHopLinkLocal, uint? Med, uint? LocalPref,
    bool AtomicAggregate, AggregatorAnswer? Aggregator, IReadOnlyList<string> Communities, IReadOnlyList<string> LargeCommunities,
    IReadOnlyList<string> ExtendedCommunities, string? OriginatorId, IReadOnlyList<string> ClusterList, uint? Otc, ulong? Aigp,
    IReadOnlyList<UnknownAnswer> Unknown);

internal sealed record AggregatorAnswer(uint As, string Address);

/// <param name="Octets">In hexadecimal.</param>
internal sealed record UnknownAnswer(int Type, string Octets);

internal sealed record KernelCountsAnswer(int Wanted, int Installed, int Pending, int Refused, long Writes, long Failures, long Resyncs);

internal sealed record KernelAnswer(
    KernelCountsAnswer Counts, IReadOnlyList<RefusalAnswer> Refusals, IReadOnlyList<InterfaceAnswer> Interfaces);

internal sealed record RefusalAnswer(string Prefix, TargetAnswer? Target, int Errno, string Words, DateTimeOffset Since, int Attempts);

internal sealed record InterfaceAnswer(
    int Index, string Name, bool Up, bool Carrier, int Mtu, string? Mac, IReadOnlyList<string> Addresses);

internal sealed record TargetAnswer(string Type, IReadOnlyList<HopAnswer> NextHops, uint Metric, uint Table);

internal sealed record OwnRouteAnswer(string Prefix, TargetAnswer? Wanted, TargetAnswer? Installed, string? Problem);

/// <param name="Ready">The resources are known; before that the table of an earlier run is left as it is.</param>
/// <param name="Missing">Options that the kernel is built without.</param>
internal sealed record NatAnswer(
    bool Enabled, bool Ready, IReadOnlyList<NatPoolAnswer> Pools, IReadOnlyList<NatPeerAnswer> Peers, NatTableAnswer Table,
    IReadOnlyList<string> Missing, IReadOnlyList<NatProblemAnswer> Problems, long ConnectionsCut, string? Problem);

/// <param name="Upstream">What the pool asks for: prefer, require or ignore; null: nothing.</param>
/// <param name="Applies">no NAT, masquerade, upstream NAT, or upstream NAT only.</param>
/// <param name="ExceptTo">Destinations that the network translates for.</param>
internal sealed record NatPoolAnswer(
    string Name, string Cidr, bool NatOutgoing, bool Disabled, string? Upstream, string Applies, string Why, IReadOnlyList<string> ExceptTo);

/// <param name="Translates">Its infrastructure does.</param>
internal sealed record NatPeerAnswer(string Name, bool Established, bool Translates);

internal sealed record NatTableAnswer(long Transactions, long Readings, long Repairs);

internal sealed record NatProblemAnswer(string Part, int Errno, string Words, DateTimeOffset Since, int Attempts);

internal sealed record NatExplanationAnswer(bool Translated, string? To, IReadOnlyList<string> Steps);

internal sealed record ReloadAnswer(IReadOnlyList<string> Changes);

internal sealed record RouteExplanationAnswer(
    string Prefix, IReadOnlyList<CandidateAnswer> Candidates, IReadOnlyList<ExportAnswer> Exports, KernelVerdictAnswer? Kernel);

internal sealed record CandidateAnswer(string ImportRule, RouteAnswer Route);

internal sealed record ExportAnswer(string Peer, bool Accepted, string Rule, bool Sent);

internal sealed record KernelVerdictAnswer(bool Accepted, string Rule, OwnRouteAnswer? Route);

/// <param name="Origin">The object that asks for the peer, or its description.</param>
internal sealed record PeerExplanationAnswer(
    string? Origin, string? Problem, IReadOnlyList<string> ImportRules, IReadOnlyList<string> ExportRules, PeerAnswer Peer);

internal sealed record ServiceExplanationAnswer(string Service, string Reason, int ReadyHere, IReadOnlyList<ServiceAddressAnswer> Addresses);

internal sealed record ServiceAddressAnswer(string Address, string Kind, bool Announced, string Reason);

internal sealed record OrderAnswer(string Peer, string Order);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ErrorAnswer))]
[JsonSerializable(typeof(LiveAnswer))]
[JsonSerializable(typeof(ReadyAnswer))]
[JsonSerializable(typeof(StatusAnswer))]
[JsonSerializable(typeof(IReadOnlyList<PeerAnswer>))]
[JsonSerializable(typeof(RouteAnswer))]
[JsonSerializable(typeof(KernelAnswer))]
[JsonSerializable(typeof(OwnRouteAnswer))]
[JsonSerializable(typeof(NatAnswer))]
[JsonSerializable(typeof(NatExplanationAnswer))]
[JsonSerializable(typeof(ReloadAnswer))]
[JsonSerializable(typeof(OrderAnswer))]
[JsonSerializable(typeof(RouteExplanationAnswer))]
[JsonSerializable(typeof(PeerExplanationAnswer))]
[JsonSerializable(typeof(ServiceExplanationAnswer))]
internal sealed partial class ControlJson : JsonSerializerContext;
