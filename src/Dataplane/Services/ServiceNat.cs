using System.Collections.Immutable;
using Calico.Bgp.Dataplane.Services.Kubernetes;
using Calico.Bgp.Kernel;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Dataplane.Services;

/// <summary>
/// Translations of destinations, in the manner of VPP's cnat (reference/cnat.md): few rules, which ask maps that all translations share. A
/// translation that changes writes the elements by which it differs, and one that is said again writes nothing.
/// </summary>
internal sealed class ServiceNat : IFeature
{
    public const string FeatureName = "svc";

    /// <summary>What of the rules is otherwise with other settings, or another FelixConfiguration.</summary>
    /// <param name="Workloads">What pods' interfaces' names begin with; null: Kubernetes' services are not translated.</param>
    /// <param name="SourceNat">What is rendered of it; the same as long as nothing of it differs.</param>
    /// <param name="IsTimed">Some connections have times of their own.</param>
    /// <param name="Filled">Of the maps that all share those that have anything.</param>
    private sealed record RulesWanted(ListOf<string>? Workloads, SourceNatParts SourceNat, bool IsTimed, ListOf<string> Filled);

    private readonly EndingSessions? sessions;
    private readonly ILogger log;
    private readonly TranslationTable table = new();
    private readonly LeavingTranslations leaving;
    private readonly KubernetesServices kubernetes = new();
    private readonly SharedMaps maps = new();
    private readonly Dictionary<TranslationKey, Wishes> rendered = [];

    /// <summary>Those of which a place is an interface's.</summary>
    private readonly HashSet<TranslationKey> followers = [];

    /// <summary>Why a translation has no elements.</summary>
    private readonly Dictionary<TranslationKey, string> missing = [];

    /// <summary>What of a translation is not done, though it is in force.</summary>
    private readonly Dictionary<TranslationKey, ListOf<string>> lacking = [];

    /// <summary>Those that would take what the node is reached by, were their address the node's; and what those take that do.</summary>
    private readonly HashSet<TranslationKey> takers = [];
    private readonly Dictionary<TranslationKey, string> taking = [];

    private readonly AstrayBackends astray = new();

    /// <summary>By which translation an address, a protocol and a port are taken: an interface may have got another's address.</summary>
    private readonly Dictionary<(string Map, NftOctets Key), TranslationKey> taken = [];

    /// <summary>What an earlier run was found by, until all that this one has is in force.</summary>
    private HashSet<(string Map, NftOctets Key)> left = [];

    /// <summary>What of this run and the one before is no longer, though its connections may live on.</summary>
    private readonly GoneFronts gone = new();

    /// <summary>Those whose address another has; they are rendered again when something becomes free.</summary>
    private readonly HashSet<TranslationKey> waiting = [];

    private readonly HashSet<TranslationKey> dirty = [];
    private readonly Func<BackendFlows, TranslationKey?> holder;
    private readonly Func<Address, bool> isVirtual;
    private ServiceSettings settings = new();
    private KernelSnapshot kernel = KernelSnapshot.Empty;
    private Places places = new(KernelSnapshot.Empty);
    private bool isOn;
    private SourceNatParts sourceNat = SourceNatParts.None;

    /// <summary>What the command line has said of it.</summary>
    private SourceNatEdits edits = SourceNatEdits.None;
    private ImmutableArray<string> said = [];
    private readonly ServedAddresses served = new();

    /// <summary>Null: none.</summary>
    private RulesWanted? written;

    /// <summary>All was written that there is, beside what an earlier run may have left.</summary>
    private bool isBeginning;

    /// <param name="sessions">Null: nothing comes into force, and no connections end by it.</param>
    public ServiceNat(EndingSessions? sessions, TimeProvider clock, ILogger log)
    {
        (this.sessions, this.log) = (sessions, log);
        leaving = new(table, clock);
        holder = flows => HolderOf(flows);
        isVirtual = address => maps.Has(ServiceParts.Vips(address.Family), NftOctets.Of(address));
    }

