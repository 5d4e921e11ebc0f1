using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane.Services.Kubernetes;

/// <summary>This node, as objects know it.</summary>
/// <param name="Name">Kubernetes'.</param>
/// <param name="Addresses">Those that node ports are reached at.</param>
internal sealed record NodeHere(string Name, string? Zone, ListOf<Address> Addresses);

/// <summary>Which endpoints a port of a service is sent to: as far as anywhere will do, and of those on this node.</summary>
/// <param name="Cluster">By address, each once.</param>
/// <param name="Local">By address, each once.</param>
internal sealed record EndpointChoice(ListOf<Backend> Cluster, ListOf<Backend> Local)
{
    /// <summary>Somebody takes new connections.</summary>
    public bool IsServed => Cluster.Any(one => one.Weight > 0);

    /// <summary>
    /// As kube-proxy chooses (pkg/proxy/topology.go): ready ones, of them those that hints mean for this node or zone where every one has
    /// such a hint; where none is ready, those that end and answer still. Those of this node are chosen by themselves, and by no hint.
    /// The others get no new connections and keep those that they have, which a pod has time to end before it is gone; but of UDP, which
    /// says no end, and whose clients would stay with them.
    /// </summary>
    public static EndpointChoice Of(IEnumerable<EndpointSlice> slices, ServicePort port, IpFamily family, NodeHere here)
    {
        var type = family == IpFamily.IPv4 ? EndpointAddressType.IPv4 : EndpointAddressType.IPv6;
        var all = slices.Where(slice => slice.AddressType == type)
            .SelectMany(slice => slice.Ports
                .Where(one => one.Name == port.Name && one.Protocol == port.Protocol && one.Port > 0)
                .SelectMany(one => slice.Endpoints.Where(endpoint => endpoint.Addresses.Count > 0)
                    .Select(endpoint => (Endpoint: endpoint, one.Port))))
            .ToArray();
        var isMeant = Meant([.. all.Select(one => one.Endpoint).Where(one => one.IsReady)], here);
        return new(Usable(all, isMeant), Usable([.. all.Where(one => one.Endpoint.NodeName == here.Name)], _ => true));

        ListOf<Backend> Usable((Endpoint Endpoint, int Port)[] some, Predicate<Endpoint> isMeant)
        {
            var ready = some.Where(one => one.Endpoint.IsReady && isMeant(one.Endpoint)).ToArray();
            var chosen = Backends(ready.Length > 0 ? ready : some.Where(one => one.Endpoint.IsEnding), weight: 1);
            if (port.Protocol == ServiceProtocol.UDP) return [.. chosen];
            var taken = chosen.Select(one => one.To).ToHashSet();
            return [.. chosen, .. Backends(some, weight: 0).Where(one => !taken.Contains(one.To))];
        }

        // Kubernetes has one address an endpoint; of more the first counts, as for kube-proxy.
        Backend[] Backends(IEnumerable<(Endpoint Endpoint, int Port)> some, int weight) =>
        [
            .. some.GroupBy(one => (To: one.Endpoint.Addresses[0], one.Port), one => one.Endpoint.NodeName).OrderBy(one => one.Key)
                .Select(one => new Backend(Backend.Unchanged, new(TranslationPlace.Of(one.Key.To), (ushort)one.Key.Port))
                {
                    IsHere = one.Contains(here.Name),
                    IsElsewhere = one.All(node => node != null && node != here.Name),
                    Weight = weight,
                }),
        ];
    }

    /// <summary>How many of a service, whatever its ports; those of two families are the same pods.</summary>
    public static int ReadyHere(IEnumerable<EndpointSlice> slices, NodeHere here) => slices.SelectMany(slice => slice.Endpoints)
        .Where(one => one.IsReady && one.NodeName == here.Name && one.Addresses.Count > 0)
        .Select(one => one.Addresses[0]).Distinct().CountBy(address => address.Family)
        .Select(family => family.Value).DefaultIfEmpty().Max();

    private static Predicate<Endpoint> Meant(Endpoint[] ready, NodeHere here)
    {
        if (ready.All(one => one.ForNodes.Count > 0) && ready.Any(one => one.ForNodes.Contains(here.Name)))
            return one => one.ForNodes.Contains(here.Name);
        if (here.Zone is { } zone && ready.All(one => one.ForZones.Count > 0) && ready.Any(one => one.ForZones.Contains(zone)))
            return one => one.ForZones.Contains(zone);
        return _ => true;
    }
}
