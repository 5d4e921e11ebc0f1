using Calico.Bgp.Kernel;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Egress;

/// <summary>Where this node stands to a replica: it is one itself, or packets are handed to it.</summary>
/// <param name="Hop">How it is reached; null: it is not, or this node is it.</param>
/// <param name="Words">For people.</param>
public readonly record struct EgressStanding(bool IsHere, RouteHop? Hop, string Words)
{
    public bool IsUsable => IsHere || Hop != null;

    /// <summary>It may lead nowhere: it is used where there is no other.</summary>
    public bool IsDoubtful { get; init; }

    /// <summary>It waits for flows that another goes on with: who else is there has a pinned address.</summary>
    public bool IsBehind { get; init; }
}

/// <summary>
/// What this node can do for packets of a way: hand them to nodes that are on a link of its own, or by the overlay to those that are not,
/// because whoever routes them in between would send them out by himself.
/// </summary>
/// <param name="unheard">Nodes' addresses that were watched and are not heard.</param>
/// <param name="failing">Gateways whose targets upstream do not answer.</param>
/// <param name="isPinned">Of a gateway's replicas the first that is there serves, and has the address; the others stand by.</param>
/// <param name="isWrapped">
/// Pods' packets are always put into a tunnel between nodes (<see cref="EgressObjects.Wraps"/>): whoever is between them need not let
/// through what has a pod's address, so that on a link, too, they come to a gateway by the overlay.
/// </param>
/// <param name="isBehind">This node waits for flows of others, and takes no pinned address from them.</param>
internal sealed class EgressHere(
    string node, NextHopResolver resolver, EgressOverlay overlay, IReadOnlySet<Address> unheard, EgressFailing failing,
    bool isPinned = false, bool isWrapped = false, bool isBehind = false)
{
    private const string PathDown = "says that its targets upstream do not answer",
        PathDoubtful = "says that targets upstream of one of its gateways do not answer", Waits = "waits for flows of others";

    public EgressOverlay Overlay => overlay;

    /// <summary>The same for another thread: a resolver belongs to one.</summary>
    public EgressHere Apart()
    {
        var own = new NextHopResolver(resolver.Snapshot);
        return new(node, own, overlay.By(own), unheard, failing, isPinned, isWrapped, isBehind);
    }

    /// <summary>Whether it is the one of its gateway that packets leave by, as far as this node knows.</summary>
    public bool Holds(EgressGatewayPlan gateway, EgressReplica replica, IpFamily family) =>
        !isPinned || InOrder(gateway.Replicas.Where(one => Of(one, family).IsUsable), family).FirstOrDefault() == replica;

    /// <summary>Of several of a pinned gateway the first has the address: of those in no doubt, because packets are handed to these
    /// (<see cref="Used"/>).</summary>
    private IEnumerable<EgressReplica> InOrder(IEnumerable<EgressReplica> some, IpFamily family) =>
        some.OrderBy(one => Of(one, family).IsDoubtful).ThenBy(one => Of(one, family).IsBehind);

    public EgressStanding Of(EgressReplica replica, IpFamily family)
    {
        var standing = Sound(replica, family);
        var waits = isPinned && standing.IsUsable && (replica.Is(node) ? isBehind : replica.Hosts.Any(failing.Behind.Contains));
        return waits ? standing with { Words = $"{standing.Words}, {Waits}", IsBehind = true } : standing;
    }

    private EgressStanding Sound(EgressReplica replica, IpFamily family)
    {
        var way = WayTo(replica, family);
        if (!replica.IsProbed || way.Hop == null) return way;
        if (failing.There.Count > 0 && GatewayRemark.NumberOf(replica.Gateway) is var number
            && replica.Hosts.Any(host => failing.There.Contains((host, number)))) return No($"{replica.HostOf(family)} {PathDown}");
        if (!replica.Hosts.Any(failing.Nodes.Contains)) return way;
        return replica.IsOneOfSeveral ? way with { Words = $"{way.Words}, which {PathDoubtful}", IsDoubtful = true }
            : No($"{replica.HostOf(family)} {PathDown}");
    }

    private EgressStanding WayTo(EgressReplica replica, IpFamily family)
    {
        if (!replica.Serves(family)) return No($"has no {family.Word()} address to send with");
        if (replica.Is(node)) return failing.Here.TryGetValue(replica.Gateway, out var silent) ? No(silent) : new(true, null, "here");
        if (replica.Unready is { } why) return No(why);
        if (replica.HostOf(family) is not { } host) return No($"its node has no {family.Word()} address");
        if (IsFar(replica, host)) return ByOverlay(replica, host);
        var way = resolver.Resolve(host);
        if (way.OwnAddress) return No($"{host} is an address of this node, too");
        return unheard.Contains(host) ? No($"{host} is not heard") : new(false, new(host, way.Interface, OnLink: true), $"via {host}");
    }

    private EgressStanding ByOverlay(EgressReplica replica, Address host)
    {
        if (overlay.Local is not { } local)
            return No($"{host} is reached by the overlay alone, and of this node no Node with an address is known");
        if (overlay.Outer(replica.Hosts) is not { } outer)
            return No($"{host} is reached by the overlay alone, for which it has no {local.Family.Word()} address");
        if (unheard.Contains(outer)) return No($"{outer} is not heard");
        return overlay.Interface == 0 ? No($"the link {EgressOverlay.LinkName} is not there yet")
            : new(false, new(EgressOverlay.HopOf(host, outer), overlay.Interface, OnLink: true), $"via {host} by VXLAN");
    }

    /// <summary>On no link of this node.</summary>
    public bool IsOffLink(Address host) => resolver.Resolve(host) is { OwnAddress: false } way && !(way.Resolvable && way.Connected);

    /// <summary>Packets come to it by the overlay alone.</summary>
    public bool IsFar(Address host) => isWrapped ? !resolver.Resolve(host).OwnAddress : IsOffLink(host);

    private bool IsFar(EgressReplica replica, Address host) => replica.IsPod || (replica.Node != node && IsFar(host));

    /// <summary>Packets come to it by the overlay alone, in one family or the other; to a pod they always do.</summary>
    public bool IsFar(EgressReplica replica) => replica.Hosts.Any(host => IsFar(replica, host));

    private static EgressStanding No(string words) => new(false, null, words);

    /// <summary>The replica that this node is itself; of several the first.</summary>
    public EgressReplica? Own(EgressWay way, IpFamily family) =>
        Used(way, family).FirstOrDefault(replica => replica.Is(node));

    /// <summary>Nodes that packets are handed to.</summary>
    public IEnumerable<RouteHop> Hops(EgressWay way, IpFamily family) =>
        Used(way, family).Select(replica => Of(replica, family).Hop).OfType<RouteHop>().Distinct();

    /// <summary>What becomes of packets of the way that this node hands to others.</summary>
    public EgressLeaving Leaving(EgressWay way, IpFamily family) => new(
        [.. from replica in Used(way, family)
            let hop = Of(replica, family).Hop
            where hop != null
            select new EgressLeavingBy(replica.Gateway, replica.Node, replica.AddressOf(family), hop.Value.Interface)],
        Lost(way, way.Replicas, family));

    /// <summary>Why packets leave by none of these gateways of a way.</summary>
    public string Lost(EgressWay way, IEnumerable<EgressReplica> some, IpFamily family) =>
        way.Replicas.Count == 0 ? $"no gateway matches {way.Words}" : $"no gateway is there of {way.Words}: "
            + string.Join(", ", some.Select(one => $"{one.Gateway} on {one.Node}: {Of(one, family).Words}"));

    /// <summary>
    /// Those that a pod keeps to, while there is one of them; else any. Who is avoided comes behind all others, and behind these who is
    /// doubted. Of a pinned gateway one.
    /// </summary>
    private EgressReplica[] Used(EgressWay way, IpFamily family)
    {
        EgressReplica[] preferred = [.. way.Preferred.Where(IsUsable)], all = [.. way.Replicas.Where(IsUsable)],
            sound = Sound(preferred), allSound = Sound(all);
        EgressReplica[][] choices = [Without(sound), Without(allSound), sound, allSound, preferred, all];
        var used = choices.FirstOrDefault(some => some.Length > 0) ?? [];
        return isPinned ? [.. InOrder(used, family).DistinctBy(replica => replica.Gateway)] : used;

        EgressReplica[] Sound(EgressReplica[] some) => [.. some.Where(replica => !Of(replica, family).IsDoubtful)];

        EgressReplica[] Without(EgressReplica[] some) => way.Avoided == null ? some : [.. some.Where(replica => !way.Avoids(replica))];

        bool IsUsable(EgressReplica replica) => Of(replica, family).IsUsable;
    }

    /// <summary>Whether packets of the way may come to this node from others'.</summary>
    public bool Serves(EgressWay way, IpFamily family) => Serving(way, family) != null;

    /// <summary>What this node is for packets of the way that come from others' pods.</summary>
    public EgressReplica? Serving(EgressWay way, IpFamily family) =>
        way.Replicas.FirstOrDefault(replica => replica.Is(node) && replica.Serves(family));
}