    public string Name => FeatureName;
    public TimeSpan? Due => leaving.Due;

    /// <summary>All that is known, by their ids.</summary>
    public ServicesView View
    {
        get
        {
            ImmutableArray<TranslationRow> rows = [.. table.Rows.Select(Judged)];
            return new(isOn, rows)
            {
                Problems = [.. Takings, .. Problems],
                OfObjects = [.. kubernetes.Problems, .. rows.SelectMany(OfObject)],
            };
        }
    }

    /// <summary>What of an object's translation is not as the object asks for it.</summary>
    private IEnumerable<ServiceProblem> OfObject(TranslationRow row)
    {
        if (row.Source != TranslationSource.Kubernetes || kubernetes.Holder(row.Translation.Key) is not { } holder) return [];
        var lacks = row.InForce || row.Problem == null ? row.Problem : $"{row.Problem}, and clients get to that one's backends";
        return new[] { lacks }.Concat(row.Warnings).OfType<string>()
            .Select(words => new ServiceProblem(holder, $"{row.Translation.Key}: {words}"));
    }

    public ServicesStatus Status => !isOn ? ServicesStatus.Off
        : new(true, rendered.Count, missing.Count, [.. Takings, .. Waits, .. Problems]) { NodeTaken = [.. Takings] };

    /// <summary>Whose is all that shuts out of this node whoever comes to set it right.</summary>
    private IEnumerable<string> Takings => Of(taking.Select(one => (one.Key, one.Value)));

    private IEnumerable<string> Waits => Of(missing.Select(one => (one.Key, $"waits: {one.Value}")));

    /// <summary>What else is not done of what was asked for, and why.</summary>
    private IEnumerable<string> Problems =>
    [
        .. kubernetes.Problem is { } problem ? [problem] : Array.Empty<string>(),
        .. Of(lacking.SelectMany(one => one.Value.Select(words => (one.Key, words)))),
        .. kubernetes.Problems.Select(one => one.ToString()),
        .. (SourceNatView?.Lacks ?? []).Select(words => $"snat: {words}"),
    ];

    private IEnumerable<string> Of(IEnumerable<(TranslationKey Key, string Words)> some) =>
        from one in some
        let row = table.InForce(one.Key)!
        orderby row.Id
        select $"{row.Words} of {one.Key}: {one.Words}";

    /// <summary>Null: there is none of this id.</summary>
    public TranslationRow? Row(int id) => table.Row(id) is { } row ? Judged(row) : null;

    private TranslationRow Judged(TranslationRow row) => row with
    {
        Problem = row.InForce ? missing.GetValueOrDefault(row.Translation.Key) : row.Problem,
        Others = row.Source == TranslationSource.Kubernetes ? kubernetes.Others(row.Translation.Key) : [],
        Left = row.Source == TranslationSource.Leaving ? leaving.Left(row.Translation.Key) : null,
        Warnings = row.InForce ? WarningsOf(row.Translation.Key) : [],
        Digest = row.InForce ? rendered.GetValueOrDefault(row.Translation.Key)?.Digest : null,
    };

    private ListOf<string> WarningsOf(TranslationKey key)
    {
        var warnings = lacking.GetValueOrDefault(key, []);
        return taking.TryGetValue(key, out var taken) ? [taken, .. warnings] : warnings;
    }

    /// <summary>
    /// Addresses that lead somewhere as soon as what is wanted is in force; null: Kubernetes' services are not translated here, and lead
    /// wherever others have them lead.
    /// </summary>
    public ImmutableHashSet<Address>? Served => isOn && kubernetes.IsOn ? served.All : null;

    /// <summary>What load balancers are answered.</summary>
    public IEnumerable<HealthCheck> HealthChecks => kubernetes.HealthChecks;

    /// <summary>Whose connections to which address, protocol and port are, as it is now; null: services are off.</summary>
    public SessionOwners? Owners => GivenSources is not { } sources ? null
        : new(new(taken), table.Rows.Where(row => row.InForce).ToDictionary(row => row.Translation.Key, row => row.Id), sources,
            gone.Of(taken));

