using System.Collections.Immutable;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Speaker.Plan;

/// <summary>
/// Keeps the speaker at what bgpd.yaml and the resources say together. One change after the other: the plan first, then the services, whose
/// filters look at sets that have moved already. Thread-safe.
/// </summary>
public sealed class PlanFollower : IDisposable
{
    private readonly SemaphoreSlim oneAtATime = new(1);
    private readonly Planner planner;
    private SpeakerConfig file;
    private SpeakerLoop? speaker;

    public PlanFollower(SpeakerConfig file, PlanSettings settings, ResourceSnapshot resources)
    {
        (this.file, planner) = (file, new(settings, resources));
        Joined = PlannedConfig.Join(file, planner.Plan);
    }

    /// <summary>What the speaker is to be made with, and is kept at.</summary>
    public SpeakerConfig Joined { get; private set; }
    public NodePlan Plan => planner.Plan;
    public ImmutableArray<ResourceProblem> ResourceProblems => planner.Resources.Problems;
    /// <summary>A change was taken, with what it changed of the configuration (nothing where only services moved).</summary>
    public Action<ImmutableArray<string>>? Taken { get; set; }

    /// <summary>From now on it is this speaker, which was made with <see cref="Joined"/> and runs.</summary>
    public Task FollowAsync(SpeakerLoop newer) => AloneAsync(async () =>
    {
        speaker = newer;
        await newer.MoveServicesAsync([.. planner.AllAnnounced()], planner.Settings.WeighServices).ConfigureAwait(false);
    });

    public Task TakeAsync(ResourceChanges changes) => AloneAsync(() => StepAsync(planner.Take(changes)));

    public Task TakeAsync(ListOf<LocalWorkload> workloads) => AloneAsync(() =>
        workloads == planner.Settings.Workloads ? Task.CompletedTask : StepAsync(planner.Take(planner.Settings with { Workloads = workloads })));

    /// <summary>bgpd.yaml was read again.</summary>
    public async Task<ImmutableArray<string>> TakeAsync(SpeakerConfig newer, PlanSettings settings)
    {
        var changes = ImmutableArray<string>.Empty;
        await AloneAsync(async () =>
        {
            file = newer;
            changes = await StepAsync(planner.Take(settings with { Workloads = planner.Settings.Workloads })).ConfigureAwait(false);
        }).ConfigureAwait(false);
        return changes;
    }

    /// <summary>What another bgpd.yaml would change, the resources being what they are.</summary>
    public async Task<ImmutableArray<string>> CheckAsync(SpeakerConfig newer, PlanSettings settings)
    {
        var changes = ImmutableArray<string>.Empty;
        await AloneAsync(() =>
        {
            var (plan, services) = planner.Instead(settings with { Workloads = planner.Settings.Workloads }, planner.Resources);
            changes = ConfigChanges.Between(Joined, PlannedConfig.Join(newer, plan)).AddRange(PlanDifferences.Between(planner.ServiceRoutes, services));
            return Task.CompletedTask;
        }).ConfigureAwait(false);
        return changes;
    }

    public async Task<ServiceVerdict?> ExplainAsync(ResourceKey service)
    {
        ServiceVerdict? verdict = null;
        await AloneAsync(() =>
        {
            verdict = planner.VerdictOf(service);
            return Task.CompletedTask;
        }).ConfigureAwait(false);
        return verdict;
    }

    /// <summary>Which object has this node originate the route; null: none.</summary>
    public async Task<string?> ReasonAsync(Prefix prefix)
    {
        string? reason = null;
        await AloneAsync(() =>
        {
            reason = planner.ReasonFor(prefix);
            return Task.CompletedTask;
        }).ConfigureAwait(false);
        return reason;
    }

    private async Task<ImmutableArray<string>> StepAsync(PlanStep step)
    {
        var changes = ImmutableArray<string>.Empty;
        if (step.Plan != null)
        {
            Joined = PlannedConfig.Join(file, step.Plan);
            if (speaker != null) changes = await speaker.ConfigureAsync(Joined).ConfigureAwait(false);
        }
        if (speaker != null) await speaker.MoveServicesAsync(step.Moves, planner.Settings.WeighServices).ConfigureAwait(false);
        Taken?.Invoke(changes);
        return changes;
    }

    private async Task AloneAsync(Func<Task> work)
    {
        await oneAtATime.WaitAsync().ConfigureAwait(false);
        try { await work().ConfigureAwait(false); }
        finally { oneAtATime.Release(); }
    }

    public void Dispose() => oneAtATime.Dispose();
}
