// policy.networking.k8s.io's policies as Calico's (section 2.8 of calico-policy-nat.md): ClusterNetworkPolicy, and AdminNetworkPolicy and
// BaselineAdminNetworkPolicy, which it was called first. A rule that cannot be read fails closed: one that accepts is left out, any other
// denies all that the policy applies to.

using Calico.Bgp.Net;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Resources.Reading.Policies;

/// <summary>The rules of one direction.</summary>
/// <param name="isOld">As AdminNetworkPolicy spells ports and actions.</param>
internal sealed class ClusterPolicyReader(PolicyTypes direction, bool isOld, bool mayPass)
{
    private const string RuleName = "kubernetes.io/name";
    private const int HighestPriority = 1000, MostRules = 100, MostDomains = 25;

    private enum PolicyTier : byte { Admin, Baseline }

    private sealed record Rules(ListOf<PolicyRule> All);

    private static readonly PolicyRule DenyAll = new() { Action = RuleAction.Deny };

    private string Peers => direction == PolicyTypes.Ingress ? "from" : "to";

    public static ClusterNetworkPolicy Read(Metadata metadata, Fields root)
    {
        var spec = root["spec"].Section();
        spec["tier"].Require(Choices<PolicyTier>.Words);
        var tier = spec["tier"].Choice<PolicyTier>() == PolicyTier.Baseline ? Tier.Baseline : Tier.Admin;
        return new(metadata) { Spec = Read(spec, tier, Priority(spec), isOld: false, mayPass: true) };
    }

    public static AdminNetworkPolicy ReadAdmin(Metadata metadata, Fields root)
    {
        var spec = root["spec"].Section();
        return new(metadata) { Spec = Read(spec, Tier.OldAdmin, Priority(spec), isOld: true, mayPass: true) };
    }

    /// <summary>The API knows one alone, by its name (its CRD's validation rule): another one is nobody's baseline.</summary>
    private const string Baseline = "default";

    public static BaselineAdminNetworkPolicy ReadBaseline(Metadata metadata, Fields root)
    {
        if (metadata.Name != Baseline)
            root["metadata"].Section().Error(
                "name", $"expected the name {Baseline}, which is the only one there is, got \"{metadata.Name}\"");
        var spec = root["spec"].Section();
        return new(metadata) { Spec = Read(spec, Tier.OldBaseline, null, isOld: true, mayPass: false) };
    }

    private static double? Priority(Fields spec)
    {
        spec["priority"].Require("a priority");
        return spec["priority"].Number(0, HighestPriority);
    }

    private static PolicySpec Read(Fields spec, string tier, double? order, bool isOld, bool mayPass)
    {
        var ingress = new ClusterPolicyReader(PolicyTypes.Ingress, isOld, mayPass).Converted(spec["ingress"]);
        var egress = new ClusterPolicyReader(PolicyTypes.Egress, isOld, mayPass).Converted(spec["egress"]);
        var applies = Subject(spec["subject"]);
        spec.RefuseOthers();
        return new()
        {
            Tier = tier,
            Order = order,
            AppliesTo = applies,
            Types = (ingress.Count > 0 ? PolicyTypes.Ingress : 0) | (egress.Count > 0 ? PolicyTypes.Egress : 0),
            Ingress = ingress,
            Egress = egress,
            WorkloadsOnly = true,
        };
    }

    /// <summary>All pods of some namespaces, or some pods of some namespaces.</summary>
    private static Selector Subject(Field field)
    {
        field.Require("namespaces or pods");
        var subject = field.Section();
        var (namespaces, pods) = (subject["namespaces"], subject["pods"]);
        if (!field.IsAbsent && namespaces.IsAbsent == pods.IsAbsent) field.Error("expected either namespaces or pods");
        subject.RefuseOthers();
        return pods.IsAbsent ? PodsOf(namespaces) : Pods(pods);
    }

    /// <summary>Pods alone, as the API says: a set of networks that lies in the namespace is none.</summary>
    private static Selector PodsOf(Field namespaces) => LabelSelectors.OfPods.And(LabelSelectors.Namespaces(namespaces) ?? Selector.All);

