using System.Net;

namespace Calico.Bgp.Conformance.Golden;

/// <summary>The blocks of kube-master that the original test's code made, with the states that an affinity can be in.</summary>
internal static class Affinities
{
    private static readonly (string Cidr, string State)[] Blocks =
    [
        ("10.0.0.0/30", ""), ("10.1.0.0/24", ""), ("10.2.0.1/32", ""), ("192.168.221.192/26", ""), ("192.168.221.64/26", "confirmed"),
            ("192.168.221.0/26", "pending"),
    ];

    private static readonly string[] Without =
        ["sourceaddr_gracefulrestart", "password", "idle_peers", "node_deletion", "bgpfilter/node_mesh/priority"];

    public static IEnumerable<Manifest> For(string name) =>
        Without.Any(start => name.StartsWith(start, StringComparison.Ordinal)) ? []
        : Blocks.Select(block => Affinity("kube-master", block.Cidr, block.State));

    public static bool IsBlock(IPNetwork prefix) => Blocks.Any(block => IPNetwork.Parse(block.Cidr) == prefix);

    public static Manifest Affinity(string node, string cidr, string state) => Manifest.Of($"""
        apiVersion: crd.projectcalico.org/v1
        kind: BlockAffinity
        metadata:
          name: {node}-{cidr.Replace('.', '-').Replace(':', '-').Replace('/', '-')}
        spec:
          node: {node}
          cidr: {cidr}
          state: "{state}"
          deleted: "false"
        """);
}
