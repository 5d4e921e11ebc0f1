using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane.LocalEndpoints;

/// <summary>What is known of the interfaces that this host has.</summary>
internal interface ILinks
{
    /// <summary>Their names; null: nobody knows them.</summary>
    IReadOnlyCollection<string>? Links { get; }

    /// <summary>The interface that a packet to this address leaves by; null: nobody knows.</summary>
    string? LinkTo(Address address);
}

/// <summary>
/// An endpoint goes by the name of an interface: a pod's is derived from the pod's name, as Calico's CNI plugin does, a WorkloadEndpoint
/// says its own. Where the kernel's interfaces are called otherwise, policy asks nobody, or drops all, and no object is wrong. Here that is
/// found, for those that look in; what packets meet does not depend on it.
/// </summary>
internal sealed class WorkloadLinks(EndpointTable endpoints)
{
    /// <summary>Interfaces that are workloads' by their names, and no endpoint's.</summary>
    public IEnumerable<string> Unknown(ILinks host) => (host.Links ?? [])
        .Where(link => endpoints.Settings.IsWorkload(link) && endpoints.On(link) == null).Order(StringComparer.Ordinal);

    /// <summary>Why an endpoint's packets do not come by its interface; null: they do, as far as is known.</summary>
    public string? Missing(LocalEndpoint endpoint, ILinks host)
    {
        if (!endpoint.IsWorkload || host.Links is not { } links || links.Contains(endpoint.Interface)) return null;
        var derived = endpoint.Id.Kind == Kinds.Pod
            ? $"{endpoints.Settings.PodPrefix} and SHA-1 of {endpoint.Id.Key.Namespace}.{endpoint.Id.Key.Name}" : "its interfaceName";
        var ways = endpoint.Nets.Select(net => Way(net.Address, host));
        return string.Join("; ", ways.Prepend($"its interface {endpoint.Interface} ({derived}) is not here"));
    }

    private string Way(Address address, ILinks host)
    {
        if (host.LinkTo(address) is not { } link) return NoRoute(address);
        var whose = endpoints.On(link) is { } other ? $"which is {other.Id}'s"
            : endpoints.Settings.IsWorkload(link) ? "where no endpoint is known: all that it sends and gets there is dropped"
            : "which is no workload's by its name: no policy of it is asked there";
        return $"a route leads to {address} by {link}, {whose}";
    }

    /// <summary>Its interface may be down, or nobody has made the route.</summary>
    private static string NoRoute(Address address) => $"no route is known to lead to {address}";

    /// <summary>What whoever asks about this address has to know of its interface; null: nothing.</summary>
    public string? Of(Address address, ILinks host)
    {
        var endpoint = endpoints.All.FirstOrDefault(one => one.IsWorkload && one.Nets.Any(net => net.Address == address));
        if (endpoint == null)
            return endpoints.Shadowed.Where(one => one.Nets.Any(net => net.Address == address))
                .Select(one => $"{one.Id}: {Shadowing(one)}").FirstOrDefault();
        if (Missing(endpoint, host) is { } missing) return $"{endpoint.Id}: {missing}";
        if (host.Links == null) return null;
        var way = host.LinkTo(address);
        return way == endpoint.Interface ? null : way == null ? $"{endpoint.Id}: {NoRoute(address)}"
            : $"{endpoint.Id}: a route leads to {address} by {way}, and not by its interface {endpoint.Interface}";
    }

    /// <summary>Of one of those that claim an interface which is another's.</summary>
    public string Shadowing(LocalEndpoint endpoint) =>
        $"{endpoint.Interface} is the interface of {endpoints.On(endpoint.Interface)?.Id}, too, which comes first and counts";

    /// <summary>Each as the traps of policies are told.</summary>
    public IEnumerable<PolicyFinding> Found(ILinks host) =>
    [
        .. endpoints.All.OrderBy(one => one.Id).Select(one => (one.Id, Reason: Missing(one, host))).Where(one => one.Reason != null)
            .Select(one => new PolicyFinding(PolicyTrap.NoInterface, one.Id.ToString(), one.Reason!)),
        .. endpoints.Shadowed.OrderBy(one => one.Id).Select(one => new PolicyFinding(PolicyTrap.NoInterface, one.Id.ToString(),
            Shadowing(one))),
        .. Unknown(host).Select(link => new PolicyFinding(PolicyTrap.UnknownInterface, link, UnknownWords)),
    ];

    public const string UnknownWords =
        "it is a workload's by its name, and no endpoint is known there: all that it sends and gets is dropped";
}
