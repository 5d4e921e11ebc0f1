using Calico.Bgp.Net;
using Calico.Bgp.Resources;

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
/// One set for each thing that rules match by, of each family, while any rule uses it: its elements follow the objects.
/// </summary>
internal sealed class MemberSets
{
    /// <summary>The set of a selector's networks has come or gone: rules that use the selector are to be rendered anew.</summary>
    public event Action<Selector, IpFamily>? NetsChanged;

    /// <summary>Counted: as often as it is used it is to be released.</summary>
    public MemberSetNames Use(Selector selector, IpFamily family)
    {
        NetsChanged?.Invoke(selector, family);
        return new("", null);
    }

    /// <summary>As it is now, of a selector that is in use.</summary>
    public MemberSetNames Names(Selector selector, IpFamily family) => new("", null);

    public void Release(Selector selector, IpFamily family) { }

    public string Use(NamedPortMembers members) => "";

    public void Release(NamedPortMembers members) { }

    public string Use(ServiceMembers members) => "";

    public void Release(ServiceMembers members) { }

    /// <summary>Host endpoints are made of nodes, as Calico's controllers make them.</summary>
    public bool AutomaticHostEndpoints { get; set; }

    /// <summary>Pods, WorkloadEndpoints, HostEndpoints, NetworkSets, profiles, Namespaces, ServiceAccounts, EndpointSlices, Nodes.</summary>
    public void Apply(ResourceChange change) { }

    /// <summary>Writes what has changed since it last wrote; all of it, where the writer is fresh.</summary>
    public void Write(PartsWriter into) { }
}
