using Calico.Bgp.Dataplane.Dns;
using Calico.Bgp.Dataplane.LocalEndpoints;
using Calico.Bgp.Dataplane.Selectors;
using Calico.Bgp.Dataplane.Sets;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Dataplane.Policies;

/// <summary>
/// Network policy. Which policies apply to which of this node's endpoints is kept as either changes; an endpoint follows a program, the
/// ordered list of what it is asked, which it shares with those that are asked the same; policies and profiles that some program asks are
/// chains; what their rules select are sets. A change makes dirty what it touches, and that alone is written.
/// </summary>
internal sealed partial class Enforcement : IFeature
{
    public const string FeatureName = "pol", Prefix = FeatureName + "-";

    private readonly PolicyObjects objects = new();
    private readonly PolicyFactsReader facts = new();
    private readonly MemberSets sets = new();
    private readonly EndpointTable endpoints;
    private readonly PolicyChains chains;
    private readonly Programs programs;
    private readonly Dispatch dispatch = new();
    private readonly DnsSets names = new();
    private readonly DnsChains dnsChains = new();
    private readonly TrustedServers dnsServers;
    private readonly HashSet<string> leftNames = [];
    private readonly Func<QueueWay> queueWay;
    private readonly OverlayPeers overlay = new();
    private readonly BaseChains frame;
    private readonly Dictionary<Selector, HashSet<ResourceId>> selecting = [];
    private readonly Dictionary<string, Dictionary<ProgramKind, ProgramKey>> following = [];
    private readonly Dictionary<string, ListOf<Prefix>> spoofers = [];
    /// <summary>Where an endpoint is.</summary>
    private readonly Dictionary<ResourceId, HashSet<string>> interfaces = [];
    private readonly HashSet<string> dirty = [];
    private DataplaneSettings settings = new("");
    private PolicyFacts? written;
    /// <summary>Something was told that may make something to write; base chains may differ.</summary>
    private bool isDirty = true, frameIsDirty = true, isWritten, isCounted;

    /// <param name="queueWay">How the kernel can have packets wait, asked when it is written; null: it cannot.</param>
    /// <param name="clock">Null: no program stays that nobody uses.</param>
    public Enforcement(Func<QueueWay>? queueWay = null, TimeProvider? clock = null)
    {
        this.queueWay = queueWay ?? (static () => QueueWay.None);
        endpoints = new(EndpointChanged, SelectionChanged);
        chains = new(sets, names, objects);
        dnsServers = new(sets);
        programs = new(chains, clock);
        frame = new(dispatch, () => endpoints.All
            .Where(endpoint => !endpoint.IsWorkload && endpoint.Interface != LocalEndpoint.EveryInterface)
            .Select(endpoint => endpoint.Interface));
        sets.NetsChanged += (selector, _) => chains.Moved(selector);
        sets.DomainsChanged += chains.Moved;
    }

    public string Name => FeatureName;

    public PolicyView View { get; private set; } = PolicyView.Off;

    /// <summary>What was written last wants of names.</summary>
    public DnsPlan Names { get; private set; } = new([], [], new(), false);

    /// <summary>When programs go that nobody uses.</summary>
    public TimeSpan? Due => programs.Due;

    private bool IsOn => settings.Policy is { Enabled: true };

    public bool Concerns(DataplaneChange change) => change switch
    {
        DataplaneChange.Configured => true,
        _ when settings.Policy == null => false,
        DataplaneChange.Object(var one) => one.Kind.Concerns.HasFlag(Concern.Policy),
        _ => change is not DataplaneChange.Routing,
    };

    public void Apply(DataplaneChange change)
    {
        isDirty = true;
        switch (change)
        {
            case DataplaneChange.Object(var one): Apply(one); break;
            case DataplaneChange.Machine(var newest):
                facts.Apply(newest);
                endpoints.Apply(newest);
                break;
            case DataplaneChange.Configured(var newest): Configure(newest); break;
        }
    }

    private void Configure(DataplaneSettings newest)
    {
        var was = IsOn;
        settings = newest;
        facts.Configure(newest);
        sets.AutomaticHostEndpoints = newest.Policy?.AutomaticHostEndpoints == true;
        ConfigureEndpoints();
        if (IsOn == was) return;
        dirty.UnionWith(endpoints.All.Select(endpoint => endpoint.Interface));
        dirty.UnionWith(following.Keys);
    }

    private void ConfigureEndpoints() => endpoints.Configure(
        new(settings.Node, facts.Now.WorkloadPrefixes, settings.Policy?.AutomaticHostEndpoints == true));

