using System.Collections.Immutable;
using System.Globalization;
using Calico.Bgp.Dataplane.Egress.Replication;
using Calico.Bgp.Kernel;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Dataplane.Egress;

/// <summary>
/// Gateways out of the cluster, each a node (section 3 of calico-policy-nat.md). Of the objects follows which pod leaves by which gateway
/// (<see cref="EgressPlanner"/>), of the links and of who is heard where a gateway is reached (<see cref="EgressHere"/>), and of both the
/// rules (<see cref="EgressRenderer"/>) and the routes (<see cref="Routes"/>), which others write: before the rules where they are needed,
/// behind them where they are not needed any more.
/// </summary>
internal sealed class Egress(
    ILogger log, TimeProvider clock, MovedConnections? connections = null, EgressCounting? counts = null) : IFeature
{
    public const string FeatureName = "eg";
    private const int DefaultPriority = 100, DefaultNetworkPriority = 102;
    private static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    private static readonly IpFamily[] Families = [IpFamily.IPv4, IpFamily.IPv6];

    private readonly EgressObjects objects = new();
    private readonly EgressNumbers numbers = new(), networks = new(), asking = new();
    private readonly EgressMaps maps = new();
    private readonly EgressMoves moves = new();
    /// <summary>Of classes, for this node's own pods and for others'.</summary>
    private readonly Dictionary<EgressClass, EgressExits> exits = new(ReferenceEqualityComparer.Instance),
        served = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<ResourceId> moved = [];

    /// <summary>Ways of this node's pods by their words, and how many pods' rules have each.</summary>
    private readonly Dictionary<string, (EgressWay Way, int Count)> ways = new(StringComparer.Ordinal);

    /// <summary>When a pod's maintenance begins or ends next.</summary>
    private readonly Dictionary<ResourceId, DateTimeOffset> turns = [];

    /// <summary>Nodes with pods whose gateway this is, and how many.</summary>
    private readonly Dictionary<string, int> clients = new(StringComparer.Ordinal);

    private ImmutableDictionary<ResourceId, EgressPodUse> uses = ImmutableDictionary<ResourceId, EgressPodUse>.Empty;
    private string node = "";
    private EgressSettings settings = new();
    private NextHopResolver resolver = new(KernelSnapshot.Empty);
    private ImmutableHashSet<Address> unheard = [];
    private EgressFailing failing = EgressFailing.None;

    /// <summary>How nodes were reached when it was planned.</summary>
    private ListOf<Resolution> reached = [];
    private EgressRules rules = EgressRules.None, written = EgressRules.None;
    private EgressRoutes inForce = EgressRoutes.None;
    private bool isDirty = true, rulesDiffer, waysMoved, clientsMoved, isFull, isBehind;
    private (EgressPlanner Planner, EgressRenderer Renderer, EgressHere Here, EgressPicture Picture)? known;
    private EgressFar far = EgressFar.None;
    private EgressFlows? flows;
    private EgressProbes? probes;

    private static Lazy<EgressView> Off => new(EgressView.Off);

    public string Name => FeatureName;

    /// <summary>A maintenance begins or ends; one in a year is no time for a timer.</summary>
    public TimeSpan? Due
    {
        get
        {
            if (turns.Count == 0) return null;
            var left = turns.Values.Min() - clock.GetUtcNow();
            return left < TimeSpan.Zero ? TimeSpan.Zero : left > Longest ? Longest : left;
        }
    }

    /// <summary>What is wanted of routes by now.</summary>
    public EgressRoutes Routes { get; private set; } = EgressRoutes.None;

    /// <summary>Made when somebody looks, on his thread: it is as long as the list of pods.</summary>
    public Lazy<EgressView> View { get; private set; } = Off;

    /// <summary>Nodes that are to be watched: gateways of pods here, and nodes with pods whose gateway this is.</summary>
    public ListOf<EgressNeighbour> Watched { get; private set; } = [];

    /// <summary>Gateways that are this node, whose targets upstream are to be asked.</summary>
    public ListOf<EgressProbed> Probed { get; private set; } = [];

    /// <summary>Flows that leave by this node are to be logged.</summary>
    public bool LogsFlows => settings is { Enabled: true, FlowLog: true } && known?.Picture.Own.Count > 0;

    /// <summary>Whose flows leave by this node; null: egress is off.</summary>
    public EgressFlows? Flows => known is var (_, _, _, picture) ? flows ??= new(node, picture) : null;

    /// <summary>Flows of others are waited for, before an address is taken from them; where flows are not replicated nothing is.</summary>
    public bool IsBehind
    {
        get => isBehind && settings.ReplicateFlows;
        set
        {
            if (isBehind == value) return;
            (isBehind, isDirty) = (value, isDirty || settings.ReplicateFlows);
        }
    }

    /// <summary>Null: no flows are given or taken.</summary>
    public ReplicationPlan? Replication => settings is { Enabled: true, Pinned: true, ReplicateFlows: true }
        && known is var (_, _, _, picture)
        && ReplicationPlanner.Of(node, settings, picture, Routes.Here, Watched, unheard) is { } plan
            ? plan with { IsBehind = IsBehind } : null;

    /// <summary>Of the addresses here those that are in a network of a link; links of pods, of which there are many, have none.</summary>
    public ListOf<EgressClaim> Claimed
    {
        get
        {
            var (links, nets) = (resolver.Snapshot.Links, resolver.Snapshot.Addresses.RemoveAll(its =>
                its.Address.IsLinkLocal || its.PrefixLength == its.Address.Family.Bits() || its.Opposite != null));
            return
            [
                .. from address in Routes.Here
                   from index in nets.Where(its => its.Subnet.Contains(address)).Select(its => its.Interface).Distinct()
                   let link = links.GetValueOrDefault(index)
                   where link is { IsUp: true, HasCarrier: true, IsLoopback: false, Mac: not null }
                   select new EgressClaim(address, new(link.Index, link.Name, link.Mac!.Value)),
            ];
        }
    }

    /// <summary>Addresses that are to be announced. Of a pinned one all of its nodes have a place, also where they do not hear each
    /// other.</summary>
    public ListOf<EgressAnnounced> Announced => [.. Routes.Here.Select(address => new EgressAnnounced(address, PlaceOf(address)))];

    private uint? PlaceOf(Address address) => settings.Pinned && known is var (_, _, _, picture)
        ? picture.Nodes.Select(gateway => gateway.PlaceOf(node, address)).Max() : null;

    public EgressProbing Probing => new(settings.ProbeInterval, settings.ProbeMultiplier) { RestartTime = settings.RestartTime };

    /// <summary>Whose tables an earlier run has left: they are theirs again.</summary>
    public void Adopt(IEnumerable<(uint Tag, int Number)> left) => numbers.Adopt(left);

    public bool Concerns(DataplaneChange change) =>
        change is not DataplaneChange.Routing
        && (change is not DataplaneChange.Object(var one) || one.Kind.Concerns.HasFlag(Concern.Egress));

    public void Apply(DataplaneChange change)
    {
        switch (change)
        {
            case DataplaneChange.Object(var one): Apply(one); break;
            case DataplaneChange.Configured(var newest):
                (node, settings, isDirty) = (newest.Node, newest.Egress ?? new(), true);
                objects.GatewaysArePods = settings.Mode == EgressMode.Pods;
                break;
            case DataplaneChange.Unheard(var newest): (unheard, isDirty) = (newest, true); break;
            case DataplaneChange.Failing(var newest): (failing, isDirty) = (newest, true); break;
            case DataplaneChange.Machine(var newest):
                var now = resolver.For(newest);
                if (now == resolver) break;
                resolver = now;
                // Each pod that comes has a link and a route: what counts is how nodes are reached, and the overlay's link.
                isDirty |= settings.Enabled
                    && (Reached() != reached || Overlay.Interface != known?.Here.Overlay.Interface || Far(known?.Here) != far);
                break;
        }
    }

    private void Apply(ResourceChange change)
    {
        var isPod = change.Kind == Kinds.Pod;
        var before = isPod ? objects.PodObject(change.Key) : null;
        if (!objects.Apply(change)) return;
        if (isPod || change.Kind == Kinds.WorkloadEndpoint) moved.Add(new(change.Kind, change.Key));
        isDirty |= isPod ? known?.Planner.IsOfGateways(before, objects.PodObject(change.Key)) == true
            : change.Kind != Kinds.WorkloadEndpoint;
    }

    private ListOf<Resolution> Reached() => [.. objects.Nodes.SelectMany(NodeAddresses.Of).Select(host => resolver.Resolve(host))];

    private EgressOverlay Overlay => new(objects.Node(node), objects.Felix(node), resolver);

    /// <summary>By what the links are now.</summary>
    private EgressFar Far(EgressHere? here) =>
        here == null ? EgressFar.None : EgressFar.Of(ways.Values.Select(one => one.Way), clients.Keys, here, Overlay, objects);

    public bool Look()
    {
        if (turns.Count > 0 && clock.GetUtcNow() is var now) moved.UnionWith(turns.Where(one => one.Value <= now).Select(one => one.Key));
        if (isDirty) PlanAnew();
        else if (moved.Count > 0 && settings.Enabled) Follow();
        isDirty = false;
        moved.Clear();
        return rulesDiffer || Routes != inForce;
    }

    private void PlanAnew()
    {
        (rulesDiffer, flows) = (true, null);
        maps.Clear();
        ways.Clear();
        clients.Clear();
        turns.Clear();
        exits.Clear();
        served.Clear();
        uses = uses.Clear();
        if (!settings.Enabled)
        {
            moves.End();
            (rules, Routes, View, Watched, known, far) = (EgressRules.None, EgressRoutes.None, Off, [], null, EgressFar.None);
            numbers.Keep([], 0);
            networks.Keep([], 0);
            asking.Keep([], 0);
            Probed = [];
            return;
        }
        var planner = new EgressPlanner(node, objects, clock, settings.Mode, settings.Pinned);
        var here = new EgressHere(node, resolver, Overlay, unheard, failing, settings.Pinned, objects.Wraps, IsBehind);
        var marks = new EgressMarks(settings.MarkMask);
        asking.Keep(EgressProbes.Here(planner.Nodes, node).Select(gateway => EgressProbes.Word(gateway.Key)), marks.Most);
        probes = new(node, marks, asking.All, settings.Pinned);
        Probed = probes.Of(planner.Nodes);
        var renderer = new EgressRenderer(node, marks, here, numbers.All, networks.All, probes);
        var picture = Picture(planner);
        networks.Keep(picture.Own.Select(replica => replica.RouteTable).OfType<int>().Select(table => $"{table}"), marks.Most);
        reached = Reached();
        known = (planner, renderer, here, picture);
        moves.Keep(objects.Pods);
        foreach (var (id, pod) in objects.Pods) Take(id, pod, planner, here);
        Number(objects.Pods.Keys);
        foreach (var id in objects.Pods.Keys) Place(id, renderer);
        Tell(isAnew: true);
    }

    /// <summary>Pods alone have changed.</summary>
    private void Follow()
    {
        var (planner, renderer, here, _) = known!.Value;
        if (!isFull)
            foreach (var id in moved) Take(id, objects.Pods.GetValueOrDefault(id), planner, here);
        // Where there is not room for all, who has none is chosen among all.
        if (isFull || (waysMoved && Number(moved)))
        {
            PlanAnew();
            return;
        }
        foreach (var id in moved) Place(id, renderer);
        Tell(isAnew: false);
        rulesDiffer |= maps.IsDirty;
    }

    /// <param name="pod">Null: it is gone.</param>
    private void Take(ResourceId id, EgressPod? pod, EgressPlanner planner, EgressHere here)
    {
        if (uses.TryGetValue(id, out var before)) Count(before, -1, here);
        turns.Remove(id);
        if (pod?.Maintenance?.Next(clock.GetUtcNow()) is { } turn) turns[id] = turn;
        if (pod == null)
        {
            uses = uses.Remove(id);
            return;
        }
        var now = new EgressPodUse(pod, planner.Of(pod));
        uses = uses.SetItem(id, now);
        Count(now, 1, here);
    }

    private void Count(EgressPodUse one, int by, EgressHere here)
    {
        if (one.Pod.Node != node)
        {
            if (!one.Ways.Any(way => Families.Any(family => here.Serves(way, family)))) return;
            var pods = clients[one.Pod.Node] = clients.GetValueOrDefault(one.Pod.Node) + by;
            if (pods == 0) clients.Remove(one.Pod.Node);
            clientsMoved |= pods == 0 || pods == by;
            return;
        }
        foreach (var way in one.Ways)
        {
            var words = EgressPlanner.Words(way);
            var (kept, count) = ways.GetValueOrDefault(words, (way, 0));
            if (count + by == 0) ways.Remove(words);
            else ways[words] = (kept, count + by);
            waysMoved |= count == 0 || count + by == 0;
        }
    }

    /// <summary>Those that there is no number for leave by no way.</summary>
    /// <returns>There are some.</returns>
    private bool Number(IEnumerable<ResourceId> pods)
    {
        var marks = new EgressMarks(settings.MarkMask);
        var without = numbers.Keep(ways.Keys, marks.Most);
        isFull = without.Count > 0;
        if (!isFull) return false;
        var words = $"the mark has room for {marks.Most} ways to gateways, and there are more (egress.markMask)";
        foreach (var id in pods)
            if (uses.TryGetValue(id, out var one) && one.Pod.Node == node
                && one.Ways.Any(way => without.Contains(EgressPlanner.Words(way))))
                uses = uses.SetItem(id, one with { Use = new(null, words) });
        return true;
    }

    private void Place(ResourceId id, EgressRenderer renderer)
    {
        var isThere = uses.TryGetValue(id, out var one);
        maps.Put(id, isThere ? [.. renderer.Places(id, one.Pod, one.Use)] : []);
        if (isThere && IsOurs(one)) moves.Put(id, one.Pod, one.Use.Blocked == null ? Exits(one) : null);
        else moves.Forget(id);
    }

    /// <summary>It is on this node, or leaves by it.</summary>
    private bool IsOurs(EgressPodUse one) => one.Pod.Node == node
        || one.Ways.Any(way => Families.Any(family => known!.Value.Here.Serves(way, family)));

    private EgressExits Exits(EgressPodUse one)
    {
        if (one.Use.Class is not { } its) return EgressExits.Plain;
        var isLocal = one.Pod.Node == node;
        var all = isLocal ? exits : served;
        return all.TryGetValue(its, out var same) ? same : all[its] = EgressExits.Of(its, known!.Value.Here, isLocal);
    }

    private void Tell(bool isAnew)
    {
        var (planner, renderer, here, picture) = known!.Value;
        picture = picture with { All = uses };
        if (isAnew || waysMoved || clientsMoved)
        {
            far = Far(here);
            (Routes, Watched) = (RoutesOf(picture, here), Neighbours(here));
        }
        if (isAnew || picture.Tunnel != far.Tunnel || picture.BlockedIn != maps.BlockedIn)
        {
            picture = picture with { Tunnel = far.Tunnel, BlockedIn = maps.BlockedIn };
            (rules, rulesDiffer) = (renderer.Render(picture), true);
        }
        (waysMoved, clientsMoved, flows, known) = (false, false, null, (planner, renderer, here, picture));
        var routes = Routes;
        View = new(() => new EgressViewer(node, here.Apart()).Look(picture, routes));
    }

    private EgressPicture Picture(EgressPlanner planner)
    {
        var felix = objects.Felix(node);
        var pools = objects.Pools.Where(pool => pool.AllowedUses != PoolUses.LoadBalancer).Select(pool => pool.Cidr).ToArray();
        var hosts = objects.Nodes.SelectMany(NodeAddresses.Of).Select(host => new Prefix(host, host.Family.Bits()));
        return new(planner.Nodes, [.. planner.Nodes.SelectMany(gateway => gateway.Replicas).Where(replica => replica.Is(node))], uses,
            [.. pools.Concat(hosts)], [.. pools],
            felix.InterfacePrefixes.Count > 0 ? felix.InterfacePrefixes : Policies.PolicyFacts.DefaultWorkloadPrefixes);
    }

    private EgressRoutes RoutesOf(EgressPicture picture, EgressHere here)
    {
        var marks = new EgressMarks(settings.MarkMask);
        return new(marks.Mask, objects.Felix(node).EgressRulePriority ?? DefaultPriority,
            [.. ways.Values.Select(one => one.Way).Where(way => numbers.All.ContainsKey(EgressPlanner.Words(way)))
                .Select(way => Table(way, numbers.All[EgressPlanner.Words(way)], marks, here)).OrderBy(table => table.Number)],
            [.. picture.Nodes.SelectMany(gateway => gateway.Replicas.Where(replica => replica.Is(node))
                .SelectMany(replica => replica.Addresses.Where(address => here.Holds(gateway, replica, address.Family)))).Order()])
        {
            Overlay = far.Objects,
            Networks =
            [
                .. networks.All.OrderBy(one => one.Value)
                    .Select(one => (Mark: marks.By(one.Value), Table: int.Parse(one.Key, CultureInfo.InvariantCulture)))
                    .Concat(probes!.Networks(picture.Nodes)).Select(one => new EgressNetwork(one.Mark, (uint)one.Table,
                    (uint)(objects.Felix(node).ExternalNetworkRulePriority ?? DefaultNetworkPriority))),
            ],
        };
    }

    private static EgressTable Table(EgressWay way, int number, EgressMarks marks, EgressHere here) =>
        new(number, marks.To(number), [.. Families.SelectMany(family => here.Hops(way, family))])
        {
            Tag = EgressNumbers.TagOf(EgressPlanner.Words(way)),
        };

    /// <summary>Each by its addresses that are on a link of ours, or by the one that the overlay has.</summary>
    private ListOf<EgressNeighbour> Neighbours(EgressHere here)
    {
        var hosts = new SortedSet<Address>();
        foreach (var (way, _) in ways.Values)
            hosts.UnionWith(way.Replicas.Where(one => !one.IsPod && one.Node != node).SelectMany(one => one.Hosts));
        foreach (var client in clients.Keys)
            if (objects.Node(client) is { } known) hosts.UnionWith(NodeAddresses.Of(known));
        // Who serves is for the nodes of a pinned gateway to know of each other, whether any pod leaves by it or none.
        foreach (var gateway in known!.Value.Picture.Nodes.Where(gateway => settings.Pinned && gateway.Replicas.Any(one => one.Is(node))))
            hosts.UnionWith(gateway.Replicas.Where(one => one.Node != node).SelectMany(one => one.Hosts));
        return
        [
            .. hosts.Select(host => (Host: host, Way: resolver.Resolve(host)))
                .Where(one => one.Way is { Resolvable: true, Connected: true, OwnAddress: false })
                .Select(one => new EgressNeighbour(one.Host, one.Way.Interface)),
            .. hosts.Where(host => here.IsOffLink(host) && host.Family == here.Overlay.Local?.Family)
                .Select(host => new EgressNeighbour(host, 0, here.Overlay.Local)),
        ];
    }

    /// <returns>Null: it is off.</returns>
    public EgressExplanation? Explain(ResourceKey pod, Address destination, KernelStatus kernel) =>
        known is var (_, _, here, picture) ? new EgressViewer(node, here).Explain(picture, Routes, pod, destination, kernel) : null;

    /// <returns>Null: packets with that mark go by no way of this node's pods to others.</returns>
    public EgressLeaving? Leaving(uint mark, IpFamily family)
    {
        if (known is not var (_, _, here, _)) return null;
        var marks = new EgressMarks(settings.MarkMask);
        foreach (var (words, (way, _)) in ways)
            if (numbers.All.TryGetValue(words, out var number) && marks.To(number) == mark) return here.Leaving(way, family);
        return null;
    }

    public void InForce()
    {
        foreach (var gone in inForce.Here.Except(Routes.Here))
        {
            DataplaneLog.EgressGone(log, gone);
            counts?.GivenUp();
        }
        foreach (var begun in Routes.Here.Except(inForce.Here))
        {
            DataplaneLog.EgressHere(log, begun);
            counts?.Taken();
        }
        (inForce, rulesDiffer) = (Routes, false);
        connections?.Look(new(moves.Take(), known?.Picture.Inside ?? [], resolver.Snapshot,
            settings.Enabled ? new EgressMarks(settings.MarkMask) : null));
    }

    /// <summary>What differs from what was written before.</summary>
    public void Write(PartsWriter into)
    {
        var before = into.IsFresh ? EgressRules.None : written;
        var now = rules;
        if (known is var (_, renderer, _, _)) maps.Write(into, renderer.Chain);
        foreach (var set in now.Sets) Write(set, before.Sets.FirstOrDefault(one => one.Name == set.Name), into);
        Put(Frame.RawPrerouting, before.Entering, now.Entering, into);
        Put(Frame.Translated, before.Translated, now.Translated, into);
        Put(Frame.Postrouting, before.Leaving, now.Leaving, into);
        Put(Frame.LatePostrouting, before.Left, now.Left, into);
        if (known == null) maps.End(into);
        foreach (var gone in before.Sets.ExceptBy(now.Sets.Select(set => set.Name), set => set.Name)) into.RemoveSet(gone.Name);
        written = now;
    }

    /// <summary>What stands before anything is known of the objects: no pod leaves.</summary>
    public void Close(PartsWriter into, ListOf<string> workloads)
    {
        if (settings.Enabled) into.PutRules(Frame.Translated, [.. EgressRenderer.Closed(workloads)]);
    }

    private static void Put(NftChain chain, ImmutableArray<NftRule> before, ImmutableArray<NftRule> now, PartsWriter into)
    {
        if (!before.AsSpan().SequenceEqual(now.AsSpan())) into.PutRules(chain, now);
    }

    private static void Write(NftSet now, NftSet? before, PartsWriter into)
    {
        // Intervals that overlap for a moment are refused, so such a set is said as a whole; it changes with pools and nodes alone.
        if (before == null || now.Intervals)
        {
            if (before == null || !now.Same(before)) into.Put(now);
            return;
        }
        var had = before.Elements.ToDictionary(element => element.From, element => element.Value);
        var has = now.Elements.Select(element => element.From).ToHashSet();
        ImmutableArray<NftElement> gone = [.. before.Elements.Where(element => !has.Contains(element.From))];
        ImmutableArray<NftElement> come =
            [.. now.Elements.Where(element => !had.TryGetValue(element.From, out var value) || value != element.Value)];
        if (!gone.IsEmpty) into.RemoveElements(now.Name, gone);
        if (!come.IsEmpty) into.PutElements(now.Name, come);
    }
}
