// What bgpd answers under /v1, as far as bgpctl shows it. A client knows the daemon by these words only; a test reads the daemon's
// real answers with them. A field that an old daemon does not send is an error, one that a newer sends beside them is not.

using System.Text.Json.Serialization;

namespace Calico.Bgp.Bgpctl;

internal sealed record ErrorAnswer(string Error);

internal sealed record StatusAnswer(
    string Version, string HostName, string RouterId, uint As, DateTimeOffset Now, DateTimeOffset Started, DateTimeOffset Reconfigured,
    bool ShuttingDown, bool Ready, string? NotReadyBecause, string ConfigFile, IReadOnlyList<string> Filters, SessionsAnswer Sessions,
    IReadOnlyList<ProtocolAnswer> Protocols, KernelCountsAnswer Kernel, MemoryAnswer Memory, ResourcesAnswer? Resources = null);

internal sealed record ResourcesAnswer(string Node, string Compat, IReadOnlyList<ProblemAnswer> Problems);

internal sealed record ProblemAnswer(string Object, string Field, string Reason, string? File, int? Line, bool Refused);

internal sealed record SessionsAnswer(int Configured, int Enabled, int Established);

internal sealed record ProtocolAnswer(string Name, string Kind, bool Up, DateTimeOffset Since, IReadOnlyList<ChannelAnswer> Channels);

internal sealed record MemoryAnswer(
    long RoutingTables, long RouteAttributes, long Protocols, long Configuration, long Total, long Resident);

internal sealed record PeerAnswer(
    string Name, string? Description, string Address, string? Interface, uint As, uint LocalAs, string Type, bool Enabled, bool Up,
    string State, DateTimeOffset Since, string? Message, FaultAnswer? LastError, bool RouteReflectorClient, bool Passive, int Multihop,
    bool Authenticated, NegotiatedAnswer? Negotiated, TimersAnswer Timers, MessagesAnswer MessagesIn, MessagesAnswer MessagesOut,
    long AttributesDiscarded, long TreatedAsWithdrawn, int EstablishedTransitions, IReadOnlyList<ChannelAnswer> Channels);

internal sealed record FaultAnswer(string Kind, string Text, int? Code, int? Subcode, DateTimeOffset At);

internal sealed record NegotiatedAnswer(
    string RouterId, string LocalAddress, string PeerAddress, int HoldTime, IReadOnlyList<string> Families, bool FourOctetAs,
    bool ExtendedMessages, bool RouteRefresh, bool EnhancedRouteRefresh, IReadOnlyList<string> AddPathReceive,
    IReadOnlyList<string> AddPathSend, bool ExtendedNextHop, IReadOnlyList<string> GracefulRestart, int PeerRestartTime,
    string? PeerHostName);

internal sealed record TimersAnswer(double? Hold, double? Keepalive, double? Retry);

internal sealed record MessagesAnswer(long Opens, long Updates, long Notifications, long Keepalives, long Refreshes, long Octets);

internal sealed record ChannelAnswer(
    string Family, bool Up, string Import, bool ImportDefault, string Export, bool ExportDefault, string? NextHop,
    long Received, long Accepted, long Filtered, long Advertised, long Preferred);

internal sealed record RouteAnswer(
    string Prefix, string Origin, string Type, string Protocol, string? From, DateTimeOffset Since, bool Best, bool Filtered, bool Stale,
    uint Preference, IReadOnlyList<HopAnswer> NextHops, bool Recursive, bool Resolvable, uint? IgpMetric, string Reason, uint? PathId,
    bool KernelProblem, AttributesAnswer? Attributes);

internal sealed record HopAnswer(string? Via, string? Interface, int Weight, bool OnLink);

internal sealed record AttributesAnswer(
    string Origin, string AsPath, string? NextHop, uint? Med, uint? LocalPref, IReadOnlyList<string> Communities,
    IReadOnlyList<string> LargeCommunities, IReadOnlyList<string> ExtendedCommunities);

internal sealed record KernelCountsAnswer(int Wanted, int Installed, int Pending, int Refused, long Writes, long Failures, long Resyncs);

internal sealed record KernelAnswer(
    KernelCountsAnswer Counts, IReadOnlyList<RefusalAnswer> Refusals, IReadOnlyList<InterfaceAnswer> Interfaces);

internal sealed record RefusalAnswer(string Prefix, TargetAnswer? Target, int Errno, string Words, DateTimeOffset Since, int Attempts);

internal sealed record InterfaceAnswer(
    int Index, string Name, bool Up, bool Carrier, int Mtu, string? Mac, IReadOnlyList<string> Addresses);

internal sealed record TargetAnswer(string Type, IReadOnlyList<HopAnswer> NextHops, uint Metric, uint Table);

internal sealed record OwnRouteAnswer(string Prefix, TargetAnswer? Wanted, TargetAnswer? Installed, string? Problem);

internal sealed record NatAnswer(
    bool Enabled, bool Ready, IReadOnlyList<NatPoolAnswer> Pools, IReadOnlyList<NatPeerAnswer> Peers, NatTableAnswer Table,
    IReadOnlyList<string> Missing, IReadOnlyList<NatProblemAnswer> Problems, long ConnectionsCut, string? Problem = null);

internal sealed record NatPoolAnswer(string Name, string Cidr, string Applies, string Why, IReadOnlyList<string> ExceptTo);

internal sealed record NatPeerAnswer(string Name, bool Established, bool Translates);

internal sealed record NatTableAnswer(long Transactions, long Repairs);

internal sealed record NatProblemAnswer(string Part, string Words, DateTimeOffset Since, int Attempts);

internal sealed record NatExplanationAnswer(bool Translated, string? To, IReadOnlyList<string> Steps);

internal sealed record ReloadAnswer(IReadOnlyList<string> Changes);

internal sealed record RouteExplanationAnswer(
    string Prefix, IReadOnlyList<CandidateAnswer> Candidates, IReadOnlyList<ExportAnswer> Exports, KernelVerdictAnswer? Kernel);

internal sealed record CandidateAnswer(string ImportRule, RouteAnswer Route);

internal sealed record ExportAnswer(string Peer, bool Accepted, string Rule, bool Sent);

internal sealed record KernelVerdictAnswer(bool Accepted, string Rule, OwnRouteAnswer? Route);

internal sealed record PeerExplanationAnswer(
    string? Origin, string? Problem, IReadOnlyList<string> ImportRules, IReadOnlyList<string> ExportRules, PeerAnswer Peer);

internal sealed record ServiceExplanationAnswer(string Service, string Reason, int ReadyHere, IReadOnlyList<ServiceAddressAnswer> Addresses);

internal sealed record ServiceAddressAnswer(string Address, string Kind, bool Announced, string Reason);

internal sealed record OrderAnswer(string Peer, string Order);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(ErrorAnswer))]
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
internal sealed partial class BgpctlJson : JsonSerializerContext;
