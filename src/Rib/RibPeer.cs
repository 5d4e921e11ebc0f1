using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Capabilities;

namespace Calico.Bgp.Rib;

/// <summary>Where encoded messages for a peer go. Thread-safe; never blocks.</summary>
public interface IPeerOutlet
{
    ushort Peer { get; }
    /// <summary>Takes over one reference of the buffer.</summary>
    void Send(OutBuffer buffer);
    /// <summary>Octets taken and not yet handed to the kernel.</summary>
    long Backlog { get; }
    /// <summary>One call, on any thread, once the backlog is at most this many octets.</summary>
    void WhenDrained(long octets, Action drained);
}

/// <summary>Whose routes stay, stale, though their session is lost.</summary>
/// <param name="StaleToo">Of these what an earlier session left stays as well (RFC 9494 section 4.2).</param>
public readonly record struct KeptFamilies(FamilySet All, FamilySet StaleToo);

/// <summary>A source or receiver of routes, as the RIB knows it: a BGP peer, or one of our own (static, direct, kernel).</summary>
public sealed record RibPeer
{
    /// <summary>Unique, kept over reconnections.</summary>
    public required ushort Index { get; init; }

    public required string Name { get; init; }
    /// <summary>Which of its sessions, one after the other: what is said of an earlier one comes too late.</summary>
    public int Life { get; init; }
    public required RouteOrigin Origin { get; init; }
    /// <summary>Between protocols the higher one wins: direct 240, static 200, BGP 100, kernel 10.</summary>
    public required uint Preference { get; init; }

    public IFilter Import { get; init; } = AcceptAll.Instance;
    public IFilter Export { get; init; } = RejectAll.Instance;

    public bool Internal { get; init; }
    public bool ReflectorClient { get; init; }
    public Asn LocalAs { get; init; }
    public Asn PeerAs { get; init; }
    public RouterId LocalId { get; init; }
    public RouterId ClusterId { get; init; }
    public RouterId PeerId { get; init; }
    public Address PeerAddress { get; init; }
    /// <summary>The session is about to be shut down (RFC 8326): routes of either direction are the last choice.</summary>
    public bool Drains { get; init; }
    /// <summary>Ours towards this external peer (RFC 9234); null: none was configured.</summary>
    public Role? Role { get; init; }
    /// <summary>How often our own AS may stand in a received path.</summary>
    public int AllowLocalAs { get; init; }
    /// <summary>RFC 9774: what has an AS_SET in its path does not come in.</summary>
    public bool RejectAsSets { get; init; }
    /// <summary>A neighbour one hop away: its next hops must be on a link of ours.</summary>
    public bool Direct { get; init; }
    /// <summary>The interface that a direct neighbour is on; 0 where unknown.</summary>
    public int Interface { get; init; }

    public NextHopMode NextHop { get; init; }
    /// <summary>What "next hop self" means towards this peer; an unspecified address where we have none of the family.</summary>
    public Address SelfIPv4 { get; init; } = Address.AnyIPv4;
    public Address SelfIPv6 { get; init; } = Address.AnyIPv6;
    public Address? SelfLinkLocal { get; init; }

    public FamilySet Families { get; init; }
    public EncodeContext Encode { get; init; } = new(true, 4096, false, FamilySet.None);
    /// <summary>Which paths of a prefix it is told in families where ADD-PATH was negotiated (RFC 7911); elsewhere the best one.</summary>
    public PathsTold PathsIPv4 { get; init; } = PathsTold.Best;
    public PathsTold PathsIPv6 { get; init; } = PathsTold.Best;
    /// <summary>RFC 7313 was negotiated: a refresh is bracketed by BoRR and EoRR.</summary>
    public bool EnhancedRefresh { get; init; }
    public int? PrefixLimit { get; init; }
    /// <summary>RFC 9494 was negotiated: it may be told routes that are long stale.</summary>
    public bool LongLived { get; init; }
    public TimeSpan MinRouteAdvertisementInterval { get; init; }

    public Address Self(IpFamily family) => family == IpFamily.IPv4 ? SelfIPv4 : SelfIPv6;

    /// <summary>
    /// All that the way out depends on: peers for whom this is equal form one export group (RFC 4271 9.1.3 is run once for all).
    /// </summary>
    internal ExportTreatment Treatment => new(Export)
    {
        Internal = Internal,
        ReflectorClient = ReflectorClient,
        LocalAs = LocalAs,
        LocalId = LocalId,
        ClusterId = ClusterId,
        NextHop = NextHop,
        Interface = Direct ? Interface : 0,
        SelfIPv4 = SelfIPv4,
        SelfIPv6 = SelfIPv6,
        SelfLinkLocal = SelfLinkLocal,
        Encode = Encode,
        PathsIPv4 = Encode.AddPath.Has(IpFamily.IPv4) ? PathsIPv4 : PathsTold.Best,
        PathsIPv6 = Encode.AddPath.Has(IpFamily.IPv6) ? PathsIPv6 : PathsTold.Best,
        MinRouteAdvertisementInterval = MinRouteAdvertisementInterval,
        LongLived = LongLived,
        Role = Role,
        Drains = Drains,
    };
}

