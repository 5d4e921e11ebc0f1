using System.Collections.Immutable;
using System.ComponentModel;
using System.Threading.Channels;
using Calico.Bgp.Dataplane.Dns;
using Calico.Bgp.Dataplane.Egress;
using Calico.Bgp.Dataplane.Egress.Replication;
using Calico.Bgp.Dataplane.Extending;
using Calico.Bgp.Dataplane.Packets;
using Calico.Bgp.Dataplane.Policies;
using Calico.Bgp.Dataplane.Services;
using Calico.Bgp.Dataplane.Services.Kubernetes;
using Calico.Bgp.Kernel;
using Calico.Bgp.Kernel.Conntrack;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Dataplane;

/// <summary>
/// Owns what this node does to packets: takes resources, the BGP side's facts and the kernel's news, plans, renders, and hands the table to
/// the kernel's side. Until the resources are known what an earlier run left goes on working, or else <see cref="FirstTable"/>.
/// </summary>
public sealed partial class DataplaneLoop : IAsyncDisposable
{
    /// <summary>The table that is ours.</summary>
    public const string Table = "bgpd";

    private const int Waiting = 64;

    /// <summary>No kernel tells that a table of another's has come.</summary>
    private static readonly TimeSpan BetweenProxies = TimeSpan.FromSeconds(10);

    private readonly INftables nftables;
    private readonly IKernel kernel;
    private readonly Loops loops;
    private readonly TimeProvider clock;
    private readonly TableWriter table = new();
    private readonly ChangedConnections changed;
    private readonly Nat nat;
    private readonly Enforcement enforcement;
    private readonly PolicyLog policyLog;
    private readonly DnsLoop dns;
    private readonly ServiceNat services;
    private readonly NatExtensions extensions;
    private readonly HealthPorts health;
    private readonly Egress.Egress egress;
    private readonly EgressRouting? routing;
    private readonly EgressFlowLog flowLog;
    private readonly FlowReplication replication;
    private readonly EgressCounting egressCounts = new();
    private readonly NarrowedConnections narrowed;
    private readonly MovedConnections egressMoves;
    private readonly ImmutableArray<IFeature> features;
    private readonly Channel<DataplaneNews> inbox =
        Channel.CreateBounded<DataplaneNews>(new BoundedChannelOptions(Waiting) { SingleReader = true });
    private readonly List<TaskCompletionSource> settling = [];
    private readonly CancellationTokenSource stopping = new();
    private DataplaneSettings settings;
    private bool resourcesAreKnown, isFlushed, looksForProxies, isServingTold;
    private long? proxiesAsked;

    /// <summary>As it was told last.</summary>
    private ImmutableHashSet<Address>? served;
    private KernelSnapshot? machine;
    private KernelSnapshot heard = KernelSnapshot.Empty;
    private volatile RoutingQuestion question = RoutingQuestion.None;
    private ITimer? timer;
    private Loop? loop;
    private volatile NatView view;
    private volatile PolicyView policy;
    private volatile ServicesStatus servicesStatus = ServicesStatus.Off;

    /// <summary>By what another proxy of Kubernetes' services is known: asked again and again while they are to be translated.</summary>
    public Func<KernelSnapshot, string?>? OtherProxy { get; init; }

    /// <summary>
    /// Whoever announces services' addresses is told of those that lead somewhere: of what comes when it is in force, and of what goes
    /// before it goes. Null: they are translated by others. Answered is which of those that are gone were announced.
    /// </summary>
    public Func<ImmutableHashSet<Address>?, Task<ImmutableHashSet<Address>>>? Serving { get; init; }

