using System.Collections.Immutable;
using Calico.Bgp.Bfd;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Rib;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Session;

namespace Calico.Bgp.Speaker;

/// <summary>All that the speaker is told, from bgpd.yaml (and later from resources). Immutable; a reload compares two of them.</summary>
public sealed record SpeakerConfig
{
    public required RouterId RouterId { get; init; }
    public required Asn As { get; init; }
    public required string HostName { get; init; }
    public ImmutableArray<Address> Listen { get; init; } = [Address.AnyIPv4, Address.AnyIPv6];
    public int ListenPort { get; init; } = 179;
    /// <summary>RIB shards; 0: one (auto on a node).</summary>
    public int Shards { get; init; }
    public DecisionSettings Decision { get; init; } = new();
    public ImmutableArray<PeerConfig> Peers { get; init; } = [];
    /// <summary>Neighbours that are known by their range alone.</summary>
    public ImmutableArray<PeerRange> Ranges { get; init; } = [];
    /// <summary>Neighbours that are known by their links alone.</summary>
    public ImmutableArray<PeerLink> Links { get; init; } = [];
    public ImmutableArray<OwnRouteConfig> Routes { get; init; } = [];
    /// <summary>Prefixes that are announced and never go to the kernel: ranges of services.</summary>
    public ListOf<Prefix> Announced { get; init; }
    public KernelConfig Kernel { get; init; } = new();
    /// <summary>Programs of this node that may announce routes; none: any may, each so many.</summary>
    public ImmutableArray<ProducerQuota> Producers { get; init; } = [];
    /// <summary>By name, for those who ask what one would do.</summary>
    public ImmutableArray<Filter> Filters { get; init; } = [];
    /// <summary>
    /// How long an End-of-RIB is waited for: after our own restart before peers' routes are chosen from, and after a peer's return before
    /// goes what it has not said again (RFC 4724 sections 4.1 and 4.2).
    /// </summary>
    public TimeSpan Deferral { get; init; } = TimeSpan.FromSeconds(120);
    /// <summary>
    /// Null: <see cref="StopMode.Restart"/> towards those that keep our routes over it, else <see cref="StopMode.Shutdown"/>.
    /// </summary>
    public StopMode? OnStop { get; init; }
    /// <summary>The node is cordoned, and <c>router.drainOnCordon</c>: all sessions are drained, and those that come.</summary>
    public bool IsDrained { get; init; }
    /// <summary>Peers, by name, that are not waited for at our start: their nodes do not work.</summary>
    public ListOf<string> Absent { get; init; }
}

/// <summary>What peers are told when the daemon ends.</summary>
public enum StopMode : byte
{
    /// <summary>Nothing: they take it for a loss, and wait for us.</summary>
    Restart,
    /// <summary>That we go (Cease, administrative shutdown).</summary>
    Shutdown,
}

/// <summary>A peer of bgpd.yaml, or one that the resources ask for.</summary>
public sealed record PeerConfig
{
    /// <summary>Index 0: the speaker gives each name its own.</summary>
    public required SessionSettings Session { get; init; }
    public PeerOrigin Origin { get; init; }
    public string? Description { get; init; }
    /// <summary>Why the session is kept down; null: it is not.</summary>
    public string? Problem { get; init; }
    public required IFilter Import { get; init; }
    public required IFilter Export { get; init; }
    /// <summary>Nothing was configured for an external peer: RFC 8212 rejects.</summary>
    public bool ImportDefaulted { get; init; }
    public bool ExportDefaulted { get; init; }
    public bool RouteReflectorClient { get; init; }
    /// <summary>RFC 4456; null: the router id.</summary>
    public RouterId? ClusterId { get; init; }
    public NextHopMode NextHop { get; init; }
    /// <summary>How often our own AS may stand in a received path.</summary>
    public int AllowLocalAs { get; init; }
    /// <summary>Cease 1 when the peer announces more prefixes of a family; null: no limit.</summary>
    public int? PrefixLimit { get; init; }
    /// <summary>Which paths of a prefix it is told where ADD-PATH was negotiated (RFC 7911).</summary>
    public PathsTold PathsIPv4 { get; init; } = PathsTold.Best;
    public PathsTold PathsIPv6 { get; init; } = PathsTold.Best;
    /// <summary>Null: BFD does not watch it.</summary>
    public PeerBfd? Bfd { get; init; }
    /// <summary>RFC 4271 9.2.1.1; zero: off.</summary>
    public TimeSpan MinRouteAdvertisementInterval { get; init; }
}

/// <summary>A route of our own. <paramref name="Hops"/> for a unicast one.</summary>
public sealed record OwnRouteConfig(Prefix Prefix, RouteType Type, ImmutableArray<RouteHop> Hops)
{
    /// <summary>Names of the hops' interfaces, as many as there are hops (null: by the gateway alone). They may come later than the daemon,
    /// so configuration knows no numbers: <see cref="RouteHop.Interface"/> is 0, and whoever installs the route looks the name
    /// up.</summary>
    public ImmutableArray<string?> Interfaces { get; init; } = [];

    /// <summary>Gateways are used while BFD hears them; null: whether or not anybody does.</summary>
    public BfdTimes? Bfd { get; init; }

    /// <summary>Hops whose gateways BFD does not hear now, by their places: never configured.</summary>
    internal ListOf<int> Unheard { get; init; }

    public bool Equals(OwnRouteConfig? other) =>
        other != null && Prefix == other.Prefix && Type == other.Type && Hops.AsSpan().SequenceEqual(other.Hops.AsSpan())
        && Interfaces.AsSpan().SequenceEqual(other.Interfaces.AsSpan()) && Bfd == other.Bfd && Unheard == other.Unheard;
    public override int GetHashCode() => HashCode.Combine(Prefix, Type, Hops.Length);
}

public sealed record KernelConfig
{
    /// <summary>Best routes learned by BGP (and own unicast and blackhole ones) go into the kernel.</summary>
    public bool InstallRoutes { get; init; } = true;
    public uint Table { get; init; } = 254;
    /// <summary>rtm_protocol of our routes; 12 is BIRD's.</summary>
    public byte Protocol { get; init; } = 12;
    /// <summary>RTA_PRIORITY of our routes where no filter says another; 0: the kernel's default. BIRD uses 32.</summary>
    public uint Metric { get; init; }
    /// <summary>Foreign unicast routes of the table become announceable (source kernel), and connected ones (source direct).</summary>
    public bool Learn { get; init; }
    /// <summary>After the start, own old routes wait this long at most for the sessions before they are swept.</summary>
    public TimeSpan SweepAfter { get; init; } = TimeSpan.FromSeconds(120);
    /// <summary>What goes to the kernel; null: everything.</summary>
    public IFilter? Export { get; init; }
    /// <summary>Interfaces whose networks are not announceable (source direct), with * and ?.</summary>
    public ListOf<string> IgnoredInterfaces { get; init; }
}
