using System.Collections.Immutable;
using Calico.Bgp.Bfd;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Session;
using Calico.Bgp.Speaker.Plan;
using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Speaker;

/// <summary>The router as a whole, for <c>show status</c>.</summary>
public sealed record RouterStatus(
    string Version, string HostName, RouterId RouterId, Asn As, DateTimeOffset Now, DateTimeOffset Started, DateTimeOffset Reconfigured,
    bool ShuttingDown)
{
    /// <summary>Addresses of <c>router.listen</c> that the host does not have now.</summary>
    public ImmutableArray<Address> ListenWaits { get; init; } = [];
    /// <summary>What our restart waits for; null: nothing.</summary>
    public RecoveryStatus? Recovery { get; init; }
}

/// <summary>After our restart (RFC 4724 section 4.1): peers' routes are not chosen from yet.</summary>
/// <param name="Families">Of these.</param>
/// <param name="Waits">Tables whose End-of-RIB is to come, one a peer and family.</param>
/// <param name="Left">No longer than that, of <paramref name="Whole"/>.</param>
public sealed record RecoveryStatus(FamilySet Families, int Waits, TimeSpan Left, TimeSpan Whole);

/// <summary>BIRD's classes of protocols that this daemon has instances of.</summary>
public enum ProtocolKind : byte { Device, Direct, Kernel, Static, Bfd, Bgp }

/// <summary>Route counts and update counts of one peer (or other source) and family; birdc's "channel".</summary>
public sealed record ChannelStatus(
    IpFamily Family, bool Up, ChannelFilter Import, ChannelFilter Export, string? NextHop, RouteCounts Routes, UpdateCounts Counts)
{
    /// <summary>Received routes at which the session ends (<c>prefixLimit</c>); null: none.</summary>
    public int? ReceiveLimit { get; init; }
    /// <summary>It sent more, and the peer is disabled until somebody enables it or raises the limit.</summary>
    public bool IsOverLimit { get; init; }
    /// <summary>Of the received updates, those that an AS_SET made count as withdrawn (RFC 9774).</summary>
    public long AsSets { get; init; }
}

/// <summary>What the filter of one direction does, as <c>show protocols all</c> names it: ACCEPT, REJECT, or the filters' names.</summary>
/// <param name="IsDefault">Nothing was configured, and RFC 8212 made it reject.</param>
public readonly record struct ChannelFilter(string Name, bool IsDefault = false);

/// <summary>How many routes of a channel there are, by what became of them.</summary>
public readonly record struct RouteCounts(long Imported, long Filtered, long Exported, long Preferred);

/// <summary>birdc's table of route changes; what it prints as <c>---</c> is zero here.</summary>
public sealed record UpdateCounts(
    RouteChanges ImportUpdates, RouteChanges ImportWithdraws, RouteChanges ExportUpdates, RouteChanges ExportWithdraws)
{
    public static readonly UpdateCounts None = new(default, default, default, default);
}

/// <summary>Announced or withdrawn prefixes of one direction: how many there were, and what became of them.</summary>
public readonly record struct RouteChanges(long Received, long Rejected, long Filtered, long Ignored, long Accepted);

/// <summary>A protocol instance. BGP ones carry their session.</summary>
/// <param name="Name">As configured (peers), or device1, direct1, kernel1 (IPv4), kernel2 (IPv6), static1, static2.</param>
public sealed record ProtocolStatus(string Name, ProtocolKind Kind, bool Enabled, bool Up, DateTimeOffset Since)
{
    public string? Description { get; init; }
    public string? Message { get; init; }
    public ImmutableArray<ChannelStatus> Channels { get; init; } = [];
    public SessionSnapshot? Session { get; init; }
    public bool RouteReflectorClient { get; init; }
    /// <summary>Of a peer that is drained, or is about to be; null: it is not.</summary>
    public DrainStatus? Drain { get; init; }
    /// <summary>Of a peer: what asks for it.</summary>
    public PeerOrigin Origin { get; init; }
    /// <summary>Of a peer that BFD watches; null: it does not.</summary>
    public PeerBfdStatus? Bfd { get; init; }
    /// <summary>Of a peer that a template made, because it called: of which range. Null: it is configured by its address.</summary>
    public Prefix? Range { get; init; }
    /// <summary>Of a peer: families of which a lost session's routes are still there, stale (RFC 4724, RFC 9494).</summary>
    public ImmutableArray<KeptStatus> Kept { get; init; } = [];
}

