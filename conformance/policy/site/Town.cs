using System.Net;

namespace Calico.Bgp.Conformance.Policy;

/// <summary>Who is where, and how packets go between them past the first node: what the judge has to be told beside the objects.</summary>
internal sealed class Town
{
    private const int FirstNumber = 2;

    private readonly Dictionary<string, Place> places = Place.Hosts.ToDictionary(place => place.Name);
    private readonly List<PodPlace> pods = [];

    public Town(params PodPlace[] pods)
    {
        foreach (var pod in pods) Add(pod);
    }

    /// <summary>By name: NAMESPACE/POD, node1, node2, outside, customer, behind.</summary>
    public Place this[string name] => places[name];

    public IEnumerable<Place> Places => places.Values;

    public IReadOnlyList<PodPlace> Pods => pods;

    public List<Service> Services { get; } = [];

    public Place Add(PodPlace pod)
    {
        pods.Add(pod);
        return places[pod.FullName] = pod.Place(FirstNumber + pods.Count);
    }

    /// <summary>What the first node meets of it; null: it does not come by there.</summary>
    public Packet? PacketOf(Probe probe)
    {
        var isIPv6 = probe.Source.Equals(probe.From.Address(true));
        var service = Services.Find(one => one.Address(isIPv6).Equals(probe.To) && one.Port == probe.Port
            && probe.Protocol is Protocols.Tcp or Protocols.Udp);
        var to = service?.Behind ?? At(probe.To);
        if (service == null && (probe.From == to || (probe.From.Link == to.Link && to.Link == "eth0"))) return null;
        return new(probe.Protocol, probe.Source, to.Address(isIPv6))
        {
            From = probe.From.Link,
            To = to.Link,
            SourcePort = probe.SourcePorts.First,
            DestinationPort = service?.TargetPort ?? probe.Port,
            Called = service == null ? null : (probe.To, probe.Port),
            Icmp = probe.Protocol is Protocols.Icmp or Protocols.IcmpV6 ? probe.Icmp ?? (isIPv6 ? (128, 0) : (8, 0)) : null,
        };
    }

    public bool IsService(IPAddress address) =>
        Services.Exists(one => one.Address(false).Equals(address) || one.Address(true).Equals(address));

    public Place At(IPAddress address) =>
        places.Values.First(place => place.Address(false).Equals(address) || place.Address(true).Equals(address));

    /// <summary>What there is beside policy: nodes, pods as they are, and the namespaces they are in.</summary>
    /// <param name="labels">Of a pod, as in <c>app: web</c>.</param>
    /// <param name="ports">Of a pod, as in <c>{ name: web, containerPort: 80 }</c>.</param>
    /// <param name="spaceLabels">Of a namespace.</param>
    /// <param name="felix">More of FelixConfiguration, with a comma before it.</param>
    public string Objects(Func<PodPlace, string>? labels = null, Func<PodPlace, string>? ports = null,
        Func<string, string>? spaceLabels = null, string felix = "") => $$"""
        apiVersion: projectcalico.org/v3
        kind: Node
        metadata: { name: node1 }
        spec: { bgp: { ipv4Address: 172.20.0.1/24, ipv6Address: "fd20::1/64" } }
        ---
        apiVersion: projectcalico.org/v3
        kind: Node
        metadata: { name: node2 }
        spec: { bgp: { ipv4Address: 172.20.0.2/24, ipv6Address: "fd20::2/64" } }
        ---
        apiVersion: projectcalico.org/v3
        kind: BGPConfiguration
        metadata: { name: default }
        spec: { nodeToNodeMeshEnabled: false }
        ---
        apiVersion: projectcalico.org/v3
        kind: FelixConfiguration
        metadata: { name: default }
        spec: { {{(felix.Contains("ToHost") ? felix[2..] : "defaultEndpointToHostAction: Accept" + felix)}} }

        """
        + string.Concat(pods.Select(pod => pod.Namespace).Distinct().Select(space => $$"""
            ---
            apiVersion: v1
            kind: Namespace
            metadata: { name: {{space}}, labels: { {{spaceLabels?.Invoke(space) ?? $"team: {space}"}} } }

            """))
        + string.Concat(pods.Select(pod =>
            PodPlace.Object(pod, places[pod.FullName], labels?.Invoke(pod) ?? $"app: {pod.Name}", ports?.Invoke(pod) ?? "")));
}
