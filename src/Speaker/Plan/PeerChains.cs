using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Rib.Filters;

namespace Calico.Bgp.Speaker.Plan;

/// <summary>
/// The chains of a peer: its BGPFilters, then Calico's own part. Peers with the same filters, of the same kind, share one chain, and so one
/// export group in the RIB.
/// </summary>
internal sealed class PeerChains(NodeView view, ServiceRanges services, AdvertiseScopes scopes, NodePlan? earlier)
{
    private static readonly Filter AcceptRest = new("calico", [new(null, null, RuleAction.Accept) { Name = "no filter decides" }]);

    private readonly Dictionary<(ListOf<string> Filters, IpFamily Family, bool IsInternal, LivePrefixes? Withheld), IFilter> exports = [];
    private readonly Dictionary<(ListOf<string> Filters, IpFamily Family, bool IsInternal), IFilter> imports = [];
    private readonly Dictionary<(IpFamily Family, bool IsInternal), ExportRules> rules = [];
    private readonly BlockRules? blocks = view.Settings.ValidateBlocks == BlockValidation.Off ? null : new(view, services);
    private readonly HashSet<IFilter> known = [.. FiltersOf(earlier)];

    private static IEnumerable<IFilter> FiltersOf(NodePlan? plan)
    {
        var filters = (plan?.Peers ?? []).SelectMany(peer => (IFilter[])[peer.Import, peer.Export]);
        return filters.Distinct<IFilter>(ReferenceEqualityComparer.Instance);
    }

    private FilterChain Known(FilterChain chain) => known.TryGetValue(chain, out var same) ? (FilterChain)same : chain;

    /// <summary>Those of the names that exist and say something about this direction. A filter that is gone is no filter.</summary>
    public ListOf<string> Naming(ListOf<string> filters, IpFamily family, bool import) =>
        [.. filters.Where(name => RulesOf(name, family, import).Count > 0)];

    public IFilter Import(ListOf<string> filters, PlannedPeer end)
    {
        var (family, isInternal) = (end.Family, end.IsInternal);
        var named = Naming(filters, family, import: true);
        if (named.Count == 0) return AcceptAll.Instance;
        if (imports.TryGetValue((named, family, isInternal), out var known)) return known;
        return imports[(named, family, isInternal)] = Known(new([.. Resources(named, family, isInternal, import: true), AcceptRest]));
    }

    /// <summary>Of a node of the mesh, which has no filters.</summary>
    public IFilter ImportOf(string node, IpFamily family) =>
        blocks == null ? AcceptAll.Instance : Known(blocks.For(node, family));

    public IFilter Export(ListOf<string> filters, PlannedPeer end)
    {
        var (family, isInternal) = (end.Family, end.IsInternal);
        var named = Naming(filters, family, import: false);
        var withheld = scopes.WithheldFrom(end);
        if (exports.TryGetValue((named, family, isInternal, withheld), out var known)) return known;
        if (!rules.TryGetValue((family, isInternal), out var own))
            rules[(family, isInternal)] = own = new(view, services, family, isInternal);
        var chain = new FilterChain([.. own.Before(withheld), .. Resources(named, family, isInternal, import: false), own.Rest]);
        return exports[(named, family, isInternal, withheld)] = Known(chain);
    }

    private IEnumerable<Filter> Resources(ListOf<string> names, IpFamily family, bool isInternal, bool import) =>
        names.Select(name => BgpFilterRules.Read(name, RulesOf(name, family, import), family, isInternal, import));

    private ListOf<BgpFilterRule> RulesOf(string name, IpFamily family, bool import)
    {
        if (view.Resources.Of(Kinds.BgpFilter)[name] is not { } filter) return [];
        return import ? filter.Import(family) : filter.Export(family);
    }
}
