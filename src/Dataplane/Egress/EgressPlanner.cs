using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Egress;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Dataplane.Egress;

/// <summary>
/// Objects → gateways with their replicas, and the class of each pod. Pure, and the same on all nodes, which do not ask each other
/// (section 3.5 of calico-policy-nat.md): the nodes that a gateway selects are its replicas, in the order of their names, and each has the
/// first address of the gateway's pools that no gateway has had before.
/// </summary>
internal sealed class EgressPlanner
{
    private readonly EgressObjects objects;
    private readonly EgressSupport support;
    private readonly EgressPodGateways? pods;
    private readonly bool isPinned, hasNetworks;
    private readonly TimeProvider clock;
    private readonly Dictionary<(EgressWish, string Namespace, EgressMoving?), EgressUse> known = [];
    private readonly Dictionary<string, EgressClass> classes = [];

    /// <param name="isPinned">All replicas of a gateway have the same address, whichever of them serves.</param>
    public EgressPlanner(
        string node, EgressObjects objects, TimeProvider clock, EgressMode mode = EgressMode.Node, bool isPinned = false)
    {
        (this.objects, this.clock, this.isPinned) = (objects, clock, isPinned);
        if (mode == EgressMode.Pods) pods = new(objects);
        support = objects.Felix(node).EgressSupport ?? EgressSupport.EnabledPerNamespaceOrPerPod;
        hasNetworks = objects.Felix(node).ExternalNetworks == ExternalNetworkSupport.Enabled;
        var taken = new HashSet<Address>();
        Nodes = pods != null ? [] : Told([.. objects.Gateways.Select(gateway => Plan(gateway, taken))]);
    }

    /// <summary>A node of an earlier release says of all its gateways together that one leads nowhere.</summary>
    private static ListOf<EgressGatewayPlan> Told(EgressGatewayPlan[] gateways)
    {
        var probed = gateways.Where(gateway => gateway.Probes.Count > 0).SelectMany(gateway => gateway.Replicas)
            .ToLookup(replica => replica.Node);
        return [.. gateways.Select(gateway => gateway.Probes.Count == 0 ? gateway : gateway with
        {
            Replicas = [.. gateway.Replicas.Select(replica => replica with
            {
                IsProbed = true,
                IsOneOfSeveral = probed[replica.Node].Skip(1).Any(),
            })],
        })];
    }

    /// <summary>Gateways that are nodes, by namespace and name.</summary>
    public ListOf<EgressGatewayPlan> Nodes { get; }

    /// <summary>A pod's change is one of gateways that somebody has been given, or would be.</summary>
    public bool IsOfGateways(Pod? before, Pod? after) => pods?.IsConcerned(before, after) == true;

    private EgressGatewayPlan Plan(EgressGateway gateway, HashSet<Address> taken)
    {
        var problems = new List<string>();
        var pools = gateway.Pools.SelectMany(asked => Pools(asked, problems)).ToArray();
        var nodes = objects.Nodes.Where(gateway.Selects).Take(gateway.Replicas ?? int.MaxValue).ToArray();
        if (gateway.Replicas == 0) problems.Add("no replica is asked for: replicas is 0");
        else if (nodes.Length == 0) problems.Add($"no node matches {gateway.NodeSelector}");
        if (gateway.Replicas is { } asked && nodes.Length < asked)
            problems.Add($"{asked} replicas are asked for, and {nodes.Length} nodes match {gateway.NodeSelector}");
        var replicas = isPinned ? Pinned(gateway.Key, nodes, pools, taken, problems)
            : [.. nodes.Select(node => Replica(gateway.Key, node, node.Name, pools, taken, problems))];
        replicas = ByNetwork(gateway, replicas, problems);
        return new(gateway.Key, replicas, [.. problems])
        {
            Labels = gateway.GatewayLabels,
            Probes = gateway.Probes,
            NamespaceLabels = objects.LabelsOf(gateway.Metadata.Namespace),
        };
    }

    /// <summary>Whose network is not to be had leaves by none of its own: its packets are for that network, and for no other.</summary>
    private ListOf<EgressReplica> ByNetwork(EgressGateway gateway, ListOf<EgressReplica> replicas, List<string> problems)
    {
        if (gateway.ExternalNetwork is not { } name) return replicas;
        if (hasNetworks && objects.Network(name) is { } network)
            return [.. replicas.Select(replica => replica with { RouteTable = network.RouteTable })];
        problems.Add(hasNetworks ? $"there is no ExternalNetwork {name}: nothing leaves by it"
            : $"FelixConfiguration's externalNetworkSupport is not Enabled, and it has {name}: nothing leaves by it");
        return [.. replicas.Select(one => one with { Addresses = [], ByHost = [] })];
    }

