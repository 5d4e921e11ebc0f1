using System.Globalization;
using Calico.Bgp.Dataplane.Egress.Replication;
using Calico.Bgp.Kernel;
using Calico.Bgp.Kernel.NextHops;
using Calico.Bgp.Kernel.Rules;
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

    /// <summary>It is to be on, and nothing is known of the objects yet: what was in force before is so still.</summary>
    public bool IsBeginning { get; init; }

    /// <summary>Null: flows are not logged here.</summary>
    public EgressFlowLogView? FlowLog { get; init; }

    /// <summary>Null: no flows are given to other nodes, or taken from them.</summary>
    public EgressReplicationView? Replication { get; init; }

    public EgressCounts Counts { get; init; } = EgressCounts.None;

    /// <summary>What the kernel refuses of all that leads packets to gateways, with its words.</summary>
    public ListOf<string> Refused { get; init; } = [];

    /// <summary>How this node's pods are led to other nodes.</summary>
    internal ListOf<EgressLed> Led { get; init; } = [];

    /// <summary>What is planned, as far as the kernel takes its routes: by one that it refuses nobody leaves.</summary>
    internal EgressView As(KernelStatus kernel)
    {
        if (!Enabled || (kernel.Refusals.IsEmpty && kernel.RefusedObjects.IsEmpty)) return this;
        (EgressLed Led, string Why)[] refused =
            [.. from led in Led let why = led.WhyNot(kernel) where why != null select (led, why)];
        ListOf<string> all =
        [
            .. kernel.RefusedObjects.Where(one => EgressRouting.IsOwner(one.Owner)).Select(one => $"{one.Object}: {one.Words}"),
            .. kernel.Refusals.Where(one => EgressRouting.IsOwner(one.Owner))
                .Select(one => $"route {one.Prefix}{(one.Target is { } target ? $" table {target.Table}" : "")}: {one.Words}"),
        ];
        if (refused.Length == 0) return this with { Refused = all };
        var blocked = refused.SelectMany(one => one.Led.Pods.Select(pod => new EgressBlocked(pod, one.Led.Node, one.Why)));
        return this with
        {
            Refused = all,
            Gateways = [.. Gateways.Select(gateway => gateway with
                { Replicas = [.. gateway.Replicas.Select(one => Refused(gateway, one))] })],
            Blocked = [.. Blocked.Concat(blocked).Distinct().OrderBy(one => one.Pod, StringComparer.Ordinal)],
        };

        EgressReplicaView Refused(EgressGatewayView gateway, EgressReplicaView replica) =>
            refused.Where(one => one.Led.Over.Contains((gateway.Key, replica.Node))).Select(one => one.Why).FirstOrDefault() is { } why
                ? replica with { IsUsable = false, Standing = $"{replica.Standing}, but {why}" } : replica;
    }
}

/// <summary>A way's packets of a family, as they are led out of this node.</summary>
/// <param name="Group">The number of its next hops.</param>
/// <param name="Way">What tells it from all others.</param>
/// <param name="Words">Its gateways, for people.</param>
/// <param name="Over">Gateways, and their nodes, that they are handed to.</param>
/// <param name="Pods">Those of this node that leave by it.</param>
internal sealed record EgressLed(
    uint Table, uint Group, IpFamily Family, string Node, string Way, string Words, ListOf<(ResourceKey Gateway, string Node)> Over,
    ListOf<string> Pods)
{
    /// <summary>Why the kernel leads them nowhere; null: it does.</summary>
    public string? WhyNot(KernelStatus kernel)
    {
        // The route over next hops that are not there is refused as well, in words that tell less.
        foreach (var refusal in kernel.RefusedObjects)
            if (refusal.Object is NextHopGroup group && group.Id == Group)
                return $"the kernel refuses the next hops of {Words}: {refusal.Words}";
            else if (refusal.Object is RoutingRule rule && rule.Table == Table && rule.Family == Family)
                return $"the kernel refuses the rule that leads to {Words}: {refusal.Words}";
        foreach (var refusal in kernel.Refusals)
            if (refusal.Target is { NextHop: not 0 } target && target.Table == Table && refusal.Prefix.Family == Family)
                return $"the kernel refuses the route to {Words}: {refusal.Words}";
        return null;
    }
}

