using Calico.Bgp.Dataplane.LocalEndpoints;
using Calico.Bgp.Dataplane.Selectors;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Dataplane.Sets;

/// <summary>The sets of those who match a selector, of one family.</summary>
/// <param name="Hosts">Single addresses; always there.</param>
/// <param name="Nets">Whole networks: there while any member has one, which <see cref="MemberSets.NetsChanged"/> tells.</param>
internal readonly record struct MemberSetNames(string Hosts, string? Nets);

/// <summary>Address, protocol and port of those endpoints that match and have a port of that name.</summary>
/// <param name="Selector">Null: of all.</param>
/// <param name="Protocol">Null: TCP, UDP or SCTP.</param>
internal readonly record struct NamedPortMembers(Selector? Selector, string Port, byte? Protocol, IpFamily Family);

/// <summary>The endpoints of a service: address, protocol and port, or the address alone.</summary>
internal readonly record struct ServiceMembers(ResourceKey Service, bool WithPorts, IpFamily Family);

/// <summary>
/// One set for each thing that rules match by, of each family, while any rule uses it: its elements follow the objects. Members of
/// selectors are workload endpoints (a Pod's among them), host endpoints by their expected addresses, and network sets.
/// </summary>
/// <remarks>
/// What a set has is not kept: it follows from who has an address (<see cref="HostOwners"/>, <see cref="NetOwners"/>) and who matches
/// (<see cref="SelectorIndex"/>). A network is an element where no member has one around it, as ranges in a set must not overlap.
/// </remarks>
internal sealed partial class MemberSets
{
    private readonly record struct Member(ListOf<Prefix> Nets, ListOf<NamedPort> Ports, ListOf<DomainPattern> Domains = default);

    /// <summary>A member that is being changed.</summary>
    /// <param name="Nets">To a set that it is in before and after; to others it comes or goes as a whole.</param>
    private sealed record Changing(Member Before, Member After, MemberChange Nets)
    {
        private MemberChange? coming, going;

        public MemberChange Coming => coming ??= new(MemberNets.None, Nets.To);
        public MemberChange Going => going ??= new(Nets.From, MemberNets.None);
    }

    private readonly ProfileTable profiles = new();
    private readonly HostEndpoints hostEndpoints;
    private readonly OwnerLists lists = new();
    private readonly HostOwners hosts;
    private readonly NetOwners[] nets;
    private readonly SetParts parts = new();
    private readonly ServiceSets services;
    private readonly List<SelectorSets?> bySelector = [];
    private readonly List<Member> members = [];
    private readonly List<int> entered = [];
    private readonly List<Prefix> inside = [];
    /// <summary>Members that have names: network sets, and few of these.</summary>
    private readonly SortedSet<int> named = [];
    /// <summary>What is told meanwhile is of it; null: what an item inherits has changed.</summary>
    private Changing? current;

    public MemberSets()
    {
        Index = new(Moved, profiles.LabelsOf);
        hostEndpoints = new(Apply);
        hosts = new(lists);
        nets = [new(IpFamily.IPv4, lists), new(IpFamily.IPv6, lists)];
        services = new(parts);
    }

    /// <summary>The set of a selector's networks has come or gone: rules that use the selector are to be rendered anew. Told within a
    /// change: it is to be noted, and nothing else done.</summary>
    public event Action<Selector, IpFamily>? NetsChanged;

    /// <summary>The names of a selector's members are others. Told as the other is.</summary>
    public event Action<Selector>? DomainsChanged;

    /// <summary>Sets that some rule uses.</summary>
    public int Count => parts.Count;

    /// <summary>Who matches what, for who explains.</summary>
    public SelectorIndex Index { get; }

    /// <summary>Host endpoints are made of nodes, as Calico's controllers make them.</summary>
    public bool AutomaticHostEndpoints
    {
        get => hostEndpoints.AreAutomatic;
        set => hostEndpoints.AreAutomatic = value;
    }

    /// <summary>Counted: as often as it is used it is to be released.</summary>
    public MemberSetNames Use(Selector selector, IpFamily family) => UseSelector(selector).Use(family).Names;

    /// <summary>As it is now, of a selector that is in use.</summary>
    public MemberSetNames Names(Selector selector, IpFamily family) => Of(selector)[family]!.Names;

    /// <summary>The names that members of a selector that is in use have (allowedEgressDomains).</summary>
    public ListOf<DomainPattern> Domains(Selector selector)
    {
        if (named.Count == 0) return [];
        var slot = Index.SlotOf(selector);
        return [.. named.Where(at => Index.IsMember(at, slot)).SelectMany(at => members[at].Domains)];
    }

    public void Release(Selector selector, IpFamily family)
    {
        Of(selector).Release(family);
        ReleaseSelector(selector);
    }

    /// <summary>Counted, as all of these.</summary>
    /// <returns>The set's name.</returns>
    public string Use(NamedPortMembers wanted)
    {
        var selector = wanted.Selector ?? Selector.All;
        return UseSelector(selector).Use(wanted with { Selector = selector });
    }

    public void Release(NamedPortMembers wanted)
    {
        var selector = wanted.Selector ?? Selector.All;
        Of(selector).Release(wanted with { Selector = selector });
        ReleaseSelector(selector);
    }

    public string Use(ServiceMembers wanted) => services.Use(wanted);

