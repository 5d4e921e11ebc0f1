using Calico.Bgp.Net;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Rib.Filters;

/// <summary>Where a route came from, as a set.</summary>
[Flags]
public enum RouteSources : byte
{
    None = 0,
    Bgp = 1 << RouteOrigin.Bgp,
    Static = 1 << RouteOrigin.Static,
    Direct = 1 << RouteOrigin.Direct,
    Kernel = 1 << RouteOrigin.Kernel,
}

/// <summary>
/// The routes that a rule is for. All that is said must hold, of each list one element is enough, nothing said matches every route.
/// What a route does not have (a MED, a next hop, a peer) matches nothing.
/// </summary>
public sealed record Match
{
    public PrefixSet? Prefixes { get; init; }
    /// <summary>The route's prefix is none of these.</summary>
    public PrefixSet? NotPrefixes { get; init; }
    /// <summary>The route's prefix is one of those that are in the set while the route is looked at.</summary>
    public LivePrefixes? Live { get; init; }
    public IpFamily? Family { get; init; }
    /// <summary>None: any.</summary>
    public RouteSources Sources { get; init; }
    /// <summary>Names of peers.</summary>
    public ListOf<string> Peers { get; init; }
    /// <summary>Names of interfaces, with * and ?.</summary>
    public ListOf<string> Interfaces { get; init; }
    /// <summary>Prefixes that the next hop lies in.</summary>
    public ListOf<Prefix> NextHops { get; init; }
    public AsPathMatch? AsPath { get; init; }
    public CommunityMatch? Communities { get; init; }
    public CommunityMatch? LargeCommunities { get; init; }
    public CommunityMatch? ExtendedCommunities { get; init; }
    public NumberRange? Med { get; init; }
    /// <summary>A route without one counts as <see cref="Decision.DefaultLocalPref"/>, as in the decision.</summary>
    public NumberRange? LocalPref { get; init; }
    /// <summary>The kernel's metric, as it came with the route or as a rule before has set it; 0 where nothing was said.</summary>
    public NumberRange? KernelMetric { get; init; }

    internal bool LooksAtPrefix => Prefixes != null || NotPrefixes != null || Live != null;

    /// <summary>The cheap questions first.</summary>
    internal bool Matches(ref FilterRun run) =>
        MatchesRoute(run.Route) && MatchesMetric(run.Hints) && MatchesNumbers(run.Summary) && MatchesAttributes(ref run);

    private bool MatchesRoute(in FilterInput route)
    {
        if (Family is { } family && family != route.Family) return false;
        if (Sources != RouteSources.None && (Sources & (RouteSources)(1 << (int)route.Origin)) == 0) return false;
        if (Peers.Count > 0 && (route.FromPeer == null || !Peers.Items.Contains(route.FromPeer))) return false;
        if (Interfaces.Count > 0 && (route.Interface == null || !AnyGlob(route.Interface))) return false;
        return !LooksAtPrefix || MatchesPrefix(route.Prefix);
    }

    private bool MatchesPrefix(Prefix prefix) =>
        (Prefixes == null || Prefixes.Has(prefix)) && (NotPrefixes == null || !NotPrefixes.Has(prefix))
            && (Live == null || Live.Has(prefix));

    private bool MatchesMetric(KernelHints hints) => KernelMetric == null || KernelMetric.Value.Has(hints.Metric);

    private bool MatchesNumbers(in AttributeSummary summary)
    {
        if (Med is { } med && !(summary.Has(AttributeMarks.HasMed) && med.Has(summary.Med))) return false;
        var localPref = summary.Has(AttributeMarks.HasLocalPref) ? summary.LocalPref : Decision.DefaultLocalPref;
        if (LocalPref is { } wanted && !wanted.Has(localPref)) return false;
        return NextHops.Count == 0 || (summary.NextHopLength > 0 && AnyContains(summary.NextHop));
    }

    private bool MatchesAttributes(ref FilterRun run) =>
        (AsPath == null || AsPath.Matches(ref run))
        && (Communities == null || Communities.Matches(run.Attributes))
        && (LargeCommunities == null || LargeCommunities.Matches(run.Attributes))
        && (ExtendedCommunities == null || ExtendedCommunities.Matches(run.Attributes));

    private bool AnyContains(Address address)
    {
        foreach (var prefix in NextHops.Items)
            if (prefix.Contains(address)) return true;
        return false;
    }

    private bool AnyGlob(string name)
    {
        foreach (var glob in Interfaces.Items)
            if (Glob(glob, name)) return true;
        return false;
    }

    /// <summary>On a mismatch only the last star is tried longer, which is enough and keeps it quadratic at worst.</summary>
    public static bool Glob(ReadOnlySpan<char> glob, ReadOnlySpan<char> name)
    {
        var (g, n, star, resume) = (0, 0, -1, 0);
        while (n < name.Length)
        {
            if (g < glob.Length && glob[g] == '*') (star, resume, g) = (g, n, g + 1);
            else if (g < glob.Length && (glob[g] == '?' || glob[g] == name[n])) (g, n) = (g + 1, n + 1);
            else if (star >= 0) (g, n) = (star + 1, ++resume);
            else return false;
        }
        return !glob[g..].ContainsAnyExcept('*');
    }
}