/// <param name="IsLong">They are the last resort (RFC 9494).</param>
/// <param name="Left">Until they go, or become that.</param>
public sealed record KeptStatus(IpFamily Family, bool IsLong, TimeSpan Left);

/// <summary>Which routes a query asks for.</summary>
public enum RouteSelection : byte
{
    /// <summary>Every accepted route of each prefix, the best one first.</summary>
    All,
    /// <summary>Best routes only.</summary>
    Primary,
    /// <summary>Routes that the import filter rejected.</summary>
    Filtered,
    /// <summary>What <see cref="RouteQuery.Peer"/> sent, before the import filter.</summary>
    Received,
    /// <summary>What <see cref="RouteQuery.Peer"/> is sent, attributes as they leave.</summary>
    Export,
    /// <summary>What is offered to the export filter of <see cref="RouteQuery.Peer"/>.</summary>
    PreExport,
    /// <summary>What the export filter of <see cref="RouteQuery.Peer"/> rejects.</summary>
    NoExport,
}

/// <summary>How <see cref="RouteQuery.Prefix"/> narrows the answer.</summary>
public enum PrefixScope : byte
{
    Exact,
    /// <summary>The longest match for the prefix or address.</summary>
    For,
    /// <summary>The prefix and all inside it.</summary>
    In,
}

/// <param name="Family">Null: both, IPv4 first.</param>
/// <param name="Protocol">Only routes that this protocol brought.</param>
public sealed record RouteQuery(
    RouteSelection Selection, IpFamily? Family = null, Prefix? Prefix = null, PrefixScope Scope = PrefixScope.Exact,
    string? Protocol = null, string? Peer = null);

/// <summary>One route, copied out of the tables.</summary>
/// <param name="Protocol">Name of the protocol instance that brought it; <paramref name="From"/>: the neighbour's address.</param>
public sealed record RouteView(Prefix Prefix, RouteOrigin Origin, RouteType Type, string Protocol, Address? From, DateTimeOffset Since)
{
    /// <summary>It opens a new prefix (the following ones of the same prefix have false).</summary>
    public bool First { get; init; }
    public bool Best { get; init; }
    public bool Filtered { get; init; }
    public bool Stale { get; init; }
    /// <summary>Of a stale one: until it goes or becomes the last resort (RFC 9494). Of a leased one: until it is withdrawn. Null: it
    /// has no end.</summary>
    public TimeSpan? Left { get; init; }
    public uint Preference { get; init; }
    /// <summary>Resolved ways out, for unicast ones.</summary>
    public ImmutableArray<RouteHop> Hops { get; init; } = [];
    public bool Recursive { get; init; }
    public bool Resolvable { get; init; } = true;
    /// <summary>Null: the next hop was not resolved recursively (a direct neighbour's).</summary>
    public uint? IgpMetric { get; init; }
    /// <summary>Why it is (not) the best one, in the decision's words.</summary>
    public string Reason { get; init; } = "";
    /// <summary>Canonical octets; empty for routes without BGP attributes.</summary>
    public ReadOnlyMemory<byte> Attributes { get; init; }
    public AttributeSummary Summary { get; init; }
    public uint? PathId { get; init; }
    /// <summary>The kernel refused it: BIRD's <c>!</c>.</summary>
    public bool KernelProblem { get; init; }

