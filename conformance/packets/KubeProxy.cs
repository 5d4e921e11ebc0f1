namespace Calico.Bgp.Conformance.Packets;

/// <summary>
/// kube-proxy's chains in nftables mode, at its priorities and with its mark, for three services: web (ClusterIP 10.96.0.10:80) with a
/// pod of the pool nat behind it, far (10.96.0.11:80) with a server outside of the cluster, and NodePorts of web, 30080 with
/// externalTrafficPolicy Cluster and 30081 with Local.
/// </summary>
internal static class KubeProxy
{
    public const string Web = "10.96.0.10", Far = "10.96.0.11";
    public const int ServicePort = 80, ClusterPort = 30080, LocalPort = 30081;

    public static string Table(string endpoint) => $$"""
        table ip kube-proxy {
          chain mark-for-masquerade {
            meta mark set meta mark | 0x4000
          }
          chain services {
            ip daddr {{Web}} tcp dport {{ServicePort}} dnat to {{endpoint}}:{{Echo.Port}}
            ip daddr {{Far}} tcp dport {{ServicePort}} dnat to {{Site.Outside4}}:{{Echo.Port}}
            fib daddr type local tcp dport {{ClusterPort}} goto web-external-cluster
            fib daddr type local tcp dport {{LocalPort}} dnat to {{endpoint}}:{{Echo.Port}}
          }
          chain web-external-cluster {
            jump mark-for-masquerade
            meta l4proto tcp dnat to {{endpoint}}:{{Echo.Port}}
          }
          chain nat-prerouting {
            type nat hook prerouting priority dstnat; policy accept;
            jump services
          }
          chain nat-output {
            type nat hook output priority -100; policy accept;
            jump services
          }
          chain nat-postrouting {
            type nat hook postrouting priority srcnat; policy accept;
            meta mark & 0x4000 == 0 return
            meta mark set meta mark ^ 0x4000
            masquerade fully-random
          }
        }

        """;
}
