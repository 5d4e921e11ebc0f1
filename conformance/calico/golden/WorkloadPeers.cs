// The case with peers on the node itself. Its input was left out of the data, so it is written here from what the result shows: two
// BGPPeers for local workloads, one filter, and the two files that Felix leaves for the pods.
namespace Calico.Bgp.Conformance.Golden;

internal static class WorkloadPeers
{
    public static readonly IReadOnlyDictionary<string, string> EndpointStatuses = new Dictionary<string, string>
    {
        ["pod1"] = Endpoint("cali97e1defe654", "192.168.162.134", "fd00:10:244:0:586d:4461:e980:a284", "test-global-peer-with-filter"),
        ["pod2"] = Endpoint("cali97e1defe656", "192.168.162.136", "fd00:10:244:0:586d:4461:e980:a286", "test-node-peer-with-filter"),
    };

    public static IEnumerable<Manifest> Objects =>
    [
        Of("BGPConfiguration", "default", "nodeToNodeMeshEnabled: false"),
        Of("Node", "kube-master", "bgp: { ipv4Address: 10.192.0.2/16, ipv6Address: '2001::102/64' }"),
        Of("BGPFilter", "import-only-filter", """
            importV4: [{ action: Accept, matchOperator: In, cidr: 44.0.0.0/16 }]
              importV6: [{ action: Accept, matchOperator: In, cidr: "5000::0/64" }]
            """),
        Of("BGPPeer", "test-global-peer-with-filter", """
            localWorkloadSelector: color == 'red'
              asNumber: 64516
              localASNumber: 65002
              filters: [import-only-filter]
            """),
        Of("BGPPeer", "test-node-peer-with-filter", """
            node: kube-master
              localWorkloadSelector: color == 'blue'
              asNumber: 64517
              localASNumber: 65001
              filters: [import-only-filter]
            """),
    ];

    private static Manifest Of(string kind, string name, string spec) =>
        Manifest.Of($"apiVersion: projectcalico.org/v3\nkind: {kind}\nmetadata:\n  name: {name}\nspec:\n  {spec}\n");

    private static string Endpoint(string link, string v4, string v6, string peer) =>
        $$"""{"ifaceName":"{{link}}","mac":"ee:ee:ee:ee:ee:ee","ipv4Nets":["{{v4}}/32"],"ipv6Nets":["{{v6}}/128"],"""
        + $$"""
        "bgpPeerName":"{{peer}}"}
        """;
}