/// <summary>Which of a prefix's usable paths a peer is told (RFC 7911 leaves that to us).</summary>
/// <param name="Most">So many at most, the best ones.</param>
/// <param name="OnlyShared">The best one, and those beside it that packets may be shared out among (<see cref="Decision.Share"/>).</param>
public readonly record struct PathsTold(int Most, bool OnlyShared = false)
{
    public static readonly PathsTold Best = new(1), All = new(int.MaxValue), Equal = new(int.MaxValue, OnlyShared: true);
}

internal sealed record ExportTreatment(IFilter Filter)
{
    public required bool Internal { get; init; }
    public required bool ReflectorClient { get; init; }
    public required Asn LocalAs { get; init; }
    public required RouterId LocalId { get; init; }
    public required RouterId ClusterId { get; init; }
    public required NextHopMode NextHop { get; init; }
    /// <summary>The link that the neighbour stands on; 0: it is reached over others.</summary>
    public required int Interface { get; init; }
    public required Address SelfIPv4 { get; init; }
    public required Address SelfIPv6 { get; init; }
    public required Address? SelfLinkLocal { get; init; }
    public required EncodeContext Encode { get; init; }
    public required PathsTold PathsIPv4 { get; init; }
    public required PathsTold PathsIPv6 { get; init; }
    public required TimeSpan MinRouteAdvertisementInterval { get; init; }
    public required bool LongLived { get; init; }
    public required Role? Role { get; init; }
    public required bool Drains { get; init; }

    /// <summary>What is told in this family bears a path's identifier, however many of a prefix are.</summary>
    public bool IsByPath(IpFamily family) => Encode.AddPath.Has(family);

    public PathsTold Paths(IpFamily family) => family == IpFamily.IPv4 ? PathsIPv4 : PathsIPv6;

    public Address Self(IpFamily family) => family == IpFamily.IPv4 ? SelfIPv4 : SelfIPv6;
}

/// <summary>
/// What happened to a peer's routes of one family, in the words of birdc's table of route changes. Written by the shard, read by anyone.
/// </summary>
public sealed class PeerCounts
{
    /// <summary>Routes in the table now: accepted, rejected by the filter or a door, and best ones.</summary>
    public long Imported, Filtered, Preferred;
    public long UpdatesReceived, UpdatesRejected, UpdatesFiltered, UpdatesIgnored, UpdatesAccepted;
    public long WithdrawsReceived, WithdrawsIgnored, WithdrawsAccepted;
    /// <summary>Of the received updates, those that were treated as withdrawn because of an AS_SET (RFC 9774).</summary>
    public long AsSets;
    /// <summary>Routes that the peer was told and holds.</summary>
    public long Exported;
    public long ExportUpdates, ExportRejected, ExportFiltered, ExportWithdraws;

    /// <summary>Paths in the table.</summary>
    internal int Held => (int)(Imported + Filtered);

    internal void Add(PeerCounts part)
    {
        Imported += part.Imported;
        Filtered += part.Filtered;
        Preferred += part.Preferred;
        UpdatesReceived += part.UpdatesReceived;
        UpdatesRejected += part.UpdatesRejected;
        UpdatesFiltered += part.UpdatesFiltered;
        UpdatesIgnored += part.UpdatesIgnored;
        UpdatesAccepted += part.UpdatesAccepted;
        AsSets += part.AsSets;
        WithdrawsReceived += part.WithdrawsReceived;
        WithdrawsIgnored += part.WithdrawsIgnored;
        WithdrawsAccepted += part.WithdrawsAccepted;
        Exported += part.Exported;
        ExportUpdates += part.ExportUpdates;
        ExportRejected += part.ExportRejected;
        ExportFiltered += part.ExportFiltered;
        ExportWithdraws += part.ExportWithdraws;
    }

    /// <summary>The session is over. What is still in the table counts until it is removed.</summary>
    internal void Reset()
    {
        Exported = 0;
        UpdatesReceived = UpdatesRejected = UpdatesFiltered = UpdatesIgnored = UpdatesAccepted = AsSets = 0;
        WithdrawsReceived = WithdrawsIgnored = WithdrawsAccepted = 0;
        ExportUpdates = ExportRejected = ExportFiltered = ExportWithdraws = 0;
    }
}
