using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Rib.Filters;

namespace Calico.Bgp.Speaker.Plan;

/// <summary>What the resources ask for and this node cannot do, or does otherwise than their author may think.</summary>
/// <param name="Object"><c>BGPPeer/tor1</c>.</param>
/// <param name="Field"><c>spec.filters[1]</c>; empty for the object as a whole.</param>
public sealed record PlanProblem(string Object, string Field, string Reason);

public enum PlannedRouteType : byte
{
    /// <summary>Announced, and in the kernel so that nothing loops beneath it.</summary>
    Blackhole,
    /// <summary>Announced, and never in the kernel: the node's own clients reach services as ever.</summary>
    Announced,
    /// <summary>In the kernel, and not announced.</summary>
    Unicast,
}

/// <summary>A route of this node's own. <paramref name="Via"/>: of a unicast one.</summary>
public sealed record PlannedRoute(Prefix Prefix, PlannedRouteType Type, string Reason, Address? Via = null);

/// <summary>
/// All that the resources ask of one node: a function of the snapshot and the settings, sorted, and the same whatever came before.
/// Addresses of single services are not here but in the service index, which moves by itself.
/// </summary>
public sealed record NodePlan
{
    public required string Node { get; init; }
    public required CalicoRelease Release { get; init; }
    public required RouterId RouterId { get; init; }
    public required Asn As { get; init; }
    public required int ListenPort { get; init; }
    /// <summary>Empty: as bgpd.yaml says.</summary>
    public required ListOf<Address> Listen { get; init; }
    public required ListOf<PlannedPeer> Peers { get; init; }
    public required ListOf<PlannedRoute> Routes { get; init; }
    public required IFilter Kernel { get; init; }
    public required ListOf<Prefix> RejectedFromKernel { get; init; }
    /// <summary>Interfaces whose networks are not looked at, with *.</summary>
    public required ListOf<string> IgnoredInterfaces { get; init; }
    /// <summary>The node takes no more work, and its sessions are to be drained for that.</summary>
    public bool IsDrained { get; init; }
    /// <summary>Peers, by name, whose nodes Kubernetes says do not work: nobody waits for them.</summary>
    public ListOf<string> Absent { get; init; }
    public required ListOf<PlanProblem> Problems { get; init; }

    /// <param name="earlier">Chains that come out equal to its own are its own, so that comparing costs little. Null: the first.</param>
    internal static NodePlan Of(NodeView view, ServiceRanges services, AdvertiseScopes scopes, NodePlan? earlier)
    {
        var problems = new List<PlanProblem>();
        var chains = new PeerChains(view, services, scopes, earlier);
        var peers = new PeerPlan(view, chains, problems).Peers().ToArray();
        problems.AddRange(PlanProblems.Of(view));
        return new()
        {
            Node = view.Settings.Node,
            Release = view.Release,
            RouterId = view.RouterId,
            As = view.As,
            ListenPort = view.ListenPort,
            Listen = view.Global?.BindMode == BindMode.NodeIP ? [.. view.OwnAddresses] : [],
            Peers = [.. peers],
            Routes = [.. PlannedRoutes.Of(view, services, peers)],
            Kernel = KernelRules.Of(view, services),
            RejectedFromKernel = services.Rejected,
            IsDrained = view.Settings.DrainOnCordon && view.Self.Unschedulable,
            Absent = [.. peers.Where(peer => view.NodeOf(peer) is { IsNotReady: true }).Select(peer => peer.Name)],
            IgnoredInterfaces = ["cali*", "kube-ipvs*", .. view.Global?.IgnoredInterfaces ?? []],
            Problems = [.. problems.OrderBy(problem => problem.Object, StringComparer.Ordinal)
            .ThenBy(problem => problem.Field, StringComparer.Ordinal)],
        };
    }
}
