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
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(5);
    private volatile Life? life;

    /// <summary>One established session. <paramref name="told"/>: what the RIB knows of it.</summary>
    public sealed class Life(Negotiated negotiated, RouteSink sink, RibPeer told)
    {
        public Negotiated Negotiated { get; } = negotiated;
        public RouteSink Sink { get; } = sink;
        public RibPeer Told { get; set; } = told;
        /// <summary>Families whose End-of-RIB has come.</summary>
        public FamilySet Complete { get; set; }
        /// <summary>How many UPDATEs had come when somebody last looked, and since when it has been that many.</summary>
        public (long Count, DateTimeOffset Since) Updates { get; set; } = (-1, default);
    }

    public PeerConfig Config { get; set; } = config;
    /// <summary>What the operator said when he disabled or restarted it.</summary>
    public string? Message { get; set; }
    public PeerSession Session { get; } = session;
    public Life? Up { get => life; set => life = value; }
    public ushort Index => Session.Settings.Index;
    public string Name => Session.Settings.Name;

    /// <summary>
    /// The peer's first table is here. An End-of-RIB is promised by the graceful restart capability (RFC 4724 section 3); the table
    /// of a peer that never promised one is over when no UPDATE has come for a while.
    /// </summary>
    public bool HasSettled(DateTimeOffset now)
    {
        var session = Session.Snapshot;
        if (!session.Enabled) return true;
        if (Up is not { } up) return false;
        if ((up.Complete & up.Negotiated.Families) == up.Negotiated.Families) return true;
        if (up.Negotiated.Received.Capabilities.GracefulRestart != null) return false;
        if (session.Counters.UpdatesIn != up.Updates.Count) up.Updates = (session.Counters.UpdatesIn, now);
        return now - up.Updates.Since >= Quiet;
    }

    /// <summary>What the RIB must know of the established session.</summary>
    public RibPeer ForRib(Negotiated negotiated, KernelSnapshot kernel)
    {
        var settings = Session.Settings;
        var onLink = InterfaceOf(negotiated.LocalAddress, kernel);
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
            SelfLinkLocal = settings.Multihop <= 1 ? SelfLinkLocal(negotiated.LocalAddress, addresses) : null,
            Families = negotiated.Families,
            Encode = new(negotiated.FourOctetAs, negotiated.MaxMessageLength, negotiated.ExtendedNextHop, negotiated.AddPathSend),
            EnhancedRefresh = negotiated.EnhancedRouteRefresh,
            PrefixLimit = Config.PrefixLimit,
            MinRouteAdvertisementInterval = Config.MinRouteAdvertisementInterval,
        };
    }

    /// <summary>The same link-local address may stand on several interfaces; then the configured one tells.</summary>
    private int InterfaceOf(Address local, KernelSnapshot kernel)
    {
        if (Session.Settings.Interface is { } name && kernel.Links.Values.FirstOrDefault(link => link.Name == name) is { } link) return link.Index;
        return kernel.Addresses.FirstOrDefault(address => address.Address == local)?.Interface ?? 0;
    }

    private static Address? SelfLinkLocal(Address local, Address[] onLink) =>
        onLink.Where(address => address.IsLinkLocal).OrderBy(address => address != local).Select(address => (Address?)address).FirstOrDefault();

    private static Address SelfIPv6(Address local, Address[] onLink)
    {
        if (!local.IsIPv4 && !local.IsLinkLocal) return local;
        var global = onLink.FirstOrDefault(address => !address.IsIPv4 && !address.IsLinkLocal, Address.AnyIPv6);
        return global.IsUnspecified && !local.IsIPv4 ? local : global;
    }
}
