using System.Globalization;
using Calico.Bgp.Dataplane.Egress.Replication;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Egress;

namespace Calico.Bgp.Dataplane.Egress;

/// <param name="Standing">How this node reaches it, or why not; of the families that it serves.</param>
public sealed record EgressReplicaView(string Node, ListOf<Address> Addresses, bool ByHost, bool IsUsable, string Standing);

/// <param name="Pods">All of the cluster that may leave by it, namespace/name.</param>
public sealed record EgressGatewayView(ResourceKey Key, ListOf<EgressReplicaView> Replicas, ListOf<string> Problems, ListOf<string> Pods);

/// <param name="Reason">Why it leaves the cluster by no way.</param>
public sealed record EgressBlocked(string Pod, string Node, string Reason);

/// <param name="Enabled">False: packets leave as if there were no gateways.</param>
public sealed record EgressView(bool Enabled, ListOf<EgressGatewayView> Gateways, ListOf<EgressBlocked> Blocked)
{
    public static readonly EgressView Off = new(false, [], []);

    /// <summary>Null: flows are not logged here.</summary>
    public EgressFlowLogView? FlowLog { get; init; }

    /// <summary>Null: no flows are given to other nodes, or taken from them.</summary>
    public EgressReplicationView? Replication { get; init; }
}

/// <param name="Verdict">What becomes of the packet, in a word or two.</param>
/// <param name="Reasons">Why, one after the other.</param>
public sealed record EgressExplanation(string Verdict, ListOf<string> Reasons);

/// <summary>Says what is planned.</summary>
internal sealed class EgressViewer(string node, EgressHere here)
{
    private static readonly IpFamily[] Families = [IpFamily.IPv4, IpFamily.IPv6];

    public EgressView Look(EgressPicture picture)
    {
        var users = new Dictionary<ResourceKey, SortedSet<string>>();
        var maintained = Maintained(picture);
        var blocked = new List<EgressBlocked>();
        foreach (var (pod, use) in picture.Uses)
        {
            if (use.Blocked is { } reason) blocked.Add(new($"{pod.Key}", pod.Node, reason));
            var replicas = use.Class?.Rules.SelectMany(rule => rule.To?.Replicas ?? []) ?? [];
            foreach (var gateway in replicas.Select(one => one.Gateway).Distinct())
                (users.TryGetValue(gateway, out var some) ? some : users[gateway] = new(StringComparer.Ordinal)).Add($"{pod.Key}");
            foreach (var rule in use.Class?.Rules ?? [])
                if (rule.To is { } way && WhyNone(pod, way, rule.Destination.Family) is { } why)
                    blocked.Add(new($"{pod.Key}", pod.Node, why));
        }
        return new(true,
            [.. picture.Gateways.Select(gateway => new EgressGatewayView(gateway.Key,
                [.. gateway.Replicas.Select(one => View(gateway, one, maintained))], gateway.Problems,
                [.. users.GetValueOrDefault(gateway.Key) ?? []]))],
            [.. blocked.Distinct().OrderBy(one => one.Pod, StringComparer.Ordinal)]);
    }

    /// <summary>By the addresses of gateways under maintenance: whom they have been told to, with what they have been told.</summary>
    private static ILookup<Address, EgressMaintenance> Maintained(EgressPicture picture) => picture.Uses
        .Where(one => one.Use.Class?.Rules.Any(rule => rule is { Moved: not null, IsOver: false }) == true)
        .Select(one => one.Pod.Maintenance!).ToLookup(said => said.Gateway);

    private static string Words(EgressMaintenance[] said)
    {
        if (said.Length == 0) return "";
        var until = said.Any(one => one.Finished == null) ? null : said.Max(one => one.Finished);
        return $", under maintenance{Until(until)}: {(said.Length == 1 ? "a pod begins" : $"{said.Length} pods begin")} nothing by it";
    }

    private static string Until(DateTimeOffset? end) =>
        end is { } time ? $" until {time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)}" : "";

