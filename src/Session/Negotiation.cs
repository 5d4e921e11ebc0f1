using Calico.Bgp.Net;
using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Capabilities;
using Calico.Bgp.Wire.Messages;

namespace Calico.Bgp.Session;

/// <summary>Agreed, or the refusal that the peer is told; <paramref name="Detail"/>: what was expected and what came.</summary>
internal readonly record struct NegotiationResult(Negotiated? Agreed, Notification? Refusal, string? Detail)
{
    public static implicit operator NegotiationResult(Negotiated agreed) => new(agreed, null, null);
}

/// <summary>
/// Our OPEN, and what it and the peer's come to: RFC 4271 6.2 (peer AS, identifier with RFC 6286, hold time), RFC 5492 and
/// RFC 4760 (families), RFC 9234 (roles), and for the rest the rule of all capabilities: what both sides announced holds.
/// </summary>
internal static class Negotiation
{
    private const byte BadPeerAs = 2, BadIdentifier = 3, UnsupportedCapability = 7, RoleMismatch = 11;
    private const ushort MostRestartSeconds = 4095;
    private const uint MostStaleSeconds = 0x00ffffff;

    public static OpenMessage Open(SessionSettings our, RestartState restart) =>
        new(our.LocalAs, (ushort)our.HoldTime.TotalSeconds, our.RouterId, Capabilities(our, restart));

    private static CapabilitySet Capabilities(SessionSettings our, RestartState restart) => new()
    {
        Multiprotocol = [.. Families(our.Families)],
        RouteRefresh = true,
        EnhancedRouteRefresh = true,
        ExtendedMessages = our.ExtendedMessages,
        FourOctetAs = our.LocalAs,
        ExtendedNextHop = our.ExtendedNextHop && our.Families.Has(IpFamily.IPv4) ? [new(Family.IPv4Unicast, Family.IPv6Unicast.Afi)] : [],
        GracefulRestart = our.GracefulRestartTime is { } time ? Restart(our.Families, time, restart) : null,
        // RFC 9494 section 3.1: never without the one before it.
        LongLived = our is { GracefulRestartTime: not null, LongLivedStaleTime: { } stale } ? [.. LongLived(our, stale, restart)] : [],
        LongLivedHelper = our is { GracefulRestartTime: not null, LongLivedStaleTime: null },
        AddPath = [.. AddPath(our)],
        // RFC 9234 section 4.1: roles are for external sessions.
        Role = IsInternal(our) ? null : our.Role,
        Fqdn = our.Fqdn,
    };

    public static NegotiationResult Agree(SessionSettings our, OpenMessage sent, OpenMessage received, Address local, Address peer)
    {
        var theirs = received.Capabilities;
        var peerAs = theirs.FourOctetAs ?? received.MyAs;
        if (!IsExpected(our, peerAs)) return Refuse(BadPeerAs, $"expected {ExpectedAs(our)}, peer says AS {peerAs}");
        if (IsInternal(our) && received.Identifier == our.RouterId) return Refuse(BadIdentifier, $"peer has our router id {our.RouterId}");
        if (RoleFault(our, theirs) is { } fault) return Refuse(RoleMismatch, fault);
        var families = our.Families & FamiliesOf(theirs);
        if (families == FamilySet.None) return Refuse(UnsupportedCapability, Lacking(our, theirs), Wanted(our.Families));
        return Both(our, families, sent, received) with { LocalAddress = local, PeerAddress = peer };
    }

    private static Negotiated Both(SessionSettings our, FamilySet families, OpenMessage sent, OpenMessage received)
    {
        var (ours, theirs) = (sent.Capabilities, received.Capabilities);
        var restart = ours.GracefulRestart == null ? null : theirs.GracefulRestart;
        var isLongLived = restart != null && (theirs.LongLivedHelper || theirs.LongLived.Count > 0);
        return new()
        {
            LocalAs = our.LocalAs,
            PeerAs = theirs.FourOctetAs ?? received.MyAs,
            LocalId = sent.Identifier,
            PeerId = received.Identifier,
            LocalAddress = default,
            PeerAddress = default,
            Families = families,
            HoldTime = Math.Min(sent.HoldTime, received.HoldTime),
            FourOctetAs = theirs.FourOctetAs != null,
            ExtendedMessages = ours.ExtendedMessages && theirs.ExtendedMessages,
            RouteRefresh = theirs.RouteRefresh,
            EnhancedRouteRefresh = theirs.EnhancedRouteRefresh,
            AddPathReceive = families & our.AddPathReceive & AddPathOf(theirs, AddPathDirection.Send),
            AddPathSend = families & our.AddPathSend & AddPathOf(theirs, AddPathDirection.Receive),
            ExtendedNextHop = ours.ExtendedNextHop.Any(theirs.ExtendedNextHop.Contains),
            GracefulRestart = restart == null ? FamilySet.None : families & Set(restart.Families.Select(row => row.Family)),
            PeerRestartTime = restart?.Seconds ?? 0,
            RestartAware = restart != null,
            KeptByPeer = restart == null ? FamilySet.None : families & Set(ours.GracefulRestart!.Families.Select(row => row.Family)),
            NotificationRestart = restart is { Notification: true },
            LongLivedAware = isLongLived,
            LongLivedIPv4 = isLongLived && families.Has(IpFamily.IPv4) ? StaleSeconds(theirs, Family.IPv4Unicast) : 0,
            LongLivedIPv6 = isLongLived && families.Has(IpFamily.IPv6) ? StaleSeconds(theirs, Family.IPv6Unicast) : 0,
            EnforceFirstAs = our.EnforceFirstAs,
            Sent = sent,
            Received = received,
        };
    }

