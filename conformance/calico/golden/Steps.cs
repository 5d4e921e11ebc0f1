// What the original test's code did to the cluster and no file says: the second steps of some cases, in our words. A case is its inputs
// (its own and those of the folders above it) and then its step.
using System.Text;

namespace Calico.Bgp.Conformance.Golden;

internal static class Steps
{
    private static readonly Dictionary<string, Func<Cluster, Cluster>> All = new()
    {
        ["bgpfilter/filter_deletion/step1"] = cluster => cluster,
        ["bgpfilter/filter_deletion/step2"] = cluster => cluster.Delete("BGPFilter", "test-filter"),
        ["explicit_peering/local_bgp_peer"] = cluster => cluster.Apply(WorkloadPeers.Objects),
        ["mesh/restart-time/pcr-disabled"] = cluster => Programs(cluster, "Disabled"),
        ["mesh/restart-time/pcr-enabled"] = cluster => Programs(cluster, "Enabled"),
        ["mesh/restart-time/pcr-ipip-only"] = cluster => Programs(cluster, "EnabledIPIPOnly"),
        ["password/step1"] = cluster => cluster,
        ["password/step2"] = cluster => cluster.Apply(Secret(1, ("b", "password-b"))),
        ["password/step3"] = cluster => cluster.Apply(Secret(1, ("a", "password-a"), ("b", "password-b")), Secret(2, ("c", "password-c"))),
        ["password/step4"] = cluster => cluster.Apply(Secret(1, ("a", "password-a"), ("b", "password-b"))),
        ["password/step5"] = cluster => cluster.Apply(Secret(1, ("a", "new-password-a"), ("b", "new-password-b"))),
        ["password/step6"] = cluster => cluster.Apply(Secret(1, ("b", "new-password-b"))),
    };

    public static Func<Cluster, Cluster>? Of(string name) => All.GetValueOrDefault(name);

    private static Cluster Programs(Cluster cluster, string what) =>
        cluster.Change("BGPConfiguration", "default", one => one.WithSpec($"programClusterRoutes: {what}"));

    private static Manifest Secret(int number, params (string Key, string Value)[] entries) => Manifest.Of($"""
        apiVersion: v1
        kind: Secret
        metadata:
          name: my-secrets-{number}
          namespace: kube-system
        type: Opaque
        data:
        {string.Join('\n', entries.Select(entry => $"  {entry.Key}: {Convert.ToBase64String(Encoding.UTF8.GetBytes(entry.Value))}"))}
        """);
}
