using Calico.Bgp.Net;
using Calico.Bgp.Wire.Messages;

namespace Calico.Bgp.Wire;

/// <summary>What two OPEN messages agreed on: all that a codec may ask about its session.</summary>
public sealed record Negotiated
{
    public required Asn LocalAs { get; init; }
    public required Asn PeerAs { get; init; }
    public required RouterId LocalId { get; init; }
    public required RouterId PeerId { get; init; }
    /// <summary>The two ends of the TCP connection.</summary>
    public required Address LocalAddress { get; init; }
    public required Address PeerAddress { get; init; }

    /// <summary>Both ends in one AS: iBGP.</summary>
    public bool Internal => LocalAs == PeerAs;

    /// <summary>Seconds; 0: no keepalives, no hold timer.</summary>
    public ushort HoldTime { get; init; }

    /// <summary>Families that both sides announced (IPv4 unicast where the peer sent no multiprotocol capability, RFC 4760 section
    /// 8).</summary>
    public FamilySet Families { get; init; } = FamilySet.IPv4;

    /// <summary>RFC 6793: AS numbers on this session have four octets.</summary>
    public bool FourOctetAs { get; init; }

    /// <summary>RFC 8654: messages of up to 65,535 octets both ways (OPEN and KEEPALIVE stay at 4,096).</summary>
    public bool ExtendedMessages { get; init; }

    public bool RouteRefresh { get; init; }
    public bool EnhancedRouteRefresh { get; init; }

    /// <summary>RFC 7911: path identifiers precede the prefixes that we receive (send) in these families.</summary>
    public FamilySet AddPathReceive { get; init; }
    public FamilySet AddPathSend { get; init; }

    /// <summary>RFC 8950: IPv4 prefixes may have an IPv6 next hop.</summary>
    public bool ExtendedNextHop { get; init; }

    /// <summary>
    /// RFC 4724: both sides announced graceful restart, be it for no family: each sends an End-of-RIB, and each keeps the other's routes
    /// over a loss in the families that the other asks for.
    /// </summary>
    public bool RestartAware { get; init; }
    /// <summary>Families whose routes the peer asks us to keep; seconds that we are to wait for its return.</summary>
    public FamilySet GracefulRestart { get; init; }
    public ushort PeerRestartTime { get; init; }
    /// <summary>Families of ours that the peer keeps.</summary>
    public FamilySet KeptByPeer { get; init; }

    /// <summary>RFC 8538: a NOTIFICATION is a loss like any other, unless it is a hard reset.</summary>
    public bool NotificationRestart { get; init; }

    /// <summary>RFC 9494: both sides announced the long-lived kind; the peer may be told routes that are long stale.</summary>
    public bool LongLivedAware { get; init; }
    /// <summary>Seconds that the peer asks us to keep its routes of a family beyond <see cref="PeerRestartTime"/>; 0: not at all.</summary>
    public uint LongLivedIPv4 { get; init; }
    public uint LongLivedIPv6 { get; init; }

    public uint LongLived(IpFamily family) => family == IpFamily.IPv4 ? LongLivedIPv4 : LongLivedIPv6;

    /// <summary>RFC 7606 / RFC 4271 6.3: an external path must start with the peer's AS. Off towards route servers.</summary>
    public bool EnforceFirstAs { get; init; } = true;

    /// <summary>The messages themselves, for <c>show protocols all</c>.</summary>
    public required OpenMessage Sent { get; init; }
    public required OpenMessage Received { get; init; }

    public int MaxMessageLength => ExtendedMessages ? 65535 : 4096;
}
