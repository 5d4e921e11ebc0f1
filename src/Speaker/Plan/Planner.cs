using System.Collections.Immutable;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Rib.Filters;

namespace Calico.Bgp.Speaker.Plan;

/// <summary>What a change of resources comes to.</summary>
/// <param name="Plan">Null: the plan stays as it is; only services moved.</param>
public sealed record PlanStep(NodePlan? Plan, ImmutableArray<ServiceMove> Moves);

/// <summary>
/// The plan as the resources change. A service or its endpoints concern that service alone; anything else has the plan made anew, and who
/// compares the two touches only what differs. One owner's.
/// </summary>
public sealed class Planner
{
    private readonly LivePrefixes hosts = new();
    private PlanSettings settings;
    private AdvertiseScopes scopes;
    private ResourceSnapshot resources;
    private ServiceIndex services;

    public Planner(PlanSettings settings, ResourceSnapshot resources)
    {
        (this.settings, this.resources) = (settings, resources);
        scopes = new(settings.Advertise);
        var view = new NodeView(resources, settings);
        var ranges = ServiceRanges.Of(view, hosts);
        Plan = NodePlan.Of(view, ranges, scopes);
        services = ServiceIndex.Of(resources, ranges, scopes);
    }

    public NodePlan Plan { get; private set; }
    public PlanSettings Settings => settings;
    public ResourceSnapshot Resources => resources;

    /// <summary>Addresses of single services, each with the services that it is announced for.</summary>
    public IEnumerable<PlannedRoute> ServiceRoutes => services.Announced.Select(
        announced => new PlannedRoute(announced.Prefix, PlannedRouteType.Announced, string.Join(", ", announced.Services.Select(key => $"Service/{key}"))));

    /// <summary>Ready endpoints of this node behind an announced address.</summary>
    public int WeightOf(Prefix serviceAddress) => services.WeightOf(serviceAddress);

    public ServiceVerdict? VerdictOf(ResourceKey service) => services.VerdictOf(service);

    public PlanStep Take(ResourceChanges changes)
    {
        resources = changes.After;
        var touched = new SortedSet<ResourceKey>();
        var others = false;
        foreach (var change in changes.Changed)
        {
            if (change.Kind == ResourceKind.Service) touched.Add(change.Key);
            else if (change.Kind == ResourceKind.EndpointSlice) Touch(change, touched);
            else others |= change.Kind is not (ResourceKind.IpamBlock or ResourceKind.CalicoNodeStatus);
        }
        if (others) return Renew();
        var moves = new List<ServiceMove>();
        foreach (var key in touched) services.Look(key, resources, moves);
        return new(null, [.. moves.GroupBy(move => move.Prefix).Select(same => same.Last())]);
    }

    /// <summary>
    /// The plan that other settings or resources would give, made so that it compares with this one: what looks at live sets looks at the same
    /// ones. Nothing changes.
    /// </summary>
    public (NodePlan Plan, IReadOnlyList<PlannedRoute> ServiceRoutes) Instead(PlanSettings otherSettings, ResourceSnapshot otherResources)
    {
        var view = new NodeView(otherResources, otherSettings);
        var shared = otherSettings.Advertise == settings.Advertise ? scopes : new(otherSettings.Advertise);
        return (NodePlan.Of(view, ServiceRanges.Of(view, hosts), shared), [.. new Planner(otherSettings, otherResources).ServiceRoutes]);
    }

    private static void Touch(ResourceChange change, SortedSet<ResourceKey> touched)
    {
        if ((change.Before as EndpointSlice)?.Service is { } before) touched.Add(before);
        if ((change.After as EndpointSlice)?.Service is { } after) touched.Add(after);
    }

    /// <summary>Other settings: bgpd.yaml was read again, or a pod came that peers.</summary>
    public PlanStep Take(PlanSettings newer)
    {
        if (newer.Advertise != settings.Advertise) scopes = new(newer.Advertise);
        settings = newer;
        return Renew();
    }

    private PlanStep Renew()
    {
        var view = new NodeView(resources, settings);
        var ranges = ServiceRanges.Of(view, hosts);
        var before = services.Announced.ToDictionary(announced => announced.Prefix, announced => services.WeightOf(announced.Prefix));
        Plan = NodePlan.Of(view, ranges, scopes);
        services = ServiceIndex.Of(resources, ranges, scopes);
        var moves = ImmutableArray.CreateBuilder<ServiceMove>();
        foreach (var (prefix, _) in services.Announced)
            if (!before.Remove(prefix, out var weight) || weight != services.WeightOf(prefix)) moves.Add(new(prefix, true, services.WeightOf(prefix)));
        foreach (var gone in before.Keys.Order())
        {
            hosts.Remove(gone);
            scopes.Forget(gone);
            moves.Add(new(gone, false, 0));
        }
        return new(Plan, moves.ToImmutable());
    }
}