    private void Apply(ResourceChange change)
    {
        ways.Apply(change);
        dnsServers.Apply(change);
        var id = new ResourceId(change.Kind, change.Key);
        if (change.Before is AnyNetworkPolicy || change.After is AnyNetworkPolicy)
        {
            Apply(id, (AnyNetworkPolicy?)change.Before, (AnyNetworkPolicy?)change.After);
            return;
        }
        if (change.Kind == Kinds.Tier)
        {
            objects.Put(change.Key.Name, (Tier?)change.After);
            dirty.UnionWith(following.Keys);
            return;
        }
        if (facts.Apply(change)) ConfigureEndpoints();
        if (ProfileOf(change.After) is { } profile) Apply(profile.Name, profile);
        else if (ProfileOf(change.Before) is { } gone) Apply(gone.Name, null);
        sets.Apply(change);
        overlay.Apply(change);
        endpoints.Apply(change);
    }

    private static Profile? ProfileOf(Resource? resource) => resource switch
    {
        Profile profile => profile,
        KubernetesNamespace space => space.Profile,
        ServiceAccount account => account.Profile,
        _ => null,
    };

    private void Apply(string name, Profile? profile)
    {
        if (!objects.Put(name, profile)) return;
        ResourceId id = new(Kinds.Profile, new("", name));
        chains.Changed(id);
        if (profile == null) programs.Outdate(id);
    }

    private void Apply(ResourceId id, AnyNetworkPolicy? before, AnyNetworkPolicy? after)
    {
        if (after != null) Select(after.Spec.AppliesTo, id);
        if (before == null || after == null || !before.Spec.AppliesTo.Equals(after.Spec.AppliesTo) || !AsksAlike(before, after))
        {
            if (before != null) Touch(before.Spec.AppliesTo);
            if (after != null) Touch(after.Spec.AppliesTo);
            programs.Outdate(id);
        }
        if (before != null && !before.Spec.AppliesTo.Equals(after?.Spec.AppliesTo)) Deselect(before.Spec.AppliesTo, id);
        objects.Put(id, after);
        chains.Changed(id);
    }

    /// <summary>Programs that have it are the same.</summary>
    private static bool AsksAlike(AnyNetworkPolicy before, AnyNetworkPolicy after)
    {
        var (a, b) = (before.Spec, after.Spec);
        return (a.Tier, a.Order, a.Types, a.DoNotTrack, a.PreDnat, a.ApplyOnForward, a.WorkloadsOnly)
                == (b.Tier, b.Order, b.Types, b.DoNotTrack, b.PreDnat, b.ApplyOnForward, b.WorkloadsOnly)
            && EndpointPrograms.Passes(a, PolicyTypes.Ingress) == EndpointPrograms.Passes(b, PolicyTypes.Ingress)
            && EndpointPrograms.Passes(a, PolicyTypes.Egress) == EndpointPrograms.Passes(b, PolicyTypes.Egress);
    }

    private void Select(Selector selector, ResourceId policy)
    {
        if (!selecting.TryGetValue(selector, out var policies))
        {
            selecting[selector] = policies = [];
            endpoints.Selectors.Use(selector);
        }
        policies.Add(policy);
    }

    private void Deselect(Selector selector, ResourceId policy)
    {
        var policies = selecting[selector];
        policies.Remove(policy);
        if (policies.Count > 0) return;
        selecting.Remove(selector);
        endpoints.Selectors.Release(selector);
    }

    private void Touch(Selector selector)
    {
        foreach (var id in endpoints.Selectors.Members(selector)) Touch(id);
    }

    private void Touch(ResourceId endpoint)
    {
        if (IsOn) dirty.UnionWith(interfaces.GetValueOrDefault(endpoint) ?? []);
    }

    private void SelectionChanged(Membership membership) => Touch(membership.Item);

    private void EndpointChanged(EndpointChange change)
    {
        if (IsOn) Note(change);
        if (change.Before is { } before && interfaces.TryGetValue(before.Id, out var left) && left.Remove(change.Interface)
            && left.Count == 0)
            interfaces.Remove(before.Id);
        if (change.After is not { } after) return;
        if (!interfaces.TryGetValue(after.Id, out var on)) interfaces[after.Id] = on = [];
        on.Add(change.Interface);
    }

    /// <summary>What is to be done about it. While policy is off nobody does it, and it would be kept for ever; all that there are are
    /// looked at when it comes or goes.</summary>
    private void Note(EndpointChange change)
    {
        dirty.Add(change.Interface);
        NoteAddresses(change);
        frameIsDirty |= (change.After ?? change.Before) is { IsWorkload: false };
        if (change.Before is { IsWorkload: true } old && old.Id != change.After?.Id) leftNames.Add(change.Interface);
    }

    public bool Look() => isDirty || IsToBeSwept;

    /// <summary>What was written has left behind what packets may still have been on their way to: once it is in force, that goes by
    /// writing again.</summary>
    public bool IsToBeSwept => programs.AnyDue || (!IsOn && programs.AnyIdle);

    public void Write(PartsWriter into) => Write(into, facts.Now);

