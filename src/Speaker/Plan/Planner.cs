using System.Collections.Immutable;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Rib.Filters;

namespace Calico.Bgp.Speaker.Plan;

/// <summary>What a change of resources comes to.</summary>
/// <param name="Plan">Null: the plan stays as it is.</param>
public sealed record PlanStep(NodePlan? Plan, ImmutableArray<ServiceMove> Moves);

/// <summary>
/// The plan as the resources change. A service or its endpoints concern that service alone. Whatever else concerns this node has peers,
/// chains and routes made anew in one pass over nodes and BGPPeers, which is cheap and forgets nothing; services are only looked at again
/// where the ranges moved that they are judged by. What comes out equal goes no further. One owner's.
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
        Plan = NodePlan.Of(view, ranges, scopes, null);
        services = ServiceIndex.Of(resources, ranges, scopes);
    }

    public NodePlan Plan { get; private set; }
    public PlanSettings Settings => settings;
    public ResourceSnapshot Resources => resources;

    /// <summary>Addresses of single services, each with the services that it is announced for.</summary>
    public IEnumerable<PlannedRoute> ServiceRoutes => services.Announced.Select(
        announced => new PlannedRoute(announced.Prefix, PlannedRouteType.Announced, ReasonOf(announced.Services)));

    /// <summary>Ready endpoints of this node behind an announced address.</summary>
    public int WeightOf(Prefix serviceAddress) => services.WeightOf(serviceAddress);

    public ServiceVerdict? VerdictOf(ResourceKey service) => services.VerdictOf(service);

    /// <summary>Which object has this node originate the route; null: none.</summary>
    public string? ReasonFor(Prefix prefix) =>
        Plan.Routes.FirstOrDefault(route => route.Prefix == prefix)?.Reason
        ?? (services.UsersOf(prefix) is { IsEmpty: false } users ? ReasonOf(users) : null);

    private static string ReasonOf(IEnumerable<ResourceKey> users) => string.Join(", ", users.Select(key => $"Service/{key}"));

    public PlanStep Apply(ResourceChanges changes)
    {
        resources = changes.After;
        var touched = new SortedSet<ResourceKey>();
        var others = false;
        foreach (var change in changes.Changed)
        {
            if (change.Kind == Kinds.Service) touched.Add(change.Key);
            else if (change.Kind == Kinds.Endpoints)
            {
                if (settings.Release.ReadsEndpoints) touched.Add(change.Key);
            }
            else if (change.Kind == Kinds.EndpointSlice) Touch(change, touched);
            else others |= Concerns(change);
        }
        return others ? Renew(touched) : new(null, MovesOf(touched));
    }

    /// <summary>Most of what happens in a large cluster happens on other nodes. In doubt it concerns us.</summary>
    private bool Concerns(ResourceChange change)
    {
        if (!change.Kind.Concerns.HasFlag(Concern.Plan)) return false;
        if (change.Kind == Kinds.IpamBlock) return ValidatesBlocks;
        if (change.Kind == Kinds.BlockAffinity) return ValidatesBlocks || IsOurs(change.Before) || IsOurs(change.After);
        if (change.Kind == Kinds.Secret) return change.Key.Namespace == settings.SecretNamespace && IsKey(change.Key.Name);
        return true;
    }

    private bool IsKey(string secret) => Plan.Peers.Any(peer => peer.PasswordKey?.Name == secret);

    private bool ValidatesBlocks => settings.ValidateBlocks != BlockValidation.Off;

    private bool IsOurs(Resource? affinity) => (affinity as BlockAffinity)?.Node == settings.Node;

    private ImmutableArray<ServiceMove> MovesOf(IEnumerable<ResourceKey> touched)
    {
        var moves = new List<ServiceMove>();
        foreach (var key in touched) services.Look(key, resources, moves);
        return [.. moves.GroupBy(move => move.Prefix).Select(same => same.Last())];
    }

    /// <summary>
    /// The plan that other settings or resources would give, made so that it compares with this one: what looks at live sets looks at the
    /// same ones. Nothing changes.
    /// </summary>
    public (NodePlan Plan, IReadOnlyList<PlannedRoute> ServiceRoutes) Instead(PlanSettings otherSettings, ResourceSnapshot otherResources)
    {
        var view = new NodeView(otherResources, otherSettings);
        var shared = otherSettings.Advertise == settings.Advertise ? scopes : new(otherSettings.Advertise);
        var plan = NodePlan.Of(view, ServiceRanges.Of(view, hosts), shared, Plan);
        return (plan, [.. new Planner(otherSettings, otherResources).ServiceRoutes]);
    }

    private static void Touch(ResourceChange change, SortedSet<ResourceKey> touched)
    {
        if ((change.Before as EndpointSlice)?.Service is { } before) touched.Add(before);
        if ((change.After as EndpointSlice)?.Service is { } after) touched.Add(after);
    }

    /// <summary>Other settings: bgpd.yaml was read again, or a pod came that peers.</summary>
    public PlanStep Apply(PlanSettings newer)
    {
        if (newer.Advertise != settings.Advertise) scopes = new(newer.Advertise);
        var weighsOtherwise = newer.WeighServices != settings.WeighServices;
        settings = newer;
        var step = Renew([]);
        return weighsOtherwise ? step with { Moves = [.. step.Moves.Where(move => !move.Announced), .. AllAnnounced()] } : step;
    }

    /// <summary>Null: the address is none that is announced.</summary>
    public ServiceMove? AnnouncedAt(Prefix prefix) =>
        services.UsersOf(prefix).IsEmpty ? null : new ServiceMove(prefix, true, services.WeightOf(prefix));

    /// <summary>What a speaker is to be told that was told nothing, or something else of the weights.</summary>
    public IEnumerable<ServiceMove> AllAnnounced() =>
        services.Announced.Select(announced => new ServiceMove(announced.Prefix, true, services.WeightOf(announced.Prefix)));

    /// <param name="touched">Services that changed beside what else did.</param>
    private PlanStep Renew(IEnumerable<ResourceKey> touched)
    {
        var view = new NodeView(resources, settings);
        var ranges = ServiceRanges.Of(view, hosts);
        var newer = NodePlan.Of(view, ranges, scopes, Plan);
        var same = newer == Plan;
        Plan = newer;
        var moves = ranges == services.Ranges && scopes.AreDecided ? MovesOf(touched) : JudgeAll(ranges, touched);
        return new(same ? null : newer, moves);
    }

    /// <summary>Every service anew: the ranges moved, or a peer came that is told of some services only.</summary>
    private ImmutableArray<ServiceMove> JudgeAll(ServiceRanges ranges, IEnumerable<ResourceKey> touched)
    {
        var before = services.Announced.ToDictionary(announced => announced.Prefix, announced => services.WeightOf(announced.Prefix));
        var moved = MovesOf(touched).Select(move => move.Prefix).ToHashSet();
        foreach (var prefix in moved) before.TryAdd(prefix, 0);
        services = ServiceIndex.Of(resources, ranges, scopes);
        var moves = ImmutableArray.CreateBuilder<ServiceMove>();
        foreach (var (prefix, _) in services.Announced)
            if (!before.Remove(prefix, out var weight) || weight != services.WeightOf(prefix) || moved.Contains(prefix))
                moves.Add(new(prefix, true, services.WeightOf(prefix)));
        foreach (var gone in before.Keys.Order())
        {
            hosts.Remove(gone);
            scopes.Forget(gone);
            moves.Add(new(gone, false, 0));
        }
        return moves.ToImmutable();
    }
}