    /// <returns>Null: services are off.</returns>
    public int? Add(Translation translation) => isOn ? table.Put(TranslationSource.Cli, translation) : null;

    /// <summary>By what this node is reached that a translation takes, or would take; null: by nothing.</summary>
    public string? NodeTaken(TranslationKey key) =>
        NodePorts.AreTakenBy(key) && places.Of(key.Place) is { } address && places.IsHere(address)
            ? NodePorts.WordsOf(key, address) : null;

    /// <summary>The command line has it already.</summary>
    public bool HasSaid(TranslationKey key) => table.Has(TranslationSource.Cli, key);

    /// <summary>What an earlier run was found by, as the kernel has it before this one's first change.</summary>
    public void Adopt(IEnumerable<(string Map, NftOctets Key)> fronts) => left = [.. fronts];

    /// <summary>What the command line has said, whether services are on or not. To be set before anything else is told.</summary>
    public CommandLineState CommandLine
    {
        get => new(
            [.. table.Rows.Where(row => row.Source == TranslationSource.Cli).Select(row => row.Translation)], edits);
        set
        {
            foreach (var one in value.Translations) table.Put(TranslationSource.Cli, one);
            edits = value.SourceNat;
        }
    }

    /// <summary>Null: services are off.</summary>
    public SourceNatView? SourceNatView => isOn ? ViewOf(edits.Over(settings.SourceNat)) : null;

    private SourceNatView ViewOf(SourceNatSettings? all) => new(all, edits,
    [
        .. (all?.Addresses ?? []).Where(place => SourceNat.Range(place, places) == null).Select(place =>
            $"{places.Lacks(TranslationPlace.OfInterface(place.Interface!, place.Family))}, so that packets keep their source"),
        .. (all?.Links ?? []).Where(one => !places.HasLink(one.Name))
            .Select(one => $"there is no interface {one.Name}, which {one.Among} names"),
    ]);

    /// <returns>What it is now; null: services are off.</returns>
    public SourceNatView? EditSourceNat(Func<SourceNatEdits, SourceNatEdits> edit)
    {
        if (!isOn) return null;
        edits = edit(edits);
        RenderSources();
        return SourceNatView;
    }

    /// <summary>The sources that it gives; null: services are off.</summary>
    public IReadOnlyList<(Address First, Address Last)>? GivenSources => SourceNatView is not { } view ? null
        : [.. (view.Settings?.Addresses ?? []).Select(place => SourceNat.Range(place, places))
            .OfType<(Address First, Address Last)>(),
            .. (view.Settings?.Rewrite ?? []).Select(one => (one.To.Address, one.To.Last))];

    public bool Remove(int id) => table.Remove(TranslationSource.Cli, id);

    private RulesWanted? Wanted => !isOn ? null
        : new(kubernetes.IsOn ? kubernetes.Workloads : null, sourceNat, maps.HasTimeouts, maps.Filled(ServiceParts.Sets));

    public bool Concerns(DataplaneChange change) =>
        change is DataplaneChange.Configured or DataplaneChange.Machine or DataplaneChange.OtherProxy
        || (change is DataplaneChange.Object(var one) && one.Kind.Concerns.HasFlag(Concern.Services));

    public void Apply(DataplaneChange change)
    {
        switch (change)
        {
            case DataplaneChange.Configured(var newest):
                kubernetes.Configure(newest);
                // Without the section there is nothing any more; what becomes of connections is what it has said of backends that go.
                Configure(newest.Services
                    ?? settings with { Enabled = false, Kubernetes = false, Translations = [], SourceNat = null }, newest.IsOn);
                break;
            case DataplaneChange.Object(var one): kubernetes.Apply(one); break;
            case DataplaneChange.OtherProxy(var words): kubernetes.Beside(words); break;
            case DataplaneChange.Machine(var newest):
                if (newest.Addresses == kernel.Addresses && newest.Links == kernel.Links) break;
                (kernel, places) = (newest, new(newest));
                dirty.UnionWith(followers);
                dirty.UnionWith(takers);
                dirty.UnionWith(astray.Suspects);
                RenderSources();
                break;
        }
    }

