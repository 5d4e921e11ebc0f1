using System.Collections.Immutable;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Speaker.Plan;

/// <summary>What becomes of one address of a service on this node, and why.</summary>
/// <param name="Kind">clusterIP, externalIP or loadBalancerIP.</param>
public sealed record ServiceAddress(Address Address, string Kind, bool Announced, string Reason)
{
    public Prefix Prefix => new(Address, Address.Family.Bits());
}

/// <summary>What this node announces of a service, address by address.</summary>
/// <param name="ReadyHere">Ready endpoints on this node, by which announcements may be weighed.</param>
public sealed record ServiceVerdict(ImmutableArray<ServiceAddress> Addresses, string Reason, int ReadyHere)
{
    public IEnumerable<Prefix> Announced => Addresses.Where(address => address.Announced).Select(address => address.Prefix).Distinct();
}

/// <summary>
/// Whether this node announces a service's own addresses (a /32 or /128 each) beside the ranges. The order of the questions is Calico's;
/// where it asks whether any endpoint counts, this asks it of each family by itself, so that an address is only announced where packets to
/// it have somewhere to go.
/// </summary>
internal static class ServiceDecision
{
    public static ServiceVerdict Of(Service service, ImmutableArray<EndpointSlice> slices, ServiceRanges ranges)
    {
        var readyHere = ReadyHere(slices, ranges);
        if (Refusal(service, slices, ranges) is { } refusal)
            return new([.. Addresses(service).Select(at => Refused(at.Address, at.Kind, refusal))], refusal, readyHere);
        var why = SingleAddress(service, ranges);
        return new([.. Addresses(service).Select(at => Judge(service, slices, ranges, at.Address, at.Kind, why))], why ?? "", readyHere);
    }

    private static ServiceAddress Refused(Address address, string kind, string why) => new(address, kind, Announced: false, why);

    /// <summary>What keeps all of the service's addresses from being announced by this node; null: nothing does.</summary>
    private static string? Refusal(Service service, ImmutableArray<EndpointSlice> slices, ServiceRanges ranges)
    {
        if (ranges.IsExcluded) return "the node bears the label that excludes it from service announcements";
        if (service.Type == ServiceType.ExternalName) return "the service is of type ExternalName";
        if (service.Headless || service.ClusterIPs.Count == 0) return "the service has no cluster IP";
        if (slices.IsEmpty) return "the service has no EndpointSlice";
        if (SingleAddress(service, ranges) != null || service.ExternalTrafficPolicy == TrafficPolicy.Local || !ranges.Aggregates)
            return null;
        return "its traffic policy is not Local: the range it lies in is announced by every node, if one is configured";
    }

    /// <summary>Policy Cluster, and an address that BGPConfiguration names by itself: every node announces it.</summary>
    private static string? SingleAddress(Service service, ServiceRanges ranges)
    {
        if (service.ExternalTrafficPolicy != TrafficPolicy.Cluster) return null;
        if (service.Type == ServiceType.LoadBalancer)
            foreach (var address in LoadBalancerAddresses(service))
                if (ServiceRanges.HaveSingle(ranges.LoadBalancer, address)) return $"serviceLoadBalancerIPs names {address} by itself";
        foreach (var address in service.ExternalIPs)
            if (ServiceRanges.HaveSingle(ranges.External, address)) return $"serviceExternalIPs names {address} by itself";
        return null;
    }

    private static IEnumerable<Address> LoadBalancerAddresses(Service service) =>
        service.LoadBalancerIP is { } asked ? service.LoadBalancerIngress.Prepend(asked) : service.LoadBalancerIngress;

    private static IEnumerable<(Address Address, string Kind)> Addresses(Service service) =>
        service.ClusterIPs.Select(address => (address, "clusterIP"))
            .Concat(service.ExternalIPs.Select(address => (address, "externalIP")))
            .Concat(service.LoadBalancerIngress.Select(address => (address, "loadBalancerIP")));

    private static ServiceAddress Judge(
        Service service, ImmutableArray<EndpointSlice> slices, ServiceRanges ranges, Address address, string kind, string? singleAddress)
    {
        if (OutOfRange(ranges, address, kind) is { } outside) return Refused(address, kind, outside);
        if (singleAddress != null) return new(address, kind, Announced: true, singleAddress);
        var local = service.ExternalTrafficPolicy == TrafficPolicy.Local;
        var here = local ? " on this node" : "";
        if (!service.IpFamilies.Contains(address.Family) || !HasReady(slices, address.Family, local ? ranges.KubernetesNode : null))
            return Refused(address, kind, $"no ready {address.Family.Word()} endpoint{here}");
        return new(address, kind, Announced: true, $"a ready {address.Family.Word()} endpoint{here}");
    }

    /// <summary>Any range of cluster IPs will do for a cluster IP, as in Calico.</summary>
    private static string? OutOfRange(ServiceRanges ranges, Address address, string kind) => kind switch
    {
        "clusterIP" => ranges.Cluster.Count > 0 ? null : "BGPConfiguration has no serviceClusterIPs",
        "externalIP" => ServiceRanges.Cover(ranges.External, address) ? null : "outside of serviceExternalIPs",
        _ => ServiceRanges.Cover(ranges.LoadBalancer, address) ? null : "outside of serviceLoadBalancerIPs",
    };

    /// <param name="node">Only endpoints on this node; null: anywhere.</param>
    private static bool HasReady(ImmutableArray<EndpointSlice> slices, IpFamily family, string? node)
    {
        foreach (var slice in slices)
        {
            if (slice.AddressType != (family == IpFamily.IPv4 ? EndpointAddressType.IPv4 : EndpointAddressType.IPv6)) continue;
            foreach (var endpoint in slice.Endpoints.Items)
                if (endpoint.IsReady && (node == null || endpoint.NodeName == node)) return true;
        }
        return false;
    }

    /// <summary>Endpoints and the slices made of them tell of the same ones.</summary>
    private static int ReadyHere(ImmutableArray<EndpointSlice> slices, ServiceRanges ranges)
    {
        var seen = ranges.ReadsEndpoints ? new HashSet<Address>() : null;
        var (v4, v6) = (0, 0);
        foreach (var slice in slices)
            foreach (var endpoint in slice.Endpoints.Items)
                if (endpoint.IsReady && endpoint.NodeName == ranges.KubernetesNode
                    && (seen == null || endpoint.Addresses.Count == 0 || seen.Add(endpoint.Addresses[0])))
                    _ = slice.AddressType == EndpointAddressType.IPv4 ? v4++ : v6++;
        return Math.Max(v4, v6);
    }
}
