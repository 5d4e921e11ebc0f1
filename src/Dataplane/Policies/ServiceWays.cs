using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane.Policies;

/// <summary>
/// Where services' addresses lead, by the objects, which whoever translates them (kube-proxy) follows, too. Where a daemon runs, the
/// kernel is asked what he has made of them.
/// </summary>
internal sealed class ServiceWays
{
    private readonly Dictionary<ResourceKey, Service> services = [];
    private readonly Dictionary<ResourceKey, EndpointSlice> slices = [];

    public void Apply(ResourceChange change)
    {
        if (change.Kind == Kinds.Service) Put(services, change.Key, (Service?)change.After);
        else if (change.Kind == Kinds.EndpointSlice) Put(slices, change.Key, (EndpointSlice?)change.After);
    }

    private static void Put<T>(Dictionary<ResourceKey, T> into, ResourceKey key, T? now) where T : class
    {
        if (now == null) into.Remove(key);
        else into[key] = now;
    }

    /// <summary>The service whose address it is, and where it leads to; null: it is no service's. There may be no ready endpoint.</summary>
    /// <param name="isHere">The address is this host's: its node ports are there.</param>
    public (ResourceKey Service, IReadOnlyList<PacketRedirect> To)? Of(Address address, IpProtocol protocol, ushort? port, bool isHere)
    {
        foreach (var (key, service) in services.OrderBy(one => one.Key))
            foreach (var one in service.Ports)
            {
                if (NumberOf(one.Protocol) != protocol) continue;
                var isAsked = port == one.Port && AddressesOf(service).Contains(address);
                if (isAsked || (isHere && one.NodePort != 0 && port == one.NodePort)) return (key, EndpointsOf(key, one, address.Family));
            }
        return null;
    }

    private static IEnumerable<Address> AddressesOf(Service service) =>
        [.. service.ClusterIPs, .. service.ExternalIPs, .. service.LoadBalancerIngress];

    private static IpProtocol NumberOf(ServiceProtocol protocol) => protocol switch
    {
        ServiceProtocol.TCP => IpProtocol.Tcp,
        ServiceProtocol.UDP => IpProtocol.Udp,
        _ => IpProtocol.Sctp,
    };

    private PacketRedirect[] EndpointsOf(ResourceKey service, ServicePort port, IpFamily family) =>
    [
        .. from slice in slices.Values
           where slice.Service == service
           from at in slice.Ports
           where at.Name == port.Name && at.Protocol == port.Protocol
           from endpoint in slice.Endpoints
           where endpoint.IsReady
           from address in endpoint.Addresses
           where address.Family == family
           orderby address
           select new PacketRedirect(address, (ushort)at.Port),
    ];
}
