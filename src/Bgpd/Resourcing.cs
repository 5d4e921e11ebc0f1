using System.Collections.Immutable;
using System.ComponentModel;
using Calico.Bgp.Configuration;
using Calico.Bgp.Dataplane;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Sources;
using Calico.Bgp.Speaker;
using Calico.Bgp.Speaker.Plan;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Bgpd;

/// <summary>
/// The daemon's side of <c>sources</c>: runs them, waits for the first full state before anybody is told anything (a route withdrawn
/// because an object was not read yet is an outage), and has the plan follow from then on.
/// </summary>
internal sealed class Resourcing : IAsyncDisposable
{
    private readonly ResourceStore store;
    private readonly Trials trials;
    private readonly ResourceFeed feed;
    private readonly CancellationTokenSource ending = new();
    private readonly ILoggerFactory logs;
    private readonly ILogger<Resourcing> log;
    private readonly TimeProvider time;
    private readonly Loops loops;
    private readonly string endpointStatus;
    private Concern wanted;
    /// <summary>Those of now: other ones may come with another bgpd.yaml.</summary>
    private CancellationTokenSource endingSources = new();
    private IReadOnlyList<ISource> from;
    private Task sources;
    private Task following = Task.CompletedTask;
    private ListOf<PlanProblem> doubts;

    private Resourcing(DaemonConfig config, IReadOnlyList<ISource> from, Loops loops, TimeProvider time, ILoggerFactory logs)
    {
        (this.loops, this.time, this.logs, this.from) = (loops, time, logs, from);
        (log, endpointStatus) = (logs.CreateLogger<Resourcing>(), config.EndpointStatus);
        (Of, wanted) = (config.Sources, config.Wanted);
        store = new(from.Count + 1);
        trials = new(store, time, logs.CreateLogger<Trials>());
        feed = store.Subscribe(Concern.Plan);
        sources = Run();
    }

    /// <summary>What is tried lies over all that the others say.</summary>
    private Task Run() => new SourcesLoop(store, [.. from, trials.Source(from.Count)], loops, logs.CreateLogger<SourcesLoop>())
        .RunAsync(endingSources.Token);

    public PlanFollower? Plan { get; private set; }

    public ITrials Trials => trials;

    public ImmutableArray<HandedTrial> HandTrials() => trials.Hand();

    /// <summary>Nobody has taken over.</summary>
    public void KeepTrials() => trials.Keep();

    /// <summary>The daemon ends. Completes when it counts.</summary>
    /// <returns>False: nothing is tried, or another process has it.</returns>
    public Task<bool> EndTrialAsync() => trials.EndAsync();

    /// <summary>As the process before had them. Completes when they count.</summary>
    public Task TakeOverAsync(ImmutableArray<HandedTrial> handed) => trials.TakeOverAsync(handed);

    /// <summary>In the order in which they count.</summary>
    public IReadOnlyList<SourceStatus> Sources => [.. from.Select((source, number) => store.Status(number, source.Kind, source.Name))];

    /// <summary>All objects that count now.</summary>
    public ResourceSnapshot Current => store.Current;

    /// <summary>Where an object that asks for peers is defined; null: no file defines it.</summary>
    public ResourcePlace? PlaceOf(ResourceId resource) => store.PlaceOf(resource);

    /// <summary>Where the resources come from, or will once they have been read.</summary>
    public ImmutableArray<SourceConfig> Of { get; private set; }

    /// <summary>The same places, of which the same kinds are read.</summary>
    public bool IsOf(DaemonConfig config) => Of.SequenceEqual(config.Sources) && wanted == config.Wanted;

    /// <summary>Null where bgpd.yaml names no sources. They are being read.</summary>
    public static Resourcing? Make(DaemonConfig config, Loops loops, TimeProvider time, ILoggerFactory logs) =>
        ResourceSources.Of(config, time) is { Count: > 0 } from ? new(config, from, loops, time, logs) : null;

