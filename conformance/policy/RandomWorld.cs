namespace Calico.Bgp.Conformance.Policy;

/// <summary>Worlds by chance: the same number gives the same one. Parts are kept by name, so that an edit changes one of them.</summary>
internal sealed class RandomWorld
{
    private static readonly string[] Roles = ["web", "db", "none"], Teams = ["red", "blue"], Apps = ["a", "b", "c", "d", "e"],
        Usual = ["Allow", "Allow", "Allow", "Deny", "Pass", "Log"];

    private readonly Random random;
    private readonly Town town;
    private readonly Dictionary<PodPlace, string> podLabels = [];
    private readonly Dictionary<string, string> parts = [];

    /// <summary>doNotTrack may be somewhere in it: asked is what has no answers, and what nobody translates.</summary>
    private readonly bool isUntracked;

    public RandomWorld(int seed, Town town)
    {
        (random, this.town) = (new(seed), town);
        isUntracked = seed % 4 == 3;
        foreach (var pod in town.Pods) podLabels[pod] = PodLabels(pod);
        for (var kind = 0; kind < 4; kind++) Remake(kind);
        foreach (var number in Enumerable.Range(0, random.Next(2, 9))) parts[$"policy-{number}"] = AnyPolicy($"policy-{number}");
    }

    public string Objects => town.Objects(
        pod => podLabels[pod],
        _ => "{ name: web, containerPort: 80 }, { name: dns, protocol: UDP, containerPort: 81 }",
        space => $"team: {space}, kind: {(space == "red" ? "warm" : "cold")}",
        ", failsafeInboundHostPorts: [{ protocol: TCP, port: 22 }]") + string.Concat(parts.Values);

    /// <summary>One thing becomes another, comes or goes.</summary>
    public string Edit()
    {
        switch (random.Next(6))
        {
            case 0:
                var pod = One([.. town.Pods.Where(pod => pod.Namespace != "fence")]);
                podLabels[pod] = PodLabels(pod);
                return $"labels of {pod.FullName}";
            case 1:
                var kind = random.Next(4);
                Remake(kind);
                return $"part {kind}";
            case 2:
                var gone = One([.. parts.Keys.Where(name => name.StartsWith("policy", StringComparison.Ordinal)).DefaultIfEmpty("none")]);
                parts.Remove(gone);
                return $"without {gone}";
            default:
                var name = $"policy-{random.Next(9)}";
                parts[name] = AnyPolicy(name);
                return name;
        }
    }

    private T One<T>(params T[] of) => of[random.Next(of.Length)];

    private bool Now(int outOf) => random.Next(outOf) == 0;

    private string PodLabels(PodPlace pod) => pod.Namespace == "fence" ? "app: fence"
        : $"app: {pod.Name}, role: {One(Roles)}" + (Now(3) ? ", extra: \"\"" : "");

    private void Remake(int kind) => parts[$"part-{kind}"] = kind switch
    {
        0 when isUntracked => Host("eth0", "interfaceName: eth0"),
        0 => One(
            "",
            Host("eth0", "interfaceName: eth0") + (Now(2) ? Host("eth1", "interfaceName: eth1") : ""),
            Host("all", "interfaceName: \"*\""),
            Host("eth1", "interfaceName: eth1") + Host("all", "interfaceName: \"*\"")),
        1 => Yaml.Set("global", $"set: {One("one", "two")}", Nets()) + Yaml.Set("second", "set: two", Nets()),
        2 => Yaml.Set("spaced", $"set: {One("one", "two")}", Nets(), One(Teams)),
        _ => Yaml.Tier("low", $"order: {random.Next(5, 50)}, defaultAction: {One("Pass", "Deny")}")
            + Yaml.Tier("high", $"order: {random.Next(5, 50)}"),
    };

    private string Host(string name, string spec) => Yaml.HostEndpoint(name, $"host: {One("h1", "h2")}, role: {One(Roles)}", spec
        + (Now(2) ? ", expectedIPs: [172.20.0.1, \"fd20::1\"]" : "") + (Now(3) ? "" : ", profiles: [projectcalico-default-allow]"));

    private string Nets() => string.Join(", ", Enumerable.Range(0, random.Next(1, 4)).Select(_ => Net(random.Next(2) == 1)));

    private string Net(bool isIPv6) => isIPv6
        ? '"' + One("fd98::/64", "fd98::1/128", "2001:db8::/32", "::/0", "fd01::1:0/112", "fd01::2:0/112", "fd20::/64", "fd50::1/128") + '"'
        : One("198.51.100.0/24", "198.51.100.1/32", "203.0.113.0/25", "0.0.0.0/0", "192.168.1.0/28", "192.168.0.0/16", "172.20.0.0/24",
            "10.50.0.1/32");

