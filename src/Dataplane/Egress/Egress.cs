using System.Collections.Immutable;
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
internal sealed class Egress(ILogger log) : IFeature
{
    public const string FeatureName = "eg";
    private const int DefaultPriority = 100;

    private static readonly IpFamily[] Families = [IpFamily.IPv4, IpFamily.IPv6];

    private readonly EgressObjects objects = new();
    private readonly EgressNumbers numbers = new();
    private string node = "";
    private EgressSettings settings = new();
    private KernelSnapshot kernel = KernelSnapshot.Empty;
    private NextHopResolver resolver = new(KernelSnapshot.Empty);
    private ImmutableHashSet<Address> unheard = [];
    private EgressRules rules = EgressRules.None, written = EgressRules.None;
    private EgressRoutes inForce = EgressRoutes.None;
    private bool isDirty = true, rulesDiffer;
    private (EgressPicture Picture, EgressHere Here)? known;
    private EgressFlows? flows;

    public string Name => FeatureName;
    public TimeSpan? Due => null;

    /// <summary>What is wanted of routes by now.</summary>
    public EgressRoutes Routes { get; private set; } = EgressRoutes.None;

    public EgressView View { get; private set; } = EgressView.Off;

    /// <summary>Nodes that are to be watched: gateways of pods here, and nodes with pods whose gateway this is.</summary>
    public ListOf<EgressNeighbour> Watched { get; private set; } = [];

    /// <summary>Flows that leave by this node are to be logged.</summary>
    public bool LogsFlows => settings is { Enabled: true, FlowLog: true } && known is var (picture, _)
        && picture.Gateways.Any(gateway => gateway.Replicas.Any(replica => replica.Is(node)));