    /// <summary>Ends when all sources have been read; <see cref="Plan"/> is there then.</summary>
    public async Task BeginAsync(DaemonConfig config, CancellationToken stop)
    {
        var first = await feed.ReadAsync(stop).ConfigureAwait(false);
        var settings = config.Plan with { Workloads = EndpointStatuses.Read(config.EndpointStatus) };
        Plan = new(config.Speaker, settings, first.After) { Taken = Tell };
        if (config.Services is { Enabled: true, Kubernetes: true } && !IsTranslated()) await Plan.ServeAsync([]).ConfigureAwait(false);
        TellProblems([], first.After.Problems);
        TellDoubts();
    }

    /// <summary>
    /// Services' addresses wait for their translation; but where an earlier run's stand, neighbours hear of them as at once as before, and
    /// keep what they were told.
    /// </summary>
    private static bool IsTranslated()
    {
        try
        {
            using var rules = new ForeignRules();
            return rules.Has(family: null, DataplaneLoop.Table, FirstTable.ServicesChain);
        }
        catch (Win32Exception)
        {
            // Then nothing will be translated here, and whoever does it is not known.
            return true;
        }
    }

    /// <summary>Other sources in the place of those before. What those said stays until the new ones have been read.</summary>
    public async Task ReplaceAsync(DaemonConfig newer)
    {
        await EndSourcesAsync().ConfigureAwait(false);
        (endingSources, Of, wanted) = (new(), newer.Sources, newer.Wanted);
        from = ResourceSources.Of(newer, time);
        store.Restart(from.Count + 1);
        sources = Run();
    }

    private async Task EndSourcesAsync()
    {
        await endingSources.CancelAsync().ConfigureAwait(false);
        await sources.ConfigureAwait(false);
        endingSources.Dispose();
    }

    /// <summary>Another reader's view of the changes, from the first full state on.</summary>
    public ResourceFeed Subscribe(Concern concern) => store.Subscribe(concern);

    public async Task FollowAsync(SpeakerLoop speaker)
    {
        await Plan!.FollowAsync(speaker).ConfigureAwait(false);
        var resources = loops.Start("resources of the plan", OnDefect.EndProcess, FollowResourcesAsync, stop: ending.Token);
        var workloads = loops.Start("endpoint status", OnDefect.EndProcess, FollowWorkloadsAsync, stop: ending.Token);
        following = Task.WhenAll(resources.Ended, workloads.Ended);
    }

    private async Task FollowResourcesAsync(Loop loop)
    {
        while (true)
        {
            loop.Rest();
            var changes = await feed.ReadAsync(ending.Token).ConfigureAwait(false);
            loop.Beat();
            TellProblems(changes.Before.Problems, changes.After.Problems);
            await loop.WaitForAsync(Plan!.ApplyAsync(changes)).ConfigureAwait(false);
        }
    }

    private async Task FollowWorkloadsAsync(Loop loop)
    {
        using var watch = new EndpointStatusWatch(endpointStatus);
        while (true)
        {
            loop.Rest();
            await watch.NextAsync(time, ending.Token).ConfigureAwait(false);
            loop.Beat();
            await loop.WaitForAsync(Plan!.ApplyAsync(EndpointStatuses.Read(endpointStatus))).ConfigureAwait(false);
        }
    }

    private void Tell(ImmutableArray<string> changes)
    {
        if (!changes.IsEmpty) log.ResourcesTaken(string.Join("; ", changes));
        TellDoubts();
    }

    /// <summary>Each once, when it comes up.</summary>
    private void TellDoubts()
    {
        var now = Plan!.Plan.Problems;
        if (now == doubts) return;
        foreach (var doubt in now.Except(doubts))
            log.PlanDoubtful(doubt.Field.Length == 0 ? doubt.Object : $"{doubt.Object} {doubt.Field}", doubt.Reason);
        doubts = now;
    }

    private void TellProblems(ImmutableArray<ResourceProblem> before, ImmutableArray<ResourceProblem> after)
    {
        foreach (var problem in after.Except(before))
        {
            if (problem.IsWithoutEffect) log.ResourceWithoutEffect(problem);
            else if (problem.Severity == ProblemSeverity.Error) log.ResourceRefused(problem);
            else log.ResourceDoubtful(problem);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync().ConfigureAwait(false);
        await following.ConfigureAwait(false);
        await EndSourcesAsync().ConfigureAwait(false);
        feed.Dispose();
        Plan?.Dispose();
        ending.Dispose();
    }
}
