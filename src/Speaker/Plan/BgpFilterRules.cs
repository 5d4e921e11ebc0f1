using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Rib.Filters;

namespace Calico.Bgp.Speaker.Plan;

/// <summary>
/// A BGPFilter's rules as the RIB's filters: conditions are joined by and, the first rule that matches ends the whole chain.
/// </summary>
internal static class BgpFilterRules
{
    public static Filter Read(string name, ListOf<BgpFilterRule> rules, IpFamily family, bool isInternal, bool import)
    {
        var list = $"{(import ? "import" : "export")}V{(family == IpFamily.IPv4 ? 4 : 6)}";
        var numbered = rules.Index().Where(rule => IsFor(rule.Item, isInternal));
        return new(name, [.. numbered.Select(rule => Read(rule.Item, $"BGPFilter/{name} {list}[{rule.Index}]"))]);
    }

    /// <summary>Which kind of peer the chain is for is known beforehand.</summary>
    private static bool IsFor(BgpFilterRule rule, bool isInternal) =>
        rule.PeerType is not { } type || type == (isInternal ? FilterPeerType.iBGP : FilterPeerType.eBGP);

    private static FilterRule Read(BgpFilterRule rule, string name) =>
        new(MatchOf(rule), rule.Operations.Count == 0 ? null : ChangeOf(rule.Operations), ActionOf(rule)) { Name = name };

    private static RuleAction ActionOf(BgpFilterRule rule) => rule.Action == FilterAction.Accept ? RuleAction.Accept : RuleAction.Reject;

    private static Match MatchOf(BgpFilterRule rule) => new()
    {
        Prefixes = rule.MatchOperator is FilterMatchOperator.Equal or FilterMatchOperator.In ? Prefixes(rule) : null,
        NotPrefixes = rule.MatchOperator is FilterMatchOperator.NotEqual or FilterMatchOperator.NotIn ? Prefixes(rule) : null,
        Sources = rule.Source == FilterSource.RemotePeers ? RouteSources.Bgp : RouteSources.None,
        Interfaces = rule.Interface is { } pattern ? [pattern] : [],
        Communities = Has(rule.Community, CommunityKind.Standard),
        LargeCommunities = Has(rule.Community, CommunityKind.Large),
        AsPath = BeginsWith(rule.AsPathPrefix),
        LocalPref = rule.Priority is { } priority ? Exactly(MetricCoupling.Mirror((uint)priority)) : null,
    };

    private static NumberRange Exactly(uint number) => new(number, number);

    /// <summary>In: the prefix and what lies in it; with lengths, what lies in it of these lengths.</summary>
    private static PrefixSet Prefixes(BgpFilterRule rule)
    {
        var cidr = rule.Cidr!.Value;
        if (rule.HasPrefixLength)
        {
            var least = Math.Max(cidr.Length, rule.PrefixLengthMin ?? 0);
            var most = Math.Min(cidr.Family.Bits(), rule.PrefixLengthMax ?? cidr.Family.Bits());
            return new(least <= most ? [new(cidr, least, most)] : []);
        }
        var inside = rule.MatchOperator is FilterMatchOperator.In or FilterMatchOperator.NotIn;
        return new([inside ? Within(cidr) : new(cidr)]);
    }

    /// <summary>BIRD's <c>net ~ cidr</c>.</summary>
    public static PrefixPattern Within(Prefix cidr) => new(cidr, cidr.Length, cidr.Family.Bits());

    private static CommunityMatch? Has(CommunityValue? wanted, CommunityKind kind) =>
        wanted is { } value && CommunityRules.Pattern(value) is var pattern && pattern.Kind == kind ? new(kind, [pattern], [], []) : null;

    private static AsPathMatch? BeginsWith(ListOf<Asn> path)
    {
        if (path.Count == 0) return null;
        if (!AsPathRegex.TryParse($"^{string.Join(' ', path)}", out var regex, out var problem))
            throw new InvalidOperationException($"AS numbers make an expression: {problem}");
        return new() { Regex = [regex] };
    }

    /// <summary>Each operation acts on what those before it left; together they come to one change.</summary>
    private static Change ChangeOf(ListOf<BgpFilterOperation> operations)
    {
        var communities = operations.OfType<BgpFilterOperation.AddCommunity>().Select(add => add.Value).ToArray();
        return new()
        {
            LocalPref = operations.OfType<BgpFilterOperation.SetPriority>().LastOrDefault() is { } set
                ? MetricCoupling.Mirror((uint)set.Value) : null,
            PrependPath = [.. operations.OfType<BgpFilterOperation.PrependAsPath>().Reverse().SelectMany(prepend => prepend.Prefix)],
            Communities = CommunityRules.Adding(CommunityKind.Standard, communities),
            LargeCommunities = CommunityRules.Adding(CommunityKind.Large, communities),
        };
    }
}
