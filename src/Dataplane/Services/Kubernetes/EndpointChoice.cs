using System.Runtime.InteropServices;
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
    public static EndpointChoice Of(EndpointSlice[] slices, ServicePort port, IpFamily family, NodeHere here)
    {
        var type = family == IpFamily.IPv4 ? EndpointAddressType.IPv4 : EndpointAddressType.IPv6;
        var all = new List<Candidate>(slices.Length == 1 ? slices[0].Endpoints.Count : 0);
        foreach (var slice in slices)
        {
            if (slice.AddressType != type) continue;
            foreach (var one in slice.Ports.Items)
                if (one.Port > 0 && one.Protocol == port.Protocol && one.Name == port.Name)
                    foreach (var endpoint in slice.Endpoints.Items)
                        if (endpoint.Addresses.Count > 0) all.Add(new(endpoint, (ushort)one.Port));
        }
        all.Sort(Candidate.InOrder);
        var ready = Ready(all);
        var isMeant = Meant(ready, here);
        var own = Own(all, here);
        return new(Usable(all, isMeant == null ? ready : ready.FindAll(isMeant), port.Protocol, here),
            own == null ? [] : Usable(own, Ready(own), port.Protocol, here));
    }

    private static List<Candidate> Ready(List<Candidate> all) =>
        all.TrueForAll(one => one.Endpoint.IsReady) ? all : all.FindAll(one => one.Endpoint.IsReady);

    /// <returns>Null: none is here.</returns>
    private static List<Candidate>? Own(List<Candidate> all, NodeHere here)
    {
        List<Candidate>? own = null;
        foreach (var one in all)
            if (one.Endpoint.NodeName == here.Name) (own ??= []).Add(one);
        return own;
    }

    private static ListOf<Backend> Usable(List<Candidate> some, List<Candidate> ready, ServiceProtocol protocol, NodeHere here)
    {
        var backends = new List<Backend>(some.Count);
        Add(ready.Count > 0 ? ready : some.FindAll(one => one.Endpoint.IsEnding), weight: 1, here, backends);
        if (protocol != ServiceProtocol.UDP && ready.Count < some.Count) Add(Others(some, backends), weight: 0, here, backends);
        return [.. CollectionsMarshal.AsSpan(backends)];
    }

    private static List<Candidate> Others(List<Candidate> some, List<Backend> backends)
    {
        var taken = backends.Select(one => one.To).ToHashSet();
        return some.FindAll(one => !taken.Contains(one.To));
    }

    /// <summary>Those with one address and port are one: they may stand in several slices, which say different nodes.</summary>
    private static void Add(List<Candidate> some, int weight, NodeHere here, List<Backend> into)
    {
        for (int at = 0, next; at < some.Count; at = next)
        {
            var (isHere, isElsewhere) = (false, true);
            for (next = at; next < some.Count && Candidate.InOrder(some[next], some[at]) == 0; next++)
            {
                var node = some[next].Endpoint.NodeName;
                isHere |= node == here.Name;
                isElsewhere &= node != null && node != here.Name;
            }
            into.Add(new(Backend.Unchanged, some[at].To) { IsHere = isHere, IsElsewhere = isElsewhere, Weight = weight });
        }
    }

    /// <summary>An endpoint with a port of the service's. Kubernetes has one address an endpoint; of more the first counts, as for
    /// kube-proxy.</summary>
    private readonly record struct Candidate(Endpoint Endpoint, ushort Port)
    {
        private Address Address => Endpoint.Addresses[0];

        public BackendEnd To => new(TranslationPlace.Of(Address), Port);

        public static int InOrder(Candidate a, Candidate b) =>
            a.Address.CompareTo(b.Address) is var order && order != 0 ? order : a.Port.CompareTo(b.Port);
    }

    /// <summary>How many of a service, whatever its ports; those of two families are the same pods.</summary>
    public static int ReadyHere(IEnumerable<EndpointSlice> slices, NodeHere here) => slices.SelectMany(slice => slice.Endpoints)
        .Where(one => one.IsReady && one.NodeName == here.Name && one.Addresses.Count > 0)
        .Select(one => one.Addresses[0]).Distinct().CountBy(address => address.Family)
        .Select(family => family.Value).DefaultIfEmpty().Max();

    /// <returns>Null: all are meant.</returns>
    private static Predicate<Candidate>? Meant(List<Candidate> ready, NodeHere here)
    {
        if (ready.TrueForAll(one => one.Endpoint.ForNodes.Count > 0) && ready.Exists(one => one.Endpoint.ForNodes.Contains(here.Name)))
            return one => one.Endpoint.ForNodes.Contains(here.Name);
        if (here.Zone is { } zone && ready.TrueForAll(one => one.Endpoint.ForZones.Count > 0)
            && ready.Exists(one => one.Endpoint.ForZones.Contains(zone)))
            return one => one.Endpoint.ForZones.Contains(zone);
        return null;
    }
}
