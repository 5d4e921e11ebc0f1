using Calico.Bgp.Dataplane.LocalEndpoints;
using Calico.Bgp.Dataplane.Selectors;
using Calico.Bgp.Dataplane.Sets;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Dataplane.Policies.Lint;

/// <summary>Whom policies apply to and whom rules select, on all nodes.</summary>
internal sealed class Population
{
    private readonly ProfileTable profiles = new();
    private readonly HostEndpoints hosts;
    private readonly SelectorIndex index;
    private readonly MemberSets members;
    private readonly Dictionary<ResourceId, LocalEndpoint> endpoints = [];

    public Population(bool automaticHostEndpoints)
    {
        hosts = new((name, host) => Set(new(Kinds.HostEndpoint, new(name)), host == null ? null
            : new(host.Id, host.Interface) { Labels = host.Labels, Profiles = host.Profiles }))
        {
            AreAutomatic = automaticHostEndpoints,
        };
        index = new(_ => { }, profiles.LabelsOf);
        members = new() { AutomaticHostEndpoints = automaticHostEndpoints };
    }

    public IReadOnlyCollection<LocalEndpoint> Endpoints => endpoints.Values;

    public void Apply(ResourceChange change)
    {
        members.Apply(change);
        if (profiles.Apply(change) is { } profile) index.LookAtProfile(profile);
        else if (!hosts.Apply(change)) Set(new(change.Kind, change.Key), EndpointOf(change.After));
    }

    private static LocalEndpoint? EndpointOf(Resource? said) => said switch
    {
        Pod { IsHostNetwork: false, Node: not null, Nets.Count: > 0 } pod => Workload(pod, pod.Profiles),
        WorkloadEndpoint endpoint => Workload(endpoint, endpoint.Profiles),
        _ => null,
    };

    private static LocalEndpoint Workload(Resource said, Net.ListOf<string> profiles) =>
        new(said.Id, "") { IsWorkload = true, Labels = said.Labels, Profiles = profiles };

    private void Set(ResourceId id, LocalEndpoint? endpoint)
    {
        if (endpoint != null)
        {
            endpoints[id] = endpoint;
            index.SetItem(id, endpoint.Labels, endpoint.Profiles);
        }
        else if (endpoints.Remove(id)) index.RemoveItem(id);
    }

    public bool IsProfile(string name) => profiles[name] != null;

    /// <summary>Endpoints that a policy with this selector applies to.</summary>
    public IEnumerable<LocalEndpoint> Selected(PolicySpec spec)
    {
        index.Use(spec.AppliesTo);
        return index.Members(spec.AppliesTo).Select(id => endpoints[id]).Where(one => one.IsWorkload || !spec.WorkloadsOnly);
    }

    /// <summary>Somebody is there whom a rule with this selector matches.</summary>
    public bool HasMembers(Selector selector)
    {
        members.Index.Use(selector);
        var isAny = members.Index.Members(selector).Any();
        members.Index.Release(selector);
        return isAny;
    }
}
