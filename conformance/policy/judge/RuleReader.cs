using System.Net;

namespace Calico.Bgp.Conformance.Policy;

/// <summary>What a rule of Calico's asks of a packet (2.3): all of it, each list by one of its members.</summary>
internal sealed class RuleReader(World world)
{
    public static readonly IReadOnlyList<Rule> Everything = [new(Act.Allow, _ => true)];

    /// <param name="rules"></param>
    /// <param name="space">The policy's own namespace; null: it has none.</param>
    public IReadOnlyList<Rule> Read(Doc rules, string? space) => [.. rules.Items.Select(rule =>
        new Rule(Enum.Parse<Act>(rule["action"].Text!), packet => Matches(rule, space, packet)))];

    private bool Matches(Doc rule, string? space, Packet packet) =>
        IsOfFamily(rule, packet.IsIPv6)
        && (!rule["protocol"].IsThere || Protocols.Number(rule["protocol"].Text!) == packet.Protocol)
        && (!rule["notProtocol"].IsThere || Protocols.Number(rule["notProtocol"].Text!) != packet.Protocol)
        && (!rule["icmp"].IsThere || IsIcmp(rule["icmp"], packet))
        && (!rule["notICMP"].IsThere || !IsIcmp(rule["notICMP"], packet))
        && Matches(rule["source"], space, packet, isDestination: false)
        && Matches(rule["destination"], space, packet, isDestination: true);

    /// <summary>A list of networks that has none of a family leaves nothing of the rule there; one that was empty asks nothing.</summary>
    private static bool IsOfFamily(Doc rule, bool isIPv6)
    {
        if (rule["ipVersion"].Text is { } version && version == "6" != isIPv6) return false;
        return new[] { rule["source"]["nets"], rule["source"]["notNets"], rule["destination"]["nets"], rule["destination"]["notNets"] }
            .All(nets => !nets.Texts.Any() || nets.Texts.Any(net => Prefixes.IsIPv6(net) == isIPv6));
    }

    private static bool IsIcmp(Doc icmp, Packet packet) => packet.Icmp is { } told
        && (icmp["type"].Text == null || icmp["type"].Number == told.Type)
        && (icmp["code"].Text == null || icmp["code"].Number == told.Code);

    private bool Matches(Doc entity, string? space, Packet packet, bool isDestination)
    {
        if (!entity.IsThere) return true;
        var (address, port) = isDestination ? (packet.Destination, packet.DestinationPort) : (packet.Source, packet.SourcePort);
        if (entity["nets"].Texts.Any() && !entity["nets"].Texts.Any(net => Prefixes.Contains(net, address))) return false;
        if (entity["notNets"].Texts.Any(net => Prefixes.Contains(net, address))) return false;
        if (entity["services"].IsThere && !IsBehind(entity["services"], space, packet, isDestination)) return false;
        var (wanted, unwanted) = Selectors(entity, space);
        if (entity["notPorts"].Items.Any(one => IsPort(one.Text!, wanted, packet, address, port))) return false;
        if (unwanted != null && Knows(unwanted, address)) return false;
        if (entity["ports"].Items.Any())
        {
            if (!entity["ports"].Items.Any(one => IsPort(one.Text!, wanted, packet, address, port))) return false;
            if (entity["ports"].Items.All(one => IsName(one.Text!))) return true; // The selector has been asked with the name.
        }
        return wanted == null || Knows(wanted, address);
    }

    /// <summary>Somebody whom the selector means has that address.</summary>
    private bool Knows(Selector selector, IPAddress address) =>
        world.Items.Any(item => item.Contains(address) && selector.Holds(item.Labels));

    /// <summary>What the entity's selectors come to. Never both.</summary>
    public static (Selector? Wanted, Selector? Unwanted) Selectors(Doc entity, string? space)
    {
        var accounts = entity["serviceAccounts"];
        var parts = new List<Selector>();
        var unwanted = entity["notSelector"].Text is { } not ? Selector.Parse(not) : null;
        var isAny = entity["selector"].Text != null || unwanted != null || entity["namespaceSelector"].Text != null || accounts.IsThere;
        if (!isAny) return (null, null);
        if (entity["namespaceSelector"].Text is { } spaces) parts.Add(OfNamespaces(spaces));
        else if (space != null) parts.Add(Selector.Is(World.NamespaceLabel, space));
        if (accounts["names"].Texts.Any()) parts.Add(Selector.IsAmong("projectcalico.org/serviceaccount", accounts["names"].Texts));
        if (accounts["selector"].Text is { } ofAccounts) parts.Add(OfAccounts(ofAccounts));
        if (entity["selector"].Text is { } selector) parts.Add(Selector.Parse(selector));
        if (parts.Count == 0) return (null, unwanted);
        var wanted = parts.Aggregate((left, right) => left.And(right));
        return (unwanted == null ? wanted : wanted.And(unwanted.Not()), null);
    }

    public static Selector OfNamespaces(string text) => Selector.Parse(text)
        .With("pcns.", Selector.Has(World.NamespaceLabel), Selector.Has(World.NamespaceLabel).Not());

    public static Selector OfAccounts(string text) => Selector.Parse(text).With("pcsa.", Selector.All, Selector.Global);

    private static bool IsName(string port) => !char.IsAsciiDigit(port[0]);

    private bool IsPort(string asked, Selector? wanted, Packet packet, IPAddress address, int port)
    {
        if (packet.Protocol is not (Protocols.Tcp or Protocols.Udp or Protocols.Sctp or Protocols.UdpLite)) return false;
        if (IsName(asked))
            return world.Items.Any(item => item.Kind != ItemKind.Set && item.Contains(address)
                && item.Ports.Any(one => one == new NamedPort(asked, packet.Protocol, port))
                && (wanted == null || wanted.Holds(item.Labels)));
        var ends = asked.Split(':').Select(int.Parse).ToArray();
        return port >= ends[0] && port <= ends[^1];
    }

    /// <summary>Addresses with their ports where packets go to, addresses where they come from.</summary>
    private bool IsBehind(Doc service, string? space, Packet packet, bool isDestination)
    {
        var behind = world.Behind(service["namespace"].Text ?? space!, service["name"].Text!);
        return isDestination
            ? behind.Contains((packet.Destination, packet.Protocol, packet.DestinationPort))
            : behind.Any(one => one.Address.Equals(packet.Source));
    }
}