    /// <summary>What stands before anything is known of the objects: workloads are closed.</summary>
    public void Close(PartsWriter into, ListOf<string> workloads) =>
        Write(into, facts.Now with { AwaitsObjects = true, WorkloadPrefixes = workloads });

    private void Write(PartsWriter into, PolicyFacts now)
    {
        isDirty = false;
        if (!IsOn && !isWritten && !IsToBeSwept) return;
        programs.Sweep(everything: !IsOn || into.IsFresh);
        dispatch.Sweep(programs.IsKept);
        if (into.IsFresh) written = null;
        if (written != now)
        {
            chains.Renew();
            programs.Renew();
            if (written?.Rejects != now.Rejects) dirty.UnionWith(following.Keys);
            frameIsDirty = true;
        }
        written = now;
        foreach (var interfaceName in dirty) Follow(interfaceName);
        dirty.Clear();
        // Programs that packets may be on their way to count until they go, which they do when this is written again.
        var counts = IsOn || programs.AnyIdle;
        Denials.Write(into, isCounted, counts);
        isCounted = counts;
        programs.Write(into, now);
        names.Isolation = now.Dns.Cache.Isolation;
        chains.Write(into, now);
        WriteNames(into, now);
        sets.Write(into);
        dispatch.Write(into);
        overlay.Write(into, IsOn);
        if (!IsOn) frame.Clear(into);
        else if (frameIsDirty || into.IsFresh) frame.Write(into, now, spoofers);
        frameIsDirty = false;
        isWritten = IsOn;
    }

    private void WriteNames(PartsWriter into, PolicyFacts now)
    {
        var asking = names.Count == 0 ? [] : following.Where(one => one.Value.Values.Any(HasNames)).Select(one => one.Key).ToArray();
        var workloads = asking.Where(name => endpoints.On(name) is { IsWorkload: true }).ToHashSet(StringComparer.Ordinal);
        var servers = dnsServers.Follow(now.DnsServers, names.Count > 0);
        names.Write(into);
        dnsServers.Write(into);
        dnsChains.Write(into, workloads, hostAsks: workloads.Count < asking.Length, servers, queueWay(),
            IsOn && now.DeniedWait ? now.Marks : null);
        Names = new(names.All, [.. leftNames.Order(StringComparer.Ordinal)], now.Dns, into.IsFresh);
        leftNames.Clear();
    }

    private bool HasNames(ProgramKey program) => program.Direction == PolicyTypes.Egress && program.Chains.Any(chains.HasNames);

    /// <summary>The interface follows what its endpoint is asked now; what it does no longer follow is released behind that.</summary>
    private void Follow(string interfaceName)
    {
        var endpoint = IsOn ? endpoints.On(interfaceName) : null;
        var before = following.GetValueOrDefault(interfaceName) ?? [];
        var after = new Dictionary<ProgramKind, ProgramKey>();
        if (endpoint != null)
            foreach (var (place, key) in EndpointPrograms.Of(endpoint, [.. objects.InOrder(PoliciesOf(endpoint))], facts.Now.Rejects))
                after[place] = key;
        foreach (var place in Enum.GetValues<ProgramKind>())
        {
            var chain = after.TryGetValue(place, out var key) ? programs.Use(key) : null;
            frameIsDirty |= dispatch.Put(place, interfaceName, chain);
        }
        foreach (var old in before.Values) programs.Release(old, stays: endpoint == null && IsKnown(old));
        if (after.Count > 0) following[interfaceName] = after;
        else following.Remove(interfaceName);
        // Which of its places are open tells the rules in front of the endpoint of all interfaces.
        frameIsDirty |= endpoint is { IsWorkload: false };
        Spoofs(interfaceName, endpoint?.AllowedSpoofedPrefixes ?? []);
    }

    /// <summary>Policies may have gone with the last endpoint that they selected.</summary>
    private bool IsKnown(ProgramKey program) => program.Chains.All(chain => objects.RulesOf(chain.Of, chain.Direction) != null);

    private void Spoofs(string interfaceName, ListOf<Prefix> nets)
    {
        if (spoofers.GetValueOrDefault(interfaceName) == nets) return;
        if (nets.Count > 0) spoofers[interfaceName] = nets;
        else spoofers.Remove(interfaceName);
        frameIsDirty = true;
    }

    private IEnumerable<AnyNetworkPolicy> PoliciesOf(LocalEndpoint endpoint) =>
        endpoints.Selectors.Matching(endpoint.Id).Where(selecting.ContainsKey).SelectMany(selector => selecting[selector])
            .Select(objects.Policy).OfType<AnyNetworkPolicy>();

    public void InForce() => View = new(IsOn, true, objects.Enforced, endpoints.OfWorkloads, endpoints.OfHosts, programs.Count, [])
    {
        LogsDenied = LogsDenied,
        Sets = sets.Count,
        WithoutInterface = endpoints.WithoutInterface,
    };
}
