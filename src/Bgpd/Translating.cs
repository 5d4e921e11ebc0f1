using System.Collections.Immutable;
using System.ComponentModel;
using Calico.Bgp.Bfd;
using Calico.Bgp.Configuration;
using Calico.Bgp.Control.Http;
using Calico.Bgp.Dataplane;
using Calico.Bgp.Dataplane.Dns;
using Calico.Bgp.Dataplane.Egress;
using Calico.Bgp.Dataplane.Services;
using Calico.Bgp.Dataplane.Services.Kubernetes;
using Calico.Bgp.Kernel;
using Calico.Bgp.Kernel.Conntrack;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Speaker;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Bgpd;

/// <summary>
/// The daemon's side of <c>nat</c>, <c>policy</c>, <c>services</c> and <c>egress</c>, which may come into bgpd.yaml, change, and go again
/// while the daemon runs. Where all are missing from the start nothing of nftables is touched: another daemon may be at work there. Where
/// they go, our table goes with them. Where the kernel does not let us at its rules, that is said, and BGP goes on: its end would take more
/// from the pods than their translation.
/// </summary>
internal sealed class Translating(
    SavedTranslations saved, KnownWorkloads workloads, Resourcing? resources, IKernel kernel, Holding holding, SpeakerView speaker,
    Gateways gateways, Loops loops, TimeProvider time, ILoggerFactory logs) : IDataplane, IAsyncDisposable
{
    private static readonly NatExplanation Off = new(false, null, ["NAT is off (bgpd.yaml has no section nat)"]);

    private readonly ILogger<Translating> log = logs.CreateLogger<Translating>();
    private volatile Work? work;
    private volatile string? problem;

    /// <summary>What the command line has said, while nobody works with it; null: that was saved by an earlier run.</summary>
    private CommandLineState? said;
    private bool isHandedOver;

    public NatView View => work?.Dataplane.View ?? NatView.Off with { Problem = problem };

    public PolicyView Policy => work?.Dataplane.Policy ?? PolicyView.Off;

    public Task<PolicyPicture?> PolicyPictureAsync(CancellationToken stop = default) =>
        work?.Dataplane.PolicyPictureAsync(stop) ?? Task.FromResult<PolicyPicture?>(null);
    public DnsView Dns => work?.Dataplane.Dns ?? DnsView.Off;

    public Task<ImmutableArray<DnsCacheEntry>> DnsCacheAsync(string? name, CancellationToken stop = default) =>
        work is { } running ? running.Dataplane.DnsCacheAsync(name, stop) : Task.FromResult<ImmutableArray<DnsCacheEntry>>([]);

    public Task<DnsHeard> DnsWatchAsync(long? after, CancellationToken stop = default) =>
        work is { } running ? running.Dataplane.DnsWatchAsync(after, stop) : Task.FromResult(DnsHeard.Nothing);

    public DeniedView Denied => work?.Dataplane.Denied ?? DeniedView.Off;

    public async Task<ImmutableArray<PolicyFinding>?> LintPolicyAsync(SshConnection? ssh, CancellationToken stop = default)
    {
        if (work is not { Dataplane: { Policy.Enabled: true } dataplane } of) return null;
        var objects = resources?.Current ?? ResourceSnapshot.Empty;
        ImmutableArray<PolicyFinding> found =
        [
            .. PolicyLint.Find(of.Settings, objects.Begin(), objects.Problems), .. await dataplane.AstrayAsync(stop).ConfigureAwait(false),
        ];
        return ssh == null ? found : [.. await PolicyLint.OfSshAsync(ssh, question => dataplane.ExplainPolicyAsync(question, stop))
            .ConfigureAwait(false), .. found];
    }

    public Task<NatExplanation> ExplainAsync(Packet packet, CancellationToken stop = default) =>
        work?.Dataplane.ExplainAsync(packet, stop) ?? Task.FromResult(Off);

    public Task<PolicyExplanation?> ExplainPolicyAsync(PolicyQuestion question, CancellationToken stop = default) =>
        work?.Dataplane.ExplainPolicyAsync(question, stop) ?? Task.FromResult<PolicyExplanation?>(null);

    public Task<PolicyCounts> CountPoliciesAsync(CancellationToken stop = default) =>
        work?.Dataplane.CountPoliciesAsync(stop) ?? Task.FromResult(PolicyCounts.None);

    public ServicesStatus Services => work?.Dataplane.Services ?? ServicesStatus.Off;

    public Task<ServicesView> ServicesAsync(CancellationToken stop = default) =>
        work?.Dataplane.ServicesAsync(stop) ?? Task.FromResult(ServicesView.Off);

    public Task<TranslationExplanation?> ExplainTranslationAsync(Packet packet, CancellationToken stop = default) =>
        work?.Dataplane.ExplainTranslationAsync(packet, stop) ?? Task.FromResult<TranslationExplanation?>(null);

    public Task<SourceNatView?> SourceNatAsync(CancellationToken stop = default) =>
        work?.Dataplane.SourceNatAsync(stop) ?? Task.FromResult<SourceNatView?>(null);

    public Task<SourceNatView?> EditSourceNatAsync(SourceNatEdit edit, CancellationToken stop = default) =>
        Editable?.EditSourceNatAsync(edit, stop) ?? Task.FromResult<SourceNatView?>(null);

    public Task<SourceNatView?> ResetSourceNatAsync(CancellationToken stop = default) =>
        Editable?.ResetSourceNatAsync(stop) ?? Task.FromResult<SourceNatView?>(null);

    public Task<int?> EndMaskedAsync(Prefix destination, CancellationToken stop = default) =>
        work?.Dataplane.EndMaskedAsync(destination, stop) ?? Task.FromResult<int?>(null);

    public EgressView Egress => work?.Dataplane.Egress ?? EgressView.Off;

    public Task<EgressExplanation?> ExplainEgressAsync(ResourceKey pod, Address destination, CancellationToken stop = default) =>
        work?.Dataplane.ExplainEgressAsync(pod, destination, stop) ?? Task.FromResult<EgressExplanation?>(null);

    public Task<EgressFlowCounts?> CountEgressFlowsAsync(CancellationToken stop = default) =>
        work?.Dataplane.CountEgressFlowsAsync(stop) ?? Task.FromResult<EgressFlowCounts?>(null);

    public Task<string?> NodeTakenAsync(Translation translation, CancellationToken stop = default) =>
        Editable?.NodeTakenAsync(translation, stop) ?? Task.FromResult<string?>(null);

    public Task<TranslationRow?> AddTranslationAsync(Translation translation, CancellationToken stop = default) =>
        Editable?.AddTranslationAsync(translation, stop) ?? Task.FromResult<TranslationRow?>(null);

    public Task<bool> RemoveTranslationAsync(int id, CancellationToken stop = default) =>
        Editable?.RemoveTranslationAsync(id, stop) ?? Task.FromResult(false);

    public bool IsHandedOver => Volatile.Read(ref isHandedOver);

    /// <summary>What the command line may change: nothing once the process that takes over has heard what it said.</summary>
    private DataplaneLoop? Editable => IsHandedOver ? null : work?.Dataplane;

    public Task<ImmutableArray<ServiceSession>?> SessionsAsync(SessionFilter which, CancellationToken stop = default) =>
        work?.Dataplane.SessionsAsync(which, stop) ?? Task.FromResult<ImmutableArray<ServiceSession>?>(null);

    public Task<int?> EndSessionsAsync(SessionFilter which, CancellationToken stop = default) =>
        work?.Dataplane.EndSessionsAsync(which, stop) ?? Task.FromResult<int?>(null);

    /// <summary>What bgpd.yaml says now. One at a time.</summary>
    /// <returns>Why it cannot be done; null: it can.</returns>
    public async Task<string?> ApplyAsync(DaemonConfig newer)
    {
        var (settings, before) = (newer.Dataplane, work?.Settings);
        if (settings is { Nat: null, Policy: null, Services: null, Egress: null }) await EndAsync(settings).ConfigureAwait(false);
        else if (work is { } same && same.Concerns == Concerns(settings)) await same.ConfigureAsync(settings).ConfigureAwait(false);
        else await BeginAsync(settings).ConfigureAwait(false);
        if (before is { Policy.Enabled: true } && work is { Settings.Policy: null or { Enabled: false } }) log.PolicyGone();
        return problem;
    }

    /// <summary>Whose objects are followed.</summary>
    private static Concern Concerns(DataplaneSettings settings) =>
        (settings.Nat != null ? Concern.Nat : 0) | (settings.Policy != null ? Concern.Policy : 0)
        | (settings.Services is { Kubernetes: true } ? Concern.Services : 0)
        | (settings.Egress != null ? Concern.Egress : 0);

    /// <summary>In the place of work that follows other objects: the table is adopted from it as from an earlier run.</summary>
    private async Task BeginAsync(DataplaneSettings settings)
    {
        var isFirst = work == null;
        if (work is { } before)
        {
            await KeepAsync(before).ConfigureAwait(false);
            await PartAsync(before, before.Settings with { Services = settings.Services }).ConfigureAwait(false);
            await before.DisposeAsync().ConfigureAwait(false);
            if (settings.Egress == null) await before.WithdrawAsync().ConfigureAwait(false);
        }
        work = null;
        try
        {
            holding.Hold(Holding.NatTable);
            said ??= saved.Read();
            var begun = new Work(
                settings, said, workloads, Concerns(settings), resources, kernel, speaker, gateways, isFirst, loops, time, logs);
            (work, problem) = (begun, null);
            // Without sources bgpd.yaml says all, and the resources are known to be none.
            if (resources == null) await begun.Dataplane.ApplyAsync([]).ConfigureAwait(false);
        }
        catch (IOException refused)
        {
            // Not ours to write, or not to be written by us: another daemon may.
            holding.Release(Holding.NatTable);
            problem = $"{Sections(settings)}: {refused.Message}";
            if (resources?.Plan is { } plan) await plan.ServeAsync(null).ConfigureAwait(false);
            if (settings.Egress != null) await gateways.Announced.SetAsync([]).ConfigureAwait(false);
            log.NatImpossible(problem);
        }
    }

    /// <summary>Ends when what the resources said until now is in force.</summary>
    public Task SettledAsync(CancellationToken stop) => work?.SettledAsync(stop) ?? Task.CompletedTask;

    /// <summary>What the command line has said, for the process that takes over; null: nothing that its file does not have. From now on
    /// it says nothing more to this one.</summary>
    public async Task<string?> HandCommandLineAsync()
    {
        Volatile.Write(ref isHandedOver, true);
        var now = work is { } running ? await running.Dataplane.CommandLineAsync().ConfigureAwait(false) : said;
        return now == null ? null : SavedTranslations.TextOf(now);
    }

    /// <summary>Nobody has taken over.</summary>
    public void KeepCommandLine() => Volatile.Write(ref isHandedOver, false);

    /// <summary>Begins with what the process before was told, beside what its file has.</summary>
    public void TakeOver(string commandLine)
    {
        var onDisk = saved.Read();
        said = SavedTranslations.Understand(commandLine) ?? onDisk;
    }

    private async Task KeepAsync(Work ending) => said = await ending.Dataplane.CommandLineAsync().ConfigureAwait(false);

    /// <summary>Those of bgpd.yaml that are there.</summary>
    private static string Sections(DataplaneSettings settings) => string.Join(", ", new[]
    {
        settings.Nat == null ? null : "nat", settings.Policy == null ? null : "policy", settings.Services == null ? null : "services",
        settings.Egress == null ? null : "egress",
    }.OfType<string>());

    /// <summary>Of services that go, whoever has translated by them knows the connections, and no one after him.</summary>
    private static Task PartAsync(Work ending, DataplaneSettings settings)
    {
        var isLess = ending.Settings.Services is { Enabled: true } had
            && (settings.Services is not { Enabled: true } left || (had.Kubernetes && !left.Kubernetes));
        return isLess ? ending.ConfigureAsync(settings) : Task.CompletedTask;
    }

    private async Task EndAsync(DataplaneSettings settings)
    {
        problem = null;
        if (work is not { } ended)
        {
            await SweepAsync().ConfigureAwait(false);
            return;
        }
        await KeepAsync(ended).ConfigureAwait(false);
        await PartAsync(ended, settings).ConfigureAwait(false);
        work = null;
        await using (ended.ConfigureAwait(false))
        {
            if (resources?.Plan is { } plan) await plan.ServeAsync(null).ConfigureAwait(false);
            if (await ended.FlushAsync().ConfigureAwait(false) is { } words) log.NatStays(DataplaneLoop.Table, words);
            else log.NatGone(DataplaneLoop.Table);
        }
        holding.Release(Holding.NatTable);
    }

    /// <summary>
    /// The sections went while nobody ran: rules of gateways would lead packets, which nobody marks any more, to tables that nobody keeps.
    /// The table of nftables may be another daemon's, who has the rules then, too.
    /// </summary>
    private async Task SweepAsync()
    {
        try
        {
            holding.Hold(Holding.NatTable);
            await gateways.Routing.EndAsync().ConfigureAwait(false);
            holding.Release(Holding.NatTable);
        }
        catch (IOException)
        {
            // Another daemon's.
        }
    }

    /// <param name="keepsOthers">What an earlier run has in the table stays.</param>
    /// <exception cref="IOException">The kernel does not let us at its rules.</exception>
    public static NftablesLoop Open(Loops loops, TimeProvider time, ILoggerFactory logs, bool keepsOthers = false)
    {
        var nftables = new NftablesLoop(DataplaneLoop.Table, loops, time, logs.CreateLogger<NftablesLoop>())
        {
            Comment = "bgpd keeps this table",
            KeepsOthers = keepsOthers,
        };
        try
        {
            nftables.Start();
            return nftables;
        }
        catch (Win32Exception refused)
        {
            throw new IOException($"nftables cannot be spoken to: {refused.Message} (root or CAP_NET_ADMIN is needed)", refused);
        }
    }

    /// <summary>The table stays.</summary>
    public ValueTask DisposeAsync() => work?.DisposeAsync() ?? default;

    /// <summary>The dataplane with what it stands on, and those that tell it of resources and of routes.</summary>
    private sealed class Work : IAsyncDisposable
    {
        private static readonly TimeSpan LookAgainAfter = TimeSpan.FromMilliseconds(5);

        private readonly TimeProvider time;
        private readonly NftablesLoop nftables;
        private readonly ConnectionTable connections = new();
        private readonly ForeignRules foreign = new();
        private readonly Gateways gateways;
        private readonly KnownWorkloads workloads;
        private readonly ResourceFeed? feed;
        private readonly CancellationTokenSource ending = new();
        private readonly Task followed;
        private Task? stopped;
        /// <summary>The newest of what the dataplane was told.</summary>
        private volatile ResourceSnapshot told = ResourceSnapshot.Empty;

        public Work(
            DataplaneSettings settings, CommandLineState said, KnownWorkloads workloads, Concern concerns, Resourcing? resources,
            IKernel kernel, SpeakerView speaker, Gateways gateways, bool isFirst, Loops loops, TimeProvider time, ILoggerFactory logs)
        {
            nftables = Open(loops, time, logs);
            Dataplane = new(settings, nftables, kernel, connections, loops, time, logs.CreateLogger<DataplaneLoop>(),
                Extensions.BuiltIn, gateways.Routing, goesOn: gateways.GoesOn || !isFirst)
            {
                CommandLine = said,
                OtherProxy = machine => OtherProxies.Find(machine, foreign),
                Serving = resources?.Plan is { } plan ? plan.ServeAsync : null,
            };
            (this.gateways, this.workloads) = (gateways, workloads);
            (Concerns, Settings, this.time) = (concerns, settings, time);
            feed = resources?.Subscribe(concerns);
            Dataplane.Start();
            var observer = new UpstreamObserver(speaker, kernel, Dataplane, time);
            var observing = loops.Start(
                "upstream observer", OnDefect.EndProcess, loop => observer.RunAsync(loop, ending.Token), stop: ending.Token);
            var following = loops.Start("resources of the dataplane", OnDefect.EndProcess, FollowAsync, stop: ending.Token);
            var claimed = new ClaimedAddresses(loops, time, logs.CreateLogger<ClaimedAddresses>());
            var telling = new GatewayObserver(gateways.Announced, gateways.Bfd, claimed, Dataplane, loops, time);
            var told = loops.Start(
                "egress gateways", OnDefect.EndProcess, loop => telling.RunAsync(loop, ending.Token), stop: ending.Token);
            followed = Task.WhenAll(observing.Ended, following.Ended, told.Ended);
        }

        public Concern Concerns { get; }
        public DataplaneSettings Settings { get; private set; }
        public DataplaneLoop Dataplane { get; }

        /// <summary>Ends when it is in force, so that whoever hears that a file is taken may count on it.</summary>
        public async Task ConfigureAsync(DataplaneSettings newer)
        {
            Settings = newer;
            await Dataplane.ConfigureAsync(newer).ConfigureAwait(false);
            try
            {
                await Dataplane.SettledAsync().ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                // The daemon ends meanwhile, and the reload with it.
            }
        }

        private async Task FollowAsync(Loop loop)
        {
            while (feed != null)
            {
                loop.Rest();
                var changes = await feed.ReadAsync(ending.Token).ConfigureAwait(false);
                loop.Beat();
                if (Settings.Policy != null || Settings.Egress != null) workloads.Keep(changes.After, Settings.Node);
                await loop.WaitForAsync(Dataplane.ApplyAsync(changes.Changed).AsTask()).ConfigureAwait(false);
                told = changes.After;
            }
        }

        public async Task SettledAsync(CancellationToken stop)
        {
            while (feed?.IsNewest(told) == false) await Task.Delay(LookAgainAfter, time, stop).ConfigureAwait(false);
            await Dataplane.SettledAsync().WaitAsync(stop).ConfigureAwait(false);
        }

        /// <returns>Null, or the kernel's words.</returns>
        public async Task<string?> FlushAsync()
        {
            await StopAsync().ConfigureAwait(false);
            var words = await nftables.FlushAsync().ConfigureAwait(false);
            await WithdrawAsync().ConfigureAwait(false);
            await gateways.Routing.EndAsync().ConfigureAwait(false);
            return words;
        }

        /// <summary>What was announced and watched for gateways is so no longer; where there were none, nothing is said.</summary>
        public async Task WithdrawAsync()
        {
            if (Settings.Egress == null) return;
            await gateways.Announced.SetAsync([]).ConfigureAwait(false);
            gateways.Bfd.Want([]);
        }

        /// <summary>After that nobody writes to the table any more.</summary>
        private Task StopAsync() => stopped ??= EndAsync();

        private async Task EndAsync()
        {
            await ending.CancelAsync().ConfigureAwait(false);
            await followed.ConfigureAwait(false);
            await Dataplane.DisposeAsync().ConfigureAwait(false);
        }

        public async ValueTask DisposeAsync()
        {
            await StopAsync().ConfigureAwait(false);
            await nftables.DisposeAsync().ConfigureAwait(false);
            connections.Dispose();
            foreign.Dispose();
            feed?.Dispose();
            ending.Dispose();
        }
    }
}

/// <summary>What egress needs of the other rooms.</summary>
/// <param name="Announced">By whom gateways' addresses are announced.</param>
/// <param name="GoesOn">This process has taken over from another, so that packets went on as they did.</param>
internal sealed record Gateways(RouteProducer Announced, IBfd Bfd, EgressRouting Routing, bool GoesOn);
