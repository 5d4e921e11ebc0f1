using System.Text;
using Calico.Bgp.Net;

namespace Calico.Bgp.Bench;

/// <summary>
/// A cluster as a folder of manifests, a file for each object: nodes on addresses of the loopback, services of policy Local with ten
/// endpoints each, of which one is on the node that looks.
/// </summary>
internal sealed class ManifestFolder : IDisposable
{
    public const int Nodes = 1_000, EndpointsEach = 10;
    public const string Self = "node-0000";

    private readonly Scratch folder = new("scale");

    /// <param name="services">How many there are, each with its slice of endpoints.</param>
    /// <param name="port">On which the nodes listen.</param>
    /// <param name="blocks">BlockAffinities of the other nodes.</param>
    public ManifestFolder(int services, int port, int blocks = 0)
    {
        Services = services;
        Write("configuration", Object("BGPConfiguration", "default", $"listenPort: {port}, serviceClusterIPs: [{{ cidr: 10.96.0.0/12 }}]"));
        Write("pool", Pool(natOutgoing: true));
        Write("block-own", Block("own", Self, "192.168.0.0/26"));
        for (var i = 0; i < Nodes; i++) Write($"node-{i}", Node(i, "{}"));
        for (var i = 1; i <= blocks; i++)
            Write($"block-{i}", Block($"b{i}", $"node-{i % Nodes:D4}", $"192.168.{i / 4}.{i % 4 * 64}/26"));
        for (var i = 0; i < services; i++)
        {
            Write($"service-{i}", $$"""
                apiVersion: v1
                kind: Service
                metadata: { name: web-{{i}}, namespace: default }
                spec:
                  type: NodePort
                  externalTrafficPolicy: Local
                  clusterIP: {{ClusterIP(i).Address}}
                  ports: [{ port: 80, nodePort: 30080 }]

                """);
            Write($"slice-{i}", SliceText(i, ready: true));
        }
    }

    public string Path => folder.Path;
    public int Services { get; }

    /// <summary>In ascending order as texts, so that the node that looks waits for the others to call.</summary>
    public static Address AddressOf(int node) => Address.Parse($"127.100.{100 + node / 100}.{100 + node % 100}");

    /// <summary>A service's, as it is announced.</summary>
    public static Prefix ClusterIP(int service) => new(Address.FromIPv4(0x0a600001u + (uint)service), 32);

    /// <summary>What happens beside services: each a file and its two texts in turn.</summary>
    public static IEnumerable<(string What, string File, string[] Texts)> OtherChanges() =>
    [
        ("another node's label", "node-500", [Node(500, "{ zone: a }"), Node(500, "{ zone: b }")]),
        ("another node's AS number", "node-500", [Node(500, "{}", "64513"), Node(500, "{}", "64514")]),
        ("a BGPPeer", "peer", [Peer("10s"), Peer("20s")]),
        ("another node's BlockAffinity", "block-other",
            [Block("other", "node-0500", "192.168.7.0/26"), Block("other", "node-0500", "192.168.8.0/26")]),
        ("this node's BlockAffinity", "block-own", [Block("own", Self, "192.168.1.0/26"), Block("own", Self, "192.168.2.0/26")]),
        ("an IPPool that is not announced any more", "pool", [Pool(natOutgoing: true, "disableBGPExport: true"), Pool(natOutgoing: true)]),
        ("an IPPool's NAT", "pool", [Pool(natOutgoing: false), Pool(natOutgoing: true)]),
    ];

    /// <summary>The file appears whole: it is written beside and renamed.</summary>
    public void Write(string file, string text)
    {
        var beside = System.IO.Path.Combine(Path, ".new");
        File.WriteAllText(beside, text);
        File.Move(beside, System.IO.Path.Combine(Path, file + ".yaml"), overwrite: true);
    }

    private static string Object(string kind, string name, string spec) =>
        $"apiVersion: projectcalico.org/v3\nkind: {kind}\nmetadata: {{ name: {name} }}\nspec: {{ {spec} }}\n";

    private static string Node(int number, string labels, string? asNumber = null) => $$"""
        apiVersion: projectcalico.org/v3
        kind: Node
        metadata: { name: node-{{number:D4}}, labels: {{labels}} }
        spec: { bgp: { ipv4Address: {{AddressOf(number)}}/32{{(asNumber == null ? "" : $", asNumber: {asNumber}")}} } }

        """;

    private static string Peer(string restart) =>
        Object("BGPPeer", "tor", $"peerIP: 127.200.0.1, asNumber: 65001, maxRestartTime: {restart}");

    private static string Block(string name, string node, string cidr) =>
        Object("BlockAffinity", name, $"state: confirmed, node: {node}, cidr: {cidr}, deleted: \"false\"");

    private static string Pool(bool natOutgoing, string more = "disableBGPExport: false") =>
        Object("IPPool", "pods", $"cidr: 192.168.0.0/16, natOutgoing: {(natOutgoing ? "true" : "false")}, {more}");

    public static string SliceText(int service, bool ready)
    {
        var text = new StringBuilder($$"""
            apiVersion: discovery.k8s.io/v1
            kind: EndpointSlice
            metadata: { name: web-{{service}}-x, namespace: default, labels: { kubernetes.io/service-name: web-{{service}} } }
            addressType: IPv4
            ports: [{ port: 80, protocol: TCP }]
            endpoints:

            """);
        for (var i = 0; i < EndpointsEach; i++)
        {
            var (node, isReady) = i == 0 ? (0, ready) : ((service + i) % Nodes, true);
            text.Append($"- {{ addresses: [192.168.{service % 250}.{i + 1}], nodeName: node-{node:D4}, ");
            text.Append($"conditions: {{ ready: {(isReady ? "true" : "false")} }} }}\n");
        }
        return text.ToString();
    }

    public void Dispose() => folder.Dispose();
}
