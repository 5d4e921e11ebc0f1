using System.Threading.Channels;
using Calico.Bgp.Net;
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

/// <param name="Peer">
/// Whose side (received, sent, offered, withheld); null: every peer's, in one reading. <paramref name="Source"/>: only routes from there.
/// </param>
public sealed record RouteRequest(
    RouteSide Side, IpFamily Family, ReadScope Scope = ReadScope.All, Prefix Prefix = default, ushort? Peer = null, ushort? Source = null);

/// <summary>A route copied out of the tables.</summary>
/// <param name="First">It opens its prefix.</param>
/// <param name="To">Who is sent it (or offered, or not), where that was asked for.</param>
/// <param name="Changed">In ticks of <see cref="Rib.TickLength"/> since the RIB began.</param>
public readonly record struct RouteFacts(
    Prefix Prefix, bool First, ushort Peer, uint Changed, uint PathId, bool Best, bool Shares, bool Refused, Reason Reason, NextHopState? NextHop,
    byte[] Attributes, AttributeSummary Summary, ushort? To = null)
{
    public PathState State { get; init; }
}

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