    /// <param name="goesOn">Another process has had this work until now, and nothing was lost.</param>
    public DataplaneLoop(
        DataplaneSettings settings, INftables nftables, IKernel kernel, ConnectionTable connections, Loops loops, TimeProvider clock,
        ILogger<DataplaneLoop> log, ImmutableArray<INatExtension> extended = default, EgressRouting? routing = null, bool goesOn = false)
    {
        (this.settings, this.nftables, this.kernel, this.loops, this.clock, this.routing) =
            (settings, nftables, kernel, loops, clock, routing);
        changed = new(connections, log);
        nat = new(clock, changed, log);
        enforcement = new(() => nftables.QueueWay, clock);
        dns = new(nftables, kernel, loops, clock, log);
        policyLog = new(loops, clock, log, (packets, stop) => AskAsync(known => packets.ConvertAll(known.JudgeOf), stop), stopping.Token);
        services = new(new(connections, loops, clock, log), clock, log);
        health = new(loops, clock, log);
        narrowed = new(nftables, kernel, connections, loops, clock, log);
        extensions = new(extended.IsDefault ? [] : extended, log);
        egress = new(log, clock, egressMoves = new(connections, loops, clock, log, egressCounts, stop => replication!.SettledAsync(stop)),
            egressCounts);
        flowLog = new(loops, clock, log, stop => EgressAsync(known => known.Flows, stop), () => replication!.WrittenBy, stopping.Token);
        replication = new(loops, clock, log, egressCounts, Look, isBehind: !goesOn, stopping.Token);
        features = [extensions, services, egress, nat, enforcement];
        view = NatView.Off with { Enabled = settings.Nat?.Enabled == true };
        policy = PolicyView.Off with { IsBeginning = settings.Policy?.Enabled == true };
        servicesStatus = ServicesStatus.Off with { IsBeginning = settings.Services?.Enabled == true };
        egressView = new(EgressView.Off with { IsBeginning = settings.Egress?.Enabled == true });
    }

    /// <summary>What the command line had said before this began.</summary>
    public CommandLineState CommandLine
    {
        init => services.CommandLine = value;
    }

    /// <summary>What it has said by now.</summary>
    public Task<CommandLineState> CommandLineAsync(CancellationToken stop = default) => ServicesAsync(known => known.CommandLine, stop);

    /// <summary>What whoever knows sessions and routes shall tell.</summary>
    public RoutingQuestion Question => question;

    /// <summary>Called on the dataplane's loop after <see cref="Question"/> has changed; must not block.</summary>
    public event Action? Asking;

    public NatView View => view with { Table = nftables.Status };

    public PolicyView Policy =>
        policy.Enabled ? policy with { Problems = PolicyProblem.Of(nftables.Status), ConnectionsCut = narrowed.Count } : policy;

    public DnsView Dns => dns.View;

    public DeniedView Denied => policyLog.Denied with { IsLogged = policy.LogsDenied };

    public ServicesStatus Services => servicesStatus;

