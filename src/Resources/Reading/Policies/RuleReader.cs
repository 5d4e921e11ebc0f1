// Rules of Calico's policies, validated as libcalico-go validates them. A rule of which a part is not understood would match more, or less,
// than it says; so nothing of it is passed over.

using Calico.Bgp.Net;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Resources.Reading.Policies;

/// <summary>The rules of one direction.</summary>
/// <param name="within">The policy's own namespace; empty: it has none.</param>
/// <param name="direction">Null: of a profile, which knows no services.</param>
internal sealed class RuleReader(string within, PolicyTypes? direction)
{
    public const int LongestSelector = 1024;
    private const int MostRules = 1024, MostPorts = 50, MostNets = 256;

    private static readonly Selector InANamespace = Selector.Has(ProfileLabels.Namespace);
    private static readonly Selector InNoNamespace = InANamespace.Not();

    public static ListOf<PolicyRule> Read(Field field, string within, PolicyTypes? direction) =>
        field.List(new RuleReader(within, direction).Rule, MostRules);

    private PolicyRule Rule(Field field)
    {
        var rule = field.Section();
        rule["action"].Require(Choices<RuleAction>.Words);
        var (source, destination, action) = (rule["source"].Section(), rule["destination"].Section(), rule["action"].Choice<RuleAction>());
        var read = new PolicyRule
        {
            Action = action ?? RuleAction.Deny,
            Family = Family(rule["ipVersion"]),
            Protocol = Protocols.Read(rule["protocol"]),
            NotProtocol = Protocols.Read(rule["notProtocol"]),
            Icmp = Icmp(rule["icmp"]),
            NotIcmp = Icmp(rule["notICMP"]),
            Source = Entity(source, mayNameService: direction == PolicyTypes.Ingress, NoDomainsHere),
            Destination = Entity(destination, mayNameService: direction == PolicyTypes.Egress, NoDomains(action)),
            Annotations = Annotations(rule["metadata"]),
        };
        if (!rule["http"].IsAbsent) rule.Error("http", "cannot be matched: nothing here sees what HTTP says inside a connection");
        rule.RefuseOthers();
        CheckProtocol(read, rule);
        CheckPorts(read, source, read.Source);
        CheckPorts(read, destination, read.Destination);
        CheckFamilies(read, [(source, read.Source), (destination, read.Destination)]);
        return read.Family == null && Implied(read.Protocol) is { } family ? read with { Family = family } : read;
    }

    private static IpFamily? Family(Field field)
    {
        if (field.Number(0, 255) is not { } version) return null;
        if (version is 4 or 6) return version == 4 ? IpFamily.IPv4 : IpFamily.IPv6;
        field.Error($"expected 4 or 6, got {version}");
        return null;
    }

    private static IpFamily? Implied(byte? protocol) => protocol switch
    {
        Protocols.Icmp => IpFamily.IPv4,
        Protocols.IcmpV6 => IpFamily.IPv6,
        _ => null,
    };

    private static IcmpMatch? Icmp(Field field)
    {
        if (field.IsAbsent) return null;
        var icmp = field.Section();
        var (type, code) = (icmp["type"].Number(0, 254), icmp["code"].Number(0, 255));
        if (icmp["type"].IsAbsent && !icmp["code"].IsAbsent) icmp.Error("code", "needs a type");
        icmp.RefuseOthers();
        return type == null ? null : new IcmpMatch((byte)type, (byte?)code);
    }

    private static Labels Annotations(Field field)
    {
        if (field.IsAbsent) return Labels.Empty;
        var metadata = field.Section();
        var annotations = metadata["annotations"].Labels();
        metadata.WarnOfOthers();
        return annotations;
    }

    private static void CheckProtocol(PolicyRule read, Fields rule)
    {
        if (!rule["icmp"].IsAbsent && read.Protocol is not (Protocols.Icmp or Protocols.IcmpV6))
            rule.Error("icmp", "needs the protocol ICMP or ICMPv6");
        foreach (var family in new[] { Implied(read.Protocol), Implied(read.NotProtocol) })
            if (family != null && read.Family != null && family != read.Family)
                rule.Error("ipVersion", $"expected {(family == IpFamily.IPv4 ? 4 : 6)} as the protocol is {family}'s, got the other");
    }

    private static void CheckPorts(PolicyRule read, Fields entity, RuleEntity of)
    {
        CheckPorts(read.Protocol, entity, "ports", of.Ports);
        CheckPorts(read.Protocol, entity, "notPorts", of.NotPorts);
    }

    /// <summary>Names find their protocol themselves.</summary>
    private static void CheckPorts(byte? protocol, Fields entity, string name, ListOf<PortMatch> ports)
    {
        if (ports.Count == 0 || (protocol is { } said ? Protocols.HasPorts(said) : ports.All(port => port.Name != null))) return;
        entity.Error(name, "need the protocol TCP, UDP or SCTP");
    }