    /// <summary>AS_TRANS by itself says that the peer has another number, and not which.</summary>
    private static bool IsExpected(SessionSettings our, Asn peerAs) =>
        our.TakesAnyExternalAs ? peerAs != our.LocalAs && peerAs != Asn.Trans : peerAs == our.PeerAs;

    private static string ExpectedAs(SessionSettings our) =>
        our.TakesAnyExternalAs ? $"any AS but ours ({our.LocalAs})" : $"AS {our.PeerAs}";

    /// <summary>RFC 9234 section 4.2's table, and strict mode. Null: the roles go together, or are nobody's business.</summary>
    private static string? RoleFault(SessionSettings our, CapabilitySet theirs)
    {
        if (IsInternal(our)) return null;
        if (theirs.RolesDiffer) return "peer has two different roles";
        if (our.Role is not { } role) return null;
        if (theirs.Role is not { } other) return our.RoleStrict ? $"we are {role}, peer has no role" : null;
        return other == Counterpart(role) ? null : $"we are {role}, expected {Counterpart(role)}, peer says {other}";
    }

    private static Role Counterpart(Role role) => role switch
    {
        Role.Provider => Role.Customer,
        Role.Customer => Role.Provider,
        Role.RouteServer => Role.RouteServerClient,
        Role.RouteServerClient => Role.RouteServer,
        _ => Role.Peer,
    };

    private static NegotiationResult Refuse(byte subcode, string detail, byte[]? data = null) =>
        new(null, new(ErrorCode.OpenMessage, subcode, data), detail);

    /// <summary>RFC 5492 section 5: the capabilities that are missing, as we sent them.</summary>
    private static byte[] Wanted(FamilySet families) =>
        [.. Families(families).SelectMany(family => (byte[])[1, 4, (byte)(family.Afi >> 8), (byte)family.Afi, 0, family.Safi])];

    // RFC 8538: who keeps routes over a loss keeps them over a NOTIFICATION too.
    private static GracefulRestart Restart(FamilySet families, TimeSpan time, RestartState state) => time == TimeSpan.Zero
        ? new(false, true, 0, [])
        : new(state.IsRestarting, true, (ushort)Math.Min(time.TotalSeconds, MostRestartSeconds),
            [.. Families(families).Select(family => new GracefulRestartFamily(family, state.IsPreserved))]);

    private static IEnumerable<LongLivedFamily> LongLived(SessionSettings our, TimeSpan stale, RestartState state) =>
        Families(our.Families).Select(
            family => new LongLivedFamily(family, state.IsPreserved, (uint)Math.Min(stale.TotalSeconds, MostStaleSeconds)));

    private static uint StaleSeconds(CapabilitySet of, Family family) =>
        of.LongLived.FirstOrDefault(row => row.Family == family).StaleSeconds;

    private static IEnumerable<AddPathFamily> AddPath(SessionSettings our) =>
        from family in (IpFamily[])[IpFamily.IPv4, IpFamily.IPv6]
        where our.Families.Has(family)
        let receive = our.AddPathReceive.Has(family) ? AddPathDirection.Receive : AddPathDirection.None
        let send = our.AddPathSend.Has(family) ? AddPathDirection.Send : AddPathDirection.None
        where (receive | send) != AddPathDirection.None
        select new AddPathFamily(Family.Of(family), receive | send);

    private static FamilySet AddPathOf(CapabilitySet capabilities, AddPathDirection direction) =>
        Set(capabilities.AddPath.Where(row => (row.Direction & direction) != 0).Select(row => row.Family));

    /// <summary>RFC 4760 section 8: without the capability a peer speaks IPv4 unicast, and nothing else.</summary>
    private static FamilySet FamiliesOf(CapabilitySet capabilities) =>
        capabilities.Multiprotocol.Count == 0 ? FamilySet.IPv4 : Set(capabilities.Multiprotocol);

    private static FamilySet Set(IEnumerable<Family> families) =>
        families.Aggregate(FamilySet.None, (set, family) => family.TryUnicast(out var unicast) ? set | unicast.Bit() : set);

    private static IEnumerable<Family> Families(FamilySet set)
    {
        if (set.Has(IpFamily.IPv4)) yield return Family.IPv4Unicast;
        if (set.Has(IpFamily.IPv6)) yield return Family.IPv6Unicast;
    }

    private static string Lacking(SessionSettings our, CapabilitySet theirs) =>
        $"expected {Words(our.Families)}, peer offers {Words(FamiliesOf(theirs))}";

    private static string Words(FamilySet set) => set == FamilySet.None ? "no family that we know" : string.Join(" and ", Families(set));

    private static bool IsInternal(SessionSettings our) => our.LocalAs == our.PeerAs;
}
