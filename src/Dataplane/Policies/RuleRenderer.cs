using Calico.Bgp.Dataplane.Dns;
using Calico.Bgp.Dataplane.Sets;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Dataplane.Policies;

/// <summary>
/// One rule of a policy → rules of nftables that match what it matches: all that it says must hold, of a list any one. Where a list
/// stands for several questions (addresses in one set, networks in another; ports by number, ports by name) there is a rule for each.
/// <para>
/// A rule is of a family only where leaving out the other family's networks does not empty a list of it; one that asks nothing of
/// addresses is the same for both and stands once.
/// </para>
/// </summary>
internal sealed class RuleRenderer(MemberSets sets, DnsSets names, SetUses uses, PolicyTypes direction)
{
    private const byte Tcp = 6, Udp = 17, Sctp = 132, UdpLite = 136;

    private static readonly ListOf<byte> WithPorts = [Tcp, Udp, Sctp, UdpLite];

    private static readonly IpFamily[] Families = [IpFamily.IPv4, IpFamily.IPv6];

    /// <param name="acts">What is done with a packet that matches.</param>
    public IEnumerable<NftRule> Render(PolicyRule rule, IReadOnlyList<NftStatement> acts, string comment)
    {
        var isOfBoth = rule is { Family: null, Icmp: null, NotIcmp: null } && IsOfBoth(rule.Source) && IsOfBoth(rule.Destination);
        return isOfBoth ? Render(rule, null, acts, comment)
            : Families.Where(family => IsOf(rule, family)).SelectMany(family => Render(rule, family, acts, comment));
    }

    private static bool IsOfBoth(RuleEntity end) =>
        end is { Nets.Count: 0, NotNets.Count: 0, In: null, NotIn: null, Service: null, Domains.Count: 0 }
        && !end.Ports.Any(port => port.Name != null) && !end.NotPorts.Any(port => port.Name != null);

    private static bool IsOf(PolicyRule rule, IpFamily family) => (rule.Family ?? family) == family
        && IsOf(rule.Source.Nets, family) && IsOf(rule.Source.NotNets, family)
        && IsOf(rule.Destination.Nets, family) && IsOf(rule.Destination.NotNets, family);

    private static bool IsOf(ListOf<Prefix> nets, IpFamily family) => nets.Count == 0 || nets.Any(net => net.Family == family);

    /// <param name="family">Null: nothing in it is of a family.</param>
    private IEnumerable<NftRule> Render(PolicyRule rule, IpFamily? family, IReadOnlyList<NftStatement> acts, string comment)
    {
        var matches = new List<NftStatement>();
        if (family is { } one) matches.Add(new MatchFamily(one));
        if (rule.Protocol is { } protocol) matches.Add(new MatchProtocols([protocol]));
        if (rule.NotProtocol is { } not) matches.Add(new MatchProtocols([not], Outside: true));
        if (rule.Protocol == null && (HasNumbers(rule.Source) || HasNumbers(rule.Destination))) matches.Add(new MatchProtocols(WithPorts));
        if (rule.Icmp is { Type: { } type } icmp) matches.Add(new MatchIcmp(family!.Value, type, icmp.Code));
        if (rule.NotIcmp is { Type: { } notType } notIcmp) matches.Add(new MatchIcmp(family!.Value, notType, notIcmp.Code, Not: true));
        if (!Always(rule.Source, NftEnd.Source, family, matches) || !Always(rule.Destination, NftEnd.Destination, family,
            matches)) yield break;
        var destinations = Choices(rule, rule.Destination, NftEnd.Destination, family).ToArray();
        foreach (var source in Choices(rule, rule.Source, NftEnd.Source, family))
            foreach (var destination in destinations)
                yield return new([.. matches, .. source, .. destination, .. acts], comment);
    }

    private static bool HasNumbers(RuleEntity end) => HasNumbers(end.Ports) || HasNumbers(end.NotPorts);

    private static bool HasNumbers(ListOf<PortMatch> ports) => ports.Any(port => port.Name == null);