    private static ListOf<EgressReplica> Pinned(
        ResourceKey gateway, Node[] nodes, IPPool[] pools, HashSet<Address> taken, List<string> problems)
    {
        if (nodes.Length == 0) return [];
        var first = Replica(gateway, nodes[0], $"{gateway}", pools, taken, problems);
        return [.. nodes.Select(node => first with { Node = node.Name, Hosts = [.. NodeAddresses.Of(node)] })];
    }

    private IPPool[] Pools(EgressPool asked, List<string> problems)
    {
        IPPool[] found = [.. objects.Pools.Where(asked.Is)];
        if (found.Length == 0) problems.Add($"there is no pool {asked}");
        return found;
    }

    private static EgressReplica Replica(
        ResourceKey gateway, Node node, string whose, IPPool[] pools, HashSet<Address> taken, List<string> problems)
    {
        var (addresses, byHost) = (new List<Address>(), new List<IpFamily>());
        foreach (var family in (IpFamily[])[IpFamily.IPv4, IpFamily.IPv6])
        {
            var own = pools.Where(pool => pool.Cidr.Family == family).ToArray();
            if (own.Any(pool => pool.NatOutgoing)) byHost.Add(family);
            else if (own.SelectMany(Addresses).FirstOrDefault(taken.Add) is { IsUnspecified: false } free) addresses.Add(free);
            else if (own.Length > 0)
                problems.Add($"{whose} has no {family.Word()} address: {string.Join(", ", own.Select(pool => pool.Name))} is used up");
        }
        return new(gateway, node.Name, [.. NodeAddresses.Of(node)], [.. addresses], [.. byHost]);
    }

    /// <summary>All of the pool, its first one too: each is announced by itself.</summary>
    private static IEnumerable<Address> Addresses(IPPool pool)
    {
        for (Address? next = pool.Cidr.Address; next is { } address && pool.Cidr.Contains(address); next = AddressRanges.Next(address))
            yield return address;
    }

    /// <summary>By the pod's own annotations, where they count and say something; else by its namespace's.</summary>
    public EgressUse Of(EgressPod pod)
    {
        if (support == EgressSupport.Disabled) return EgressUse.None;
        var wish = support == EgressSupport.EnabledPerNamespaceOrPerPod ? pod.Wish : null;
        if (wish is null or { YieldsToNamespace: true })
        {
            if (pod.HasNamespace && !objects.HasNamespace(pod.Key.Namespace))
                return new(null, $"Namespace/{pod.Key.Namespace} is not known, which may say how it leaves");
            wish = objects.WishOf(pod.Key.Namespace) ?? wish;
        }
        if (wish == null) return EgressUse.None;
        var moving = Moving(pod);
        if (!known.TryGetValue((wish, pod.Key.Namespace, moving), out var use))
        {
            use = Of(wish, pod, moving, out var isShared);
            if (isShared) known[(wish, pod.Key.Namespace, moving)] = use;
        }
        return pods != null && EgressPodGateways.IsOwn(use, pod.Key) ? EgressUse.None : use;
    }

    /// <summary>A pinned address has one place at a time, whoever is asked to avoid it.</summary>
    private EgressMoving? Moving(EgressPod pod)
    {
        if (isPinned || pod.Maintenance is not { } said) return null;
        var now = clock.GetUtcNow();
        return said.HasBegun(now) ? new(said.Gateway, said.IsOver(now)) : null;
    }

    /// <param name="isShared">The next pod of the namespace with this wish has the same.</param>
    private EgressUse Of(EgressWish wish, EgressPod pod, EgressMoving? moving, out bool isShared)
    {
        isShared = true;
        if (wish.Problem is { } problem) return new(null, problem);
        var rules = new List<EgressClassRule>();
        if (wish.Policy is not { } name) Add(rules, new(null, wish.Gateway), pod, moving, ref isShared);
        else if (objects.Policy(name) is { } policy)
            foreach (var rule in policy.Rules) Add(rules, rule, pod, moving, ref isShared);
        else return new(null, $"EgressGatewayPolicy/{name} does not exist");
        return new(Class(rules));
    }