/// <param name="Verdict">What becomes of the packet, in a word or two.</param>
/// <param name="Reasons">Why, one after the other.</param>
public sealed record EgressExplanation(string Verdict, ListOf<string> Reasons)
{
    /// <summary>The verdict on a pod that nobody knows.</summary>
    public const string NoPod = "unknown";
}

/// <summary>Says what is planned.</summary>
internal sealed class EgressViewer(string node, EgressHere here)
{
    private static readonly IpFamily[] Families = [IpFamily.IPv4, IpFamily.IPv6];

    public EgressView Look(EgressPicture picture, EgressRoutes routes)
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
            [.. blocked.Distinct().OrderBy(one => one.Pod, StringComparer.Ordinal)])
        {
            Led = [.. Led(picture, routes)],
        };
    }

    private IEnumerable<EgressLed> Led(EgressPicture picture, EgressRoutes routes)
    {
        var tables = routes.Tables.ToLookup(table => table.Tag);
        var ways = from use in picture.Uses
                   where use.Pod.Node == node
                   from way in use.Ways
                   group (use.Pod, Way: way) by EgressPlanner.Words(way);
        foreach (var users in ways)
        {
            var way = users.First().Way;
            foreach (var table in tables[EgressNumbers.TagOf(users.Key)])
                foreach (var family in Families.Where(family => here.Own(way, family) == null))
                    yield return new(EgressRouting.TableOf(table), EgressRouting.Group(table, family), family, node, users.Key, way.Words,
                        [.. way.Replicas.Where(one => here.Of(one, family).Hop != null).Select(one => (one.Gateway, one.Node))],
                        [.. users.Select(one => one.Pod).Where(pod => pod.Addresses.Any(address => address.Family == family))
                            .Select(pod => $"{pod.Key}").Distinct()]);
        }
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
        if (way.Replicas.Count == 0) return here.Lost(way, [], family);
        if (!way.Replicas.Any(replica => Families.Any(replica.Serves))) return $"no gateway of {way.Words} has an address to send with";
        if (pod.Node != node || !pod.Addresses.Any(address => address.Family == family)) return null;
        var serving = way.Replicas.Where(replica => replica.Serves(family)).ToArray();
        return serving.Length == 0 || serving.Any(replica => here.Of(replica, family).IsUsable) ? null : here.Lost(way, serving, family);
    }

    public EgressExplanation Explain(EgressPicture picture, EgressRoutes routes, ResourceKey key, Address destination, KernelStatus kernel)
    {
        var (pod, use) = picture.Uses.FirstOrDefault(one => one.Pod.Key == key);
        if (pod is null) return new(EgressExplanation.NoPod, [$"no pod {key} with an address is known"]);
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
        var refused = Led(picture, routes).Where(led => led.Family == destination.Family && led.Way == EgressPlanner.Words(way)
            && led.Pods.Contains($"{key}")).Select(led => led.WhyNot(kernel)).OfType<string>().ToArray();
        string[] lines =
        [
            where, $"the rule of {rule.Destination} has gateways {EgressPlanner.Words(way)}",
            .. replicas.Select(one => $"{one.Replica.Gateway} on {one.Replica.Node}"
                + (one.Replica.AddressOf(destination.Family) is { } address ? $" with {address}" : "") + $": {one.Standing.Words}"),
            .. rule.Moved is not { Avoided: { } avoided } ? (string[])[] : rule.IsOver
                ? [$"what it began while {avoided} was under maintenance goes on by the others; what it begins now goes by any of them"]
                : [$"{avoided} is under maintenance{Until(pod.Maintenance!.Finished)}: what it begins now goes by others, where there "
                    + "is one, and what it has begun goes on as it went"],
            .. refused,
        ];
        return new(refused.Length == 0 && replicas.Any(one => one.Standing.IsUsable) ? "by a gateway" : "dropped: no gateway is there",
            [.. lines]);
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
