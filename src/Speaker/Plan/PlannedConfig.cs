using System.Collections.Immutable;
using Calico.Bgp.Kernel;

namespace Calico.Bgp.Speaker.Plan;

/// <summary>
/// bgpd.yaml and the plan joined into what the speaker is told. bgpd.yaml's own peers, routes and kernel filter count before the plan's;
/// router id, AS, ports and addresses are the resources' where they say something.
/// </summary>
public static class PlannedConfig
{
    /// <summary>BIRD's <c>merge paths</c>.</summary>
    private const int MergedPaths = 16;

    public static SpeakerConfig Join(SpeakerConfig file, NodePlan plan) => file with
    {
        RouterId = plan.RouterId,
        As = plan.As,
        ListenPort = plan.ListenPort,
        Listen = plan.Listen.Count > 0 ? [.. plan.Listen] : file.Listen,
        Decision = file.Decision.MultipathLimit > 1
        ? file.Decision : file.Decision with { MultipathLimit = MergedPaths, MultipathRelax = true },
        Peers = [.. file.Peers.Select(peer => Joined(peer, plan)), .. Peers(file, plan)],
        Ranges = [.. file.Ranges.Select(range => range with { Each = Joined(range.Each, plan) })],
        Links = [.. file.Links.Select(link => link with { Each = Joined(link.Each, plan) })],
        Routes = [.. file.Routes, .. Routes(file.Routes, plan)],
        Announced = [.. plan.Routes.Where(route => route.Type == PlannedRouteType.Announced).Select(route => route.Prefix)],
        IsDrained = plan.IsDrained,
        Absent = plan.Absent,
        Kernel = file.Kernel with { Learn = true, Export = file.Kernel.Export ?? plan.Kernel, IgnoredInterfaces = plan.IgnoredInterfaces },
    };

    /// <summary>One daemon, one identifier and one port, whoever asked for the peer.</summary>
    private static PeerConfig Joined(PeerConfig peer, NodePlan plan) =>
        peer with { Session = peer.Session with { RouterId = plan.RouterId, ListenPort = plan.ListenPort } };

    /// <summary>A neighbour has one session: who is in bgpd.yaml, or is asked for by a BGPPeer, is left out of the mesh.</summary>
    private static IEnumerable<PeerConfig> Peers(SpeakerConfig file, NodePlan plan)
    {
        var taken = file.Peers.Select(peer => (peer.Session.PeerAddress, peer.Session.PeerPort)).ToHashSet();
        var names = file.Peers.Concat(file.Links.Select(link => link.Each)).Select(peer => peer.Session.Name)
            .ToHashSet(StringComparer.Ordinal);
        foreach (var peer in plan.Peers.OrderBy(peer => peer.Scope == PeerScope.Mesh))
            if (taken.Add((peer.Address, peer.Port)) && names.Add(peer.Name)) yield return peer.ToConfig(plan);
    }

    private static IEnumerable<OwnRouteConfig> Routes(ImmutableArray<OwnRouteConfig> file, NodePlan plan)
    {
        var taken = file.Select(route => route.Prefix).ToHashSet();
        return
            from route in plan.Routes
            where route.Type != PlannedRouteType.Announced && !taken.Contains(route.Prefix)
            select route.Via is { } gateway
                ? new OwnRouteConfig(route.Prefix, RouteType.Unicast, [new RouteHop(gateway, 0)]) { Interfaces = [null] }
                : new OwnRouteConfig(route.Prefix, RouteType.Blackhole, []);
    }
}