    private static readonly IEnumerable<Prefix> Anywhere = [Prefix.DefaultIPv4, Prefix.DefaultIPv6];

    private void Add(List<EgressClassRule> rules, EgressRule rule, EgressPod pod, EgressMoving? moving, ref bool isShared)
    {
        var way = rule.Gateway is { } choice ? Way(choice, rule.PrefersLocal, pod, ref isShared) : null;
        foreach (var destination in rule.Destination is { } one ? [one] : Anywhere)
            rules.Add(moving is not { } its || way == null ? new(destination, way) : new(destination, way)
            {
                Moved = way with { Avoided = its.Avoided },
                IsOver = its.IsOver,
            });
    }

    /// <summary>What is equal is one object, so that it is compared quickly.</summary>
    private EgressClass Class(List<EgressClassRule> rules)
    {
        var sorted = new EgressClass([.. rules.OrderBy(rule => rule.Destination.Family).ThenByDescending(rule => rule.Destination.Length)
            .ThenBy(rule => rule.Destination)]);
        var words = Words(sorted);
        return classes.TryGetValue(words, out var same) ? same : classes[words] = sorted;
    }

    /// <summary>One spelling for all that are equal, gateways and their state apart.</summary>
    public static string Words(EgressClass some) =>
        string.Join("; ", some.Rules.Select(rule => $"{rule.Destination} {Words(rule.To)}"
            + (rule.Moved == null ? "" : $", {(rule.IsOver ? "earlier" : "new")} ones {Words(rule.Moved)}")));

    public static string Words(EgressWay? way)
    {
        if (way == null) return "no gateway";
        var words = way.Preferred.Count == 0 ? way.Words
            : $"{way.Words} by {string.Join(", ", way.Preferred.Select(one => $"{one.Gateway} on {one.Node}"))}";
        return way.Avoided is { } avoided ? $"{words} without {avoided}" : words;
    }

    private EgressWay Way(EgressChoice choice, bool prefersLocal, EgressPod pod, ref bool isShared)
    {
        var own = choice.Namespaces == null;
        var replicas = pods?.Of(choice, pod.Key.Namespace) ??
        [
            .. Nodes.Where(gateway => choice.Gateways.Matches(gateway.Labels)
                    && (choice.Namespaces?.Matches(gateway.NamespaceLabels) ?? gateway.Key.Namespace == pod.Key.Namespace))
                .SelectMany(gateway => gateway.Replicas),
        ];
        var words = $"{choice.Gateways} in {(own ? $"namespace {pod.Key.Namespace}" : choice.Namespaces)}";
        // A gateway that is the pod's own node has its packets in any case.
        ListOf<EgressReplica> near =
            pods != null && prefersLocal ? [.. replicas.Where(one => one.Node == pod.Node && one.Unready == null)] : [];
        var among = near.Count > 0 ? near : replicas;
        var hops = isPinned ? among.Select(one => one.Gateway).Distinct().Count() : among.Count;
        var isSome = choice.MaxNextHops != 0 && choice.MaxNextHops < hops;
        isShared &= !isSome && !(pods != null && prefersLocal);
        return new(words, replicas, isSome ? Preferred(among, choice.MaxNextHops, pod.Key) : near);
    }

    /// <summary>Each pod by its own order, in which every replica has its place whichever others there are: one that comes or goes moves
    /// no pod but those that use it (rendezvous hashing).</summary>
    private ListOf<EgressReplica> Preferred(ListOf<EgressReplica> replicas, int most, ResourceKey pod)
    {
        if (isPinned)
        {
            var gateways = replicas.Select(one => one.Gateway).Distinct().OrderByDescending(one => Weight($"{pod} {one}")).Take(most)
                .ToHashSet();
            return [.. replicas.Where(one => gateways.Contains(one.Gateway))];
        }
        var chosen = replicas.OrderByDescending(one => Weight($"{pod} {one.Gateway} {one.Node}")).Take(most).ToHashSet();
        return [.. replicas.Where(chosen.Contains)];
    }

    private static ulong Weight(string words)
    {
        Span<byte> hash = stackalloc byte[Sha1.Size];
        Sha1.Hash(System.Text.Encoding.UTF8.GetBytes(words), hash);
        return BitConverter.ToUInt64(hash);
    }
}

/// <summary>What a pod's maintenance comes to at the moment.</summary>
internal readonly record struct EgressMoving(Address Avoided, bool IsOver);
