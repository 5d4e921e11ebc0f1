using System.Collections.Immutable;
using Calico.Bgp.Net;
using Calico.Bgp.Rib;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Speaker.Plan;

/// <summary>
/// Sends a probe through the chains of a plan, and asks the doors around them: the objects, and the code, by which the daemon judges
/// routes. Sessions are taken as agreed on all that we offer. A route that comes from no peer that is named is taken as an external one's.
/// </summary>
/// <param name="kernel">Null: everything goes to the kernel.</param>
public sealed class ProbeRun(ImmutableArray<PeerConfig> peers, IFilter? kernel)
{
    private const string Kernel = "kernel";
    private const string Tunnel = "tunl0";
    private static readonly Address SomeIPv4 = Address.Parse("192.0.2.1"), SomeIPv6 = Address.Parse("2001:db8::1");

    /// <summary>A route and its attributes between two chains.</summary>
    private readonly record struct Route(byte[] Attributes, AttributeSummary Summary, KernelHints Hints);

    /// <exception cref="KeyNotFoundException">No peer has the name that the probe comes from.</exception>
    public IEnumerable<ProbeAnswer> Ask(Probe probe)
    {
        var (route, source, barred) = (Made(probe), Nobody with { Origin = probe.Source }, (string?)null);
        if (probe.FromPeer is { } name)
        {
            var from = peers.FirstOrDefault(peer => peer.Session.Name == name)
                ?? throw new KeyNotFoundException($"expected the name of a peer for fromPeer, got {name}");
            source = InRib(from);
            if (RouteDoors.In(source, route.Attributes, route.Summary) is { } rule) barred = $"import from {name}: {Why.Of(rule)}";
            if (Pass(probe, ref route, from.Import) is { Verdict: FilterVerdict.Reject } refused)
                return [.. Targets(probe.Prefix.Family).Select(
                    target => new ProbeAnswer(target.Name, false, $"import from {name}: {refused.Rule}", null, barred))];
        }
        return Targets(probe.Prefix.Family)
            .Select(target => Judge(probe, route, target) is var answer && target.Peer is { } peer
                ? answer with { Barred = barred ?? Bar(probe, route, source, InRib(peer)) } : answer with { Barred = barred })
            .ToArray();
    }

    private readonly record struct Target(string Name, IFilter Filter, PeerConfig? Peer);

    private IEnumerable<Target> Targets(IpFamily family) =>
        peers.Where(peer => peer.Session.Families.Has(family)).Select(peer => new Target(peer.Session.Name, peer.Export, peer))
            .Prepend(new(Kernel, kernel ?? AcceptAll.Instance, null));

    /// <summary>What keeps the route from the peer beside the peer's filter; null: nothing.</summary>
    private static string? Bar(Probe probe, Route route, RibPeer from, RibPeer to)
    {
        if (RouteDoors.Out(to, from, route.Summary) is { } barred) return Why.Of(barred);
        var said = Pass(probe, ref route, to.Export);
        if (said.Verdict == FilterVerdict.Reject) return null;
        return RouteDoors.Told(to, from, probe.Prefix, route.Attributes, route.Summary, said) is { } untold ? Why.Of(untold) : null;
    }

    /// <summary>Nobody's route, or a peer's that is not named.</summary>
    private static readonly RibPeer Nobody = new() { Index = 0, Name = "", Origin = RouteOrigin.Bgp, Preference = 0 };

    /// <summary>
    /// The peer as the RIB would know it. Only a running session knows our own addresses towards it; which they are decides nothing here,
    /// so that any stand for them.
    /// </summary>
    private RibPeer InRib(PeerConfig peer)
    {
        var session = peer.Session;
        var isInternal = session.LocalAs == session.PeerAs;
        return peer.InRib(session, isInternal) with
        {
            Index = (ushort)(1 + peers.IndexOf(peer)),
            SelfIPv4 = SomeIPv4,
            SelfIPv6 = SomeIPv6,
            Encode = new(
                FourOctetAs: true, session.ExtendedMessages ? ushort.MaxValue : 4096,
                session.ExtendedNextHop && !session.PeerAddress.IsIPv4, FamilySet.None),
        };
    }

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

    private static ProbeAnswer Judge(Probe probe, Route route, Target target)
    {
        var result = Pass(probe, ref route, target.Filter);
        return result.Verdict == FilterVerdict.Reject
            ? new(target.Name, false, result.Rule, null) : new(target.Name, true, result.Rule, AttributesOf(route, result.Tunnel));
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