    private static Selector Pods(Field field)
    {
        var pods = field.Section();
        pods["namespaceSelector"].Require("a selector, which may be empty");
        pods["podSelector"].Require("a selector, which may be empty");
        var selector = (LabelSelectors.Namespaces(pods["namespaceSelector"]) ?? Selector.All).And(LabelSelectors.Pods(pods["podSelector"]));
        pods.RefuseOthers();
        return selector;
    }

    private ListOf<PolicyRule> Converted(Field field) => [.. field.Items(MostRules).SelectMany(item => Fallback(item))];

    private ListOf<PolicyRule> Fallback(Field item)
    {
        var accepts = item.Section()["action"].Word() == (isOld ? "Allow" : "Accept");
        var rules = item.OrNothing(Rule, accepts ? "the rule accepts nothing" : "the rule denies everything instead");
        return rules?.All ?? (accepts ? [] : [DenyAll]);
    }

    private Rules Rule(Field field)
    {
        var rule = field.Section();
        var action = Action(rule["action"]);
        var name = rule["name"].Word(100);
        var ports = Ports(rule);
        var peers = rule[Peers].List(peer => Peer(peer, action));
        rule.RefuseOthers();
        if (peers.Count == 0) rule.Error(Peers, "expected one at least, got none");
        if (peers.Any(peer => peer.Domains.Count > 0) && ports.Protocols().Any(of => of.Ports.Any(port => port.Name != null)))
            rule.Error(Peers, "expected ports by number beside domainNames: ports by name are those of pods, which no name leads to");
        var annotations = name == null ? Labels.Empty : Labels.From([new(RuleName, name)]);
        return new([.. ports.Protocols().SelectMany(of => peers.Select(peer => new PolicyRule
        {
            Action = action,
            Protocol = of.Protocol,
            Source = direction == PolicyTypes.Ingress ? peer : RuleEntity.Any,
            Destination = (direction == PolicyTypes.Ingress ? RuleEntity.Any : peer) with { Ports = of.Ports },
            Annotations = annotations,
        }))]);
    }

    private RuleAction Action(Field field)
    {
        field.Require("an action");
        var word = field.Word();
        if (word == (isOld ? "Allow" : "Accept")) return RuleAction.Allow;
        if (word == "Pass" && mayPass) return RuleAction.Pass;
        if (word is not (null or "Deny"))
            field.Error($"expected {(isOld ? "Allow" : "Accept")}, Deny{(mayPass ? " or Pass" : "")}, got \"{word}\"");
        return RuleAction.Deny;
    }

    private KubernetesPorts Ports(Fields rule)
    {
        var ports = new KubernetesPorts();
        foreach (var item in rule[isOld ? "ports" : "protocols"].Items())
            if (isOld) OldPort(item, ports);
            else Protocol(item, ports);
        return ports;
    }

    private static readonly (string Key, string Name, byte Number)[] Transports =
        [("tcp", "TCP", Protocols.Tcp), ("udp", "UDP", Protocols.Udp), ("sctp", "SCTP", Protocols.Sctp)];

    private static void Protocol(Field field, KubernetesPorts into)
    {
        var protocol = field.Section();
        var said = 0;
        foreach (var (key, name, number) in Transports)
        {
            if (protocol[key].IsAbsent) continue;
            said++;
            var of = protocol[key].Section();
            into.Add(name, number, NumberOrRange(of["destinationPort"]));
            of.RefuseOthers();
        }
        if (Named(protocol["destinationNamedPort"]) is { } port)
        {
            said++;
            into.Add("", null, port);
        }
        protocol.RefuseOthers();
        if (said != 1) field.Error("expected one of tcp, udp, sctp and destinationNamedPort");
    }

    private static PortMatch? Named(Field field)
    {
        if (field.Word() is not { } name) return null;
        if (Protocols.IsPortName(name)) return new(0, 0, name);
        field.Error($"expected a port's name, got \"{name}\"");
        return null;
    }

