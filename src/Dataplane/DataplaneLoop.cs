using System.Collections.Immutable;
using System.Threading.Channels;
using Calico.Bgp.Kernel;
using Calico.Bgp.Kernel.Conntrack;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Dataplane;

/// <summary>
/// Owns what this node does to packets: takes resources, the BGP side's facts and the kernel's news, plans, renders, and hands the table to
/// the kernel's side. Until the resources are known nothing is written, so that what an earlier run left goes on working.
/// </summary>
public sealed class DataplaneLoop(
    string node, NatSettings settings, INftables nftables, IKernel kernel, ConnectionTable connections, TimeProvider clock, ILogger<DataplaneLoop> log)
    : IDataplane, IAsyncDisposable
{
    /// <summary>The table that is ours.</summary>
    public const string Table = "bgpd";

    private readonly ImmutableArray<IFeature> features = [new Masquerade()];
    private readonly Channel<Action> inbox = Channel.CreateUnbounded<Action>(new() { SingleReader = true });
    private readonly UpstreamHysteresis hysteresis = new(clock);
    private readonly ChangedConnections changed = new(connections, log);
    private readonly CancellationTokenSource stopping = new();
    private string node = node;
    private NatSettings settings = settings;
    private ResourceSnapshot? resources;
    private RoutingFacts facts = RoutingFacts.None;
    private UpstreamWays ways = new([], KernelSnapshot.Empty);
    private volatile RoutingQuestion question = RoutingQuestion.None;
    private NatPlan? applied;
    private ITimer? timer;
    private Task running = Task.CompletedTask;
    private volatile NatView view = NatView.Off with { Enabled = settings.Enabled };

    /// <summary>What whoever knows sessions and routes shall tell.</summary>
    public RoutingQuestion Question => question;

    /// <summary>Called on the dataplane's loop after <see cref="Question"/> has changed; must not block.</summary>
    public event Action? Asking;

    public NatView View => view with { Table = nftables.Status };

    public void Start()
    {
        timer = clock.CreateTimer(_ => Post(() => { }), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        kernel.Changed += Look;
        running = Task.Run(RunAsync);
    }

    /// <summary>The resources as they are now. Thread-safe, as all of these.</summary>
    public void Take(ResourceSnapshot newer) => Post(() => resources = newer);

    public void Tell(RoutingFacts newer) => Post(() => facts = newer);

    /// <summary>bgpd.yaml was read again.</summary>
    public void Configure(string newNode, NatSettings newer) => Post(() => (node, settings) = (newNode, newer));

    /// <summary>Ends when what was said before is in force.</summary>
    public Task SettledAsync()
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(done.SetResult, done);
        return done.Task;
    }

    public NatExplanation Explain(Address source, Address destination) =>
        new NatExplainer(view.Plan, address => kernel.Current.Addresses.Any(own => own.Address == address)).Explain(source, destination);

    /// <summary>Other routes of the kernel's decide what leads upstream, and nothing else here.</summary>
    private void Look(KernelSnapshot _)
    {
        if (question.IsAsked) Post(() => { });
    }

    private void Post(Action what) => inbox.Writer.TryWrite(what);

    private void Post(Action afterwards, TaskCompletionSource done)
    {
        if (!inbox.Writer.TryWrite(() => settled.Add(afterwards))) done.SetCanceled();
    }

    private readonly List<Action> settled = [];

    private async Task RunAsync()
    {
        try
        {
            while (await inbox.Reader.WaitToReadAsync(stopping.Token).ConfigureAwait(false))
            {
                while (inbox.Reader.TryRead(out var what)) what();
                if (resources != null) await RoundAsync(resources).ConfigureAwait(false);
                foreach (var done in settled) done();
                settled.Clear();
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested) { }
        catch (Exception defect)
        {
            DataplaneLog.Stopped(log, defect);
        }
    }

    private async Task RoundAsync(ResourceSnapshot now)
    {
        if (!ways.IsOf(facts, kernel.Current)) ways = new(facts.Routes, kernel.Current);
        var upstream = new Upstream(settings.Upstream, now, facts, ways);
        var offers = now.IPPools.Values.Where(pool => pool.NatOutgoing).ToDictionary(pool => pool.Name, upstream.For);
        var holds = hysteresis.Update(offers, settings.Upstream.StableFor, out var wait);
        timer!.Change(wait ?? Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        var plan = new NatPlanner(node, now, settings, upstream.IsConfigured, offers, holds).Plan();
        var peers = facts.Peers.Select(peer => new UpstreamPeerView(peer.Name, peer.Established, upstream.Translates(peer))).ToImmutableArray();
        if (plan != applied) await ApplyAsync(plan).ConfigureAwait(false);
        var pools = now.IPPools.Values.Where(pool => pool.NatOutgoing).Select(pool => pool.Cidr).Order();
        Ask(new(settings.Enabled && upstream.IsConfigured, [.. pools]));
        view = new(settings.Enabled, true, plan, peers, NftStatus.None, changed.Count);
    }

    private void Ask(RoutingQuestion newer)
    {
        if (newer == question) return;
        question = newer;
        Asking?.Invoke();
    }

    private async Task ApplyAsync(NatPlan plan)
    {
        Say(plan);
        if (settings.Enabled) await nftables.ApplyAsync(Render(plan), stopping.Token).ConfigureAwait(false);
        else await nftables.FlushAsync(stopping.Token).ConfigureAwait(false);
        // What was in force before this run is not known, so nothing can be told to have changed.
        if (applied != null && settings.OnChange == OnPoolChange.Cut && applied.WithoutUpstream() != plan.WithoutUpstream()) changed.Cut(applied, plan);
        applied = plan;
    }

    private NftTable Render(NatPlan plan)
    {
        var rules = features.Select(feature => feature.Render(plan)).ToArray();
        return new(Table, [.. rules.SelectMany(part => part.Sets)], [.. rules.SelectMany(part => part.Chains)]) { Comment = "bgpd keeps this table" };
    }

    private void Say(NatPlan plan)
    {
        var before = applied?.Pools.ToDictionary(pool => pool.Name, pool => pool.Treatment) ?? [];
        foreach (var pool in plan.Pools)
            if (!before.TryGetValue(pool.Name, out var treatment) || treatment != pool.Treatment)
                DataplaneLog.Treats(log, pool.Name, pool.Treatment.Word(), pool.Reason);
    }

    /// <summary>The table stays.</summary>
    public async ValueTask DisposeAsync()
    {
        kernel.Changed -= Look;
        await stopping.CancelAsync().ConfigureAwait(false);
        inbox.Writer.TryComplete();
        await running.ConfigureAwait(false);
        if (timer != null) await timer.DisposeAsync().ConfigureAwait(false);
        stopping.Dispose();
    }
}