    /// <summary>The rule that keeps it out, of routes that an import or export rejects.</summary>
    public string? Rule { get; init; }

    /// <summary>Of all that its prefix has, those that were rejected among them.</summary>
    public bool StandsFirst { get; init; }

    /// <summary>Not the best one, and used as it is (multipath).</summary>
    public bool IsBesideBest { get; init; }
}

/// <summary>Octets per purpose, for <c>show memory</c>.</summary>
public sealed record MemoryReport(long RoutingTables, long RouteAttributes, long Protocols, long Configuration, long Total);

public enum ReloadDirection : byte { In, Out, Both }

/// <summary>What those who look in may see of the speaker, and ask of it. Thread-safe.</summary>
public interface ISpeaker
{
    RouterStatus Router { get; }
    IReadOnlyList<ProtocolStatus> Protocols { get; }
    KernelSnapshot KernelState { get; }
    KernelStatus KernelStatus { get; }
    IAsyncEnumerable<OwnRoute> KernelRoutes(CancellationToken stop);
    MemoryReport Memory { get; }
    /// <summary>Own routes of bgpd.yaml and of the resources, those that wait for a way out too.</summary>
    IReadOnlyList<ConfiguredRoute> ConfiguredRoutes { get; }
    /// <summary>Ranges whose neighbours may call.</summary>
    IReadOnlyList<RangeStatus> Ranges { get; }
    /// <summary>Neighbours that BFD watches, in the order of their addresses.</summary>
    IReadOnlyList<BfdNeighbour> Bfd { get; }
    /// <summary>How late BFD's own packets leave; null: nobody watches.</summary>
    BfdLateness? BfdLateness { get; }
    /// <summary>BFD's datagrams that were no watched neighbour's.</summary>
    long BfdStrays { get; }
    /// <summary>Names of the configured filters.</summary>
    IReadOnlyList<string> FilterNames { get; }
    /// <summary>Runs a configured filter on a route that was read: as it leaves it; null where it rejects. Null: there is none.</summary>
    Func<RouteView, RouteView?>? FilterNamed(string name);
    /// <summary>All configured peers' first tables have been taken and sent (or their time is up).</summary>
    bool Ready { get; }
    /// <summary>Peers whose first tables are still to come, until <see cref="Ready"/>.</summary>
    IReadOnlyList<string> Awaited { get; }

    /// <summary>
    /// Batches of routes, made by the RIB's owner between its other work. The owner waits for the reader, never the sessions for either.
    /// </summary>
    IAsyncEnumerable<IReadOnlyList<RouteView>> Routes(RouteQuery query, CancellationToken stop);

    /// <summary>Who brought a prefix, which rule let it in, why which route is best, and what became of it.</summary>
    Task<RouteExplanation> ExplainAsync(Prefix prefix, CancellationToken stop);
    /// <summary>Null: there is no such peer.</summary>
    PeerExplanation? Explain(string peer);

    /// <exception cref="KeyNotFoundException">No protocol of that name.</exception>
    void Enable(string protocol);
    void Disable(string protocol, string? text);
    void Restart(string protocol, string? text);
    void Reload(string protocol, ReloadDirection direction);

    /// <returns>What bars it; null: it is announced, or its lease renewed.</returns>
    Task<string?> AnnounceAsync(RouteLease lease);
    /// <returns>What bars it: that producer does not announce it, and who does. Null: it is withdrawn.</returns>
    Task<string?> WithdrawAsync(string producer, Prefix prefix);

    /// <param name="peer">Null: all peers, and who comes later.</param>
    /// <param name="wait">Until the routes are taken back.</param>
    /// <returns>Names of the peers that are drained from now on; those that were already are not among them.</returns>
    Task<ImmutableArray<string>> DrainAsync(string? peer, TimeSpan wait, string? reason);
    /// <returns>Names of the peers that were drained until now.</returns>
    Task<ImmutableArray<string>> UndrainAsync(string? peer);
}

