namespace Calico.Bgp.Conformance.Policy;

/// <summary>
/// Kubernetes' NetworkPolicy in the manner of cyclonus: every kind of peer with every kind of port, in either direction, each as the only
/// policy of a pod; who may speak with that pod over TCP, UDP and SCTP, to ports 80 and 81?
/// </summary>
public sealed class KubernetesMatrixTests
{
    private static readonly PodPlace[] Pods =
        [.. new[] { "x", "y", "z" }.SelectMany(space => new[] { "a", "b", "c" }.Select(name => new PodPlace(space, name)))];

    private static readonly string[] Peers =
    [
        "", // nobody is named: everybody
        "{ podSelector: {} }",
        "{ podSelector: { matchLabels: { pod: b } } }",
        "{ podSelector: { matchExpressions: [{ key: pod, operator: In, values: [b, c] }] } }",
        "{ podSelector: { matchExpressions: [{ key: pod, operator: NotIn, values: [b] }] } }",
        "{ podSelector: { matchExpressions: [{ key: only-c, operator: Exists }] } }",
        "{ podSelector: { matchExpressions: [{ key: only-c, operator: DoesNotExist }] } }",
        "{ namespaceSelector: {} }",
        "{ namespaceSelector: { matchLabels: { ns: y } } }",
        "{ namespaceSelector: { matchExpressions: [{ key: ns, operator: NotIn, values: [x, y] }] } }",
        "{ namespaceSelector: { matchLabels: { ns: z } }, podSelector: { matchLabels: { pod: b } } }",
        "{ namespaceSelector: {}, podSelector: { matchExpressions: [{ key: pod, operator: In, values: [a, c] }] } }",
        "{ podSelector: { matchLabels: { pod: b } } }, { namespaceSelector: { matchLabels: { ns: y } } }",
        "{ ipBlock: { cidr: 192.168.1.0/29 } }, { ipBlock: { cidr: \"fd01::1:0/125\" } }",
        "{ ipBlock: { cidr: 0.0.0.0/0, except: [192.168.1.0/29] } }, { ipBlock: { cidr: \"::/0\", except: [\"fd01::1:0/125\"] } }",
    ];

    private static readonly string[] Ports =
    [
        "",
        "{ port: 80 }",
        "{ protocol: UDP }",
        "{ protocol: SCTP, port: 81 }",
        "{ port: 80 }, { protocol: UDP, port: 81 }",
        "{ port: 80, endPort: 81 }",
        "{ port: serve-80 }",
        "{ protocol: UDP, port: serve-81-udp }",
        "{ port: 81 }, { protocol: UDP, port: serve-81-udp }, { protocol: SCTP }",
    ];

    private static readonly string[] Directions = ["Ingress", "Egress"];

    private static string Case(PodPlace pod, string direction, string peers, string ports)
    {
        var rule = string.Join(", ", new[]
        {
            peers == "" ? null : $"{(direction == "Ingress" ? "from" : "to")}: [{peers}]", ports == "" ? null : $"ports: [{ports}]",
        }.OfType<string>());
        return $$"""
            ---
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: { name: case, namespace: {{pod.Namespace}} }
            spec:
              podSelector: { matchLabels: { pod: {{pod.Name}} } }
              policyTypes: [{{direction}}]
              {{(direction == "Ingress" ? "ingress" : "egress")}}: [{ {{rule}} }]

            """;
    }

    private static string Objects(Town town) => town.Objects(
        pod => $"pod: {pod.Name}" + (pod.Name == "c" ? ", only-c: \"\"" : ""),
        _ => "{ name: serve-80, containerPort: 80 }, { name: serve-81-udp, protocol: UDP, containerPort: 81 }",
        space => $"ns: {space}");

    /// <summary>All that concerns this pod, in either direction.</summary>
    private static IEnumerable<Probe> Probes(Town town, PodPlace pod) =>
        from other in Pods
        where other != pod
        from isOut in (bool[])[false, true]
        let source = town[(isOut ? pod : other).FullName]
        let to = town[(isOut ? other : pod).FullName]
        from isIPv6 in (bool[])[false, true]
        from protocol in (int[])[Protocols.Tcp, Protocols.Udp, Protocols.Sctp]
        from port in (int[])[80, 81]
        select new Probe(source, source.Address(isIPv6), to.Address(isIPv6), protocol) { Port = port };

    [NeedsFact(Needs.Daemon, "nft")]
    public async Task Peers_and_ports_of_every_kind_mean_in_either_direction_what_Kubernetes_says()
    {
        await using var site = await PolicySite.MakeAsync(Pods);
        var objects = Objects(site.Town);
        site.Write(objects);
        await site.StartAsync();
        var trial = new Trial(site);
        var wrong = new List<string>();
        // A case for a pod of each namespace at a time, of those that are no peers of each other's: one does not hide the other.
        var cases = (
            from direction in Directions
            from peers in Peers
            from ports in Ports
            select (direction, peers, ports)).ToArray();
        foreach (var group in cases.Select((one, number) => (one, pod: Pods[3 * (number % 3) + (number / 3 % 3)])).Chunk(3))
        {
            var policies = objects + string.Concat(group.Select(one => Case(one.pod, one.one.direction, one.one.peers, one.one.ports)));
            await site.PutAsync(policies);
            wrong.AddRange((await trial.WrongAsync(policies, group.SelectMany(one => Probes(site.Town, one.pod))))
                .Select(one => $"{one} in {string.Join(" and ", group.Select(member => $"{member.pod.FullName}: {member.one}"))}"));
        }
        Wrong.None([.. wrong, .. trial.Late()]);
        Assert.True(trial.Passed > 1000 && trial.Denied > 1000, $"{trial.Passed} passed, {trial.Denied} were denied");
    }
}
