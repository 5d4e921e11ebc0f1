using Calico.Bgp.Net;

namespace Calico.Bgp.Wire.Capabilities;

/// <summary>RFC 9234 section 4.1: what the speaker is to its neighbour.</summary>
public enum Role : byte { Provider = 0, RouteServer = 1, RouteServerClient = 2, Customer = 3, Peer = 4 }

/// <summary>RFC 4724 section 3. <paramref name="Seconds"/>: the restart time, 12 bits.</summary>
public sealed record GracefulRestart(bool Restarting, bool Notification, ushort Seconds, IReadOnlyList<GracefulRestartFamily> Families)
{
    public bool Equals(GracefulRestart? other) =>
        other != null && Restarting == other.Restarting && Notification == other.Notification && Seconds == other.Seconds
            && Families.SequenceEqual(other.Families);
    public override int GetHashCode() => HashCode.Combine(Restarting, Notification, Seconds, Families.Count);
}

public readonly record struct GracefulRestartFamily(Family Family, bool ForwardingPreserved);

/// <summary>RFC 9494 section 3.1. <paramref name="StaleSeconds"/>: 24 bits.</summary>
public readonly record struct LongLivedFamily(Family Family, bool ForwardingPreserved, uint StaleSeconds);

[Flags]
public enum AddPathDirection : byte { None = 0, Receive = 1, Send = 2, Both = 3 }

public readonly record struct AddPathFamily(Family Family, AddPathDirection Direction);

/// <summary>RFC 8950 section 4: prefixes of <paramref name="Family"/> may have next hops of address family
/// <paramref name="NextHopAfi"/>.</summary>
public readonly record struct ExtendedNextHopFamily(Family Family, ushort NextHopAfi);

/// <summary>The FQDN capability (code 73): at most 64 octets of each name are sent.</summary>
public sealed record Fqdn(string HostName, string DomainName);

/// <summary>All capabilities of one OPEN (RFC 5492). Lists are in the order of the message; what is absent is null or empty.</summary>
public sealed record CapabilitySet
{
    public IReadOnlyList<Family> Multiprotocol { get; init; } = [];
    public bool RouteRefresh { get; init; }
    public bool EnhancedRouteRefresh { get; init; }
    public bool ExtendedMessages { get; init; }
    public Asn? FourOctetAs { get; init; }
    public IReadOnlyList<ExtendedNextHopFamily> ExtendedNextHop { get; init; } = [];
    public GracefulRestart? GracefulRestart { get; init; }
    public IReadOnlyList<LongLivedFamily> LongLived { get; init; } = [];
    /// <summary>The long-lived capability stands there without families: its sender keeps others' routes and has none kept.</summary>
    public bool LongLivedHelper { get; init; }
    public IReadOnlyList<AddPathFamily> AddPath { get; init; } = [];
    public Role? Role { get; init; }
    /// <summary>Two role capabilities with different values: RFC 9234 section 4.2 rejects the OPEN.</summary>
    public bool RolesDiffer { get; init; }
    public Fqdn? Fqdn { get; init; }
    /// <summary>Codes that were there and have no meaning here; kept for <c>show</c>.</summary>
    public IReadOnlyList<byte> Unknown { get; init; } = [];
}
