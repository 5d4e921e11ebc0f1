using System.Collections.Immutable;
using System.Threading.Channels;
using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Rib;

/// <summary>Which side of the tables a reader wants to see.</summary>
public enum RouteSide : byte
{
    /// <summary>Accepted routes, best first.</summary>
    Accepted,
    /// <summary>Best routes only.</summary>
    Best,
    /// <summary>Routes that the import refused.</summary>
    Refused,
    /// <summary>As a peer sent them.</summary>
    Received,
    /// <summary>As a peer is sent them.</summary>
    Sent,
    /// <summary>Best routes that no RFC's rule keeps from a peer.</summary>
    Offered,
    /// <summary>Offered to a peer, and rejected by its export filter.</summary>
    Withheld,
}

/// <summary>How the prefix narrows a reading.</summary>
public enum ReadScope : byte { All, Exact, Longest, Inside }

/// <param name="Peer">Whose side (received, sent, offered, withheld); <paramref name="Source"/>: only routes from there.</param>
public sealed record RouteRequest(
    RouteSide Side, IpFamily Family, ReadScope Scope = ReadScope.All, Prefix Prefix = default, ushort? Peer = null, ushort? Source = null);

/// <summary>A route copied out of the tables.</summary>
public readonly record struct RouteFacts
{
    public required Prefix Prefix { get; init; }
    /// <summary>It opens its prefix.</summary>
    public required bool First { get; init; }
    /// <summary>Of all paths of its prefix, those that were refused among them, whether or not it is used.</summary>
    public bool StandsFirst { get; init; }
    public required ushort Peer { get; init; }
    /// <summary>In ticks of <see cref="Rib.TickLength"/> since the RIB began.</summary>
    public required uint Changed { get; init; }
    public required uint PathId { get; init; }
    public required bool Best { get; init; }
    /// <summary>It came in with local preference 0, for its peer is about to shut down (RFC 8326); asked of what is explained.</summary>
    public bool IsLastChoice { get; init; }
    public required Reason Reason { get; init; }
    /// <summary>Whether packets are shared out to it beside the best one, and by which rule.</summary>
    public required Sharing Sharing { get; init; }
    /// <summary>Its share of the packets, to those of the others that are used with it.</summary>
    public required int Weight { get; init; }
    public required bool Refused { get; init; }
    /// <summary>
    /// What the way in said of it, of routes that it refused and where a prefix is explained; of routes that are withheld from a peer,
    /// what the way out said.
    /// </summary>
    public Verdict? Verdict { get; init; }
    /// <summary>How its next hop is reached, and by which rule; null: it needs none.</summary>
    public required NextHopState? NextHop { get; init; }
    public required NextHopRule NextHopRule { get; init; }
    public required byte[] Attributes { get; init; }
    public required AttributeSummary Summary { get; init; }
    public PathState State { get; init; }
}

/// <summary>A path of a prefix that is explained. <paramref name="Steps"/>: the way to its next hop.</summary>
public sealed record PathFacts(RouteFacts Route, ImmutableArray<NextHopStep> Steps);

/// <summary>What becomes of the best path on its way to a peer that is up. <paramref name="IsSent"/>: he was told.</summary>
public readonly record struct ExportFacts(ushort Peer, Verdict Verdict, bool IsSent);

/// <summary>All that a shard decided of a prefix, at one moment, by the rules that it decided by.</summary>
/// <param name="Paths">The best first, then the others; those that the import refused last.</param>
/// <param name="Exports">Of each peer that the family is exchanged with; none where there is no best path.</param>
/// <param name="Kernel">Null: there is no best path.</param>
public sealed record PrefixFacts(ImmutableArray<PathFacts> Paths, ImmutableArray<ExportFacts> Exports, Verdict? Kernel);

/// <summary>A reading that the shard advances in slices between its other work, as fast as the reader takes the answers.</summary>
internal sealed class RouteRead(RouteRequest request)
{
    public RouteRequest Request { get; } = request;
    /// <summary>Where the walk stands.</summary>
    public uint Cursor { get; set; } = 1;
    public Channel<IReadOnlyList<RouteFacts>> Answers { get; } =
        Channel.CreateBounded<IReadOnlyList<RouteFacts>>(new BoundedChannelOptions(2) { SingleReader = true, SingleWriter = true });
    public volatile bool IsAbandoned;
    public volatile bool IsWaiting;
}
