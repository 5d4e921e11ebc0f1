using Calico.Bgp.Kernel;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Egress;

/// <summary>Whom packets go to by the overlay, and whom they come from.</summary>
/// <param name="Objects">What the kernel is to have of it; none: nobody needs it.</param>
internal sealed record EgressFar(ListOf<KernelObject> Objects, EgressTunnel? Tunnel)
{
    public static readonly EgressFar None = new([], null);

    public static EgressFar Of(
        string node, IReadOnlyCollection<(EgressPod Pod, EgressUse Use)> uses, EgressHere here, EgressObjects objects)
    {
        var (hosts, pods, serves) = (new HashSet<ListOf<Address>>(), new SortedSet<Address>(), false);
        var known = new Dictionary<EgressClass, ListOf<Address>[]>(ReferenceEqualityComparer.Instance);
        var clients = new Dictionary<string, bool>(StringComparer.Ordinal);
        foreach (var (pod, use) in uses)
        {
            if (use.Class is not { } some) continue;
            if (pod.Node == node)
            {
                if (!known.TryGetValue(some, out var far)) hosts.UnionWith(known[some] = far = FarOf(some, here));
                if (far.Length > 0) pods.UnionWith(pod.Addresses);
            }
            else if (!serves && IsServed(some, here))
            {
                if (!clients.TryGetValue(pod.Node, out var isFar)) clients[pod.Node] = isFar = IsFar(pod.Node, here, objects);
                serves = isFar;
            }
        }
        if (hosts.Count == 0 && !serves) return None;
        var wanted = here.Overlay.Objects(hosts.OrderBy(host => host.First()));
        return wanted.Count == 0 ? None : new(wanted, new(
            here.Overlay.Port, here.Overlay.Mtu(hosts),
            [.. objects.Nodes.SelectMany(NodeAddresses.Of).Concat(hosts.SelectMany(host => host)).Distinct().Order()], [.. pods]));
    }

    private static ListOf<Address>[] FarOf(EgressClass some, EgressHere here) =>
        [.. some.Rules.SelectMany(rule => rule.To?.Replicas ?? []).Where(here.IsFar).Select(replica => replica.Hosts).Distinct()];

    private static bool IsServed(EgressClass some, EgressHere here) => some.Rules.Any(rule =>
        rule.To is { } way && here.Serves(way, rule.Destination.Family));

    private static bool IsFar(string name, EgressHere here, EgressObjects objects) =>
        objects.Nodes.FirstOrDefault(one => one.Name == name) is { } client && NodeAddresses.Of(client).Any(here.IsFar);
}
