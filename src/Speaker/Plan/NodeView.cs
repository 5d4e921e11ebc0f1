using System.Collections.Immutable;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Speaker.Plan;

/// <summary>The resources as they look from this node: what of several objects that say something counts.</summary>
internal sealed class NodeView
{
    private const string ExcludeLabel = "node.kubernetes.io/exclude-from-external-load-balancers";
    private const uint NormalPriority = 1024;
    private static readonly Node Unknown = new(new Metadata(""));
    private ILookup<Address, Node>? byAddress;

    public NodeView(ResourceSnapshot resources, PlanSettings settings)
    {
        (Resources, Settings) = (resources, settings);
        Self = resources.Of(Kinds.Node)[settings.Node] ?? Unknown;
        Global = Configuration(BgpConfiguration.Default);
        Own = Configuration(BgpConfiguration.NodePrefix + settings.Node);
        ClusterAs = Global?.AsNumber ?? settings.As;
        As = Self.AsNumber ?? ClusterAs;
        ListenPort = Own?.ListenPort ?? Global?.ListenPort ?? settings.ListenPort;
        var routes = Release.ReadsClusterRoutes
            ? Global?.ProgramClusterRoutes ?? Release.DefaultClusterRoutes : Release.DefaultClusterRoutes;
        OwnsIpip = routes is ClusterRoutes.Enabled or ClusterRoutes.EnabledIPIPOnly;
        OwnsNoEncap = routes is ClusterRoutes.Enabled or ClusterRoutes.EnabledNoEncapOnly;
        RouterId = RouterIdOf(settings, Self);
    }

    public ResourceSnapshot Resources { get; }
    public PlanSettings Settings { get; }
    public CalicoRelease Release => Settings.Release;
    public Node Self { get; }
    public bool IsKnown => Self.Name.Length > 0;
    public BgpConfiguration? Global { get; }
    public BgpConfiguration? Own { get; }
    public Asn ClusterAs { get; }
    public Asn As { get; }
    public int ListenPort { get; }
    public RouterId RouterId { get; }
    /// <summary>We write IPIP pools' routes into the kernel, or Felix does.</summary>
    public bool OwnsIpip { get; }
    public bool OwnsNoEncap { get; }
    public RouterId? ClusterId => Self.RouteReflectorClusterId;
    public bool IsExcludedFromServices => Self.Labels.TryGetValue(ExcludeLabel, out var value) && value == "true";

    /// <summary>By name; asked for every BGPPeer, so that nobody goes through all nodes for each.</summary>
    public IEnumerable<Node> NodesAt(Address address) =>
        (byAddress ??= AddressesOf(Resources.Of(Kinds.Node)).ToLookup(at => at.Address, at => at.Node))[address];

    /// <summary>The node that a peer is; null: it is none, or several have its address.</summary>
    public Node? NodeOf(PlannedPeer peer) => peer.Far is { } far
        ? Resources.Of(Kinds.Node)[far.Key] : NodesAt(peer.Address).ToArray() is [var one] ? one : null;

    private static IEnumerable<(Address Address, Node Node)> AddressesOf(IEnumerable<Node> nodes) =>
        from node in nodes
        from family in (IpFamily[])[IpFamily.IPv4, IpFamily.IPv6]
        let address = node.Of(family)?.Address
        where address != null
        select (address.Value, node);

    public Address? AddressOf(IpFamily family) => Self.Of(family)?.Address;

    public IEnumerable<Address> OwnAddresses => new[] { AddressOf(IpFamily.IPv4), AddressOf(IpFamily.IPv6) }.OfType<Address>();

    public uint NormalPriorityOf(IpFamily family) =>
        (uint?)(family == IpFamily.IPv4 ? Global?.IPv4NormalRoutePriority : Global?.IPv6NormalRoutePriority) ?? NormalPriority;

    /// <summary>Where another node listens.</summary>
    public int ListenPortOf(Node node) =>
        Configuration(BgpConfiguration.NodePrefix + node.Name)?.ListenPort ?? Global?.ListenPort ?? Session.SessionSettings.Port;

    /// <summary>A node's own list takes the place of the global one, also when it is empty; its names are its own too.</summary>
    public (ListOf<PrefixAdvertisement> Rules, BgpConfiguration? Names) PrefixAdvertisements =>
        Own?.PrefixAdvertisements is { } own ? (own, Own) : (Global?.PrefixAdvertisements ?? [], Global);

    public ImmutableArray<IPPool> PoolsOf(IpFamily family) =>
    [
        .. Resources.Of(Kinds.IPPool).Where(pool => pool.Cidr.Family == family)
            .OrderBy(pool => pool.Cidr.ToString(), StringComparer.Ordinal),
    ];

    private BgpConfiguration? Configuration(string name) => Resources.Of(Kinds.BgpConfiguration)[name];

    /// <summary>A node without IPv4 address gets the hash too; Calico leaves its router id empty, and BIRD does not start.</summary>
    private static RouterId RouterIdOf(PlanSettings settings, Node self)
    {
        if (settings.RouterId is { } said) return said;
        return self.IPv4 is { } address && !settings.HashRouterId ? new(address.Address.IPv4Bits) : NodeHash.RouterId(settings.Node);
    }
}
