using Calico.Bgp.Net;
using Calico.Bgp.Rib;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Session;
using Calico.Bgp.Speaker;
using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Capabilities;

namespace Calico.Bgp.Configuration;

/// <summary>One peer of the file: BGPPeer's field names where it has them, and names in their manner for the rest.</summary>
internal sealed class PeerReader(Section peer, SpeakerConfig router, NamedFilters filters, Folder folder)
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    /// <summary>RFC 4271 4.2: two octets of seconds, and 1 and 2 are refused.</summary>
    private static readonly Reading<TimeSpan> HoldTime = new("0 or a time from 3s to 65535s in whole seconds", ParseHoldTime);

    /// <summary>The first word of the names of a range's sessions, where the file says no other.</summary>
    private const string RangesName = "dyn";

    private const int MostSessions = 4096;

    private AddPath addPath;

    public PeerConfig? Read()
    {
        var place = PeerPlace.Read(peer);
        var name = Name(place is { } where ? $"peer_{PeerTemplate.Word(where.Address)}" : "");
        var config = Read(name, place);
        peer.Close();
        return place == null ? null : config;
    }

    /// <summary>Neighbours that are known by their range: all keys but those that are about one neighbour, or about calling it.</summary>
    public PeerRange? ReadRange()
    {
        var range = peer.Value("peerRange", Scalars.Prefix);
        foreach (var key in (ReadOnlySpan<string>)["peerIP", "interface", "peerPort", "sourceAddress"])
            if (peer.Has(key)) peer.Error(key, $"expected no {key} beside peerRange: its neighbours call us, from their addresses");
        if (peer.Has("passive") && !peer.Flag("passive", otherwise: true))
            peer.Error("passive", "expected passive: true or nothing beside peerRange: its neighbours call us");
        if (range is { } of && (of.Address.IsLinkLocal || of.Address.IsMulticast))
            peer.Error("peerRange", $"expected a range of neighbours' addresses for peerRange, got {of}");
        // Its older name stands in files that work.
        var limitKey = peer.Has("sessionLimit") ? "sessionLimit" : "peerLimit";
        if (limitKey != "peerLimit" && peer.Has("peerLimit"))
            peer.Error("peerLimit", "expected no peerLimit beside sessionLimit, which is the same");
        var limit = (int)(peer.Number(limitKey, 1, MostSessions) ?? PeerTemplate.DefaultLimit);
        var place = range is { } held ? new PeerPlace(held.Address, null, SessionSettings.Port) : (PeerPlace?)null;
        var each = Read(Name(RangesName), place);
        peer.Close();
        return range == null ? null : new(range.Value, limit, each with { Session = each.Session with { Passive = true } });
    }

    /// <summary>A neighbour that is known by its link alone: all keys but those that are about its address, or about hops to it.</summary>
    public PeerLink? ReadLink()
    {
        var device = Names.Interface(peer, "interface");
        foreach (var key in (ReadOnlySpan<string>)["sourceAddress", "multihop"])
            if (peer.Has(key)) peer.Error(key, $"expected no {key} beside interface alone: the neighbour is on that link");
        var port = (int)(peer.Number("peerPort", 1, ushort.MaxValue) ?? SessionSettings.Port);
        var advertises = peer.Flag("routerAdvertisements", otherwise: true);
        var each = Read(Name(device ?? ""), new PeerPlace(Address.AnyIPv6, device, port));
        if (device != null && !peer.Has("name") && !Names.IsPeer(device))
            peer.Error("interface", $"expected the key name beside an interface called {device}: peers are {Names.WordExpected}");
        peer.Close();
        return device == null ? null : new(device, advertises, each);
    }

    private PeerConfig Read(string name, PeerPlace? place)
    {
        if (!peer.Has("asNumber")) peer.Problems.Error(peer.Node, "expected the key asNumber, got a peer without it");
        var localAs = peer.Value("localAsNumber", Scalars.Asn) ?? router.As;
        var session = new SessionSettings
        {
            Name = name,
            Index = 0,
            PeerAddress = place?.Address ?? Address.AnyIPv4,
            Interface = place?.Interface,
            PeerPort = place?.Port ?? 179,
            ListenPort = router.ListenPort,
            SourceAddress = Source(place),
            LocalAs = localAs,
            PeerAs = peer.Value("asNumber", PeersAs(localAs)) ?? default,
            RouterId = router.RouterId,
            Fqdn = new(router.HostName, ""),
        };
        session = Features(Reach(Timers(session)));
        return Routing(session);
    }

    /// <summary>FRR's <c>remote-as external</c> and <c>internal</c> beside a number.</summary>
    private static Reading<Asn> PeersAs(Asn local) => new(
        Scalars.Asn.Expected + ", internal or external,",
        text => text switch { "external" => default(Asn), "internal" => local, _ => Scalars.Asn.Parse(text) });

    private string Name(string unsaid)
    {
        var name = peer.Text("name") ?? unsaid;
        if (!peer.Has("name") || Names.IsPeer(name)) return name;
        var expected = Names.IsWord(name) ? "a name that the daemon does not use itself" : Names.WordExpected;
        peer.Error("name", $"expected {expected}, got {peer.At("name").Kind}");
        return name;
    }

    private Address? Source(PeerPlace? place)
    {
        var source = peer.Address("sourceAddress");
        if (source is { } address && place is { } where && address.Family != where.Address.Family)
            peer.Error("sourceAddress", $"expected an {where.Address.Family} address for sourceAddress, as peerIP is, got {address}");
        return source;
    }

    private SessionSettings Timers(SessionSettings settings)
    {
        var hold = peer.Value("holdTime", HoldTime) ?? settings.HoldTime;
        var keepalive = peer.Duration("keepaliveTime", Second, TimeSpan.FromSeconds(ushort.MaxValue));
        if (keepalive >= hold && hold > TimeSpan.Zero)
            peer.Error("keepaliveTime", $"expected less than the hold time of {hold.Words()}, got {keepalive.Value.Words()}");
        var sendHold = peer.Duration("sendHoldTime", TimeSpan.Zero, TimeSpan.FromHours(24));
        // RFC 9687 section 4.4: it must be greater than the hold time.
        if (sendHold > TimeSpan.Zero && sendHold <= hold)
            peer.Error(
                "sendHoldTime", $"expected 0 or more than the hold time of {hold.Words()}, got {sendHold.Value.Words()}");
        return settings with
        {
            HoldTime = hold,
            KeepaliveTime = keepalive,
            SendHoldTime = sendHold,
            ConnectRetryTime = Time("connectRetryTime", Second) ?? settings.ConnectRetryTime,
            IdleHoldTime = Time("idleHoldTime", TimeSpan.Zero) ?? settings.IdleHoldTime,
            DelayOpenTime = Time("delayOpenTime", TimeSpan.Zero) ?? settings.DelayOpenTime,
        };
    }

    private TimeSpan? Time(string key, TimeSpan least) => peer.Duration(key, least, TimeSpan.FromHours(1));

    private static TimeSpan? ParseHoldTime(string text) =>
        Durations.Parse(text) is { Milliseconds: 0, TotalSeconds: 0 or (>= 3 and <= ushort.MaxValue) } time ? time : null;

    /// <summary>How far away the neighbour is, who calls whom, and by which key they know each other.</summary>
    private SessionSettings Reach(SessionSettings settings)
    {
        var multihop = (int?)peer.Number("multihop", 1, 255);
        var security = peer.Value("ttlSecurity", TtlSecurity);
        if (security > 0 && multihop > 1)
            peer.Error("ttlSecurity", $"expected one of ttlSecurity and multihop; ttlSecurity: {multihop} means both");
        var shutdown = Shutdown();
        return settings with
        {
            Passive = peer.Flag("passive", settings.Passive),
            Multihop = security > 0 ? (int)security : multihop ?? settings.Multihop,
            TtlSecurity = security > 0,
            Password = new PasswordReader(folder).Read(peer),
            Shutdown = shutdown != null,
            ShutdownText = shutdown is { Length: > 0 } ? shutdown : null,
        };
    }

    /// <summary>BGPPeer counts hops here; true is one.</summary>
    private static readonly Reading<long> TtlSecurity = new("true, false or a number of hops from 1 to 254", ParseTtlSecurity);

    private static long? ParseTtlSecurity(string text) =>
        text switch { "true" => 1, "false" => 0, _ => Scalars.Number(1, 254).Parse(text) };

    /// <summary>Null: the session is wanted. Else the words for the peer (RFC 9003 section 2: at most 255 octets).</summary>
    private string? Shutdown()
    {
        if (peer.Text("shutdown") is not { } text || text == "false") return null;
        if (text == "true") return "";
        if (System.Text.Encoding.UTF8.GetByteCount(text) > 255)
            peer.Error("shutdown", "expected true, false or a text of at most 255 octets for shutdown");
        return text;
    }

    private SessionSettings Features(SessionSettings settings)
    {
        var families = Families(peer, "families");
        if (peer.Has("families") && families == FamilySet.None)
            peer.Error("families", "expected ipv4, ipv6 or both under families, got neither");
        if (families == FamilySet.None) families = settings.Families;
        addPath = AddPath.Read(peer, families);
        settings = settings with
        {
            Families = families,
            AddPathReceive = addPath.Receive,
            AddPathSend = addPath.Send,
            ExtendedMessages = peer.Flag("extendedMessages", settings.ExtendedMessages),
            ExtendedNextHop = peer.Flag("extendedNextHop", settings.ExtendedNextHop),
            EnforceFirstAs = peer.Flag("enforceFirstAs", settings.EnforceFirstAs),
            GracefulRestartTime = peer.Duration("gracefulRestartTime", TimeSpan.Zero, TimeSpan.FromSeconds(4095)),
            LongLivedStaleTime = peer.Duration("longLivedStaleTime", TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(0xffffff)),
            Role = Role(settings),
            RoleStrict = peer.Flag("roleStrict", settings.RoleStrict),
        };
        // RFC 9494 section 3.1: the one capability is nothing without the other.
        if (peer.Has("longLivedStaleTime") && !peer.Has("gracefulRestartTime"))
            peer.Error("longLivedStaleTime", "expected the key gracefulRestartTime beside longLivedStaleTime (RFC 9494 section 3.1)");
        if (settings.RoleStrict && !peer.Has("role")) peer.Error("roleStrict", "expected the key role beside roleStrict");
        return settings;
    }

    private static FamilySet Families(Section section, string key) =>
        section.Values(key, Scalars.Family).Aggregate(FamilySet.None, (set, family) => set | family.Bit());

    private Role? Role(SessionSettings settings)
    {
        var role = peer.Word("role",
            ("provider", Wire.Capabilities.Role.Provider), ("customer", Wire.Capabilities.Role.Customer),
            ("peer", Wire.Capabilities.Role.Peer), ("rs-server", Wire.Capabilities.Role.RouteServer),
            ("rs-client", Wire.Capabilities.Role.RouteServerClient));
        // RFC 9234 section 4: roles are for external sessions.
        if (role != null && settings.LocalAs == settings.PeerAs) peer.Error("role", "expected no role for a peer of our own AS (RFC 9234)");
        return role;
    }

    private PeerConfig Routing(SessionSettings session)
    {
        var isInternal = session.LocalAs == session.PeerAs;
        IFilter unsaid = isInternal ? AcceptAll.Instance : RejectAll.Instance;
        var (import, export) = (filters.Named(peer, "import"), filters.Named(peer, "export"));
        var client = peer.Flag("routeReflectorClient", otherwise: false);
        if (client && !isInternal)
            peer.Error("routeReflectorClient", $"expected a peer of our own AS {session.LocalAs} (RFC 4456), got AS {session.PeerAs}");
        return new()
        {
            Session = session,
            Origin = PeerOrigin.Of(peer.Problems.File, peer.Node.Line),
            Description = peer.Text("description"),
            Import = import ?? unsaid,
            Export = export ?? unsaid,
            ImportDefaulted = import == null && !isInternal,
            ExportDefaulted = export == null && !isInternal,
            RouteReflectorClient = client,
            ClusterId = peer.Value("clusterId", Scalars.RouterId),
            NextHop = peer.Word("nextHop", ("auto", NextHopMode.Auto), ("self", NextHopMode.Self), ("keep", NextHopMode.Keep))
                ?? NextHopMode.Auto,
            AllowLocalAs = (int)(peer.Number("allowLocalAs", 0, 255) ?? 0),
            PathsIPv4 = addPath.IPv4,
            PathsIPv6 = addPath.IPv6,
            PrefixLimit = (int?)peer.Number("prefixLimit", 1, int.MaxValue),
            Bfd = BfdReader.Read(peer) is { } times ? new(times) : null,
            MinRouteAdvertisementInterval = Time("minRouteAdvertisementInterval", TimeSpan.Zero) ?? TimeSpan.Zero,
        };
    }
}