/// <summary>Why a configuration is not taken.</summary>
/// <param name="Where">FILE:LINE:COLUMN, or the file.</param>
/// <param name="Text">What was expected there.</param>
public sealed record ConfigureProblem(string Where, string Text)
{
    public override string ToString() => $"{Where}: {Text}";
}

/// <summary>What became of a request to take a configuration.</summary>
/// <param name="Problems">None: fine.</param>
/// <param name="Changes">One line for each thing that changed (or would).</param>
public sealed record ConfigureResult(ImmutableArray<ConfigureProblem> Problems, ImmutableArray<string> Changes)
{
    public static ConfigureResult Taken(ImmutableArray<string> changes) => new([], changes);
    public static ConfigureResult Refused(params ImmutableArray<ConfigureProblem> problems) => new(problems, []);

    /// <summary>A line for each problem; null: fine.</summary>
    public string? Problem => Problems.IsEmpty ? null : string.Join('\n', Problems);
}

/// <summary>The last time that the daemon was told to take a configuration.</summary>
/// <param name="Refused">The first of its problems; null: it was taken.</param>
public sealed record ReloadStatus(DateTimeOffset At, string File, ConfigureProblem? Refused);

/// <summary>What came of an upgrade.</summary>
/// <param name="Problem">Why this process goes on; null: another one has taken over.</param>
public sealed record UpgradeResult(string? Problem)
{
    /// <summary>In so much time another process has taken over, or has not.</summary>
    public static readonly TimeSpan DefaultTime = TimeSpan.FromMinutes(1);

    public int Process { get; init; }
    public string Release { get; init; } = "";
    public int Sessions { get; init; }
    public TimeSpan Took { get; init; }

    public static UpgradeResult Refused(string problem) => new(problem);
}

/// <summary>The daemon around the speaker: its configuration file and its life. Thread-safe.</summary>
public interface IDaemon
{
    string ConfigFile { get; }
    /// <summary>Null: none since the start.</summary>
    ReloadStatus? LastReload { get; }
    /// <summary>When a reload was last taken; null: none since the start.</summary>
    DateTimeOffset? LastTaken { get; }
    /// <summary>Where the resources come from, in the order in which they count.</summary>
    IReadOnlyList<SourceStatus> Sources { get; }
    /// <summary>Where an object that asks for peers is defined; null: no file defines it.</summary>
    ResourcePlace? PlaceOf(ResourceId resource);
    /// <summary>What the resources ask of this node; null: bgpd.yaml names no sources.</summary>
    PlanFollower? Planned { get; }
    /// <summary>What is in force over the sources; null: bgpd.yaml names none.</summary>
    ITrials? Trials { get; }
    /// <param name="file">Null: the file in use.</param>
    /// <param name="undoAfter">The old configuration comes back after this time unless <see cref="Confirm"/> is called.</param>
    Task<ConfigureResult> ConfigureAsync(string? file, TimeSpan? undoAfter);
    Task<ConfigureResult> CheckAsync(string? file);
    /// <summary>False: there is nothing to confirm.</summary>
    bool Confirm();
    /// <summary>Back to the configuration before this one; null: there is none.</summary>
    Task<ConfigureResult?> UndoAsync();
    /// <summary>Another process takes the sessions over, and no peer notices; where it cannot, this one goes on.</summary>
    /// <param name="binary">Null: the file that this process was started from, as it is now.</param>
    Task<UpgradeResult> UpgradeAsync(string? binary, TimeSpan within);
    /// <summary>After that this process ends.</summary>
    /// <param name="answered">Completes when whoever asked for it has been told.</param>
    void GiveWay(Task answered);
    /// <param name="forRestart">Peers are told nothing, so that they keep our routes; else what <c>router.onStop</c> says.</param>
    void Shutdown(bool forRestart);
}
