using System.Text.Json.Serialization;

namespace Calico.Bgp.Answers;

/// <summary><c>/v1/status</c>: the daemon as a whole.</summary>
public sealed record StatusAnswer
{
    public required string Version { get; init; }
    public required string HostName { get; init; }
    public required string RouterId { get; init; }
    public required uint As { get; init; }
    public required DateTimeOffset Now { get; init; }
    public required DateTimeOffset Started { get; init; }
    public required DateTimeOffset Reconfigured { get; init; }
    public required bool ShuttingDown { get; init; }
    public required bool Ready { get; init; }
    public required string? NotReadyBecause { get; init; }
    /// <summary>After our restart: peers' routes are not taken yet; absent where they are.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public RecoveryAnswer? Recovery { get; init; }
    public required string ConfigFile { get; init; }
    /// <summary>Null: none since the start.</summary>
    public required LastReloadAnswer? LastReload { get; init; }
    public required IReadOnlyList<string> Filters { get; init; }
    public required SessionsAnswer Sessions { get; init; }
    public required IReadOnlyList<ProtocolAnswer> Protocols { get; init; }
    public required KernelCountsAnswer Kernel { get; init; }
    public required MemoryAnswer Memory { get; init; }
    public required IReadOnlyList<LoopAnswer> Loops { get; init; }

    /// <summary>Addresses of router.listen that the host does not have, and that are opened once it has; absent: none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? ListenWaits { get; init; }

    /// <summary>Neighbours that may call; absent where bgpd.yaml has no peerRange.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<RangeAnswer>? Ranges { get; init; }

    /// <summary>Where the resources come from, in the order in which they count; absent where bgpd.yaml names no sources.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<SourceAnswer>? Sources { get; init; }

    /// <summary>Peers that are drained, or about to be; absent where none is.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Drained { get; init; }

    /// <summary>Peers that stay down because they sent more than their <c>prefixLimit</c>; absent where none does.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<OverLimitAnswer>? OverLimit { get; init; }

    /// <summary>
    /// Sections of bgpd.yaml by which nothing becomes of packets, though they are there, and why; absent where all are in force.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? NotInForce { get; init; }

    /// <summary>Why what the command line says with --save is not saved; absent where it is.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? NotSaved { get; init; }

    /// <summary>Absent where no policy is enforced.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public PolicyStatusAnswer? Policy { get; init; }

    /// <summary>Absent where services are off.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ServicesStatusAnswer? Services { get; init; }

    /// <summary>Absent where egress is off.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public EgressStatusAnswer? Egress { get; init; }

    /// <summary>Objects that <c>bgpctl policy try</c> has put over what the sources say; absent where there are none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public TrialAnswer? Trial { get; init; }

    /// <summary>Absent where bgpd.yaml names no sources.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ResourcesAnswer? Resources { get; init; }
}

public sealed record OverLimitAnswer(string Peer, string Family, int Limit);

/// <param name="Translations">Of those with one address, protocol and port one is counted.</param>
/// <param name="Waiting">Of these: an interface has no address, and nothing is translated by them.</param>
/// <param name="Problems">What is not done of what was asked for, and why: what waits, too.</param>
public sealed record ServicesStatusAnswer(int Translations, int Waiting, IReadOnlyList<string> Problems)
{
    /// <summary>Those of the problems, and first among them, by which this node's own SSH, BGP and the like lead elsewhere; absent where
    /// none do.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? NodeTaken { get; init; }

    /// <summary>Why nothing of them is in force yet; absent: it is.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Waits { get; init; }
}

/// <param name="Blocked">Pods that leave the cluster by no way.</param>
public sealed record EgressStatusAnswer(int Gateways, IReadOnlyList<EgressBlockedAnswer> Blocked)
{
    /// <summary>What the kernel refuses of all that leads packets to gateways, with its words; absent where it takes all.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Refused { get; init; }

    /// <summary>Why nothing of it is in force yet; absent: it is.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Waits { get; init; }
}