    /// <summary>Whose flows leave by this node; null: egress is off.</summary>
    public EgressFlows? Flows => known is var (picture, _) ? flows ??= new(node, picture) : null;

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
            case DataplaneChange.Object(var one): isDirty |= objects.Apply(one); break;
            case DataplaneChange.Configured(var newest):
                (node, settings, isDirty) = (newest.Node, newest.Egress ?? new(), true);
                objects.GatewaysArePods = settings.Mode == EgressMode.Pods;
                break;
            case DataplaneChange.Unheard(var newest): (unheard, isDirty) = (newest, true); break;
            case DataplaneChange.Machine(var newest):
                kernel = newest;
                var now = resolver.For(newest);
                isDirty |= settings.Enabled && now != resolver;
                resolver = now;
                break;
        }
    }

    public bool Look()
    {
        if (isDirty) PlanAnew();
        isDirty = false;
        return rulesDiffer || Routes != inForce;
    }

    private void PlanAnew()
    {
        (rulesDiffer, flows) = (true, null);
        if (!settings.Enabled)
        {
            (rules, Routes, View, Watched, known) = (EgressRules.None, EgressRoutes.None, EgressView.Off, [], null);
            numbers.Keep([], 0);
            return;
        }
        var marks = new EgressMarks(settings.MarkMask);
        var planner = new EgressPlanner(node, objects, settings.Mode);
        var self = objects.Nodes.FirstOrDefault(one => one.Name == node);
        var here = new EgressHere(node, resolver, new(self, objects.Felix(node), resolver), unheard);
        var uses = objects.Pods.Select(pod => (Pod: pod, Use: planner.Of(pod))).ToArray();
        var without = Number(uses, marks);
        for (var at = 0; at < uses.Length; at++)
            if (uses[at].Pod.Node == node && WaysOf(uses[at].Use).Any(way => without.Contains(EgressPlanner.Words(way))))
                uses[at].Use = new(null, $"the mark has room for {marks.Most} ways to gateways, and there are more (egress.markMask)");
        var far = EgressFar.Of(node, uses, here, objects);
        var picture = Picture(planner, uses) with { Tunnel = far.Tunnel };
        rules = new EgressRenderer(node, marks, here, numbers.All).Render(picture);
        Routes = RoutesOf(picture, marks, here) with { Overlay = far.Objects };
        Watched = Neighbours(picture, here);
        View = new EgressViewer(node, here).Look(picture);
        known = (picture, here);
    }

    private IReadOnlySet<string> Number(IEnumerable<(EgressPod Pod, EgressUse Use)> uses, EgressMarks marks) => numbers.Keep(
        uses.Where(one => one.Pod.Node == node).SelectMany(one => WaysOf(one.Use)).Select(EgressPlanner.Words), marks.Most);

    private static IEnumerable<EgressWay> WaysOf(EgressUse use) => use.Class?.Rules.Select(rule => rule.To).OfType<EgressWay>() ?? [];

    private EgressPicture Picture(EgressPlanner planner, (EgressPod, EgressUse)[] uses)
    {
        var felix = objects.Felix(node);
        var pools = objects.Pools.Where(pool => pool.AllowedUses != PoolUses.LoadBalancer).Select(pool => pool.Cidr).ToArray();
        var hosts = objects.Nodes.SelectMany(NodeAddresses.Of).Select(host => new Prefix(host, host.Family.Bits()));
        return new(planner.Gateways, uses, [.. pools.Concat(hosts)], [.. pools],
            felix.InterfacePrefixes.Count > 0 ? felix.InterfacePrefixes : Policies.PolicyFacts.DefaultWorkloadPrefixes);
    }

    private EgressRoutes RoutesOf(EgressPicture picture, EgressMarks marks, EgressHere here)
    {
        var ways = new SortedDictionary<int, EgressWay>();
        foreach (var way in picture.Uses.Where(one => one.Pod.Node == node).SelectMany(one => WaysOf(one.Use)).Distinct(ByWords.Instance))
            if (numbers.All.TryGetValue(EgressPlanner.Words(way), out var number)) ways[number] = way;
        return new(marks.Mask, objects.Felix(node).EgressRulePriority ?? DefaultPriority,
            [.. ways.Select(way => new EgressTable(
                way.Key, marks.To(way.Key), [.. Families.SelectMany(family => here.Hops(way.Value, family))])
            {
                Tag = EgressNumbers.TagOf(EgressPlanner.Words(way.Value)),
            })],
            [.. picture.Gateways.SelectMany(gateway => gateway.Replicas).Where(replica => replica.Is(node))
                .SelectMany(replica => replica.Addresses).Order()]);
    }

    /// <summary>Each by its addresses that are on a link of ours, or by the one that the overlay has.</summary>
    private ListOf<EgressNeighbour> Neighbours(EgressPicture picture, EgressHere here)
    {
        var hosts = new SortedSet<Address>();
        foreach (var (pod, use) in picture.Uses)
            foreach (var way in WaysOf(use).Distinct(ByWords.Instance))
                if (pod.Node == node) hosts.UnionWith(way.Replicas
                .Where(one => !one.IsPod && one.Node != node).SelectMany(one => one.Hosts));
                else if (Families.Any(family => here.Serves(way, family)))
                    hosts.UnionWith(objects.Nodes.Where(one => one.Name == pod.Node).SelectMany(NodeAddresses.Of));
        return
        [
            .. hosts.Select(host => (Host: host, Way: resolver.Resolve(host)))
                .Where(one => one.Way is { Resolvable: true, Connected: true, OwnAddress: false })
                .Select(one => new EgressNeighbour(one.Host, one.Way.Interface)),
            .. hosts.Where(host => here.IsFar(host) && host.Family == here.Overlay.Local?.Family)
                .Select(host => new EgressNeighbour(host, 0, here.Overlay.Local)),
        ];
    }

    /// <returns>Null: it is off.</returns>
    public EgressExplanation? Explain(ResourceKey pod, Address destination) =>
        known is var (picture, here) ? new EgressViewer(node, here).Explain(picture, pod, destination) : null;

    public void InForce()
    {
        foreach (var gone in inForce.Here.Except(Routes.Here)) DataplaneLog.EgressGone(log, gone);
        foreach (var begun in Routes.Here.Except(inForce.Here)) DataplaneLog.EgressHere(log, begun);
        (inForce, rulesDiffer) = (Routes, false);
    }

    /// <summary>Of the rules what differs from those that were written before.</summary>
    public void Write(PartsWriter into)
    {
        var before = into.IsFresh ? EgressRules.None : written;
        var now = rules;
        foreach (var chain in now.Chains.Where(chain => !before.Chains.Any(chain.Same))) into.Put(chain);
        foreach (var set in now.Sets) Write(set, before.Sets.FirstOrDefault(one => one.Name == set.Name), into);
        Put(Frame.RawPrerouting, before.Entering, now.Entering, into);
        Put(Frame.Translated, before.Translated, now.Translated, into);
        Put(Frame.Postrouting, before.Leaving, now.Leaving, into);
        Put(Frame.LatePostrouting, before.Left, now.Left, into);
        foreach (var gone in before.Sets.ExceptBy(now.Sets.Select(set => set.Name), set => set.Name)) into.RemoveSet(gone.Name);
        foreach (var gone in before.Chains.ExceptBy(now.Chains.Select(chain => chain.Name), chain => chain.Name))
            into.RemoveChain(gone.Name);
        written = now;
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

    private sealed class ByWords : IEqualityComparer<EgressWay>
    {
        public static readonly ByWords Instance = new();

        public bool Equals(EgressWay? a, EgressWay? b) => ReferenceEquals(a, b) || EgressPlanner.Words(a) == EgressPlanner.Words(b);

        public int GetHashCode(EgressWay one) => one.Words.GetHashCode(StringComparison.Ordinal);
    }
}
