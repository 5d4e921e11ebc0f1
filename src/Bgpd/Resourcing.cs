using System.Collections.Immutable;
using Calico.Bgp.Configuration;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Sources;
using Calico.Bgp.Speaker;
using Calico.Bgp.Speaker.Plan;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Bgpd;

/// <summary>
/// The daemon's side of <c>sources</c>: runs them, waits for the first full state before anybody is told anything (a route withdrawn because
/// an object was not read yet is an outage), and has the plan follow from then on.
/// </summary>
internal sealed class Resourcing : IAsyncDisposable
{
    private static readonly TimeSpan WorkloadLook = TimeSpan.FromSeconds(2);

    private readonly ResourceStore store;
    private readonly ResourceFeed feed;
    private readonly CancellationTokenSource ending = new();
    private readonly Task sources;
    private readonly ILogger<Resourcing> log;
    private readonly TimeProvider time;
    private readonly string endpointStatus;
    private Task following = Task.CompletedTask;
    private ListOf<PlanProblem> doubts;

    private Resourcing(DaemonConfig config, IReadOnlyList<ISource> from, TimeProvider time, ILogger<Resourcing> log)
    {
        (this.time, this.log, endpointStatus) = (time, log, config.EndpointStatus);
        store = new(from.Count);
        feed = store.Subscribe();
        sources = Task.Run(() => new SourcesLoop(store, from).RunAsync(ending.Token));
    }

    public PlanFollower? Plan { get; private set; }

    /// <summary>Null where bgpd.yaml names no sources. Ends when all of them have been read.</summary>
    public static async Task<Resourcing?> StartAsync(DaemonConfig config, TimeProvider time, ILogger<Resourcing> log, CancellationToken stop)
    {
        var from = ResourceSources.Of(config, time);
        if (from.Count == 0) return null;
        var resourcing = new Resourcing(config, from, time, log);
        var first = await resourcing.feed.ReadAsync(stop).ConfigureAwait(false);
        var settings = config.Plan with { Workloads = EndpointStatuses.Read(config.EndpointStatus) };
        resourcing.Plan = new(config.Speaker, settings, first.After) { Taken = resourcing.Tell };
        resourcing.TellProblems([], first.After.Problems);
        resourcing.TellDoubts();
        return resourcing;
    }

    /// <summary>Another reader's view of the changes, from the first full state on.</summary>
    public ResourceFeed Subscribe() => store.Subscribe();

    public async Task FollowAsync(SpeakerLoop speaker)
    {
        await Plan!.FollowAsync(speaker).ConfigureAwait(false);
        following = Task.WhenAll(FollowResourcesAsync(), FollowWorkloadsAsync());
    }

    private async Task FollowResourcesAsync()
    {
        try
        {
            while (true)
            {
                var changes = await feed.ReadAsync(ending.Token).ConfigureAwait(false);
                TellProblems(changes.Before.Problems, changes.After.Problems);
                await Plan!.TakeAsync(changes).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested) { }
    }

    /// <summary>Pods that peer come seldom, and Felix writes their files one by one: looking now and then costs nothing.</summary>
    private async Task FollowWorkloadsAsync()
    {
        try
        {
            while (true)
            {
                await Task.Delay(WorkloadLook, time, ending.Token).ConfigureAwait(false);
                await Plan!.TakeAsync(EndpointStatuses.Read(endpointStatus)).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested) { }
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
        foreach (var doubt in now.Except(doubts)) log.PlanDoubtful(doubt.Object, doubt.Field, doubt.Reason);
        doubts = now;
    }

    private void TellProblems(ImmutableArray<ResourceProblem> before, ImmutableArray<ResourceProblem> after)
    {
        foreach (var problem in after.Except(before))
        {
            if (problem.Severity == ProblemSeverity.Error) log.ResourceRefused(problem);
            else log.ResourceDoubtful(problem);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync().ConfigureAwait(false);
        await following.ConfigureAwait(false);
        await sources.ConfigureAwait(false);
        feed.Dispose();
        Plan?.Dispose();
        ending.Dispose();
    }
}
