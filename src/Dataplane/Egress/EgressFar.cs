using Calico.Bgp.Kernel;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Egress;

/// <summary>Whom packets go to by the overlay, and whom they come from.</summary>
/// <param name="Objects">What the kernel is to have of it; none: nobody needs it.</param>
internal sealed record EgressFar(ListOf<KernelObject> Objects, EgressTunnel? Tunnel)
{
    public static readonly EgressFar None = new([], null);

    /// <param name="ways">Those of pods of this node.</param>
    /// <param name="clients">Nodes with pods whose gateway this is.</param>
    /// <param name="overlay">As it is by now.</param>
    public static EgressFar Of(
        IEnumerable<EgressWay> ways, IEnumerable<string> clients, EgressHere here, EgressOverlay overlay, EgressObjects objects)
    {
        var hosts = ways.SelectMany(way => way.Replicas).Where(here.IsFar).Select(replica => replica.Hosts).ToHashSet();
        if (hosts.Count == 0 && !clients.Any(name => objects.Node(name) is { } client && NodeAddresses.Of(client).Any(here.IsFar)))
            return None;
        var wanted = overlay.Objects(hosts.OrderBy(host => host.First()));
        return wanted.Count == 0 ? None : new(wanted, new(overlay.Port, overlay.Mtu(hosts),
            [.. objects.Nodes.SelectMany(NodeAddresses.Of).Concat(hosts.SelectMany(host => host)).Distinct().Order()]));
    }
}
