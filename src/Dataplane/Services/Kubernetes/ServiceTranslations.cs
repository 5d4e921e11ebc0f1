using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane.Services.Kubernetes;

/// <summary>By what a service is called, or a pod. Where two are called alike, the first of these holds.</summary>
internal enum CalledBy : byte { ClusterIP, NodePort, LoadBalancer, ExternalIP, HostPort }

/// <summary>A Service and its EndpointSlices → translations, as kube-proxy has it.</summary>
internal static class ServiceTranslations
{
    /// <summary>Somebody else is this service's proxy.</summary>
    private const string OtherProxyLabel = "service.kubernetes.io/service-proxy-name";

    private static readonly IpFamily[] families = [IpFamily.IPv4, IpFamily.IPv6];

    public static List<(CalledBy By, Translation Translation)> Of(
        Service service, EndpointSlice[] slices, BalanceAnnotations balance, NodeHere here)
    {
        var all = new List<(CalledBy, Translation)>(1);
        if (service.ClusterIPs.Count == 0 || service.Labels.ContainsKey(OtherProxyLabel)) return all;
        foreach (var family in families)
            if (Has(service.ClusterIPs, family))
                foreach (var port in service.Ports.Items)
                {
                    var choice = EndpointChoice.Of(slices, port, family, here);
                    Add(CalledBy.ClusterIP, service.ClusterIPs, port.Port);
                    Add(CalledBy.ExternalIP, service.ExternalIPs, port.Port);
                    if (service.Type == ServiceType.LoadBalancer)
                        Add(CalledBy.LoadBalancer, [.. service.LoadBalancerIngress.Except(service.ProxiedIngress)], port.Port);
                    if (port.NodePort != 0 && service.Type is ServiceType.NodePort or ServiceType.LoadBalancer)
                        Add(CalledBy.NodePort, here.Addresses, port.NodePort);

                    void Add(CalledBy by, ListOf<Address> addresses, int number)
                    {
                        foreach (var address in addresses.Items)
                            if (address.Family == family) all.Add((by, Of(service, port, by, address, number, choice, balance)));
                    }
                }
        return all;
    }

    private static bool Has(ListOf<Address> addresses, IpFamily family)
    {
        foreach (var address in addresses.Items)
            if (address.Family == family) return true;
        return false;
    }

    private static Translation Of(
        Service service, ServicePort port, CalledBy by, Address address, int number, EndpointChoice choice, BalanceAnnotations balance)
    {
        var isInside = by == CalledBy.ClusterIP;
        var isLocal = (isInside ? service.InternalTrafficPolicy : service.ExternalTrafficPolicy) == TrafficPolicy.Local;
        var name = port.Name.Length > 0 ? $"{service.Key}:{port.Name}" : service.Key.ToString();
        var key = new TranslationKey(TranslationPlace.Of(address), ProtocolOf(port), (ushort)number);
        return new(name, isInside ? TranslationKind.Vip : TranslationKind.Real, key, isLocal ? choice.Local : choice.Cluster)
        {
            // Pods of this node and it itself have all endpoints: they came by no load balancer that could have gone elsewhere.
            Inside = isLocal && !isInside ? choice.Cluster : null,
            // What outsiders get by the policy Local is here, and keeps its source; this node itself has others, too, and what it calls by
            // an address of its own (a load balancer's on its loopback) would be answered to whoever else has that address.
            Masquerade = isInside || isLocal ? TranslationMasquerade.Outsiders : TranslationMasquerade.All,
            // Where others have some, a client that is told nothing tries again, and may get there.
            Empty = isLocal && choice.IsServed ? EmptyBackends.Drop : null,
            Sources = by == CalledBy.LoadBalancer ? service.LoadBalancerSourceRanges : [],
            FlowHash = balance.Hash,
            Balance = balance.Balance,
            Affinity = service.ClientKeepsEndpointFor,
        };
    }

    private static IpProtocol ProtocolOf(ServicePort port) => port.Protocol switch
    {
        ServiceProtocol.UDP => IpProtocol.Udp,
        ServiceProtocol.SCTP => IpProtocol.Sctp,
        _ => IpProtocol.Tcp,
    };
}