    /// <summary>What must hold in any case.</summary>
    /// <returns>False: nothing can match.</returns>
    private bool Always(RuleEntity end, NftEnd at, IpFamily? family, List<NftStatement> into)
    {
        var nets = Of(end.Nets, family);
        // Of a network that is all addresses nothing has to be asked.
        if (nets.Count > 0 && nets[0].Length > 0) into.Add(new MatchNets(family!.Value, at, nets));
        var notNets = Of(end.NotNets, family);
        if (notNets.Count > 0 && notNets[0].Length == 0) return false;
        if (notNets.Count > 0) into.Add(new MatchNets(family!.Value, at, notNets, Outside: true));
        if (end.NotIn is { } selector)
        {
            var (hosts, networks) = uses.Use(sets, selector, family!.Value);
            into.Add(new MatchAddress(family.Value, at, hosts, Outside: true));
            if (networks != null) into.Add(new MatchAddress(family.Value, at, networks, Outside: true));
        }
        var numbers = Numbers(end.NotPorts);
        if (numbers.Count > 0) into.Add(new MatchPorts(at, numbers, Outside: true));
        return true;
    }

    /// <summary>A set of the kernel's takes none that lies in another.</summary>
    private static ListOf<Prefix> Of(ListOf<Prefix> nets, IpFamily? family) =>
        [.. PrefixCover.Outermost(nets.Where(net => net.Family == family))];

    private static ListOf<PortRange> Numbers(ListOf<PortMatch> ports) =>
        [.. ports.Where(port => port.Name == null).Select(port => new PortRange(port.First, port.Last))];

    /// <summary>Of these one must hold.</summary>
    private IEnumerable<NftStatement[]> Choices(PolicyRule rule, RuleEntity end, NftEnd at, IpFamily? family)
    {
        if (end.Service is { } service)
        {
            var withPorts = at == NftEnd.Destination;
            var set = uses.Use(sets, new ServiceMembers(service, withPorts, family!.Value));
            return [withPorts ? [new MatchAddressPort(family.Value, at, set)] : [new MatchAddress(family.Value, at, set)]];
        }
        NftStatement[] denied = [.. end.NotPorts.Where(port => port.Name != null).Select(port => Named(rule, end, port, at, family, true))];
        var choices = Places(rule, end, at, family);
        return denied.Length == 0 ? choices : choices.Select(choice => (NftStatement[])[.. choice, .. denied]);
    }

    /// <summary>Ports by name are those of endpoints that the selector selects, which so need not be asked again.</summary>
    private IEnumerable<NftStatement[]> Places(PolicyRule rule, RuleEntity end, NftEnd at, IpFamily? family)
    {
        var numbers = Numbers(end.Ports);
        if (numbers.Count > 0 || end.Ports.Count == 0)
            foreach (var members in Members(rule, end, at, family))
                yield return numbers.Count > 0 ? [new MatchPorts(at, numbers), .. members] : members;
        foreach (var port in end.Ports)
            if (port.Name != null) yield return [Named(rule, end, port, at, family, false)];
    }

    /// <summary>Names are asked where a destination is allowed alone: of those that network sets have, too.</summary>
    private List<NftStatement[]> Members(PolicyRule rule, RuleEntity end, NftEnd at, IpFamily? family)
    {
        if (end.Domains.Count > 0) return [[Named(end.Domains, family)]];
        if (end.In is not { } selector) return [[]];
        var (hosts, networks) = uses.Use(sets, selector, family!.Value);
        List<NftStatement[]> choices = [[new MatchAddress(family.Value, at, hosts)]];
        if (networks != null) choices.Add([new MatchAddress(family.Value, at, networks)]);
        if (at == NftEnd.Destination && rule.Action == RuleAction.Allow && direction == PolicyTypes.Egress
            && sets.Domains(selector) is { Count: > 0 } domains)
            choices.Add([Named(domains, family)]);
        return choices;
    }

    private NftStatement Named(ListOf<DomainPattern> domains, IpFamily? family) =>
        names.Match(uses.Use(names, DnsSets.Ordered(domains)), family!.Value);

    /// <summary>Of those that the rule's positive selector selects, the negated too (Felix, calc/rule_scanner.go).</summary>
    private MatchAddressPort Named(PolicyRule rule, RuleEntity end, PortMatch port, NftEnd at, IpFamily? family, bool outside) =>
        new(family!.Value, at, uses.Use(sets, new NamedPortMembers(end.In, port.Name!, rule.Protocol, family.Value)), outside);
}
