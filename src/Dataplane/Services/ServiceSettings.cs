using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Services;

/// <summary>What becomes of packets to a translation without backends.</summary>
public enum EmptyBackends : byte { Reject, Drop }

/// <summary>What bgpd.yaml says of services.</summary>
public sealed record ServiceSettings
{
    public bool Enabled { get; init; }
    public EmptyBackends EmptyBackends { get; init; }
    public ListOf<Translation> Translations { get; init; } = [];
}