    /// <param name="hasRules">Something is left in the table, and with it the kernel's translation.</param>
    private void Configure(ServiceSettings newer, bool hasRules)
    {
        if (isOn && !newer.Enabled && rendered.Count > 0)
            DataplaneLog.ServicesOff(log, (newer.OnBackendRemoval, hasRules) switch
            {
                (OnBackendRemoval.Delete, _) => "end now (onBackendRemoval: delete)",
                (_, false) => "end now, because the kernel translates no packets of theirs where no rule is left",
                (OnBackendRemoval.Keep, _) => "go on until they end by themselves (onBackendRemoval: keep)",
                _ => $"end in {newer.DrainTime.TotalSeconds:0} s (onBackendRemoval: drain)",
            });
        if (newer with { Translations = settings.Translations, SourceNat = settings.SourceNat } != settings)
            dirty.UnionWith(table.Rows.Select(row => row.Translation.Key));
        (settings, isOn) = (newer, newer.Enabled);
        table.PutAll(TranslationSource.File, newer.Translations);
        RenderSources();
    }

    private void RenderSources()
    {
        var now = SourceNat.Render(edits.Over(settings.SourceNat), places);
        if (!now.Same(sourceNat)) sourceNat = now;
    }

    public bool Look()
    {
        var moved = kubernetes.Look();
        table.EnsureRoom(moved.Count);
        foreach (var (key, now) in moved)
        {
            leaving.Forget(key);
            if (now != null) table.Put(TranslationSource.Kubernetes, now);
            // Translated by another from now on, it leads there.
            else if (kubernetes.IsOn) leaving.Go(key);
            else table.Remove(TranslationSource.Kubernetes, key);
        }
        if (!kubernetes.IsOn) leaving.Clear();
        leaving.Expire();
        Render();
        Say();
        return maps.IsTouched || Wanted != written;
    }

    /// <summary>Of what Kubernetes has no longer: these addresses were announced, and are no more.</summary>
    /// <returns>Whether there is more to be written.</returns>
    public bool Withdrawn(ImmutableHashSet<Address> announced)
    {
        if (!leaving.Withdrawn(announced, settings.DrainTime)) return false;
        Render();
        return true;
    }

    private void Render()
    {
        var touched = table.TakeTouched();
        if (touched.Length > dirty.Count) dirty.EnsureCapacity(dirty.Count + touched.Length);
        dirty.UnionWith(touched);
        while (dirty.Count > 0)
        {
            TranslationKey[] some = [.. dirty];
            dirty.Clear();
            if (some.Length > rendered.Count) EnsureCapacity(rendered.Count + some.Length);
            foreach (var key in some) Render(key);
            dirty.UnionWith(astray.Stirred(maps, rendered));
        }
    }

    private void EnsureCapacity(int translations)
    {
        rendered.EnsureCapacity(translations);
        taken.EnsureCapacity(translations);
        served.EnsureCapacity(translations);
        astray.EnsureCapacity(translations);
    }

    /// <summary>Each problem once when it comes, and once when it is gone.</summary>
    private void Say()
    {
        ImmutableArray<string> now = [.. Takings, .. Waits, .. Problems];
        foreach (var words in now.Except(said)) DataplaneLog.ServicesLack(log, words);
        foreach (var words in said.Except(now)) DataplaneLog.ServicesLackNoMore(log, words);
        said = now;
    }

