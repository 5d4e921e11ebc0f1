using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Rib.Tests.Filters;

/// <summary>
/// A route as lists of words, and filters run on it word by word: the slow reference that <see cref="FilterChain"/> is held against.
/// It shares the rules' records with the real thing, and none of its compiled forms.
/// </summary>
internal sealed record NaiveRoute
{
    public required Prefix Prefix { get; init; }
    public required RouteOrigin Source { get; init; }
    public string? Peer { get; init; }
    public string? Interface { get; init; }
    public Origin Origin { get; set; }
    public List<uint> Path { get; set; } = [];
    public Address? NextHop { get; set; }
    public uint? Med { get; set; }
    public uint? LocalPref { get; set; }
    public List<UInt128> Communities { get; set; } = [];
    public List<UInt128> Large { get; set; } = [];
    public List<UInt128> Extended { get; set; } = [];
    public KernelHints Hints { get; set; }

    public byte[] Octets()
    {
        var editor = new AttributeEditor();
        editor.LoadEmpty(Origin);
        for (var i = Path.Count - 1; i >= 0; i--) editor.Prepend(new(Path[i]));
        if (NextHop is { } nextHop) editor.SetNextHop(nextHop);
        editor.SetMed(Med);
        editor.SetLocalPref(LocalPref);
        foreach (var community in Communities) editor.AddCommunity(new((uint)community));
        foreach (var large in Large) editor.AddLargeCommunity(new((uint)(large >> 64), (uint)(large >> 32), (uint)large));
        foreach (var extended in Extended) editor.AddExtendedCommunity(new((ulong)extended));
        return editor.Finish(out _).ToArray();
    }

    /// <summary>Changes the route; true: accepted.</summary>
    public bool Passes(IEnumerable<Filter> filters, Address self)
    {
        foreach (var rule in filters.SelectMany(filter => filter.Rules))
        {
            if (rule.Match != null && !Fits(rule.Match)) continue;
            if (rule.Action == RuleAction.Reject) return false;
            if (rule.Change != null) Apply(rule.Change, self);
            if (rule.Action == RuleAction.Accept) return true;
        }
        return false;
    }

    private bool Fits(Match match)
    {
        bool[] answers =
        [
            match.Prefixes == null || match.Prefixes.Patterns.Any(pattern => pattern.Has(Prefix)),
            match.Family == null || match.Family == Prefix.Family,
            match.Sources == RouteSources.None || match.Sources.ToString().Split(", ").Contains(Source.ToString()),
            match.Peers.Count == 0 || match.Peers.Contains(Peer),
            match.Interfaces.Count == 0 || match.Interfaces.Any(FitsInterface),
            match.NextHops.Count == 0 || match.NextHops.Any(prefix => NextHop is { } address && prefix.Contains(address)),
            match.Med == null || (Med is { } med && match.Med.Value.Has(med)),
            match.LocalPref == null || match.LocalPref.Value.Has(LocalPref ?? 100),
            match.AsPath == null || FitsPath(match.AsPath),
            match.Communities == null || FitsCommunities(match.Communities, Communities),
            match.LargeCommunities == null || FitsCommunities(match.LargeCommunities, Large),
            match.ExtendedCommunities == null || FitsCommunities(match.ExtendedCommunities, Extended),
        ];
        return answers.All(answer => answer);
    }

    /// <summary>The model's globs are beginnings with a star.</summary>
    private bool FitsInterface(string glob) => Interface?.StartsWith(glob.TrimEnd('*'), StringComparison.Ordinal) == true;

    private bool FitsPath(AsPathMatch match) =>
        (match.Origin.Count == 0 || (Path.Count > 0 && match.Origin.Any(range => range.Has(Path[^1]))))
        && (match.First.Count == 0 || (Path.Count > 0 && match.First.Any(range => range.Has(Path[0]))))
        && (match.Contains.Count == 0 || Path.Any(asn => match.Contains.Any(range => range.Has(asn))))
        && (match.Length == null || match.Length.Value.Has((uint)Path.Count));

    private static bool FitsCommunities(CommunityMatch match, List<UInt128> communities) =>
        (match.Any.Count == 0 || communities.Any(community => match.Any.Any(pattern => pattern.Has(community))))
        && match.All.All(forms => communities.Any(community => forms.Any(pattern => pattern.Has(community))))
        && !communities.Any(community => match.None.Any(pattern => pattern.Has(community)));

    private void Apply(Change change, Address self)
    {
        LocalPref = change.LocalPref ?? LocalPref;
        Med = change.RemoveMed ? null : change.Med ?? Med;
        Origin = change.Origin ?? Origin;
        if (change.Prepend is { } prepend) Path = [.. Enumerable.Repeat(prepend.As.Value, prepend.Count), .. Path];
        if (change.NextHop == NextHopChoice.Set) NextHop = change.NextHopAddress;
        if (change.NextHop == NextHopChoice.Self) NextHop = self;
        Communities = Changed(Communities, change.Communities);
        Large = Changed(Large, change.LargeCommunities);
        Extended = Changed(Extended, change.ExtendedCommunities);
        Hints = new(
            change.Kernel.Metric == 0 ? Hints.Metric : change.Kernel.Metric, change.Kernel.Table == 0 ? Hints.Table : change.Kernel.Table);
    }

    private static List<UInt128> Changed(List<UInt128> communities, CommunityChange? change)
    {
        if (change == null) return communities;
        var now = change.Set?.Select(pattern => pattern.Value) ?? communities;
        var kept = now.Where(community => !change.Remove.Any(pattern => pattern.Has(community)));
        return [.. kept.Concat(change.Add.Select(pattern => pattern.Value)).Distinct()];
    }
}
