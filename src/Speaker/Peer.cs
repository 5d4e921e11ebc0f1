using Calico.Bgp.Bfd;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Rib;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Session;
using Calico.Bgp.Wire;

namespace Calico.Bgp.Speaker;

/// <summary>
/// A configured neighbour while the daemon runs: its configuration, its session, and what the RIB was told of it. Changed by the speaker's
/// loop alone; who looks in from outside finds each part as it last was.
/// </summary>
internal sealed class Peer(PeerDoor door, PeerSession session)
{
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(5);
    private volatile PeerLife? life;
    private volatile Retention retention = Retention.None;
    /// <summary>Its session waits for the link or the address that it needs.</summary>
    private bool isWayLost;
    /// <summary>BFD has taken its session down, and has not heard the neighbour since.</summary>
    private bool isUnheard;
    private BfdLoss? lastLoss;

    public PeerDoor Door => door;
    public PeerConfig Config { get => door.Config; set => door.Config = value; }
    /// <summary>Whose template made it; null: it was configured by its address.</summary>
    public PeerRange? Range { get; set; }
    /// <summary>The link by which it is known; null: it has an address by which it is.</summary>
    public PeerLink? Link { get; set; }
    /// <summary>It is emptied, or was, and stays down; null: it is not.</summary>
    public Drain? Drain { get => door.Drain; set => door.Drain = value; }
    /// <summary>Of one that a template made: until it has been down for long.</summary>
    public ITimer? Patience { get; set; }
    /// <summary>What the operator said when he disabled or restarted it.</summary>
    public string? Message { get; set; }
    /// <summary>The limit that it was over, and for which its session is kept down; null: it is not.</summary>
    public (IpFamily Family, int Limit)? OverLimit { get; set; }
    /// <summary>What an earlier session of it left, and its next time.</summary>
    public Retention Retention { get => retention; set => retention = value; }
    public ITimer? RetentionEnds { get; set; }
    /// <summary>On what the session agreed that left the kept routes.</summary>
    public Negotiated? LeftBy { get; set; }
    /// <summary>As what BFD watches it; null: it does not.</summary>
    public BfdTarget? Watched { get; private set; }
    public PeerSession Session { get; } = session;
    public PeerLife? Up { get => life; set => life = value; }
    public ushort Index => Session.Settings.Index;
    public string Name => Session.Settings.Name;

    /// <summary>
    /// The session ends with its link or its own address, and calls at once when they are there again (on another link, it may be).
    /// </summary>
    public void LookAtWay(KernelSnapshot snapshot)
    {
        var settings = Session.Settings;
        if (Up is { HasLostWay: false } up)
        {
            var gone = PeerWay.Lost(up, settings, snapshot);
            isWayLost = up.HasLostWay = gone != null;
            if (gone != null) Session.LoseWay(gone, up.Negotiated);
        }
        if (!isWayLost && (Up != null || !PeerWay.IsDirect(settings))) return;
        var (state, what) = PeerWay.To(settings, snapshot);
        if (state == WayState.Lost && Up == null && !isWayLost)
        {
            isWayLost = true;
            Session.LoseWay(what!, null);
        }
        if (state != WayState.There || !isWayLost) return;
        isWayLost = false;
        Session.FindWay();
    }

    /// <param name="earlierLoss">Of a session that is there already, for another's sake or another process's: no news.</param>
    public void Watch(BfdTarget? target, BfdLoss? earlierLoss)
    {
        if (target?.Key != Watched?.Key) lastLoss = earlierLoss;
        Watched = target;
    }

    /// <summary>BFD has lost it, and nobody has heard of that yet.</summary>
    public bool HasUnheardLoss(BfdLoss? loss) => loss != null && loss != lastLoss;

    /// <summary>RFC 5882 section 3.2, 4.2: a loss ends the session; a session that was never up says nothing.</summary>
    /// <returns>
    /// The peer was restarting, and its way is lost: what it left must go. A neighbour whose BFD ends with its control plane may only be
    /// silent while it restarts (RFC 5882 section 4.3).
    /// </returns>
    public bool LookAtBfd(BfdSessionStatus session)
    {
        var isNews = HasUnheardLoss(session.LastLoss);
        lastLoss = session.LastLoss;
        if (isNews && Up is { HasLostWay: false } up)
        {
            isUnheard = up.HasLostWay = true;
            Session.LoseWay(LostWay.ByBfd(lastLoss!.Words), up.Negotiated);
        }
        if (isUnheard && session.State == BfdState.Up)
        {
            isUnheard = false;
            Session.FindWay();
        }
        return isNews && Up == null && session.RemoteIsIndependent;
    }

    /// <summary>
    /// The peer's first table is here. An End-of-RIB is promised by the graceful restart capability (RFC 4724 section 3), where both sides
    /// have it: FRR, for one, sends none to a peer without. The table that nobody promised the end of is over when no UPDATE has come for a
    /// while, or when a KEEPALIVE has come since the last one.
    /// </summary>
    public bool HasSettled(DateTimeOffset now)
    {
        var session = Session.Snapshot;
        if (!session.Enabled) return true;
        // Who calls from a range is missed by nobody before he has called.
        if (Up is not { } up) return Range != null;
        var missing = up.Negotiated.Families & ~up.Complete;
        if (up.Negotiated.RestartAware) return missing == FamilySet.None;
        var counters = session.Counters;
        if (counters.In.Updates != up.Heard.Updates) up.Heard = new(counters.In.Updates, counters.In.Keepalives, now);
        return missing == FamilySet.None || counters.In.Keepalives > up.Heard.Keepalives || now - up.Heard.Since >= Quiet;
    }

