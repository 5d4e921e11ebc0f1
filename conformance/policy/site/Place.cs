using System.Net;

namespace Calico.Bgp.Conformance.Policy;

/// <summary>Somebody with addresses who asks and is asked: a pod, a node's own processes, somebody outside.</summary>
/// <param name="Name">A pod's is NAMESPACE/NAME.</param>
/// <param name="IPv4"></param>
/// <param name="IPv6"></param>
/// <param name="Link">By which the first node reaches it; null: it is that node.</param>
internal sealed record Place(string Name, string IPv4, string IPv6, string? Link)
{
    public static readonly Place Node1 = new("node1", "172.20.0.1", "fd20::1", null), Node2 = new("node2", "172.20.0.2", "fd20::2", "eth0");

    /// <summary>Two of them, in one namespace.</summary>
    public static readonly Place Outside = new("outside", "198.51.100.1", "fd98::1", "eth0"),
        Customer = new("customer", "203.0.113.1", "2001:db8:1::1", "eth0");

    /// <summary>On a network that has only the first node's second interface.</summary>
    public static readonly Place Behind = new("behind", "10.50.0.1", "fd50::1", "eth1");

    public static readonly Place[] Hosts = [Node1, Node2, Outside, Customer, Behind];

    /// <summary>The first node's links that are no pods'.</summary>
    public static readonly Dictionary<string, string[]> Links = new()
    {
        ["lo"] = ["127.0.0.1", "::1"],
        ["eth0"] = [Node1.IPv4, Node1.IPv6],
        ["eth1"] = ["10.50.0.254", "fd50::fe"],
    };

    public bool IsPod => Name.Contains('/', StringComparison.Ordinal);

    public IPAddress Address(bool isIPv6) => IPAddress.Parse(isIPv6 ? IPv6 : IPv4);

    public override string ToString() => Name;
}

/// <summary>Where a pod runs: on node 1, where policy is enforced, or on node 2.</summary>
internal sealed record PodPlace(string Namespace, string Name, int Node = 1)
{
    public string Link => World.InterfaceOf(Namespace, Name);

    public string FullName => $"{Namespace}/{Name}";

    /// <summary>With addresses of the node's block.</summary>
    public Place Place(int number) => new(FullName, $"192.168.{Node}.{number}", $"fd01::{Node}:{number:x}", Node == 1 ? Link : "eth0");

    /// <summary>The object, as <c>kubectl get -o yaml</c> prints it.</summary>
    public static string Object(PodPlace pod, Place place, string labels = "", string ports = "") => $$"""
        ---
        apiVersion: v1
        kind: Pod
        metadata: { name: {{pod.Name}}, namespace: {{pod.Namespace}}, labels: { {{labels}} } }
        spec: { nodeName: node{{pod.Node}}, serviceAccountName: default, containers: [{ name: main, ports: [{{ports}}] }] }
        status: { phase: Running, podIPs: [{ ip: {{place.IPv4}} }, { ip: "{{place.IPv6}}" }] }

        """;
}
