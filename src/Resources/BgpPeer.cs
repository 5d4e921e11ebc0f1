using Calico.Bgp.Net;

namespace Calico.Bgp.Resources;

public enum PeerNextHopMode : byte { Auto, Self, Keep }
public enum PeerSourceAddress : byte { UseNodeIP, None }
public enum ReversePeering : byte { Auto, Manual }
public enum FailureDetectionMode : byte { None, BFDIfDirectlyConnected }
public enum RestartMode : byte { GracefulRestart, LongLivedGracefulRestart }
public enum BirdGatewayMode : byte { Recursive, DirectIfDirectlyConnected }

/// <summary><c>ip</c>, <c>ip:port</c> or <c>[v6]:port</c>.</summary>
/// <param name="Port">Null where none was written.</param>
public sealed record PeerEndpoint(Address Address, int? Port)
{
    public override string ToString() => Port == null ? $"{Address}" : Address.IsIPv4 ? $"{Address}:{Port}" : $"[{Address}]:{Port}";
}

/// <summary>
/// BGPPeer: which nodes (<see cref="Node"/>, <see cref="NodeSelector"/>; neither: all) peer with whom (one of <see cref="PeerIP"/>,
/// <see cref="PeerSelector"/>, <see cref="LocalWorkloadSelector"/>), and how.
/// </summary>
public sealed record BgpPeer(Metadata Metadata) : Resource(Metadata)
{
    public override ResourceKind Kind => Kinds.BgpPeer;

    public string? Node { get; init; }
    public Selector? NodeSelector { get; init; }
    public PeerEndpoint? PeerIP { get; init; }
    public Selector? PeerSelector { get; init; }
    public Selector? LocalWorkloadSelector { get; init; }
    /// <summary>Null: 0 or not said; a Calico node's own then.</summary>
    public Asn? AsNumber { get; init; }
    public Asn? LocalAsNumber { get; init; }
    /// <summary>Deprecated: acts on external sessions, where <see cref="NextHopMode"/> does not say.</summary>
    public bool KeepOriginalNextHop { get; init; }
    /// <summary>Null: not said, which is Auto but for <see cref="KeepOriginalNextHop"/>.</summary>
    public PeerNextHopMode? NextHopMode { get; init; }
    public SecretKeyRef? Password { get; init; }
    public PeerSourceAddress SourceAddress { get; init; }
    public TimeSpan? MaxRestartTime { get; init; }
    public TimeSpan? KeepaliveTime { get; init; }
    public int NumAllowedLocalAsNumbers { get; init; }
    /// <summary>Hops; 0 is off.</summary>
    public int TtlSecurity { get; init; }
    public Address? ReachableBy { get; init; }
    /// <summary>Names of BGPFilters, in order.</summary>
    public ListOf<string> Filters { get; init; }
    public ReversePeering ReversePeering { get; init; }

    // Calico Enterprise.
    public FailureDetectionMode FailureDetectionMode { get; init; }
    public RestartMode RestartMode { get; init; }
    public BirdGatewayMode BirdGatewayMode { get; init; }
    public string? ExternalNetwork { get; init; }
    public string? Network { get; init; }
    public Labels Extensions { get; init; } = Labels.Empty;

    /// <summary>Every node opens it.</summary>
    public bool IsGlobal => Node == null && NodeSelector == null;
}