/// <param name="Policies">That are enforced, whether they select anything here or not.</param>
/// <param name="Workloads">Endpoints of workloads on this node.</param>
/// <param name="Hosts">Host endpoints on its interfaces.</param>
/// <param name="Programs">What endpoints that are asked the same share.</param>
/// <param name="Problems">Policies that are closed, and why.</param>
public sealed record PolicyStatusAnswer(int Policies, int Workloads, int Hosts, int Programs, IReadOnlyList<PolicyProblemAnswer> Problems)
{
    /// <summary>Why nothing of the policies is in force yet; absent: they are.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Waits { get; init; }

    /// <summary>Workloads whose interface is not here, or is called otherwise: no packet of theirs is asked.</summary>
    public int WithoutInterface { get; init; }
}

public sealed record PolicyProblemAnswer(string Policy, string Reason);

/// <param name="Families">Those that wait.</param>
/// <param name="Waits">Tables whose end is to come, one a peer and family.</param>
/// <param name="SecondsLeft">No longer than that.</param>
public sealed record RecoveryAnswer(IReadOnlyList<string> Families, int Waits, double SecondsLeft);

/// <summary>The last time that bgpd was told to read a configuration: by SIGHUP, birdc, or <c>bgpctl reload</c>.</summary>
/// <param name="Error">The first of its mistakes, with its place in the file; null: it was taken.</param>
public sealed record LastReloadAnswer(DateTimeOffset At, string File, bool Taken, ErrorAnswer? Error);

/// <summary>A source of resources.</summary>
/// <param name="Kind">Its key in bgpd.yaml: files, kubernetes, etcd.</param>
/// <param name="InSyncSince">It has named all that it has, and is told of every change; null: not yet, or not now. What it said
/// stays.</param>
/// <param name="Objects">How many it defines, by kind.</param>
/// <param name="Lag">Seconds since it last knew that there is nothing newer than what it has said; null: it has said nothing.</param>
public sealed record SourceAnswer(
    string Kind, string Name, DateTimeOffset? InSyncSince, IReadOnlyDictionary<string, int> Objects, SourceErrorAnswer? LastError,
    double? Lag)
{
    /// <summary>What is different there and not believed yet; absent: nothing is.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public WithheldAnswer? Withheld { get; init; }
}

/// <param name="Files">That say less than before, are gone, or cannot be read as they are.</param>
/// <param name="Until">When the last of them is believed, unless it changes again.</param>
public sealed record WithheldAnswer(int Files, DateTimeOffset Until);

public sealed record SourceErrorAnswer(DateTimeOffset At, string Message);

/// <param name="Compat">The release of Calico that is followed.</param>
public sealed record ResourcesAnswer(string Node, string Compat, IReadOnlyList<ProblemAnswer> Problems);

/// <param name="Refused">The object is not in force (its last good version is, where one is known).</param>
public sealed record ProblemAnswer(string Object, string Field, string Reason, string? File, int? Line, bool Refused)
{
    /// <summary>It is refused, and no good version of it is known.</summary>
    public bool WithoutEffect { get; init; }
}

public sealed record SessionsAnswer(int Configured, int Enabled, int Established);

/// <param name="Name">The first word of its sessions' names.</param>
/// <param name="Sessions">Up or down; <paramref name="Limit"/>: at most.</param>
/// <param name="Origin">The line of bgpd.yaml.</param>
public sealed record RangeAnswer(string Range, string Name, int Sessions, int Limit, string Origin);

/// <summary>A source of routes that is no peer: device1, kernel1, static1, …</summary>
public sealed record ProtocolAnswer(
    string Name, string Kind, bool Enabled, bool Up, DateTimeOffset Since, IReadOnlyList<ChannelAnswer> Channels);

/// <summary>One of the daemon's loops. Seconds.</summary>
/// <param name="Of">Whose it is, where there are several of a name: a peer, a folder.</param>
/// <param name="SinceBeat">Since it last took something up or came to rest.</param>
/// <param name="InTurnFor">How long it has been at work on one thing; null: it rests.</param>
/// <param name="Failed">A defect has ended it.</param>
public sealed record LoopAnswer(string Name, string? Of, double SinceBeat, double? InTurnFor, double LongestTurn, int Defects, bool Failed);

/// <summary>Octets.</summary>
public sealed record MemoryAnswer(
    long RoutingTables, long RouteAttributes, long Protocols, long Configuration, long Total, long Resident);