    /// <summary>
    /// Families that are not chosen from before the peer's End-of-RIB (RFC 4724 section 4.1). One that has not come yet may promise it; one
    /// without graceful restart does not, and one that restarts too must not be waited for.
    /// </summary>
    /// <param name="isPatienceOver">A peer that cannot be reached, or has not been found on its link, is not waited for any longer.</param>
    public FamilySet HoldsUp(bool isPatienceOver)
    {
        var session = Session.Snapshot;
        if (!session.Enabled || session.Settings.GracefulRestartTime == null) return FamilySet.None;
        if (Up is { Negotiated: var agreed } up)
            return agreed is { RestartAware: true, Received.Capabilities.GracefulRestart.Restarting: false }
                ? agreed.Families & ~up.Complete : FamilySet.None;
        var isAway = session.Faults.Why.Kind is FaultKind.Socket or FaultKind.Way || session.Settings.PeerAddress.IsUnspecified;
        return Range != null || (isAway && isPatienceOver) ? FamilySet.None : session.Settings.Families;
    }
}

/// <summary>A peer as the RIB must know it, by its configuration and what its session agreed on.</summary>
internal static class PeerInRib
{
    private const uint BgpPreference = 100;

    public static RibPeer ForRib(
        this PeerConfig config, SessionSettings settings, Negotiated negotiated, DecisionSettings decision, KernelSnapshot kernel)
    {
        var onLink = InterfaceOf(settings, negotiated.LocalAddress, kernel);
        var addresses = kernel.Addresses.Where(address => address.Interface == onLink).Select(address => address.Address).ToArray();
        return config.InRib(settings, negotiated.Internal) with
        {
            LocalAs = negotiated.LocalAs,
            PeerAs = negotiated.PeerAs,
            LocalId = negotiated.LocalId,
            ClusterId = config.ClusterId ?? negotiated.LocalId,
            PeerId = negotiated.PeerId,
            PeerAddress = negotiated.PeerAddress,
            RejectAsSets = decision.RejectAsSets,
            Interface = onLink,
            SelfIPv4 = SelfIPv4(negotiated, addresses),
            SelfIPv6 = SelfIPv6(negotiated.LocalAddress, addresses),
            SelfLinkLocal = settings.Multihop <= 1 ? SelfLinkLocal(negotiated.LocalAddress, addresses) : null,
            Families = negotiated.Families,
            Encode = new(negotiated.FourOctetAs, negotiated.MaxMessageLength, negotiated.ExtendedNextHop, negotiated.AddPathSend),
            EnhancedRefresh = negotiated.EnhancedRouteRefresh,
            LongLived = negotiated.LongLivedAware,
        };
    }

    /// <summary>What of it follows from the configuration alone, before any session.</summary>
    public static RibPeer InRib(this PeerConfig config, SessionSettings settings, bool isInternal) => new()
    {
        Index = settings.Index,
        Name = settings.Name,
        Origin = RouteOrigin.Bgp,
        Preference = BgpPreference,
        Import = config.Import,
        Export = config.Export,
        Internal = isInternal,
        ReflectorClient = config.RouteReflectorClient,
        LocalAs = settings.LocalAs,
        PeerAs = settings.PeerAs,
        LocalId = settings.RouterId,
        ClusterId = config.ClusterId ?? settings.RouterId,
        // RFC 9234 section 4.1: roles are for external sessions.
        Role = isInternal ? null : settings.Role,
        AllowLocalAs = config.AllowLocalAs,
        Direct = !isInternal && settings.Multihop <= 1,
        NextHop = config.NextHop,
        PathsIPv4 = config.PathsIPv4,
        PathsIPv6 = config.PathsIPv6,
        PrefixLimit = config.PrefixLimit,
        MinRouteAdvertisementInterval = config.MinRouteAdvertisementInterval,
    };

    /// <summary>The same link-local address may stand on several interfaces; then the configured one tells.</summary>
    private static int InterfaceOf(SessionSettings settings, Address local, KernelSnapshot kernel)
    {
        if (settings.Interface is { } name && kernel.Links.Values.FirstOrDefault(link => link.Name == name) is { } link) return link.Index;
        return kernel.Addresses.FirstOrDefault(address => address.Address == local)?.Interface ?? 0;
    }

    private static Address? SelfLinkLocal(Address local, Address[] onLink) =>
        onLink.Where(address => address.IsLinkLocal).OrderBy(address => address != local).Select(address => (Address?)address)
            .FirstOrDefault();

    /// <summary>
    /// Towards a neighbour that has a link-local address alone, the link's IPv4 address may be of a subnet that is not his; where RFC 8950
    /// is agreed on, he is told an address that he can reach.
    /// </summary>
    private static Address SelfIPv4(Negotiated negotiated, Address[] addresses)
    {
        if (negotiated.LocalAddress.IsIPv4) return negotiated.LocalAddress;
        if (negotiated is { LocalAddress.IsLinkLocal: true, ExtendedNextHop: true }) return Address.AnyIPv4;
        return addresses.FirstOrDefault(address => address.IsIPv4, Address.AnyIPv4);
    }

    private static Address SelfIPv6(Address local, Address[] onLink)
    {
        if (!local.IsIPv4 && !local.IsLinkLocal) return local;
        var global = onLink.FirstOrDefault(address => !address.IsIPv4 && !address.IsLinkLocal, Address.AnyIPv6);
        return global.IsUnspecified && !local.IsIPv4 ? local : global;
    }
}
