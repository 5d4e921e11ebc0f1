using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Dataplane.LocalEndpoints;

/// <summary>
/// Host endpoints by name: the objects, and where they are asked for those that Calico's controllers would make of nodes
/// (kube-controllers, hostendpoints.go). An object of the same name counts instead.
/// </summary>
/// <param name="changed">Told a name, and what its host endpoint is now; null: there is none. It may be what it was.</param>
internal sealed class HostEndpoints(Action<string, HostEndpoint?> changed)
{
    private readonly Dictionary<string, HostEndpoint> objects = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Node> nodes = new(StringComparer.Ordinal);
    private bool areAutomatic;

    public bool AreAutomatic
    {
        get => areAutomatic;
        set
        {
            if (areAutomatic == value) return;
            areAutomatic = value;
            TellOfNodes();
        }
    }

    /// <summary>Tells all that there are once more.</summary>
    public void TellAll()
    {
        foreach (var endpoint in objects.Values) changed(endpoint.Name, endpoint);
        if (areAutomatic) TellOfNodes();
    }

    private void TellOfNodes()
    {
        foreach (var node in nodes.Values) Tell(NameFor(node.Name), node);
    }

    /// <returns>False: it is neither a host endpoint nor a node.</returns>
    public bool Apply(ResourceChange change)
    {
        var name = change.Key.Name;
        if (change.Kind == Kinds.HostEndpoint)
        {
            if (change.After is HostEndpoint endpoint) objects[name] = endpoint;
            else objects.Remove(name);
            const string Suffix = "-auto-hep";
            Tell(name, name.EndsWith(Suffix, StringComparison.Ordinal) ? nodes.GetValueOrDefault(name[..^Suffix.Length]) : null);
            return true;
        }
        if (change.Kind != Kinds.Node) return false;
        if (change.After is Node node) nodes[name] = node;
        else nodes.Remove(name);
        if (areAutomatic) Tell(NameFor(name), nodes.GetValueOrDefault(name));
        return true;
    }

    private void Tell(string name, Node? node) =>
        changed(name, objects.GetValueOrDefault(name) ?? (areAutomatic && node != null ? Automatic(node) : null));

    private static string NameFor(string node) => $"{node}-auto-hep";

    /// <summary>Of all interfaces, with the node's labels and addresses; it allows what no policy decides.</summary>
    private static HostEndpoint Automatic(Node node) =>
        new(new Metadata(NameFor(node.Name)) { Labels = node.Labels.With(CreatedByCalico) })
        {
            Node = node.Name,
            Interface = HostEndpoint.AllInterfaces,
            ExpectedIPs = [.. AddressesOf(node).Distinct()],
            Profiles = [Profile.DefaultAllow],
        };

    private static readonly Labels CreatedByCalico =
        Labels.From([new("projectcalico.org/created-by", "calico-kube-controllers")]);

    private static IEnumerable<Address> AddressesOf(Node node)
    {
        Address?[] own = [node.IPv4?.Address, node.IPv6?.Address, node.IPv4IpipTunnelAddress, node.IPv4VxlanTunnelAddress,
            node.IPv6VxlanTunnelAddress, node.IPv4WireguardAddress, node.IPv6WireguardAddress];
        foreach (var address in own)
            if (address is { } known) yield return known;
        foreach (var address in node.Addresses)
            if (address.Type is "InternalIP" or "ExternalIP") yield return address.Address;
    }
}
