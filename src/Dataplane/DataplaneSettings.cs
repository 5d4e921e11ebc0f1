using Calico.Bgp.Dataplane.Egress;
using Calico.Bgp.Dataplane.Services;

namespace Calico.Bgp.Dataplane;

/// <summary>What bgpd.yaml says of packets.</summary>
/// <param name="Node">This node's name in the resources.</param>
/// <param name="Nat">Null: the file does not speak of it.</param>
/// <param name="Policy">Null: the file does not speak of it.</param>
/// <param name="Services">Null: the file does not speak of them.</param>
/// <param name="Egress">Null: the file does not speak of it.</param>
public sealed record DataplaneSettings(
    string Node, NatSettings? Nat = null, PolicySettings? Policy = null, ServiceSettings? Services = null,
    EgressSettings? Egress = null)
{
    /// <summary>This node's name in Kubernetes; null: the same.</summary>
    public string? KubernetesNode { get; init; }

    /// <summary>Some feature shall have parts in our table; else there is to be none.</summary>
    public bool IsOn => Nat is { Enabled: true } || Policy is { Enabled: true } || Services is { Enabled: true }
        || Egress is { Enabled: true };
}
