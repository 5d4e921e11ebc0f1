namespace Calico.Bgp.Conformance.Packets;

/// <summary>
/// What kube-proxy writes for two services of one family: web, with one endpoint, a ClusterIP and two NodePorts (30080 with
/// externalTrafficPolicy Cluster, 30081 with Local), and far, a ClusterIP with a server outside of the cluster behind it. Its clusterCIDR
/// is the pool nat. Tables, chains, priorities and the mark are those that kube-proxy has in each of its modes; names are shorter.
/// </summary>
internal sealed record KubeProxy(bool IPv6, string Endpoint, bool IsLocal)
{
    public const int ServicePort = 80, ClusterPort = 30080, LocalPort = 30081;

    public static readonly string[] Modes = ["nftables", "iptables-nft", "iptables-legacy"];

    public string Web => IPv6 ? "fd96::10" : "10.96.0.10";
    public string Far => IPv6 ? "fd96::11" : "10.96.0.11";
    private string ServiceCidr => IPv6 ? "fd96::/112" : "10.96.0.0/16";
    private string ClusterCidr => IPv6 ? "fd01::/16" : "192.168.0.0/16";
    private string Node => IPv6 ? Site.Node6 : Site.Node4;
    private string Outside => IPv6 ? Site.Outside6 : Site.Outside4;
    private string Ip => IPv6 ? "ip6" : "ip";

    private static string Socket(string address) => address.Contains(':') ? $"[{address}]:{Echo.Port}" : $"{address}:{Echo.Port}";

    /// <summary>Writes it in place of what was there.</summary>
    public async Task WriteAsync(Site site, string mode)
    {
        var file = site.PathOf($"kube-proxy-{Ip}");
        await File.WriteAllTextAsync(file, mode == "nftables" ? Nftables() : Iptables());
        if (mode == "nftables") await site.Node.DoAsync("nft", "-f", file);
        else await site.Node.DoAsync($"{(IPv6 ? "ip6" : "ip")}{mode[2..]}-restore", file);
    }

    /// <summary>kube-proxy --proxy-mode=nftables</summary>
    private string Nftables() => $$"""
        table {{Ip}} kube-proxy
        delete table {{Ip}} kube-proxy
        table {{Ip}} kube-proxy {
          set cluster-ips {
            type {{(IPv6 ? "ipv6_addr" : "ipv4_addr")}}
            elements = { {{Web}}, {{Far}} }
          }
          set nodeport-ips {
            type {{(IPv6 ? "ipv6_addr" : "ipv4_addr")}}
            elements = { {{Node}} }
          }
          map no-endpoint-nodeports {
            type inet_proto . inet_service : verdict
            {{(IsLocal ? "" : $"elements = {{ tcp . {LocalPort} : drop }}")}}
          }
          chain mark-for-masquerade {
            meta mark set meta mark or 0x4000
          }
          chain masquerading {
            meta mark and 0x4000 == 0 return
            meta mark set meta mark xor 0x4000
            masquerade fully-random
          }
          chain endpoint-web {
            {{Ip}} saddr {{Endpoint}} jump mark-for-masquerade
            meta l4proto tcp dnat to {{Socket(Endpoint)}}
          }
          chain endpoint-far {
            meta l4proto tcp dnat to {{Socket(Outside)}}
          }
          chain service-web {
            {{Ip}} daddr {{Web}} tcp dport {{ServicePort}} {{Ip}} saddr != {{ClusterCidr}} jump mark-for-masquerade
            numgen random mod 1 vmap { 0 : goto endpoint-web }
          }
          chain service-far {
            {{Ip}} daddr {{Far}} tcp dport {{ServicePort}} {{Ip}} saddr != {{ClusterCidr}} jump mark-for-masquerade
            numgen random mod 1 vmap { 0 : goto endpoint-far }
          }
          chain external-cluster {
            jump mark-for-masquerade
            goto service-web
          }
          chain external-local {
            {{Ip}} saddr {{ClusterCidr}} goto service-web
            fib saddr type local jump mark-for-masquerade
            fib saddr type local goto service-web
            {{(IsLocal ? "numgen random mod 1 vmap { 0 : goto endpoint-web }" : "")}}
          }
          map service-ips {
            type {{(IPv6 ? "ipv6_addr" : "ipv4_addr")}} . inet_proto . inet_service : verdict
            elements = { {{Web}} . tcp . {{ServicePort}} : goto service-web, {{Far}} . tcp . {{ServicePort}} : goto service-far }
          }
          map service-nodeports {
            type inet_proto . inet_service : verdict
            elements = { tcp . {{ClusterPort}} : goto external-cluster, tcp . {{LocalPort}} : goto external-local }
          }
          chain services {
            {{Ip}} daddr . meta l4proto . th dport vmap @service-ips
            {{Ip}} daddr @nodeport-ips meta l4proto . th dport vmap @service-nodeports
          }
          chain nodeport-endpoints-check {
            {{Ip}} daddr @nodeport-ips meta l4proto . th dport vmap @no-endpoint-nodeports
          }
          chain cluster-ips-check {
            {{Ip}} daddr @cluster-ips reject
            {{Ip}} daddr {{ServiceCidr}} drop
          }
          chain filter-input {
            type filter hook input priority -110
            ct state new jump nodeport-endpoints-check
          }
          chain filter-forward {
            type filter hook forward priority -110
            ct state new jump cluster-ips-check
          }
          chain filter-output-post-dnat {
            type filter hook output priority -90
            ct state new jump cluster-ips-check
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
            jump masquerading
          }
        }

        """;