    public void Release(ServiceMembers wanted) => services.Release(wanted);

    private SelectorSets UseSelector(Selector selector)
    {
        Index.Use(selector);
        var slot = Index.SlotOf(selector);
        while (bySelector.Count <= slot) bySelector.Add(null);
        return bySelector[slot] ??= new(this, selector, slot);
    }

    private void ReleaseSelector(Selector selector)
    {
        var slot = Index.SlotOf(selector);
        if (Index.Release(selector)) bySelector[slot] = null;
    }

    private SelectorSets Of(Selector selector) => bySelector[Index.SlotOf(selector)]!;

    /// <summary>Pods, WorkloadEndpoints, HostEndpoints, network sets, Profiles, Namespaces, ServiceAccounts, EndpointSlices, Nodes; of
    /// others it makes nothing.</summary>
    public void Apply(ResourceChange change)
    {
        if (profiles.Apply(change) is { } profile) Index.LookAtProfile(profile);
        else if (!hostEndpoints.Apply(change) && !services.Apply(change)) SetMember(new(change.Kind, change.Key), change.After);
    }

    private void Apply(string name, HostEndpoint? endpoint) => SetMember(new(Kinds.HostEndpoint, new(name)), endpoint);

    private void SetMember(ResourceId id, Resource? said)
    {
        switch (said)
        {
            case Pod { IsHostNetwork: false, Node: not null, Nets.Count: > 0 } pod:
                Set(id, pod.Labels, pod.Profiles, new(pod.Nets, pod.Ports)); break;
            case WorkloadEndpoint endpoint: Set(id, endpoint.Labels, endpoint.Profiles, new(endpoint.Nets, endpoint.Ports)); break;
            case HostEndpoint host:
                Set(id, host.Labels, host.Profiles, new([.. host.ExpectedIPs.Select(address => new Prefix(address, address.Family.Bits()))],
                    host.Ports));
                break;
            case NetworkSet set: Set(id, set.Labels, [set.Profile], new(set.Nets, [], set.Domains)); break;
            case GlobalNetworkSet set: Set(id, set.Labels, [], new(set.Nets, [], set.Domains)); break;
            default: Remove(id); break;
        }
    }

    private void Set(ResourceId id, Labels labels, ListOf<string> inherits, Member member)
    {
        var before = Index.TryGetSlot(id, out var at) ? members[at] : default;
        var was = MemberNets.Of(before.Nets);
        current = new(before, member, new(was, before.Nets == member.Nets ? was : MemberNets.Of(member.Nets)));
        entered.Clear();
        at = Index.SetItem(id, labels, inherits);
        if (at == members.Count) members.Add(default);
        if (!before.Equals(member))
        {
            foreach (var selector in Index.SelectorSlots(at))
                if (!entered.Contains(selector)) bySelector[selector]!.Change(at, current.Nets, before.Ports, member.Ports);
            Own(at, current.Nets);
            members[at] = member;
            Name(at, before.Domains, member.Domains);
        }
        current = null;
    }

    private void Remove(ResourceId id)
    {
        if (!Index.TryGetSlot(id, out var at)) return;
        current = new(members[at], default, new(MemberNets.Of(members[at].Nets), MemberNets.None));
        Index.RemoveItem(id);
        Own(at, current.Nets);
        named.Remove(at);
        members[at] = default;
        current = null;
    }

    private void Name(int at, ListOf<DomainPattern> before, ListOf<DomainPattern> after)
    {
        if (before == after) return;
        if (after.Count > 0) named.Add(at);
        else named.Remove(at);
        foreach (var selector in Index.SelectorSlots(at)) DomainsChanged?.Invoke(bySelector[selector]!.Selector);
    }

    private void Moved(Membership told)
    {
        var sets = bySelector[told.SelectorSlot]!;
        var item = current ?? Unchanged(members[told.ItemSlot]);
        if (item.Before.Domains.Count + item.After.Domains.Count > 0) DomainsChanged?.Invoke(sets.Selector);
        if (told.IsIn)
        {
            entered.Add(told.SelectorSlot);
            sets.Move(told.ItemSlot, item.Coming, item.After.Ports, isIn: true);
        }
        else sets.Move(told.ItemSlot, item.Going, item.Before.Ports, isIn: false);
    }

    /// <summary>Its labels are others, by inheritance.</summary>
    private static Changing Unchanged(Member member)
    {
        var nets = MemberNets.Of(member.Nets);
        return new(member, member, new(nets, nets));
    }

    private void Own(int at, MemberChange change)
    {
        foreach (var family in (ReadOnlySpan<IpFamily>)[IpFamily.IPv4, IpFamily.IPv6])
        {
            foreach (var host in change.HostsGone(family)) hosts.Remove(host.Address, at);
            foreach (var host in change.HostsCome(family)) hosts.Add(host.Address, at);
            foreach (var net in change.NetsGone(family)) nets[(int)family].Remove(net, at);
            foreach (var net in change.NetsCome(family)) nets[(int)family].Add(net, at);
        }
    }

    private IEnumerable<Prefix> HostsOf(int at, IpFamily family) =>
        members[at].Nets.Where(prefix => prefix.IsHost && prefix.Family == family);

    /// <summary>Writes what has changed since it last wrote; all of it, where the writer is fresh.</summary>
    public void Write(PartsWriter into) => parts.Write(into);
}