    public void Start()
    {
        timer = clock.CreateTimer(_ => Look(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        kernel.Changed += Look;
        // Half a plan is in force: begun anew, everything is planned and compared with what the kernel holds.
        loop = loops.Start("dataplane", OnDefect.EndProcess, RunAsync, stop: stopping.Token);
    }

    /// <summary>What has changed of the resources; at first all that there are, which may be none. Waits while the inbox is full;
    /// thread-safe, as all of these.</summary>
    public ValueTask ApplyAsync(ImmutableArray<ResourceChange> changed) => inbox.Writer.WriteAsync(new DataplaneNews.Resources(changed));

    public ValueTask TellAsync(RoutingFacts newer) => inbox.Writer.WriteAsync(new DataplaneNews.Routing(newer));

    /// <summary>bgpd.yaml was read again.</summary>
    public ValueTask ConfigureAsync(DataplaneSettings newer) => inbox.Writer.WriteAsync(new DataplaneNews.Configured(newer));

    /// <summary>Ends when what was said before is in force.</summary>
    public async Task SettledAsync()
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await inbox.Writer.WriteAsync(new DataplaneNews.Settle(reached)).ConfigureAwait(false);
        await reached.Task.ConfigureAwait(false);
    }

    public async Task<PolicyCounts> CountPoliciesAsync(CancellationToken stop = default)
    {
        if (!policy.Enabled) return PolicyCounts.None;
        var counts = await nftables.CountersAsync(Enforcement.Prefix, stop).ConfigureAwait(false);
        return await AskAsync(known => known.Counted(counts), stop).ConfigureAwait(false);
    }

    public async Task<PolicyPicture?> PolicyPictureAsync(CancellationToken stop = default)
    {
        if (!policy.Enabled) return null;
        var host = new RunningHost(kernel.Current);
        var picture = (await AskAsync(known => known.Picture(host), stop).ConfigureAwait(false)).With(Policy.Problems);
        try
        {
            var counts = (await CountPoliciesAsync(stop).ConfigureAwait(false)).Policies.ToLookup(count => count.Of);
            return picture with { Policies = [.. picture.Policies.Select(one => one with { Counts = [.. counts[one.Policy.Id]] })] };
        }
        catch (Win32Exception refused)
        {
            return picture with { Uncounted = refused.Message };
        }
    }

    public Task<ServicesView> ServicesAsync(CancellationToken stop = default) =>
        ServicesAsync(known => known.View.With(extensions.Problems, health.Problems), stop);

    public Task<string?> NodeTakenAsync(Translation translation, CancellationToken stop = default) => ServicesAsync(
        known => known.HasSaid(translation.Key) ? null : known.NodeTaken(translation.Key), stop);

    public async Task<TranslationRow?> AddTranslationAsync(Translation translation, CancellationToken stop = default)
    {
        if (await ServicesAsync(known => known.Add(translation), stop).ConfigureAwait(false) is not { } id) return null;
        await SettledAsync().WaitAsync(stop).ConfigureAwait(false);
        return await ServicesAsync(known => known.Row(id), stop).ConfigureAwait(false);
    }

    public async Task<bool> RemoveTranslationAsync(int id, CancellationToken stop = default)
    {
        var removed = await ServicesAsync(known => known.Remove(id), stop).ConfigureAwait(false);
        if (removed) await SettledAsync().WaitAsync(stop).ConfigureAwait(false);
        return removed;
    }

    public async Task<ImmutableArray<ServiceSession>?> SessionsAsync(SessionFilter which, CancellationToken stop = default) =>
        await ServicesAsync(known => known.Owners, stop).ConfigureAwait(false) is { } owners
            ? ServiceSessions.Read(owners, which) : null;

    public async Task<int?> EndSessionsAsync(SessionFilter which, CancellationToken stop = default) =>
        await ServicesAsync(known => known.Owners, stop).ConfigureAwait(false) is { } owners
            ? ServiceSessions.End(owners, which) : null;

    public Task<SourceNatView?> SourceNatAsync(CancellationToken stop = default) => ServicesAsync(known => known.SourceNatView, stop);

    public Task<SourceNatView?> EditSourceNatAsync(SourceNatEdit edit, CancellationToken stop = default) =>
        EditSourceNatAsync(edits => edits.With(edit), stop);

    public Task<SourceNatView?> ResetSourceNatAsync(CancellationToken stop = default) =>
        EditSourceNatAsync(_ => SourceNatEdits.None, stop);

    public async Task<int?> EndMaskedAsync(Prefix destination, CancellationToken stop = default) =>
        await ServicesAsync(known => known.GivenSources, stop).ConfigureAwait(false) is { } sources
            ? ServiceSessions.EndMasked(destination, sources) : null;

    private async Task<SourceNatView?> EditSourceNatAsync(Func<SourceNatEdits, SourceNatEdits> edit, CancellationToken stop)
    {
        var now = await ServicesAsync(known => known.EditSourceNat(edit), stop).ConfigureAwait(false);
        if (now != null) await SettledAsync().WaitAsync(stop).ConfigureAwait(false);
        return now;
    }

    private async Task<T> ServicesAsync<T>(Func<ServiceNat, T> look, CancellationToken stop)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        await inbox.Writer.WriteAsync(new DataplaneNews.AskServices(known => answer.TrySetResult(look(known))), stop).ConfigureAwait(false);
        return await answer.Task.WaitAsync(stop).ConfigureAwait(false);
    }

    public async Task<ImmutableArray<DnsCacheEntry>> DnsCacheAsync(string? name, CancellationToken stop = default)
    {
        var entries = await dns.NamesAsync(name, stop).ConfigureAwait(false);
        if (entries.IsEmpty) return [];
        return await AskAsync<ImmutableArray<DnsCacheEntry>>(known =>
            [.. entries.Select(one => one with { Endpoint = known.EndpointOn(one.Endpoint) ?? one.Endpoint })], stop).ConfigureAwait(false);
    }

    public async Task<DnsHeard> DnsWatchAsync(long? after, CancellationToken stop = default)
    {
        var heard = dns.Watch(after);
        if (heard.Lookups.IsEmpty) return heard;
        return heard with
        {
            Lookups = await AskAsync<ImmutableArray<DnsLookup>>(known =>
                [.. heard.Lookups.Select(one => one with { Endpoint = known.EndpointOn(one.Endpoint) ?? one.Endpoint })], stop)
                .ConfigureAwait(false),
        };
    }

    private async Task<T> AskAsync<T>(Func<Enforcement, T> look, CancellationToken stop)
    {
        var answer = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        await inbox.Writer.WriteAsync(new DataplaneNews.Ask(known => answer.TrySetResult(look(known))), stop).ConfigureAwait(false);
        return await answer.Task.WaitAsync(stop).ConfigureAwait(false);
    }

