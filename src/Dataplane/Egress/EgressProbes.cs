using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane.Egress;

/// <summary>
/// Targets upstream are asked with the gateway's own address, and by its network's routes: whoever lets these through need not let nodes
/// through. So the questions have a mark for each gateway that is this node. A pinned address cannot ask for itself, because the answers
/// come to whichever node has it; the node does.
/// </summary>
/// <param name="numbers">Of gateways that are this node and have targets, by their keys.</param>
internal sealed class EgressProbes(
    string node, EgressMarks marks, IReadOnlyDictionary<string, int> numbers, bool isPinned)
{
    /// <summary>In the order of their names.</summary>
    public static IEnumerable<EgressGatewayPlan> Here(IEnumerable<EgressGatewayPlan> gateways, string node) =>
        gateways.Where(gateway => gateway.Probes.Count > 0 && Own(gateway, node) != null);

    private static EgressReplica? Own(EgressGatewayPlan gateway, string node)
    {
        foreach (var replica in gateway.Replicas)
            if (replica.Is(node)) return replica;
        return null;
    }

    public static string Word(ResourceKey gateway) => $"{gateway}";

    public ListOf<EgressProbed> Of(IEnumerable<EgressGatewayPlan> gateways) =>
        [.. Here(gateways, node).Select(gateway => new EgressProbed(gateway.Key, gateway.Probes, MarkOf(gateway)))];

    /// <summary>Where there is no mark left it asks as the node does.</summary>
    private uint MarkOf(EgressGatewayPlan gateway) =>
        (isPinned || Own(gateway, node)!.Addresses.Count == 0) && Own(gateway, node)!.RouteTable == null ? 0
        : numbers.TryGetValue(Word(gateway.Key), out var number) ? marks.Asking(number) : 0;

    /// <summary>By whose routes the questions go.</summary>
    public IEnumerable<(uint Mark, int Table)> Networks(IEnumerable<EgressGatewayPlan> gateways) =>
        from gateway in Here(gateways, node)
        let mark = MarkOf(gateway)
        where mark != 0 && Own(gateway, node)!.RouteTable != null
        select (mark, Own(gateway, node)!.RouteTable!.Value);

    /// <summary>Where they leave.</summary>
    public IEnumerable<NftRule> Leaving(IEnumerable<EgressGatewayPlan> gateways) =>
        from gateway in isPinned ? [] : Here(gateways, node)
        let mark = MarkOf(gateway)
        where mark != 0
        from address in Own(gateway, node)!.Addresses
        select new NftRule([new MatchMark(marks.Mask, mark), new MatchFamily(address.Family), new ActSourceNat(address, address)],
            $"targets upstream of {gateway.Key} are asked");
}