    private static void CheckFamilies(PolicyRule read, ReadOnlySpan<(Fields Entity, RuleEntity Read)> ends)
    {
        IpFamily? first = null;
        foreach (var (entity, of) in ends)
            foreach (var (name, nets) in new[] { ("nets", of.Nets), ("notNets", of.NotNets) })
            {
                if (nets.Count == 0) continue;
                first ??= nets[0].Family;
                if (nets.Any(net => net.Family != first)) entity.Error(name, "a rule's networks are of one family, got both");
                else if (read.Family is { } family && family != first)
                    entity.Error(name, $"expected {family} as ipVersion says, got {first}");
            }
    }

    private const string NoDomainsHere = "can stand in the destination of an egress rule alone";

    /// <summary>What a name leads to is known once somebody has asked for it: what is denied by it could be had before.</summary>
    private string? NoDomains(RuleAction? action) => direction != PolicyTypes.Egress ? NoDomainsHere
        : action is null or RuleAction.Allow ? null : $"expected the action Allow beside them, got {action}";

    /// <param name="noDomains">Why no names may stand in it; null: they may.</param>
    private RuleEntity Entity(Fields entity, bool mayNameService, string? noDomains)
    {
        var (positive, negative) = Selectors(entity);
        var read = new RuleEntity
        {
            Nets = entity["nets"].Values(Net, MostNets),
            NotNets = entity["notNets"].Values(Net, MostNets),
            In = negative == null ? positive : positive?.And(negative.Not()),
            NotIn = positive == null ? negative : null,
            Ports = entity["ports"].Values(Protocols.ReadPort, MostPorts),
            NotPorts = entity["notPorts"].Values(Protocols.ReadPort, MostPorts),
            Service = Service(entity, mayNameService),
            Domains = DomainReader.Of(entity, noDomains),
        };
        foreach (var net in read.NotNets)
            if (net.Length == 0) entity.Error("notNets", $"expected less than everything, got {net}");
        if (read.Domains.Count > 0 && read.Ports.Any(port => port.Name != null))
            entity.Error("ports", "expected numbers beside domains: ports by name are those of endpoints, which no name leads to");
        entity.RefuseOthers();
        if (read.Domains.Count > 0) return read with { In = RuleEntity.Nobody };
        return read == RuleEntity.Any ? RuleEntity.Any : read;
    }

    /// <summary>Written as it is: no address alone, no bits behind the length.</summary>
    private static Prefix? Net(Field field)
    {
        field.Require("a network");
        if (field.Word() is { } word && !word.Contains('/', StringComparison.Ordinal))
        {
            field.Error($"expected a network such as 192.0.2.0/24, got \"{word}\"");
            return null;
        }
        return field.MaskedNetwork();
    }

    /// <summary>What the end must be selected by, and by what it must not (section 2.3 of calico-policy-nat.md).</summary>
    private (Selector? Positive, Selector? Negative) Selectors(Fields entity)
    {
        var own = entity["selector"].Selector(LongestSelector);
        if (own?.MentionsGlobal == true) entity.Error("selector", "global() can stand in a rule's namespaceSelector alone");
        var namespaces = entity["namespaceSelector"].Selector(LongestSelector);
        if (namespaces?.MentionsGlobal == true && !namespaces.Equals(OnlyGlobal))
            entity.Error("namespaceSelector", "global() cannot be combined with anything");
        var not = entity["notSelector"].Selector(LongestSelector);
        var positive = Both(ServiceAccounts(entity["serviceAccounts"]), own);
        if (positive == null && not == null && namespaces == null) return (null, null);
        var place = namespaces?.Prefixed(ProfileLabels.NamespacePrefix, InANamespace, InNoNamespace)
            ?? (within.Length > 0 ? Selector.Equal(ProfileLabels.Namespace, within) : null);
        return (Both(place, positive), not);
    }

    private static readonly Selector OnlyGlobal = Selector.Parse("global()");

    private static Selector? Both(Selector? one, Selector? other) => one == null ? other : other == null ? one : one.And(other);

    private static Selector? ServiceAccounts(Field field)
    {
        if (field.IsAbsent) return null;
        var accounts = field.Section();
        var selector = accounts["selector"].Selector(LongestSelector)?.Prefixed(ProfileLabels.ServiceAccountPrefix);
        var names = accounts["names"].List(name => name.Word());
        accounts.RefuseOthers();
        return Both(selector, names.Count == 0 ? null : Selector.In(ProfileLabels.ServiceAccount, names));
    }

    private static readonly string[] BesideAService =
        ["selector", "notSelector", "namespaceSelector", "serviceAccounts", "nets", "notNets", "ports", "notPorts"];

    private ResourceKey? Service(Fields entity, bool may)
    {
        var field = entity["services"];
        if (field.IsAbsent) return null;
        var service = field.Section();
        service["name"].Require("a service's name");
        var (name, space) = (service["name"].Word(), service["namespace"].Word() ?? within);
        service.RefuseOthers();
        if (!may) entity.Error("services", "can stand in the source of an ingress rule and in the destination of an egress rule alone");
        else if (name == null && !service["name"].IsAbsent) service.Error("name", "expected a service's name, got an empty one");
        else if (space.Length == 0) service.Error("namespace", "expected the service's namespace, as the policy has none, got nothing");
        foreach (var other in BesideAService)
            if (!entity[other].IsAbsent && !entity[other].IsEmptyList) entity.Error(other, "cannot stand beside services");
        return name == null ? null : new(space, name);
    }
}
