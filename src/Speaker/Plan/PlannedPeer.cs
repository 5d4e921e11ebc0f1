using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Rib;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Session;
using Calico.Bgp.Wire;

namespace Calico.Bgp.Speaker.Plan;

/// <summary>The first word of a peer's name; tools tell peers by it.</summary>
public enum PeerScope : byte { Mesh, Global, Node, LocalWorkload }

/// <summary>A session that the resources ask of this node, with all its settings.</summary>
public sealed record PlannedPeer
{
    /// <summary>What BIRD does where the resources say nothing; no resource says a hold time at all.</summary>
    private static readonly TimeSpan HoldTime = TimeSpan.FromSeconds(240), RestartTime = TimeSpan.FromSeconds(120),
        RetryTime = TimeSpan.FromSeconds(5);
    private const int MultihopLimit = 64;

    /// <summary>See <see cref="NameOf"/>.</summary>
    public required string Name { get; init; }
    public required PeerScope Scope { get; init; }
    public required Address Address { get; init; }
    public required int Port { get; init; }
    public required Asn As { get; init; }
    /// <summary>Our AS towards this peer.</summary>
    public required Asn LocalAs { get; init; }
    /// <summary>The BGPPeer says localASNumber.</summary>
    public bool HasOwnLocalAs { get; init; }
    public Address? SourceAddress { get; init; }
    public bool Passive { get; init; }
    /// <summary>Hops of TTL security; 0: off. All sessions are multihop ones.</summary>
    public int TtlSecurity { get; init; }
    public SecretKeyRef? PasswordKey { get; init; }
    public string? Password { get; init; }
    /// <summary>Seconds, as they are announced; null: nothing was configured.</summary>
    public int? RestartSeconds { get; init; }
    /// <summary>Seconds of the long-lived kind (RFC 9494), as they are announced; null: it was not asked for.</summary>
    public int? StaleSeconds { get; init; }
    public TimeSpan? KeepaliveTime { get; init; }
    /// <summary>The peer is our reflector's client, in this cluster.</summary>
    public RouterId? ClusterId { get; init; }
    public NextHopMode NextHop { get; init; }
    public int AllowLocalAs { get; init; }
    /// <summary>Null: BFD does not watch it.</summary>
    public PeerBfd? Bfd { get; init; }
    /// <summary>BGPFilters that say something about this direction.</summary>
    public ListOf<string> ImportFilters { get; init; }
    public ListOf<string> ExportFilters { get; init; }
    public IFilter Import { get; init; } = AcceptAll.Instance;
    public IFilter Export { get; init; } = RejectAll.Instance;
    /// <summary>Why the session stays down; null: it need not.</summary>
    public string? Problem { get; init; }
    /// <summary>The BGPPeer or, of the mesh, the Node that asks for it.</summary>
    public required ResourceId Origin { get; init; }
    /// <summary>The Node at the other end, where one is asked for.</summary>
    public ResourceId? Far { get; init; }

    public IpFamily Family => Address.Family;
    public bool IsInternal => As == LocalAs;
    public int Multihop => TtlSecurity > 0 ? TtlSecurity : MultihopLimit;
    public int HoldSeconds => (int)HoldTime.TotalSeconds;

    /// <summary>Calico's: <c>Node_10_192_0_3_port_180</c>. Mesh peers have no port in their names.</summary>
    public static string NameOf(PeerScope scope, Address address, int port)
    {
        var word = scope == PeerScope.LocalWorkload ? "Local_Workload" : scope.ToString();
        var where = PeerTemplate.Word(address);
        return port == SessionSettings.Port || scope == PeerScope.Mesh ? $"{word}_{where}" : $"{word}_{where}_port_{port}";
    }

    /// <summary>As the speaker is told it.</summary>
    public PeerConfig ToConfig(NodePlan plan) => new()
    {
        Session = new()
        {
            Name = Name,
            Index = 0,
            PeerAddress = Address,
            PeerPort = Port,
            ListenPort = plan.ListenPort,
            SourceAddress = SourceAddress,
            LocalAs = LocalAs,
            PeerAs = As,
            RouterId = plan.RouterId,
            Passive = Passive,
            Multihop = Multihop,
            TtlSecurity = TtlSecurity > 0,
            Password = Password,
            HoldTime = HoldTime,
            KeepaliveTime = KeepaliveTime,
            ConnectRetryTime = RetryTime,
            Families = Family.Bit(),
            EnforceFirstAs = false,
            GracefulRestartTime = RestartSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : RestartTime,
            LongLivedStaleTime = StaleSeconds is { } stale ? TimeSpan.FromSeconds(stale) : null,
            Shutdown = Problem != null,
        },
        Origin = PeerOrigin.Of(Origin),
        Description = Origin.ToString(),
        Import = Import,
        Export = Export,
        RouteReflectorClient = ClusterId != null,
        ClusterId = ClusterId,
        NextHop = NextHop,
        AllowLocalAs = AllowLocalAs,
        Bfd = Bfd,
        Problem = Problem,
    };
}
