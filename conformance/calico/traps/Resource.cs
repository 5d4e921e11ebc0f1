// Resources in a line each, for cases of our own. Specs are YAML's flow style.
using System.Text;
using Calico.Bgp.Conformance.Golden;

namespace Calico.Bgp.Conformance.Traps;

internal static class Resource
{
    public static Manifest Configuration(string spec, string name = "default") => Calico("BGPConfiguration", name, spec);

    public static Manifest Peer(string name, string spec) => Calico("BGPPeer", name, spec);

    public static Manifest Filter(string name, string spec) => Calico("BGPFilter", name, spec);

    public static Manifest Pool(string name, string cidr, string more = "") => Calico("IPPool", name, Joined($"cidr: '{cidr}'", more));

    public static Manifest Block(string node, string cidr, string state = "confirmed") => Affinities.Affinity(node, cidr, state);

    /// <param name="name"></param>
    /// <param name="v4">With its length; null leaves it out, as for v6.</param>
    /// <param name="v6"></param>
    /// <param name="labels">YAML, in braces.</param>
    /// <param name="bgp">Further fields of spec.bgp.</param>
    public static Manifest Node(string name, string? v4, string? v6 = null, string labels = "{}", string bgp = "") => Manifest.Of($$"""
        apiVersion: projectcalico.org/v3
        kind: Node
        metadata:
          name: {{name}}
          labels: {{labels}}
        spec:
          bgp: { {{Joined(Joined(v4 == null ? "" : $"ipv4Address: {v4}", v6 == null ? "" : $"ipv6Address: '{v6}'"), bgp)}} }
        """);

    public static Manifest Secret(string name, string key, string value) => Manifest.Of($$"""
        apiVersion: v1
        kind: Secret
        metadata: 
          name: {{name}}
          namespace: kube-system
        data: { {{key}}: {{Convert.ToBase64String(Encoding.UTF8.GetBytes(value))}} }
        """);

    public static Manifest Service(string name, string spec, params string[] balancers) => Manifest.Of($$"""
        apiVersion: v1
        kind: Service
        metadata:
          name: {{name}}
          namespace: default
        spec: { {{spec}} }
        status: { loadBalancer: { ingress: [ {{string.Join(", ", balancers.Select(ip => $"{{ ip: '{ip}' }}"))}} ] } }
        """);

    /// <param name="name"></param>
    /// <param name="service"></param>
    /// <param name="addressType">IPv4 or IPv6.</param>
    /// <param name="endpoints">Pairs of a node and its endpoint's readiness; null says nothing of it.</param>
    public static Manifest Slice(string name, string service, string addressType,
        params (string Node, bool? Ready)[] endpoints) => Manifest.Of($$"""
        apiVersion: discovery.k8s.io/v1
        kind: EndpointSlice
        metadata:
          name: {{name}}
          namespace: default
          labels: { kubernetes.io/service-name: {{service}} }
        addressType: {{addressType}}
        endpoints: [ {{string.Join(", ", endpoints.Select((one, i) => Endpoint(addressType, i, one.Node, one.Ready)))}} ]
        """);

    private static string Endpoint(string addressType, int number, string node, bool? ready) =>
        $"{{ addresses: ['{(addressType == "IPv4" ? "192.168.9." : "fd00:9::")}{number + 1}'], nodeName: {node}, "
        + $"conditions: {{ {(ready == null ? "" : $"ready: {(ready.Value ? "true" : "false")}")} }} }}";

    private static Manifest Calico(string kind, string name, string spec) => Manifest.Of($$"""
        apiVersion: projectcalico.org/v3
        kind: {{kind}}
        metadata:
          name: {{name}}
        spec: { {{spec.ReplaceLineEndings("\n  ")}} }
        """);

    private static string Joined(string one, string other) => one.Length == 0 || other.Length == 0 ? one + other : $"{one}, {other}";
}