    /// <summary>Of the kernel's, other links and addresses make other endpoints, and services lead elsewhere; other routes decide what
    /// leads upstream, and nothing else here. Told by one loop, one after the other.</summary>
    private void Look(KernelSnapshot now)
    {
        var isOther = now.Links != heard.Links || now.Addresses != heard.Addresses
            || (!tidings.Watched.Items.IsEmpty && now.Routes != heard.Routes);
        heard = now;
        if (isOther || question.IsAsked) Look();
    }

    private void Look() => inbox.Writer.TryWrite(DataplaneNews.Look.Again);

    private async Task RunAsync(Loop loop)
    {
        try
        {
            Tell(new DataplaneChange.Configured(settings));
            await AdoptAsync(loop).ConfigureAwait(false);
            while (await loop.NewsAsync(inbox.Reader, stopping.Token).ConfigureAwait(false))
            {
                while (inbox.Reader.TryRead(out var news)) Handle(news);
                if (resourcesAreKnown) await RoundAsync(loop).ConfigureAwait(false);
                foreach (var settled in settling) settled.SetResult();
                settling.Clear();
            }
        }
        finally
        {
            inbox.Writer.TryComplete();
            while (inbox.Reader.TryRead(out var news)) Handle(news);
            foreach (var unsettled in settling) unsettled.SetCanceled();
        }
    }

    private async Task AdoptAsync(Loop loop)
    {
        await AdoptServicesAsync(loop).ConfigureAwait(false);
        if (routing == null) return;
        var tables = routing.TablesAsync(stopping.Token);
        await loop.WaitForAsync(tables).ConfigureAwait(false);
        egress.Adopt(await tables.ConfigureAwait(false));
    }

    private async Task AdoptServicesAsync(Loop loop)
    {
        var keys = nftables.KeysAsync(ServiceParts.AllFronts, stopping.Token);
        try
        {
            await loop.WaitForAsync(keys).ConfigureAwait(false);
            services.Adopt(await keys.ConfigureAwait(false));
        }
        // Whoever reads the table next says why it cannot be.
        catch (Win32Exception) { }
    }

    private void Handle(DataplaneNews news)
    {
        switch (news)
        {
            case DataplaneNews.Resources(var changed): Apply(changed); break;
            case DataplaneNews.Routing(var newest): Tell(new DataplaneChange.Routing(newest)); break;
            case DataplaneNews.Unheard(var hosts): Tell(new DataplaneChange.Unheard(hosts)); break;
            case DataplaneNews.Failing(var gateways): Tell(new DataplaneChange.Failing(gateways)); break;
            case DataplaneNews.Configured(var newest): Tell(new DataplaneChange.Configured(settings = newest)); break;
            case DataplaneNews.Settle(var reached): settling.Add(reached); break;
            case DataplaneNews.Ask(var look): look(enforcement); break;
            case DataplaneNews.AskServices(var look): look(services); break;
            case DataplaneNews.AskEgress(var look): look(egress); break;
        }
    }

    private void Apply(ImmutableArray<ResourceChange> changed)
    {
        resourcesAreKnown = true;
        foreach (var change in changed) Tell(new DataplaneChange.Object(change));
    }

    private void Tell(DataplaneChange change)
    {
        foreach (var feature in features)
            if (feature.Concerns(change)) feature.Apply(change);
    }

