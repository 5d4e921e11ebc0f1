using System.Net;

namespace Calico.Bgp.Conformance.Policy;

/// <summary>A service as kube-proxy would have it in the node's kernel, in either mode that translates: a virtual address and port of TCP
/// and UDP, and who is behind it.</summary>
/// <param name="Name"></param>
/// <param name="IPv4"></param>
/// <param name="IPv6"></param>
/// <param name="Port"></param>
/// <param name="Behind"></param>
/// <param name="TargetPort"></param>
internal sealed record Service(string Name, string IPv4, string IPv6, int Port, Place Behind, int TargetPort)
{
    /// <summary>externalTrafficPolicy: Local: who calls from outside is seen as who he is. Else he is seen as the node.</summary>
    public bool IsLocal { get; init; }

    public IPAddress Address(bool isIPv6) => IPAddress.Parse(isIPv6 ? IPv6 : IPv4);

    /// <summary>kube-proxy --proxy-mode=iptables, for iptables-restore: what it accepts of what is routed, it accepts for itself.</summary>
    public static string Iptables(IEnumerable<Service> services, bool isIPv6) => $$"""
        *filter
        :KUBE-FORWARD - [0:0]
        -A FORWARD -j KUBE-FORWARD
        -A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
        -A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT
        -A KUBE-FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
        COMMIT
        *nat
        :KUBE-SERVICES - [0:0]
        :KUBE-POSTROUTING - [0:0]
        -A PREROUTING -j KUBE-SERVICES
        -A OUTPUT -j KUBE-SERVICES
        -A POSTROUTING -j KUBE-POSTROUTING
        {{string.Join('\n', services.SelectMany(service => new[] { "tcp", "udp" }.Select(protocol => service.Iptables(protocol, isIPv6))))}}
        -A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
        -A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0
        -A KUBE-POSTROUTING -j MASQUERADE --random-fully
        COMMIT

        """;

    private string Iptables(string protocol, bool isIPv6)
    {
        var match = $"-A KUBE-SERVICES -d {Address(isIPv6)} -p {protocol} --dport {Port} -j";
        return (IsLocal ? "" : $"{match} MARK --set-xmark 0x4000/0x4000\n")
            + $"{match} DNAT --to-destination {(isIPv6 ? $"[{Behind.IPv6}]" : Behind.IPv4)}:{TargetPort}";
    }

    /// <summary>kube-proxy --proxy-mode=nftables: the priorities and the mark are its own.</summary>
    public static string Nft(IEnumerable<Service> services)
    {
        var (all, text) = (services.ToArray(), "");
        foreach (var isIPv6 in (bool[])[false, true])
        {
            var ip = isIPv6 ? "ip6" : "ip";
            var rules = string.Join('\n', all.SelectMany(service => new[] { "tcp", "udp" }.Select(protocol =>
                $"{ip} daddr {service.Address(isIPv6)} {protocol} dport {service.Port}"
                + (service.IsLocal ? "" : " meta mark set meta mark or 0x4000")
                + $" dnat to {(isIPv6 ? $"[{service.Behind.IPv6}]" : service.Behind.IPv4)}:{service.TargetPort}")));
            text += $$"""
                table {{ip}} kube-proxy
                delete table {{ip}} kube-proxy
                table {{ip}} kube-proxy {
                  chain services {
                    {{rules}}
                  }
                  chain filter-forward {
                    type filter hook forward priority -110
                    ct state established,related accept
                  }
                  chain nat-prerouting {
                    type nat hook prerouting priority dstnat
                    jump services
                  }
                  chain nat-output {
                    type nat hook output priority -100
                    jump services
                  }
                  chain nat-postrouting {
                    type nat hook postrouting priority srcnat
                    meta mark and 0x4000 == 0 return
                    meta mark set meta mark xor 0x4000
                    masquerade fully-random
                  }
                }

                """;
        }
        return text;
    }
}