    /// <summary>kube-proxy --proxy-mode=iptables</summary>
    private string Iptables() => $$"""
        *filter
        :KUBE-FORWARD - [0:0]
        :KUBE-EXTERNAL-SERVICES - [0:0]
        -A INPUT -m conntrack --ctstate NEW -j KUBE-EXTERNAL-SERVICES
        -A FORWARD -j KUBE-FORWARD
        -A FORWARD -m conntrack --ctstate NEW -j KUBE-EXTERNAL-SERVICES
        {{(IsLocal ? "" : $"-A KUBE-EXTERNAL-SERVICES -p tcp -m addrtype --dst-type LOCAL -m tcp --dport {LocalPort} -j DROP")}}
        -A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
        -A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT
        -A KUBE-FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
        COMMIT
        *nat
        :KUBE-SERVICES - [0:0]
        :KUBE-NODEPORTS - [0:0]
        :KUBE-POSTROUTING - [0:0]
        :KUBE-MARK-MASQ - [0:0]
        :KUBE-SVC-WEB - [0:0]
        :KUBE-SVC-FAR - [0:0]
        :KUBE-SVL-WEB - [0:0]
        :KUBE-EXT-CLUSTER - [0:0]
        :KUBE-EXT-LOCAL - [0:0]
        :KUBE-SEP-WEB - [0:0]
        :KUBE-SEP-FAR - [0:0]
        -A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
        -A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
        -A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
        -A KUBE-SERVICES -d {{Web}} -p tcp -m tcp --dport {{ServicePort}} -j KUBE-SVC-WEB
        -A KUBE-SERVICES -d {{Far}} -p tcp -m tcp --dport {{ServicePort}} -j KUBE-SVC-FAR
        -A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
        -A KUBE-NODEPORTS -p tcp -m tcp --dport {{ClusterPort}} -j KUBE-EXT-CLUSTER
        -A KUBE-NODEPORTS -p tcp -m tcp --dport {{LocalPort}} -j KUBE-EXT-LOCAL
        -A KUBE-EXT-CLUSTER -j KUBE-MARK-MASQ
        -A KUBE-EXT-CLUSTER -j KUBE-SVC-WEB
        -A KUBE-EXT-LOCAL -s {{ClusterCidr}} -j KUBE-SVC-WEB
        -A KUBE-EXT-LOCAL -m addrtype --src-type LOCAL -j KUBE-MARK-MASQ
        -A KUBE-EXT-LOCAL -m addrtype --src-type LOCAL -j KUBE-SVC-WEB
        {{(IsLocal ? "-A KUBE-EXT-LOCAL -j KUBE-SVL-WEB" : "")}}
        -A KUBE-SVL-WEB -j KUBE-SEP-WEB
        -A KUBE-SVC-WEB ! -s {{ClusterCidr}} -d {{Web}} -p tcp -m tcp --dport {{ServicePort}} -j KUBE-MARK-MASQ
        -A KUBE-SVC-WEB -j KUBE-SEP-WEB
        -A KUBE-SVC-FAR ! -s {{ClusterCidr}} -d {{Far}} -p tcp -m tcp --dport {{ServicePort}} -j KUBE-MARK-MASQ
        -A KUBE-SVC-FAR -j KUBE-SEP-FAR
        -A KUBE-SEP-WEB -s {{Endpoint}} -j KUBE-MARK-MASQ
        -A KUBE-SEP-WEB -p tcp -m tcp -j DNAT --to-destination {{Socket(Endpoint)}}
        -A KUBE-SEP-FAR -p tcp -m tcp -j DNAT --to-destination {{Socket(Outside)}}
        -A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
        -A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
        -A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0
        -A KUBE-POSTROUTING -j MASQUERADE --random-fully
        COMMIT

        """;
}
