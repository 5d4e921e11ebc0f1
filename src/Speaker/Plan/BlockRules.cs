using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Rib.Filters;

namespace Calico.Bgp.Speaker.Plan;

/// <summary><c>router.validateBlocks</c>: what is done about a node that announces a block which is not its own.</summary>
public enum BlockValidation : byte
{
    Off,
    /// <summary>The route is let in, and the log says so.</summary>
    Log,
    Reject,
}

/// <summary>
/// What a node of the mesh may announce of the pods' addresses: blocks whose BlockAffinity names it, and single addresses inside others'
/// blocks, which are borrowed (Calico announces these one by one). Where the IPAMBlock is known, only by whom it says has borrowed them.
/// Ranges of services are every node's, and of what is in no pool nobody here knows whose it is.
/// </summary>
internal sealed class BlockRules
{
    private readonly NodeView view;
    private readonly ServiceRanges services;
    private readonly ILookup<string, Prefix> blocks;
    private readonly ILookup<string, Prefix> borrowed;
    private readonly Dictionary<IpFamily, FilterRule[]> others = [];

    public BlockRules(NodeView view, ServiceRanges services)
    {
        (this.view, this.services) = (view, services);
        var affine = view.Resources.Of(Kinds.BlockAffinity).Where(IsHosts).Select(affinity => (affinity.Node, affinity.Cidr));
        var podCidrs = view.Settings.UsePodCidr
            ? view.Resources.Of(Kinds.Node).SelectMany(node => node.PodCidrs.Select(cidr => (node.Name, cidr))) : [];
        blocks = affine.Concat(podCidrs).ToLookup(block => block.Item1, block => block.Item2, StringComparer.Ordinal);
        borrowed = Known(view).SelectMany(Borrowed).ToLookup(one => one.Node, one => one.Address, StringComparer.Ordinal);
    }

    /// <summary>A pending one may be announced before we hear that it is confirmed, one that is on its way out still is.</summary>
    private static bool IsHosts(BlockAffinity affinity) => affinity.Type == AffinityType.Host && !affinity.Deleted;

    private static IEnumerable<IpamBlock> Known(NodeView view) =>
        view.Resources.Of(Kinds.IpamBlock).Where(block => !block.Deleted && block.Affinity is not { Type: AffinityType.Virtual });

    private static IEnumerable<(string Node, Prefix Address)> Borrowed(IpamBlock block)
    {
        var owner = block.Affinity?.Name;
        for (var ordinal = 0; ordinal < block.Allocations.Count; ordinal++)
        {
            if (block.Held(ordinal) is not { } holder) continue;
            foreach (var node in holder.Nodes)
                if (node != owner) yield return (node, block.AddressAt(ordinal));
        }
    }

    /// <summary>What a peer that is this node is judged by.</summary>
    public FilterChain For(string node, IpFamily family) =>
        new([new("validateBlocks", [.. Rules(node, family), new(null, null, RuleAction.Accept) { Name = "no block" }])]);

    private IEnumerable<FilterRule> Rules(string node, IpFamily family)
    {
        if (Inside(services.Rejected, family) is { } ranges) yield return Accept(ranges, "a range of services");
        if (Inside(blocks[node], family) is { } own) yield return Accept(own, $"a block of node {node}, or in one");
        if (Exactly(borrowed[node], family) is { } lent) yield return Accept(lent, $"borrowed by node {node} (IPAMBlock)");
        if (!others.TryGetValue(family, out var rest)) others[family] = rest = [.. Others(family)];
        foreach (var rule in rest) yield return rule;
    }

    /// <summary>What is none of the announcing node's own; the same for all.</summary>
    private IEnumerable<FilterRule> Others(IpFamily family)
    {
        var all = blocks.SelectMany(node => node).ToArray();
        if (Exactly(all.Where(block => block.IsHost), family) is { } single)
            yield return Refuse(single, "a block of one address, which another node has (BlockAffinity)");
        if (Hosts(Known(view).Select(block => block.Cidr), family) is { } known)
            yield return Refuse(known, "an address in another node's block, which this node has not borrowed (IPAMBlock)");
        yield return Accept(new([new(Whole(family), family.Bits(), family.Bits())]), "a single address, borrowed for all that is known");
        if (Inside(all, family) is { } inside) yield return Refuse(inside, "in another node's block (BlockAffinity)");
        foreach (var pool in view.PoolsOf(family))
            yield return Refuse(new([BgpFilterRules.Within(pool.Cidr)]), $"in {pool.Id}, and no block of this node's (BlockAffinity)");
    }

    private static FilterRule Accept(PrefixSet prefixes, string name) =>
        new(new() { Prefixes = prefixes }, null, RuleAction.Accept) { Name = name };

    private FilterRule Refuse(PrefixSet prefixes, string name) => view.Settings.ValidateBlocks == BlockValidation.Reject
        ? new(new() { Prefixes = prefixes }, null, RuleAction.Reject) { Name = $"{name}; router.validateBlocks", IsTold = true }
        : new(new() { Prefixes = prefixes }, null, RuleAction.Accept) { Name = $"{name}; router.validateBlocks: log", IsTold = true };

    private static Prefix Whole(IpFamily family) => new(family == IpFamily.IPv4 ? Address.AnyIPv4 : Address.AnyIPv6, 0);

    private static PrefixSet? Inside(IEnumerable<Prefix> cidrs, IpFamily family) => Set(cidrs, family, BgpFilterRules.Within);
    private static PrefixSet? Exactly(IEnumerable<Prefix> cidrs, IpFamily family) => Set(cidrs, family, cidr => new(cidr));
    private static PrefixSet? Hosts(IEnumerable<Prefix> cidrs, IpFamily family) =>
        Set(cidrs, family, cidr => new(cidr, family.Bits(), family.Bits()));

    private static PrefixSet? Set(IEnumerable<Prefix> cidrs, IpFamily family, Func<Prefix, PrefixPattern> pattern)
    {
        PrefixPattern[] patterns = [.. cidrs.Where(cidr => cidr.Family == family).Distinct().Order().Select(pattern)];
        return patterns.Length == 0 ? null : new([.. patterns]);
    }

    /// <summary>Whose block an address or block is in, and who holds the address, in words; null: there is no block.</summary>
    public static string? Words(ResourceSnapshot resources, Prefix prefix)
    {
        var affinity = resources.Of(Kinds.BlockAffinity)
            .FirstOrDefault(one => one is { Deleted: false, State: not AffinityState.Pending } && one.Cidr.Contains(prefix));
        var block = resources.Of(Kinds.IpamBlock).FirstOrDefault(one => !one.Deleted && one.Cidr.Contains(prefix));
        if (affinity == null && block == null) return null;
        var whose = affinity == null ? $"{block!.Cidr}: a block of no node's" : $"{affinity.Cidr}: block of {Owner(affinity)}";
        if (block == null || !prefix.IsHost) return whose;
        var held = block.Holder(prefix.Address) is { } holder ? $"held by {Holder(holder)}" : "free";
        return $"{whose}; {prefix.Address} is {held} ({block.Id})";
    }

    private static string Owner(BlockAffinity of) => $"{(of.Type == AffinityType.Host ? "node " : "")}{of.Node} ({of.Id})";

    private static string Holder(IpamAttributes of)
    {
        var pod = of.Secondary.TryGetValue("pod", out var name)
            ? $"pod {(of.Secondary.TryGetValue("namespace", out var space) ? $"{space}/" : "")}{name}" : of.HandleId ?? "somebody";
        return of.Nodes.FirstOrDefault() is { } node ? $"{pod} on node {node}" : pod;
    }
}
