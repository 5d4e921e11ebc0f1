using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane;

/// <summary>Under which addresses a node is known to the others.</summary>
internal static class NodeAddresses
{
    /// <summary>Of each family the address that BGP uses; where there is none, those that Kubernetes calls internal.</summary>
    public static IEnumerable<Address> Of(Node node) => [.. Of(node, IpFamily.IPv4), .. Of(node, IpFamily.IPv6)];

    private static IEnumerable<Address> Of(Node node, IpFamily family) => node.Of(family) is { } bgp ? [bgp.Address]
        : node.Addresses.Where(address => address.Type == "InternalIP" && address.Address.Family == family)
            .Select(address => address.Address);
}