    /// <summary>
    /// Why a pod leaves by none of a way's gateways; null: it does. Of a pod of another node only what is so on every node is said. That a
    /// gateway has no address of one family is nobody's loss: it is asked for so.
    /// </summary>
    private string? WhyNone(EgressPod pod, EgressWay way, IpFamily family)
    {
        if (way.Replicas.Count == 0) return $"no gateway matches {way.Words}";
        if (!way.Replicas.Any(replica => Families.Any(replica.Serves))) return $"no gateway of {way.Words} has an address to send with";
        if (pod.Node != node || !pod.Addresses.Any(address => address.Family == family)) return null;
        var serving = way.Replicas.Where(replica => replica.Serves(family)).ToArray();
        var standings = serving.Select(replica => (Replica: replica, Standing: here.Of(replica, family))).ToArray();
        if (standings.Length == 0 || standings.Any(one => one.Standing.IsUsable)) return null;
        return $"no gateway is there of {way.Words}: "
            + string.Join(", ", standings.Select(one => $"{one.Replica.Gateway} on {one.Replica.Node}: {one.Standing.Words}"));
    }

    public EgressExplanation Explain(EgressPicture picture, ResourceKey key, Address destination)
    {
        var (pod, use) = picture.Uses.FirstOrDefault(one => one.Pod.Key == key);
        if (pod is null) return new("unknown", [$"no pod {key} with an address is known"]);
        var where = pod.Node == node ? $"{key} is on this node" : $"{key} is on {pod.Node}: what is said of ways is said from here";
        if (use.Blocked is { } reason) return new("blocked", [where, reason]);
        if (EgressRenderer.LinkLocal(destination.Family).Any(net => net.Contains(destination)))
            return new("not by a gateway", [where, $"{destination} leaves no link"]);
        if (picture.Inside.Cast<Prefix?>().FirstOrDefault(net => net!.Value.Contains(destination)) is { } inside)
            return new("not by a gateway", [where, $"{destination} is the cluster's own ({inside})"]);
        if (use.Class == null) return new("not by a gateway", [where, "neither its annotations nor its namespace's choose one"]);
        if (use.Class.For(destination) is not { } rule) return new("not by a gateway", [where, $"no rule has {destination}"]);
        if (rule.To is not { } way) return new("not by a gateway", [where, $"the rule of {rule.Destination} names none"]);
        var replicas = way.Replicas.Select(one => (Replica: one, Standing: here.Of(one, destination.Family))).ToArray();
        string[] lines =
        [
            where, $"the rule of {rule.Destination} has gateways {EgressPlanner.Words(way)}",
            .. replicas.Select(one => $"{one.Replica.Gateway} on {one.Replica.Node}"
                + (one.Replica.AddressOf(destination.Family) is { } address ? $" with {address}" : "") + $": {one.Standing.Words}"),
            .. rule.Moved is not { Avoided: { } avoided } ? (string[])[] : rule.IsOver
                ? [$"what it began while {avoided} was under maintenance goes on by the others; what it begins now goes by any of them"]
                : [$"{avoided} is under maintenance{Until(pod.Maintenance!.Finished)}: what it begins now goes by others, where there "
                    + "is one, and what it has begun goes on as it went"],
        ];
        return new(replicas.Any(one => one.Standing.IsUsable) ? "by a gateway" : "dropped: no gateway is there", [.. lines]);
    }

    /// <summary>In each family that it could serve another does.</summary>
    private string StandsBy(EgressGatewayPlan gateway, EgressReplica replica) =>
        Families.Where(family => here.Of(replica, family).IsUsable).ToArray() is { Length: > 0 } able
            && !able.Any(family => here.Holds(gateway, replica, family)) ? ", stands by" : "";

    private EgressReplicaView View(EgressGatewayPlan gateway, EgressReplica replica, ILookup<Address, EgressMaintenance> maintained)
    {
        var told = replica.Addresses.Concat(replica.Hosts).SelectMany(address => maintained[address]).ToArray();
        var standings = Families.Where(replica.Serves).Select(family => here.Of(replica, family)).ToArray();
        var words = standings.Length == 0 ? "has no address" : string.Join(", ", standings.Select(one => one.Words).Distinct());
        return new(replica.Node, replica.Addresses, replica.ByHost.Count > 0, standings.Any(one => one.IsUsable),
            (replica.Is(node) && standings.Any(one => one.IsHere) ? "this node" : words) + StandsBy(gateway, replica) + Words(told));
    }
}
