using System.Net;

namespace Calico.Bgp.Conformance.Policy;

/// <summary>
/// Kubernetes' own kinds, judged by what their API says of pods and namespaces rather than by what Calico makes of them (2.8): a
/// NetworkPolicy allows, in tier default with order 1000; those of policy.networking.k8s.io stand in the tiers before and behind it.
/// </summary>
internal sealed class KubernetesPolicies(World world)
{
    public Policy? Read(Doc doc)
    {
        var spec = doc["spec"];
        switch (doc["apiVersion"].Text!.Split('/')[0], doc.Kind)
        {
            case ("networking.k8s.io", "NetworkPolicy"):
                var types = spec["policyTypes"].IsThere ? spec["policyTypes"].Texts.ToArray() : ["Ingress"];
                return new("KubernetesNetworkPolicy", doc.Namespace, doc.Name)
                {
                    Order = 1000,
                    AppliesTo = item => IsPod(item) && SpaceOf(item) == doc.Namespace && Selects(spec["podSelector"], item.Labels),
                    Ingress = types.Contains("Ingress") ? Allows(spec["ingress"], "from", doc.Namespace) : null,
                    Egress = types.Contains("Egress") ? Allows(spec["egress"], "to", doc.Namespace) : null,
                };
            case ("policy.networking.k8s.io", var kind):
                return new(kind, "", doc.Name)
                {
                    Tier = kind == "BaselineAdminNetworkPolicy" || spec["tier"].Text == "Baseline" ? "kube-baseline" : "kube-admin",
                    Order = spec["priority"].IsThere ? spec["priority"].Number : 0,
                    AppliesTo = item => Means(spec["subject"], item),
                    Ingress = spec["ingress"].Items.Any() ? Decides(spec["ingress"], "from") : null,
                    Egress = spec["egress"].Items.Any() ? Decides(spec["egress"], "to") : null,
                };
            default: return null;
        }
    }

    private static bool IsPod(Item item) => item.Labels.ContainsKey("projectcalico.org/orchestrator");

    private static string SpaceOf(Item item) => item.Labels[World.NamespaceLabel];

    private static bool Selects(Doc selector, IReadOnlyDictionary<string, string> labels) =>
        selector["matchLabels"].Map.All(label => labels.TryGetValue(label.Key, out var value) && value == label.Value)
        && selector["matchExpressions"].Items.All(one =>
        {
            var isThere = labels.TryGetValue(one["key"].Text!, out var value);
            return one["operator"].Text switch
            {
                "In" => isThere && one["values"].Texts.Contains(value),
                "NotIn" => !isThere || !one["values"].Texts.Contains(value),
                "Exists" => isThere,
                _ => !isThere,
            };
        });

    private bool IsInSpace(Item item, Doc selector) =>
        world.NamespaceLabels(SpaceOf(item)) is { } labels && Selects(selector, labels);

    private bool IsAPod(IPAddress address, Func<Item, bool> which) =>
        world.Items.Any(item => IsPod(item) && item.Contains(address) && which(item));

    private Rule[] Allows(Doc rules, string side, string space) => [.. rules.Items.Select(rule => new Rule(Act.Allow, packet =>
        (!rule["ports"].Items.Any() || rule["ports"].Items.Any(port => IsPort(port, packet)))
        && (!rule[side].Items.Any() || rule[side].Items.Any(peer => IsPeer(peer, space, OtherSide(side, packet))))))];

    private static IPAddress OtherSide(string side, Packet packet) => side == "from" ? packet.Source : packet.Destination;

    private bool IsPeer(Doc peer, string space, IPAddress address)
    {
        if (peer["ipBlock"].IsThere)
            return Prefixes.Contains(peer["ipBlock"]["cidr"].Text!, address)
                && !peer["ipBlock"]["except"].Texts.Any(net => Prefixes.Contains(net, address));
        return IsAPod(address, item => Selects(peer["podSelector"], item.Labels)
            && (peer["namespaceSelector"].IsThere ? IsInSpace(item, peer["namespaceSelector"]) : SpaceOf(item) == space));
    }

    private bool IsPort(Doc port, Packet packet)
    {
        if (Protocols.Number(port["protocol"].Text ?? "TCP") != packet.Protocol) return false;
        if (port["port"].Text is not { } asked) return true;
        if (!char.IsAsciiDigit(asked[0])) return IsNamed(asked, packet);
        var first = port["port"].Number;
        return packet.DestinationPort >= first && packet.DestinationPort <= (port["endPort"].IsThere ? port["endPort"].Number : first);
    }

    private bool IsNamed(string name, Packet packet) => IsAPod(packet.Destination, item =>
        item.Ports.Contains(new(name, packet.Protocol, packet.DestinationPort)));

    private bool Means(Doc subject, Item item) => IsPod(item) && (subject["namespaces"].IsThere
        ? IsInSpace(item, subject["namespaces"])
        : subject["pods"].IsThere && IsInSpace(item, subject["pods"]["namespaceSelector"])
            && Selects(subject["pods"]["podSelector"], item.Labels));

    private Rule[] Decides(Doc rules, string side) => [.. rules.Items.Select(rule => new Rule(
        rule["action"].Text is "Accept" or "Allow" ? Act.Allow : Enum.Parse<Act>(rule["action"].Text!),
        packet => (!rule["protocols"].Items.Any() || rule["protocols"].Items.Any(one => IsProtocol(one, packet)))
            && (!rule["ports"].Items.Any() || rule["ports"].Items.Any(one => IsAdminPort(one, packet)))
            && rule[side].Items.Any(peer => IsAdminPeer(peer, OtherSide(side, packet)))))];

    private bool IsAdminPeer(Doc peer, IPAddress address) =>
        peer["networks"].Texts.Any(net => Prefixes.Contains(net, address)) || IsAPod(address, item => Means(peer, item));

    private bool IsProtocol(Doc asked, Packet packet)
    {
        if (asked["destinationNamedPort"].Text is { } name) return IsNamed(name, packet);
        var protocol = packet.Protocol switch
        {
            Protocols.Tcp => asked["tcp"],
            Protocols.Udp => asked["udp"],
            Protocols.Sctp => asked["sctp"],
            _ => default,
        };
        return protocol.IsThere && (!protocol["destinationPort"].IsThere || IsNumber(protocol["destinationPort"], packet.DestinationPort));
    }

    private bool IsAdminPort(Doc asked, Packet packet)
    {
        if (asked["namedPort"].Text is { } name) return IsNamed(name, packet);
        var (one, range) = (asked["portNumber"], asked["portRange"]);
        return Protocols.Number((one.IsThere ? one : range)["protocol"].Text ?? "TCP") == packet.Protocol && (one.IsThere
            ? one["port"].Number == packet.DestinationPort
            : packet.DestinationPort >= range["start"].Number && packet.DestinationPort <= range["end"].Number);
    }

    private static bool IsNumber(Doc port, int asked) => port["number"].IsThere
        ? port["number"].Number == asked
        : asked >= port["range"]["start"].Number && asked <= port["range"]["end"].Number;
}
