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
    private RouteProducer? services;

    /// <summary>Null: all are, as far as is known here.</summary>
    private ImmutableHashSet<Address>? served;

    /// <summary>Of services' addresses that lead somewhere those that were announced since they do.</summary>
    private readonly HashSet<Address> announced = [];

    public PlanFollower(SpeakerConfig file, PlanSettings settings, ResourceSnapshot resources)
    {
        (this.file, planner) = (file, new(settings, resources));
        Joined = PlannedConfig.Join(file, planner.Plan);
    }

    /// <summary>What the speaker is to be made with, and is kept at.</summary>
    public SpeakerConfig Joined { get; private set; }
    public NodePlan Plan => planner.Plan;
    public ImmutableArray<ResourceProblem> ResourceProblems => planner.Resources.Problems;
    /// <summary>A change was taken, with what the resources changed of the configuration: nothing where only services moved, or
    /// bgpd.yaml was read again.</summary>
    public Action<ImmutableArray<string>>? Taken { get; set; }

    /// <summary>From now on it is this speaker, which was made with <see cref="Joined"/> and runs.</summary>
    public Task FollowAsync(SpeakerLoop newer) => AloneAsync(async () =>
    {
        (speaker, services) = (newer, newer.Producer("services"));
        RouteMove[] moves = [.. planner.AllAnnounced().Select(Weighed).Where(move => move.Announced)];
        Note(moves);
        await services.SetAsync([.. moves]).ConfigureAwait(false);
    });

    /// <summary>
    /// From now on these of services' addresses lead somewhere, and no others: what leads nowhere is not announced. Ends when the speaker
    /// has taken it.
    /// </summary>
    /// <param name="now">Null: where they lead is others' affair.</param>
    /// <returns>Of those that lead nowhere any more those that were announced: they may have been withdrawn before, with their
    /// services.</returns>
    public async Task<ImmutableHashSet<Address>> ServeAsync(ImmutableHashSet<Address>? now)
    {
        var gone = ImmutableHashSet<Address>.Empty;
        await AloneAsync(async () =>
        {
            var before = served;
            served = now;
            var moved = before == null || now == null ? null : before.SymmetricExcept(now);
            var concerned = moved == null ? planner.AllAnnounced()
                : moved.Select(address => planner.AnnouncedAt(new(address, address.Family.Bits()))).OfType<ServiceMove>();
            await MoveServicesAsync([.. concerned]).ConfigureAwait(false);
            if (now == null) announced.Clear();
            else if (moved != null) gone = [.. moved.Where(address => !now.Contains(address) && announced.Remove(address))];
        }).ConfigureAwait(false);
        return gone;
    }

    public Task ApplyAsync(ResourceChanges changes) => AloneAsync(() => StepAsync(planner.Apply(changes)));

    public Task ApplyAsync(ListOf<LocalWorkload> workloads) => AloneAsync(() =>
        workloads == planner.Settings.Workloads
            ? Task.CompletedTask : StepAsync(planner.Apply(planner.Settings with { Workloads = workloads })));

    /// <summary>bgpd.yaml was read again. The plan may be what it was: what counts is what the two come to together.</summary>
    /// <returns>One line for each thing that changed.</returns>
    public async Task<ImmutableArray<string>> ApplyAsync(SpeakerConfig newer, PlanSettings settings)
    {
        var changes = ImmutableArray<string>.Empty;
        await AloneAsync(async () =>
        {
            var (weighed, announced) = (planner.Settings.WeighServices, planner.ServiceRoutes.ToArray());
            file = newer;
            var step = planner.Apply(settings with { Workloads = planner.Settings.Workloads });
            changes = [
                .. await ConfigureAsync().ConfigureAwait(false),
                .. PlanDifferences.Between(announced, planner.ServiceRoutes, weighed, settings.WeighServices),
            ];
            await MoveServicesAsync(step.Moves).ConfigureAwait(false);
            Taken?.Invoke([]);
        }).ConfigureAwait(false);
        return changes;
    }

    /// <summary>What another bgpd.yaml would change, the resources being what they are.</summary>
    public async Task<ImmutableArray<string>> CheckAsync(SpeakerConfig newer, PlanSettings settings)
    {
        var changes = ImmutableArray<string>.Empty;
        await AloneAsync(() =>
        {
            var (plan, others) = planner.Instead(settings with { Workloads = planner.Settings.Workloads }, planner.Resources);
            var joined = PlannedConfig.Join(newer, plan);
            changes = [
                .. speaker?.ChangesTo(joined) ?? ConfigChanges.Between(Joined, joined),
                .. PlanDifferences.Between(planner.ServiceRoutes, others, planner.Settings.WeighServices, settings.WeighServices),
            ];
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

    /// <summary>Whose pods' block the route is of, and who holds the address, in words; null: it is of none.</summary>
    public async Task<string?> BlockAsync(Prefix prefix)
    {
        string? words = null;
        await AloneAsync(() =>
        {
            words = BlockRules.Words(planner.Resources, prefix);
            return Task.CompletedTask;
        }).ConfigureAwait(false);
        return words;
    }

    /// <summary>The resources changed, and bgpd.yaml did not: where the plan is what it was, so is the whole.</summary>
    private async Task StepAsync(PlanStep step)
    {
        var changes = step.Plan == null ? [] : await ConfigureAsync().ConfigureAwait(false);
        await MoveServicesAsync(step.Moves).ConfigureAwait(false);
        Taken?.Invoke(changes);
    }

    private async Task<ImmutableArray<string>> ConfigureAsync()
    {
        Joined = PlannedConfig.Join(file, planner.Plan);
        return speaker == null ? [] : await speaker.ConfigureAsync(Joined).ConfigureAwait(false);
    }

    private Task MoveServicesAsync(ImmutableArray<ServiceMove> moves)
    {
        if (services == null) return Task.CompletedTask;
        RouteMove[] weighed = [.. moves.Select(Weighed)];
        Note(weighed);
        return services.MoveAsync([.. weighed]);
    }

    private void Note(RouteMove[] moves)
    {
        if (served != null) announced.UnionWith(moves.Where(move => move.Announced).Select(move => move.Prefix.Address));
    }

    private RouteMove Weighed(ServiceMove move) => new(move.Prefix, move.Announced && (served?.Contains(move.Prefix.Address) ?? true),
        planner.Settings.WeighServices ? move.Weight : 0);

    private async Task AloneAsync(Func<Task> work)
    {
        await oneAtATime.WaitAsync().ConfigureAwait(false);
        try { await work().ConfigureAwait(false); }
        finally { oneAtATime.Release(); }
    }

    public void Dispose() => oneAtATime.Dispose();
}