    private string Selector() => One(
        "all()", $"role == '{One(Roles)}'", $"role != '{One(Roles)}'", "has(extra)", "!has(extra)",
        $"app in {{'{One(Apps)}', '{One(Apps)}'}}", $"app not in {{'{One(Apps)}'}}", $"set == '{One("one", "two")}'",
        $"has(app) && role == '{One(Roles)}'", "has(host) || has(extra)",
        $"role starts with '{One("w", "d")}'", $"role contains 'e' && !(app == '{One(Apps)}')", $"pcns.team == '{One(Teams)}'");

    private string AnyPolicy(string name) => random.Next(12) switch
    {
        0 => Kubernetes(name),
        1 => Cluster(name),
        2 => "---\n" + Calico(name, "GlobalNetworkPolicy").Replace("kind: ", "kind: Staged")[4..],
        <= 5 => Calico(name, "NetworkPolicy"),
        _ => Calico(name, "GlobalNetworkPolicy"),
    };

    private string Calico(string name, string kind)
    {
        var isGlobal = kind == "GlobalNetworkPolicy";
        var space = isGlobal ? null : One(Teams);
        var tier = Now(3) ? One("low", "high") : "default";
        var (more, actions) = ("", Usual);
        var (ingress, egress) = (!Now(4), Now(2));
        if (!ingress) egress = true;
        var applies = Selector();
        if (isGlobal)
        {
            var hook = random.Next(isUntracked ? 12 : 5);
            more += hook switch
            {
                0 => ", preDNAT: true, applyOnForward: true",
                1 => ", applyOnForward: true",
                >= 5 => ", doNotTrack: true, applyOnForward: true",
                _ => "",
            };
            if (hook == 0) (ingress, egress) = (true, false);
            // Where nobody is asked last, nothing is denied but by a rule.
            if (hook >= 5) (ingress, egress, actions) = (true, true, ["Allow", "Deny"]);
            if (hook is 0 or 1 or >= 5 || Now(4)) applies = One("has(host)", "all()", "host in {'h1', 'h2'}", $"role == '{One(Roles)}'");
            else if (Now(3)) more += $", namespaceSelector: \"{One("team == 'red'", "kind == 'cold'", "all()")}\"";
        }
        var types = string.Join(", ", new[] { ingress ? "Ingress" : null, egress ? "Egress" : null }.OfType<string>());
        var order = Now(3) ? "" : $", order: {random.Next(1, 9)}";
        var spec = $"tier: {tier}, selector: \"{applies}\", types: [{types}]{order}{more}"
            + (ingress ? $", ingress: [{Rules(actions)}]" : "") + (egress ? $", egress: [{Rules(actions)}]" : "");
        var full = tier == "default" ? name : $"{tier}.{name}";
        return space == null ? Yaml.Global(full, spec) : Yaml.Namespaced(space, full, spec);
    }

    private string Rules(string[] actions) => string.Join(", ", Enumerable.Range(0, random.Next(0, 4)).Select(_ => Rule(actions)));

    private string Rule(string[] actions)
    {
        var isIPv6 = Now(2);
        var parts = new List<string> { $"action: {One(actions)}" };
        var protocol = One(null, "TCP", "UDP", "SCTP", "TCP", "UDP", isIPv6 ? "ICMPv6" : "ICMP");
        if (protocol != null) parts.Add($"protocol: {protocol}");
        else if (Now(4)) parts.Add($"notProtocol: {One("TCP", "UDP", "ICMP")}");
        if (protocol is "ICMP" or "ICMPv6" && Now(2))
            parts.Add($"{One("icmp", "notICMP")}: {{ type: {(isIPv6 ? 128 : 8)}{(Now(2) ? ", code: 0" : "")} }}");
        if (Now(8)) parts.Add($"ipVersion: {(isIPv6 ? 6 : 4)}");
        var hasPorts = protocol is "TCP" or "UDP" or "SCTP";
        var sourcePorts = hasPorts && Now(4) ? One("[\"1:29999\"]", "[\"30000:65535\"]") : null;
        if (!Now(3)) parts.Add($"source: {{ {Entity(isIPv6, sourcePorts)} }}");
        if (!Now(3)) parts.Add($"destination: {{ {Entity(isIPv6, hasPorts && Now(2) ? Ports() : null)} }}");
        return $"{{ {string.Join(", ", parts)} }}";
    }

    private string Ports() => One("[80]", "[81, 443]", "[\"80:81\"]", "[web]", "[dns, 80]", "[80, 81, 443, \"8000:9000\"]");