    /// <summary>Null: all of them.</summary>
    private static PortMatch? NumberOrRange(Field field)
    {
        if (field.IsAbsent) return null;
        var port = field.Section();
        var number = port["number"].Number(1, 65535);
        var range = port["range"].IsAbsent ? null : Range(port["range"].Section());
        port.RefuseOthers();
        if (port["number"].IsAbsent == port["range"].IsAbsent) field.Error("expected either number or range");
        return number == null ? range : new((ushort)number, (ushort)number);
    }

    private static PortMatch? Range(Fields range)
    {
        range["start"].Require("a port");
        range["end"].Require("a port");
        var (start, end) = (range["start"].Number(1, 65535), range["end"].Number(1, 65535));
        range.RefuseOthers();
        if (end < start) range.Error("end", $"expected {start} at least, got {end}");
        return start == null || end == null ? null : new((ushort)start, (ushort)end);
    }

    private static void OldPort(Field field, KubernetesPorts into)
    {
        var port = field.Section();
        var said = 0;
        if (!port["portNumber"].IsAbsent)
        {
            said++;
            var of = port["portNumber"].Section();
            of["port"].Require("a port");
            Add(of, of["port"].Number(1, 65535) is { } number ? new((ushort)number, (ushort)number) : null, into);
        }
        if (!port["portRange"].IsAbsent)
        {
            said++;
            var of = port["portRange"].Section();
            var protocol = of["protocol"];
            Add(protocol, Range(of), into);
        }
        if (Named(port["namedPort"]) is { } name)
        {
            said++;
            into.Add("", null, name);
        }
        port.RefuseOthers();
        if (said != 1) field.Error("expected one of portNumber, portRange and namedPort");
    }

    private static void Add(Fields of, PortMatch? port, KubernetesPorts into)
    {
        Add(of["protocol"], port, into);
        of.RefuseOthers();
    }

    private static void Add(Field protocol, PortMatch? port, KubernetesPorts into)
    {
        var number = protocol.IsAbsent ? Protocols.Tcp : Protocols.ReadWithPorts(protocol);
        if (number != null && port != null) into.Add(protocol.Word() ?? "TCP", number, port);
    }

    private RuleEntity Peer(Field field, RuleAction action)
    {
        var peer = field.Section();
        var (namespaces, pods) = (peer["namespaces"], peer["pods"]);
        var networks = direction == PolicyTypes.Egress ? peer["networks"].Values(KubernetesPolicyReader.Cidr) : [];
        var domains = direction == PolicyTypes.Egress && mayPass ? Domains(peer, action) : null;
        var said = new[] { !namespaces.IsAbsent, !pods.IsAbsent, networks.Count > 0, domains != null }.Count(isSaid => isSaid);
        if (!peer["nodes"].IsAbsent) peer.Error("nodes", "cannot be matched: Calico knows no selector of nodes in a rule");
        else if (said != 1) field.Error($"expected one of {PeerKinds}");
        peer.RefuseOthers();
        if (networks.Count > 0) return new() { Nets = networks };
        if (domains is { } names) return new() { Domains = names, In = RuleEntity.Nobody };
        return new() { In = pods.IsAbsent ? PodsOf(namespaces) : Pods(pods) };
    }

    /// <summary>Names stand in egress rules alone, and in none of a BaselineAdminNetworkPolicy.</summary>
    private string PeerKinds => direction == PolicyTypes.Ingress ? "namespaces and pods"
        : mayPass ? "namespaces, pods, networks and domainNames" : "namespaces, pods and networks";

    /// <summary>NPEP-133: in rules that accept.</summary>
    /// <returns>Null: the peer is said otherwise.</returns>
    private static ListOf<DomainPattern>? Domains(Fields peer, RuleAction action)
    {
        var field = peer["domainNames"];
        if (field.IsAbsent) return null;
        if (field.IsEmptyList) peer.Error("domainNames", "expected one at least, got none");
        if (action != RuleAction.Allow) peer.Error("domainNames", "can stand in a rule that accepts alone");
        return [.. field.List(DomainReader.NameOrPrefixStar, MostDomains).Distinct()];
    }
}