    private void Render(TranslationKey key)
    {
        var (source, translation) = isOn && table.Holder(key) is { } holder ? holder : (default, null);
        var (now, lacks) = translation == null ? (Wishes.None, null) : TranslationRenderer.Render(translation, settings, places);
        if (source == TranslationSource.Leaving) now = now with { Served = null };
        // An address that a load balancer or the operator has given a Service is no machine's, as a cluster IP is none's.
        if (source is TranslationSource.Kubernetes or TranslationSource.Leaving && now.Nobodys == null)
            now = now with { Nobodys = key.Place.Address };
        var before = rendered.GetValueOrDefault(key, Wishes.None);
        if (Other(now, key) is { } other)
        {
            (now, lacks) = (Wishes.None, $"the translation of {other} has its address and port");
            waiting.Add(key);
        }
        else waiting.Remove(key);
        Exchange(key, before, now);
        astray.Exchange(before, now);
        served.Exchange(before.Served, now.Served);
        maps.Replace(before, now);
        if (translation == null) rendered.Remove(key);
        else rendered[key] = now;
        if (lacks == null) missing.Remove(key);
        else missing[key] = lacks;
        if (translation != null && NodePorts.AreTakenBy(key)) takers.Add(key);
        else takers.Remove(key);
        if (!now.Fronts.IsEmpty && NodeTaken(key) is { } taken) taking[key] = taken;
        else taking.Remove(key);
        ListOf<string> warnings = translation == null ? [] : Warnings(source, key, now);
        if (warnings.Count == 0) lacking.Remove(key);
        else lacking[key] = warnings;
        if (translation != null && HasInterface(translation)) followers.Add(key);
        else followers.Remove(key);
    }

    private ListOf<string> Warnings(TranslationSource source, TranslationKey key, Wishes now)
    {
        var nowhere = astray.Look(key, now, places, holder, isVirtual);
        var behind = source == TranslationSource.Kubernetes ? null : table.Behind(key);
        if (nowhere.Count == 0 && behind == null) return now.Lacks;
        return
        [
            .. now.Lacks, .. nowhere,
            .. behind == null ? Array.Empty<string>() : [$"{behind.Words} has the same, and waits until this one is gone"],
        ];
    }

    /// <summary>The translation that takes what is sent to a backend as if a client had sent it there; null: none does.</summary>
    private TranslationKey? HolderOf(BackendFlows flows) =>
        (flows.ServerPort is { } port ? taken.GetValueOrDefault(ServiceParts.Front(flows.Server, flows.Protocol, port)) : null)
        ?? taken.GetValueOrDefault(ServiceParts.Front(flows.Server, flows.Protocol, null));

    /// <summary>Who has what it is to be found by; null: nobody else.</summary>
    private TranslationKey? Other(Wishes now, TranslationKey key)
    {
        foreach (var front in now.Fronts)
            if (taken.TryGetValue(front, out var holder) && holder != key) return holder;
        return null;
    }

    private void Exchange(TranslationKey key, Wishes before, Wishes now)
    {
        if (before != Wishes.None)
            foreach (var front in before.Fronts.Except(now.Fronts))
            {
                taken.Remove(front);
                if (settings.OnBackendRemoval != OnBackendRemoval.Delete) gone.Add(front);
                dirty.UnionWith(waiting);
            }
        foreach (var front in now.Fronts) taken[front] = key;
        // Where nobody was served until now, a client without handshakes may be at it already: the kernel asks no rule of its packets.
        if (now.Flows.Any(flows => flows.IsWithoutHandshake))
            foreach (var direct in Directs(now).Except(Directs(before))) sessions?.Go(direct, TimeSpan.Zero);
        sessions?.Stay(now.Flows);
        if (settings.OnBackendRemoval == OnBackendRemoval.Keep || before.Flows.IsEmpty) return;
        foreach (var flows in before.Flows.Except(now.Flows))
            sessions?.Go(flows, settings.OnBackendRemoval == OnBackendRemoval.Drain ? settings.DrainTime : TimeSpan.Zero);
    }

    private static IEnumerable<BackendFlows> Directs(Wishes wishes) =>
        wishes.Flows.Where(flows => flows.IsWithoutHandshake).Select(flows => flows.Direct).Distinct();

