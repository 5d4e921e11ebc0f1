using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Speaker.Plan;

/// <summary>
/// Sends a probe through the chains of a plan: the objects, and the code, by which the daemon judges routes. What RFCs impose around them
/// (no internal route to an internal peer, own AS in the path) is not a chain's verdict and not said here.
/// </summary>
/// <param name="kernel">Null: everything goes to the kernel.</param>
public sealed class ProbeRun(IReadOnlyList<PeerConfig> peers, IFilter? kernel)
{
    private const string Kernel = "kernel";
    private const string Tunnel = "tunl0";

    /// <summary>A route and its attributes between two chains.</summary>
    private readonly record struct Route(byte[] Attributes, AttributeSummary Summary, KernelHints Hints);

    /// <exception cref="KeyNotFoundException">No peer has the name that the probe comes from.</exception>
    public IEnumerable<ProbeAnswer> Ask(Probe probe)
    {
        var route = Made(probe);
        if (probe.FromPeer is { } name)
        {
            var from = peers.FirstOrDefault(peer => peer.Session.Name == name)
                ?? throw new KeyNotFoundException($"expected the name of a peer for fromPeer, got {name}");
            if (Pass(probe, ref route, from.Import) is { Verdict: FilterVerdict.Reject } refused)
                return [.. Targets(probe.Prefix.Family).Select(
                    target => new ProbeAnswer(target.Name, false, $"import from {name}: {refused.Rule}", null))];
        }
        return Targets(probe.Prefix.Family).Select(target => Judge(probe, route, target.Name, target.Filter)).ToArray();
    }

    private IEnumerable<(string Name, IFilter Filter)> Targets(IpFamily family) =>
        peers.Where(peer => peer.Session.Families.Has(family)).Select(peer => (peer.Session.Name, peer.Export))
            .Prepend((Kernel, kernel ?? AcceptAll.Instance));

    private static Route Made(Probe probe)
    {
        var editor = new AttributeEditor();
        editor.LoadEmpty(Origin.Igp);
        if (probe.LocalPref is { } localPref) editor.SetLocalPref(localPref);
        if (probe.Med is { } med) editor.SetMed(med);
        for (var i = probe.AsPath.Count - 1; i >= 0; i--) editor.Prepend(probe.AsPath[i]);
        foreach (var community in probe.Communities) Add(editor, community);
        if (probe.NextHop is { } nextHop) editor.SetNextHop(nextHop);
        var attributes = editor.Finish(out var summary).ToArray();
        return new(attributes, summary, new(probe.Metric ?? 0, 0));
    }

    private static void Add(AttributeEditor editor, CommunityPattern community)
    {
        if (community.Kind == CommunityKind.Standard) editor.AddCommunity(new((uint)community.Value));
        else editor.AddLargeCommunity(new((uint)(community.Value >> 64), (uint)(community.Value >> 32), (uint)community.Value));
    }

    /// <summary>One chain; the route becomes what the chain leaves.</summary>
    private static FilterResult Pass(Probe probe, ref Route route, IFilter routeFilter)
    {
        var editor = new AttributeEditor();
        var result = routeFilter.Run(new()
        {
            Prefix = probe.Prefix,
            Family = probe.Prefix.Family,
            Origin = probe.Source,
            FromPeer = probe.FromPeer,
            Interface = probe.Interface,
            Attributes = route.Attributes,
            Summary = route.Summary,
            Hints = route.Hints,
        }, editor);
        if (result.Verdict == FilterVerdict.AcceptChanged)
            route = new(editor.Finish(out var summary).ToArray(), summary, result.Hints);
        return result;
    }

    private static ProbeAnswer Judge(Probe probe, Route route, string target, IFilter routeFilter)
    {
        var result = Pass(probe, ref route, routeFilter);
        return result.Verdict == FilterVerdict.Reject
            ? new(target, false, result.Rule, null) : new(target, true, result.Rule, AttributesOf(route, result.Tunnel));
    }

    private static ProbeAttributes AttributesOf(Route route, bool tunnel)
    {
        var view = new AttributeView(route.Attributes);
        var summary = route.Summary;
        return new(
            summary.Has(AttributeMarks.HasLocalPref) ? summary.LocalPref : null, summary.Has(AttributeMarks.HasMed) ? summary.Med : null,
            [.. CommunitiesOf(view)], [.. PathOf(view)], summary.NextHopLength > 0 ? summary.NextHop : null,
            route.Hints.Metric == 0 ? null : route.Hints.Metric, tunnel ? Tunnel : null);
    }

    private static List<Asn> PathOf(AttributeView view)
    {
        var path = new List<Asn>();
        foreach (var segment in view.AsPath)
            for (var i = 0; i < segment.Count; i++) path.Add(segment[i]);
        return path;
    }

    private static List<string> CommunitiesOf(AttributeView view)
    {
        var texts = new List<string>();
        foreach (var kind in (ReadOnlySpan<CommunityKind>)[CommunityKind.Standard, CommunityKind.Large])
        {
            if (!view.TryGet(kind.Attribute(), out var list)) continue;
            for (var octets = kind.Octets(); list.Length >= octets; list = list[octets..]) texts.Add(Text(kind, kind.Read(list)));
        }
        return texts;
    }

    private static string Text(CommunityKind kind, UInt128 value) => kind == CommunityKind.Standard
        ? new Community((uint)value).ToString() : new LargeCommunity((uint)(value >> 64), (uint)(value >> 32), (uint)value).ToString();
}
