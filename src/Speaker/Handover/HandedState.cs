using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Calico.Bgp.Bfd;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Speaker.Handover;

/// <summary>
/// What one process says of itself to the one that takes over, beside its tables: JSON, so that a release may say more than another asks
/// for. What follows from the configuration, from the kernel or from the two OPENs is not here; it is worked out again.
/// </summary>
public sealed record HandedState
{
    /// <summary>Of this and of the images of the tables: what is of another version is not taken over.</summary>
    public const int CurrentVersion = 3;

    public required int Version { get; init; }
    /// <summary>Of the daemon that hands over, for people.</summary>
    public required string Release { get; init; }
    /// <summary>How many descriptors follow: images of tables, then sockets.</summary>
    public int Images { get; init; }
    public int Sockets { get; init; }
    /// <summary>How many of the sockets listen; they come first.</summary>
    public required int Listeners { get; init; }
    public required ImmutableArray<HandedPeer> Peers { get; init; }
    /// <summary>Peers that the operator has disabled.</summary>
    public required ImmutableArray<string> Disabled { get; init; }
    /// <summary>Peers that are being drained, or are down by it.</summary>
    public required ImmutableArray<HandedDrain> Drains { get; init; }
    /// <summary>The same of who comes later; null: nobody is.</summary>
    public HandedDrain? DrainOfAll { get; init; }
    public required ImmutableArray<HandedLease> Leases { get; init; }
    /// <summary>What producers have announced; of those that the other process has, too, it goes on until they speak there.</summary>
    public ImmutableArray<HandedProduced>? Produced { get; init; }
    /// <summary>Sources of own routes, by the numbers that the images name them by.</summary>
    public required ImmutableArray<HandedSource> Sources { get; init; }
    /// <summary>What BFD watches, as of then: own routes have those gateways that are heard.</summary>
    public required ImmutableArray<HandedBfd> Bfd { get; init; }
    /// <summary>What the command line has said of translations and source NAT, saved or not, as the daemon's own file has it; null: the
    /// process that hands over does not say.</summary>
    public string? CommandLine { get; init; }
    /// <summary>What is tried over what the sources say; a release that does not know of it takes it back.</summary>
    public ImmutableArray<HandedTrial> Trials { get; init; } = [];
}

/// <summary>One of the peers whose sessions are established, or whose routes are kept.</summary>
public sealed record HandedPeer
{
    public required string Name { get; init; }
    /// <summary>By which the images name it.</summary>
    public required ushort Index { get; init; }
    public required string Address { get; init; }
    /// <summary>Of a neighbour that is known by its link.</summary>
    public string? Interface { get; init; }
    /// <summary>Null: there is none now.</summary>
    public HandedLife? Life { get; init; }
    /// <summary>What stays of an earlier session's routes.</summary>
    public ImmutableArray<HandedKept> Kept { get; init; } = [];
    /// <summary>Where there is none now, and routes stay: the session that left them.</summary>
    public HandedLoss? Loss { get; init; }
}

/// <summary>A family of routes that a lost session left (RFC 4724, RFC 9494). Times are the machine's clock's.</summary>
/// <param name="Until">They go then, or become long stale for so many seconds.</param>
public sealed record HandedKept(IpFamily Family, bool IsLong, DateTimeOffset Until, double LongSeconds);

/// <summary>A session that was lost.</summary>
/// <param name="Sent">Our OPEN after its header.</param>
/// <param name="Received">The peer's.</param>
/// <param name="Local">The address that it had here.</param>
public sealed record HandedLoss(byte[] Sent, byte[] Received, string Local);

/// <summary>An established session.</summary>
public sealed record HandedLife
{
    /// <summary>Which of the sockets.</summary>
    public required int Socket { get; init; }
    public required bool Ours { get; init; }
    /// <summary>The two OPENs after their headers.</summary>
    public required byte[] Sent { get; init; }
    public required byte[] Received { get; init; }
    public required byte[] Unread { get; init; }
    public required DateTimeOffset Since { get; init; }
    /// <summary>Families whose End-of-RIB has come (bit 0: IPv4, bit 1: IPv6).</summary>
    public required int Complete { get; init; }
}

/// <summary>A drain, as far as it has come.</summary>
/// <param name="Peer">Empty: who comes later.</param>
public sealed record HandedDrain(string Peer, string? Reason, DateTimeOffset Since, bool IsByCordon, bool StaysDown)
{
    public DrainStage Stage { get; init; } = DrainStage.Down;
    /// <summary>When the next stage is due; null: there is none.</summary>
    public DateTimeOffset? Until { get; init; }
    /// <summary>How often it was looked whether the peer has been told of all withdrawals.</summary>
    public int Looks { get; init; }
}

/// <summary>A program's route.</summary>
/// <param name="Seconds">Until it runs out; null: it has no end.</param>
public sealed record HandedLease(string Producer, string Prefix, double? Seconds)
{
    public string? NextHop { get; init; }
    public ImmutableArray<uint> Communities { get; init; } = [];
    /// <summary>Three numbers each.</summary>
    public ImmutableArray<uint> LargeCommunities { get; init; } = [];
    public uint? LocalPref { get; init; }
    public uint? Med { get; init; }
}

/// <summary>Routes of a producer within this process.</summary>
public sealed record HandedProduced(string Producer, ImmutableArray<string> Prefixes);

/// <summary>A source of own routes.</summary>
public sealed record HandedSource(ushort Index, string Name);

/// <summary>At the last moment.</summary>
/// <param name="SilentSeconds">How long each session's peer had not been heard, in the order of the sessions.</param>
/// <param name="Bfd">All that BFD watches.</param>
public sealed record HandedMoments(ImmutableArray<double> SilentSeconds, ImmutableArray<HandedBfd> Bfd);

/// <summary>All that is JSON of it.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(HandedState))]
[JsonSerializable(typeof(HandedMoments))]
public sealed partial class HandoverJson : JsonSerializerContext;

/// <summary>It cannot be, and this side goes on as if nobody had asked; in words for the operator.</summary>
public sealed class HandoverException(string words, Exception? inner = null) : Exception(words, inner);