    private static bool HasInterface(Translation translation)
    {
        if (translation.Key.Place.Interface != null) return true;
        foreach (var one in translation.Backends.Items)
            if (one.From.Place?.Interface != null || one.To.Place?.Interface != null) return true;
        return false;
    }

    public void Write(PartsWriter into)
    {
        if (into.IsFresh) (written, isBeginning) = (null, isOn || left.Count > 0);
        if (isOn && written != null) maps.WriteTouched(into);
        else if (isOn) maps.WriteAll(into, ServiceParts.Sets);
        else if (written != null) maps.RemoveAll(into, ServiceParts.Sets);
        if (Wanted != written) WriteRules(into, Wanted);
    }

    private void WriteRules(PartsWriter into, RulesWanted? wanted)
    {
        var workloads = wanted?.Workloads;
        if (workloads is { } pods) into.Put(ServiceParts.OutsidersOf(pods));
        else if (written is { Workloads: not null }) into.RemoveChain(ServiceParts.Outsiders);
        var sources = wanted?.SourceNat ?? SourceNatParts.None;
        sources.Leaving.WriteParts(into, written?.SourceNat.Leaving ?? NatRules.None);
        var filled = wanted?.Filled ?? [];
        ImmutableArray<NftRule> translating = wanted == null ? [] : [.. ServiceParts.Translating(filled), .. sources.Arriving];
        into.PutRules(Frame.Services,
            workloads is { } from ? [.. ServiceParts.TranslatingPods(filled, from), .. translating] : translating);
        into.PutRules(Frame.ServicesOutput, workloads != null ? [.. ServiceParts.TranslatingOwn(filled), .. translating] : translating);
        into.PutRules(Frame.Translated, [.. ServiceParts.Leftover(filled), .. sources.Leftover]);
        into.PutRules(Frame.TranslatedOutput, ServiceParts.Leftover(filled));
        into.PutRules(Frame.Postrouting, wanted == null ? [] :
        [
            .. ServiceParts.Leaving(filled), .. workloads != null ? ServiceParts.Masquerading(filled) : [],
            .. sources.Leaving.Postrouting,
        ]);
        var isTimed = wanted?.IsTimed == true;
        if (isTimed) into.Put(ServiceParts.TimingChain(filled));
        else if (written is { IsTimed: true }) into.RemoveChain(ServiceParts.Timing);
        into.PutRules(Frame.ManglePrerouting, isTimed ? ServiceParts.EnteringTiming : []);
        into.PutRules(Frame.MangleOutput, isTimed ? ServiceParts.EnteringTiming : []);
        written = wanted;
    }

    public void InForce()
    {
        if (isBeginning) EndEarlier();
        isBeginning = false;
        sessions?.InForce(HasOwn);
    }

    /// <summary>What an earlier run has left goes as it would have gone there, had it lived on.</summary>
    private void EndEarlier()
    {
        var lost = left.Where(front => !taken.ContainsKey(front)).ToHashSet();
        left = [];
        if (settings.OnBackendRemoval != OnBackendRemoval.Delete)
            foreach (var front in lost) gone.Add(front);
        if (settings.OnBackendRemoval == OnBackendRemoval.Keep) return;
        sessions?.EndStrangers([.. rendered.Values.Select(one => one.Flows)], HasOwn(),
            (address, protocol, port) => lost.Contains(ServiceParts.Front(address, protocol, port)),
            settings.OnBackendRemoval == OnBackendRemoval.Drain ? settings.DrainTime : TimeSpan.Zero);
    }

    /// <summary>Whether there is a translation for a port by itself, or (null) for all, as it is now.</summary>
    private Func<Address, byte, ushort?, bool> HasOwn()
    {
        var now = taken.Keys.ToHashSet();
        return (address, protocol, port) => now.Contains(ServiceParts.Front(address, protocol, port));
    }

    public ValueTask EndAsync() => sessions?.DisposeAsync() ?? ValueTask.CompletedTask;
}
