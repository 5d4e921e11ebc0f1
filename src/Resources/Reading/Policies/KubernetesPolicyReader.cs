// networking.k8s.io's NetworkPolicy as a policy of Calico's (section 2.8 of calico-policy-nat.md). It only ever allows; so a rule that
// cannot be read is left out, with a word, and what it would have allowed is denied as all the rest is.

using System.Globalization;
using Calico.Bgp.Net;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Resources.Reading.Policies;

internal sealed class KubernetesPolicyReader(string within, PolicyTypes direction)
{
    private const double Order = 1000;
    private const string LeftOut = "the rule allows nothing";

    /// <summary>Where the other end is in a rule.</summary>
    private string Peers => direction == PolicyTypes.Ingress ? "from" : "to";

    private sealed record Rules(ListOf<PolicyRule> All);

    public static KubernetesNetworkPolicy Read(Metadata metadata, Fields root)
    {
        var spec = root["spec"].Section();
        return new(metadata) { Spec = Spec(metadata, spec) };
    }

    public static StagedKubernetesNetworkPolicy ReadStaged(Metadata metadata, Fields root)
    {
        var spec = root["spec"].Section();
        var action = NetworkPolicyReader.StagedActionOf(spec);
        if (action == StagedAction.Delete) NetworkPolicyReader.RefuseBesideDelete(spec);
        return new(metadata) { Spec = Spec(metadata, spec), StagedAction = action };
    }

    private static PolicySpec Spec(Metadata metadata, Fields spec)
    {
        var read = new PolicySpec
        {
            Tier = Tier.Default,
            Order = Order,
            AppliesTo = Selector.Equal(ProfileLabels.Namespace, metadata.Namespace).And(LabelSelectors.Pods(spec["podSelector"])),
            Types = NetworkPolicyReader.Types(spec["policyTypes"]) ?? PolicyTypes.Ingress,
            Ingress = new KubernetesPolicyReader(metadata.Namespace, PolicyTypes.Ingress).Converted(spec["ingress"]),
            Egress = new KubernetesPolicyReader(metadata.Namespace, PolicyTypes.Egress).Converted(spec["egress"]),
            WorkloadsOnly = true,
        };
        if (read.Egress.Count > 0 && !read.Types.HasFlag(PolicyTypes.Egress))
            spec.Warn("egress", "has no effect, as policyTypes do not name Egress");
        spec.RefuseOthers();
        return read;
    }

    private ListOf<PolicyRule> Converted(Field field) => [.. field.Items().SelectMany(item => item.OrNothing(Rule, LeftOut)?.All ?? [])];

    private Rules Rule(Field field)
    {
        var rule = field.Section();
        var ports = new KubernetesPorts();
        foreach (var item in rule["ports"].Items()) Port(item, ports);
        var peers = rule[Peers].List(Peer);
        rule.RefuseOthers();
        if (peers.Count == 0) peers = [RuleEntity.Any];
        return new([.. ports.Protocols().SelectMany(of => peers.Select(peer => Allow(of.Protocol, of.Ports, peer)))]);
    }

    private PolicyRule Allow(byte? protocol, ListOf<PortMatch> ports, RuleEntity peer) => new()
    {
        Action = RuleAction.Allow,
        Protocol = protocol,
        Source = direction == PolicyTypes.Ingress ? peer : RuleEntity.Any,
        Destination = (direction == PolicyTypes.Ingress ? RuleEntity.Any : peer) with { Ports = ports },
    };

    private static void Port(Field field, KubernetesPorts into)
    {
        var port = field.Section();
        var (protocol, last) = (port["protocol"], port["endPort"].Number(1, 65535));
        var first = port["port"].IsAbsent ? null : Protocols.ReadPort(port["port"]);
        port.RefuseOthers();
        if (last != null && first is not { Name: null }) port.Error("endPort", "needs a port that is a number");
        else if (last != null && last < first!.Value.Last)
            port.Error("endPort", string.Create(CultureInfo.InvariantCulture, $"expected {first.Value.Last} at least, got {last}"));
        else if (last != null) first = first!.Value with { Last = (ushort)last };
        var number = protocol.IsAbsent ? Protocols.Tcp : Protocols.ReadWithPorts(protocol);
        if (number != null) into.Add(protocol.Word() ?? "TCP", number, first);
    }

    private RuleEntity Peer(Field field)
    {
        var peer = field.Section();
        var block = peer["ipBlock"];
        var (pods, namespaces) = (peer["podSelector"], peer["namespaceSelector"]);
        peer.RefuseOthers();
        if (!block.IsAbsent) return Block(block);
        if (pods.IsAbsent && namespaces.IsAbsent) field.Error("expected podSelector, namespaceSelector or ipBlock, got none");
        var place = LabelSelectors.Namespaces(namespaces) ?? Selector.Equal(ProfileLabels.Namespace, within);
        return new() { In = place.And(LabelSelectors.Pods(pods)) };
    }

    private static RuleEntity Block(Field field)
    {
        var block = field.Section();
        var net = Cidr(block["cidr"]);
        var except = block["except"].Values(Cidr);
        block.RefuseOthers();
        foreach (var one in except)
            if (net is { } all && !all.Contains(one)) block.Error("except", $"expected networks inside {all}, got {one}");
        return new() { Nets = net is { } only ? [only] : [], NotNets = except };
    }

    /// <summary>With a length; bits behind it are no matter.</summary>
    internal static Prefix? Cidr(Field field)
    {
        field.Require("a network");
        if (field.Word() is not { } word) return null;
        if (Prefix.TryParse(word, out var net)) return net;
        field.Error($"expected a network such as 192.0.2.0/24, got \"{word}\"");
        return null;
    }
}
