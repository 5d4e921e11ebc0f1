namespace Calico.Bgp.Lab;

/// <summary>The configurations that the lab's routers run with: also the shortest way to see what a real one looks like.</summary>
internal static class Configurations
{
    /// <summary>A node: external sessions to the ToR, internal ones to the other node; its pods' routes go out, the ToR's come into the
    /// kernel.</summary>
    public static string Node(int node, string folder) => $$"""
        node: node{{node}}
        router:
          id: 10.192.0.1{{node}}
          asNumber: 64512
        filters:
          pods:
            - { match: { prefixes: ["10.244.0.0/16{16,32}", "fd00:244::/32{32,128}"] }, action: Accept }
            - { action: Reject }
          own-pods: # the ToR hears of a pod from its own node only
            - { match: { source: [static, kernel], prefixes: ["10.244.0.0/16{16,32}", "fd00:244::/32{32,128}"] }, action: Accept }
            - { action: Reject }
        peers:
          - { name: tor4, peerIP: 10.192.0.254, asNumber: 65001, families: [ipv4], import: accept, export: [own-pods], holdTime: 9s }
          - { name: tor6, peerIP: "fd00:192::254", asNumber: 65001, families: [ipv6], import: accept, export: [own-pods], holdTime: 9s }
          - name: mesh4
            peerIP: 10.192.0.1{{3 - node}}
            asNumber: 64512
            families: [ipv4]
            import: [pods]
            export: [pods]
            holdTime: 9s
          - name: mesh6
            peerIP: "fd00:192::1{{3 - node}}"
            asNumber: 64512
            families: [ipv6]
            import: [pods]
            export: [pods]
            holdTime: 9s
        routes:
          - { prefix: 10.244.{{node}}.0/24, type: blackhole }
          - { prefix: "fd00:244:{{node}}::/64", type: blackhole }
        kernel: { installRoutes: true, learn: true }
        control:
          socket: {{folder}}/node{{node}}.ctl
          http: ["unix:{{folder}}/node{{node}}.sock"]

        """;

    /// <summary>The ToR where no BIRD is installed.</summary>
    public static string Tor(string folder) => $$"""
        node: tor
        router:
          id: 10.192.0.254
          asNumber: 65001
        filters:
          outside:
            - { match: { prefixes: [198.51.100.0/24, "fd00:198::/64"] }, action: Accept }
            - { action: Reject }
        peers:
          - { name: node1_4, peerIP: 10.192.0.11, asNumber: 64512, families: [ipv4], import: accept, export: [outside], holdTime: 9s }
          - { name: node2_4, peerIP: 10.192.0.12, asNumber: 64512, families: [ipv4], import: accept, export: [outside], holdTime: 9s }
          - { name: node1_6, peerIP: "fd00:192::11", asNumber: 64512, families: [ipv6], import: accept, export: [outside], holdTime: 9s }
          - { name: node2_6, peerIP: "fd00:192::12", asNumber: 64512, families: [ipv6], import: accept, export: [outside], holdTime: 9s }
        kernel: { installRoutes: true, learn: true }
        control:
          socket: {{folder}}/tor.ctl
          http: ["unix:{{folder}}/tor.sock"]

        """;

    public static string TorBird { get; } = $$"""
        log stderr all;
        router id 10.192.0.254;
        protocol device { }
        protocol direct { ipv4; ipv6; interface "host0"; }
        protocol kernel { ipv4 { export where source = RTS_BGP; }; }
        protocol kernel { ipv6 { export where source = RTS_BGP; }; }
        template bgp node {
          local as 65001; hold time 9; connect retry time 2; connect delay time 1; error wait time 1, 3;
        }
        {{string.Concat(new[] { 1, 2 }.Select(node => $$"""
            protocol bgp node{{node}}_4 from node { neighbor 10.192.0.1{{node}} as 64512;
              ipv4 { import all; export where source = RTS_DEVICE; }; }
            protocol bgp node{{node}}_6 from node { neighbor fd00:192::1{{node}} as 64512;
              ipv6 { import all; export where source = RTS_DEVICE; }; }

            """))}}
        """;
}
