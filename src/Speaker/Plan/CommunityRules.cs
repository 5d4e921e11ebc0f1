using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Rib.Filters;

namespace Calico.Bgp.Speaker.Plan;

/// <summary>Communities of the resources, and the rules by which prefixes are announced with them.</summary>
internal static class CommunityRules
{
    private static readonly UInt128 LargeMask = (UInt128.One << 96) - 1;

    public static CommunityPattern Pattern(CommunityValue value) => value.Large is { } large
        ? new(CommunityKind.Large, new UInt128(large.Global, (ulong)large.Data1 << 32 | large.Data2), LargeMask)
        : new(CommunityKind.Standard, value.Standard!.Value.Value, uint.MaxValue);

    /// <summary>Null where there is none of that kind.</summary>
    public static CommunityChange? Adding(CommunityKind kind, IEnumerable<CommunityValue> values)
    {
        ListOf<CommunityPattern> add = [.. values.Select(Pattern).Where(pattern => pattern.Kind == kind).Distinct()];
        return add.Count == 0 ? null : new(kind, null, [], add);
    }

    /// <summary>prefixAdvertisements: each rule whose prefix covers the route adds its communities, and the walk goes on.</summary>
    public static IEnumerable<FilterRule> For(NodeView view, IpFamily family)
    {
        var (rules, names) = view.PrefixAdvertisements;
        foreach (var (index, rule) in rules.Index())
        {
            if (rule.Cidr.Family != family) continue;
            var values = rule.Communities.Select(text => names!.Community(text)).OfType<CommunityValue>()
                .OrderBy(value => value.ToString(), StringComparer.Ordinal).ToArray();
            var change = new Change
            {
                Communities = Adding(CommunityKind.Standard, values),
                LargeCommunities = Adding(CommunityKind.Large, values)
            };
            yield return new(new() { Prefixes = new([BgpFilterRules.Within(rule.Cidr)]) }, change, RuleAction.Next)
            {
                Name = $"prefixAdvertisements[{index}]",
            };
        }
    }
}