    private string Entity(bool isIPv6, string? ports)
    {
        var parts = new List<string>();
        if (Now(3)) parts.Add($"nets: [{Net(isIPv6)}{(Now(2) ? ", " + Net(isIPv6) : "")}]");
        if (Now(6)) parts.Add($"notNets: [{(isIPv6 ? "\"fd98::1/128\"" : One("198.51.100.1/32", "192.168.1.0/29"))}]");
        if (Now(2)) parts.Add($"selector: \"{Selector()}\"");
        if (Now(5)) parts.Add($"notSelector: \"{Selector()}\"");
        if (Now(5)) parts.Add($"namespaceSelector: \"{One("all()", "global()", "team == 'red'", "kind != 'warm'")}\"");
        if (Now(9)) parts.Add("serviceAccounts: { names: [default] }");
        if (ports != null) parts.Add($"{One("ports", "ports", "notPorts")}: {ports}");
        return string.Join(", ", parts);
    }

    private string Kubernetes(string name)
    {
        var (types, direction) = One(("Ingress", "ingress"), ("Egress", "egress"));
        return $$"""
            ---
            apiVersion: networking.k8s.io/v1
            kind: NetworkPolicy
            metadata: { name: {{name}}, namespace: {{One(Teams)}} }
            spec:
              podSelector: { matchLabels: { role: {{One(Roles)}} } }
              policyTypes: [{{types}}]
              {{direction}}:
              - {{(types == "Ingress" ? "from" : "to")}}: [{{Peer()}}, {{Peer()}}]
                ports: [{ port: {{One("80", "81", "web")}} }, { protocol: UDP }]

            """;

        string Peer() => One("{ podSelector: {} }", "{ namespaceSelector: { matchLabels: { kind: cold } } }",
            "{ namespaceSelector: {}, podSelector: { matchLabels: { role: web } } }", $"{{ ipBlock: {{ cidr: {Net(Now(2))} }} }}");
    }

    private string Cluster(string name)
    {
        var (direction, side) = One(("ingress", "from"), ("egress", "to"));
        return $$"""
            ---
            apiVersion: policy.networking.k8s.io/v1alpha2
            kind: ClusterNetworkPolicy
            metadata: { name: {{name}} }
            spec:
              tier: {{One("Admin", "Baseline")}}
              priority: {{random.Next(1, 1000)}}
              subject: {{Pods()}}
              {{direction}}:
              - name: one
                action: {{One("Accept", "Deny")}}
                {{side}}: [{{Pods()}}]
                protocols: [{ tcp: { destinationPort: { number: 80 } } }]
              - { name: two, action: {{One("Accept", "Deny", "Pass")}}, {{side}}: [{{Pods()}}] }

            """;

        string Pods() => One($"{{ namespaces: {{ matchLabels: {{ team: {One(Teams)} }} }} }}",
            $"{{ pods: {{ namespaceSelector: {{}}, podSelector: {{ matchLabels: {{ role: {One(Roles)} }} }} }} }}");
    }

    private static bool IsOfFence(Place place) => place.Name.StartsWith("fence", StringComparison.Ordinal);

    /// <summary>Some of all that could be asked.</summary>
    public IReadOnlyList<Probe> Probes(int count)
    {
        var all = (
            from @from in town.Places
            from to in town.Places
            where @from != to && !IsOfFence(@from) && !IsOfFence(to)
            from isIPv6 in (bool[])[false, true]
            select (@from, to: to.Address(isIPv6), isIPv6, isService: false)).Concat(
            from service in town.Services
            from @from in town.Places
            where !isUntracked && !IsOfFence(@from) && @from != service.Behind
            from isIPv6 in (bool[])[false, true]
            select (@from, to: service.Address(isIPv6), isIPv6, isService: true)).ToArray();
        // One in eight is the node's own: of all who are there it is the least.
        var own = all.Where(one => one.@from.Link == null).ToArray();
        return [.. Enumerable.Range(0, count).Select(_ => Now(8) ? One(own) : One(all)).Select(one =>
        {
            var plain = isUntracked ? Protocols.Udp : One(Protocols.Tcp, Protocols.Udp);
            var protocol = one.isService ? plain
                : One(plain, Protocols.Udp, Protocols.Sctp, one.isIPv6 ? Protocols.IcmpV6 : Protocols.Icmp);
            return new Probe(one.@from, one.@from.Address(one.isIPv6), one.to, protocol)
            {
                Port = one.isService ? 80 : One(80, 81, 443, 22),
                SourcePorts = One(Probe.LowPorts, Probe.HighPorts),
            };
        }).Where(probe => town.PacketOf(probe) != null)];
    }
}
