using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Rib;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Session;
using Calico.Bgp.Wire;

namespace Calico.Bgp.Speaker;

/// <summary>A configured neighbour while the daemon runs: its configuration, its session, and what the RIB was told of it.</summary>
internal sealed class Peer(PeerConfig config, PeerSession session)
{
    private const uint BgpPreference = 100;
    private volatile Life? life;

    /// <summary>One established session.</summary>
    public sealed record Life(Negotiated Negotiated, RouteSink Sink)
    {
        /// <summary>Families whose End-of-RIB has come.</summary>
        public FamilySet Complete { get; set; }
    }

    public PeerConfig Config { get; set; } = config;
    /// <summary>What the operator said when he disabled or restarted it.</summary>
    public string? Message { get; set; }
    public PeerSession Session { get; } = session;
    public Life? Up { get => life; set => life = value; }
    public ushort Index => Session.Settings.Index;
    public string Name => Session.Settings.Name;

    /// <summary>The peer's first table is here, or it never promised to say so.</summary>
    public bool HasSettled => !Session.Snapshot.Enabled || (Up is { } up && (up.Complete & up.Negotiated.Families) == up.Negotiated.Families);

    /// <summary>What the RIB must know of the established session.</summary>
    public RibPeer ForRib(Negotiated negotiated, KernelSnapshot kernel)
    {
        var settings = Session.Settings;
        var onLink = kernel.Addresses.FirstOrDefault(address => address.Address == negotiated.LocalAddress)?.Interface ?? 0;
        var addresses = kernel.Addresses.Where(address => address.Interface == onLink).Select(address => address.Address).ToArray();
        return new()
        {
            Index = Index,
            Name = Name,
            Origin = RouteOrigin.Bgp,
            Preference = BgpPreference,
            Import = Config.Import,
            Export = Config.Export,
            Internal = negotiated.Internal,
            ReflectorClient = Config.RouteReflectorClient,
            LocalAs = negotiated.LocalAs,
            PeerAs = negotiated.PeerAs,
            LocalId = negotiated.LocalId,
            ClusterId = Config.ClusterId ?? negotiated.LocalId,
            PeerId = negotiated.PeerId,
            PeerAddress = negotiated.PeerAddress,
            AllowLocalAs = Config.AllowLocalAs,
            Direct = !negotiated.Internal && settings.Multihop <= 1,
            Interface = onLink,
            NextHop = Config.NextHop,
            SelfIPv4 = negotiated.LocalAddress.IsIPv4 ? negotiated.LocalAddress : addresses.FirstOrDefault(address => address.IsIPv4, Address.AnyIPv4),
            SelfIPv6 = SelfIPv6(negotiated.LocalAddress, addresses),
            SelfLinkLocal = settings.Multihop <= 1 ? addresses.Where(address => address.IsLinkLocal).Select(address => (Address?)address).FirstOrDefault() : null,
            Families = negotiated.Families,
            Encode = new(negotiated.FourOctetAs, negotiated.MaxMessageLength, negotiated.ExtendedNextHop, negotiated.AddPathSend),
            EnhancedRefresh = negotiated.EnhancedRouteRefresh,
            PrefixLimit = Config.PrefixLimit,
            MinRouteAdvertisementInterval = Config.MinRouteAdvertisementInterval,
        };
    }

    private static Address SelfIPv6(Address local, Address[] onLink)
    {
        if (!local.IsIPv4 && !local.IsLinkLocal) return local;
        var global = onLink.FirstOrDefault(address => !address.IsIPv4 && !address.IsLinkLocal, Address.AnyIPv6);
        return global.IsUnspecified && !local.IsIPv4 ? local : global;
    }
}
