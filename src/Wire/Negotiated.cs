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

    /// <summary>RFC 4724: the peer keeps our routes over a restart in these families; seconds that it asked us to wait.</summary>
    public FamilySet GracefulRestart { get; init; }
    public ushort PeerRestartTime { get; init; }

    /// <summary>RFC 7606 / RFC 4271 6.3: an external path must start with the peer's AS. Off towards route servers.</summary>
    public bool EnforceFirstAs { get; init; } = true;

    /// <summary>The messages themselves, for <c>show protocols all</c>.</summary>
    public required OpenMessage Sent { get; init; }
    public required OpenMessage Received { get; init; }

    public int MaxMessageLength => ExtendedMessages ? 65535 : 4096;
}