    private async Task RoundAsync(Loop loop)
    {
        if (kernel.Current is var now && !ReferenceEquals(now, machine)) Tell(new DataplaneChange.Machine(machine = now));
        LookForProxies();
        var differs = false;
        egress.IsBehind = replication.IsBehind;
        foreach (var feature in features) differs |= feature.Look();
        differs |= services.Withdrawn(await ServeAsync(loop, isInForce: false).ConfigureAwait(false));
        flowLog.Listen(egress.LogsFlows);
        if (!settings.IsOn) await FlushAsync(loop).ConfigureAwait(false);
        else if (differs || table.IsFresh)
            do await ApplyAsync(loop).ConfigureAwait(false);
            while (enforcement.IsToBeSwept);
        else if (dns.Due != null) await loop.WaitForAsync(dns.ListenAsync(enforcement.Names, stopping.Token)).ConfigureAwait(false);
        var due = features.Select(feature => feature.Due).Append(looksForProxies ? BetweenProxies : null).Append(dns.Due).Min();
        timer!.Change(due ?? Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        // Flows of an address that comes or goes are put right before connections are ended that stand otherwise.
        var shared = egress.Replication;
        if (replication.MovesBy(shared)) egressMoves.Hold();
        replication.Want(shared);
        if (differs)
            foreach (var feature in features) feature.InForce();
        egressMoves.Release();
        await ServeAsync(loop, isInForce: true).ConfigureAwait(false);
        await loop.WaitForAsync(health.HaveAsync(services.HealthChecks)).ConfigureAwait(false);
        servicesStatus = services.Status.With(extensions.Problems, health.Problems);
        policy = enforcement.View;
        policyLog.Listen(enforcement.Logs);
        Ask(nat.Question);
        Say(egress);
        view = new(settings.Nat?.Enabled == true, true, nat.Plan, nat.Peers, NftStatus.None, changed.Count);
    }

    /// <returns>What was announced, and is no more.</returns>
    private async Task<ImmutableHashSet<Address>> ServeAsync(Loop loop, bool isInForce)
    {
        if (Serving == null || (!isInForce && served == null)) return [];
        var now = services.Served;
        if ((isServingTold && ReferenceEquals(now, served)) || (!isInForce && now == null)) return [];
        var tell = isInForce ? now : served!.Intersect(now!);
        var isSame = tell != null && served != null && tell.SetEquals(served);
        (served, isServingTold) = (tell, true);
        if (isSame) return [];
        var told = Serving(tell);
        await loop.WaitForAsync(told).ConfigureAwait(false);
        return await told.ConfigureAwait(false);
    }

    private void LookForProxies()
    {
        looksForProxies = OtherProxy != null && settings.Services is { Enabled: true, Kubernetes: true };
        if (!looksForProxies || (proxiesAsked is { } before && clock.GetElapsedTime(before) < BetweenProxies)) return;
        proxiesAsked = clock.GetTimestamp();
        Tell(new DataplaneChange.OtherProxy(OtherProxy!(machine!)));
    }

    private void Ask(RoutingQuestion newer)
    {
        if (newer == question) return;
        question = newer;
        Asking?.Invoke();
    }

    private async Task ApplyAsync(Loop loop)
    {
        isFlushed = false;
        // What was in force before this run is not known, so nothing can be told to have changed.
        var cuts = !table.IsFresh;
        narrowed.Come(enforcement.TakeCome());
        // Routes that packets are led to stand before the rules that lead them, and go behind them.
        if (routing != null) await loop.WaitForAsync(routing.PrepareAsync(egress.Routes, stopping.Token)).ConfigureAwait(false);
        foreach (var feature in features) feature.Write(table.For(feature));
        var changes = table.Take();
        await loop.WaitForAsync(dns.WriteAsync(changes, enforcement.Names, stopping.Token)).ConfigureAwait(false);
        if (routing != null) await loop.WaitForAsync(routing.CleanAsync(stopping.Token)).ConfigureAwait(false);
        if (cuts) narrowed.Look(enforcement.TakeScope(changes));
    }

    private async Task FlushAsync(Loop loop)
    {
        if (isFlushed) return;
        isFlushed = true;
        table.Forget();
        await loop.WaitForAsync(nftables.FlushAsync(stopping.Token)).ConfigureAwait(false);
        await loop.WaitForAsync(dns.StopAsync()).ConfigureAwait(false);
        if (routing != null) await loop.WaitForAsync(routing.EndAsync(stopping.Token)).ConfigureAwait(false);
    }

    /// <summary>The table stays.</summary>
    public async ValueTask DisposeAsync()
    {
        kernel.Changed -= Look;
        await stopping.CancelAsync().ConfigureAwait(false);
        inbox.Writer.TryComplete();
        if (loop != null) await loop.Ended.ConfigureAwait(false);
        await dns.DisposeAsync().ConfigureAwait(false);
        await policyLog.DisposeAsync().ConfigureAwait(false);
        foreach (var cutting in (IAsyncDisposable[])[narrowed, egressMoves]) await cutting.DisposeAsync().ConfigureAwait(false);
        await services.EndAsync().ConfigureAwait(false);
        await flowLog.DisposeAsync().ConfigureAwait(false);
        await replication.DisposeAsync().ConfigureAwait(false);
        await health.DisposeAsync().ConfigureAwait(false);
        if (timer != null) await timer.DisposeAsync().ConfigureAwait(false);
        stopping.Dispose();
    }
}
