using System.Collections.Immutable;
using Calico.Bgp.Kernel;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Resources;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Dataplane;

/// <summary>
/// NAT for what leaves the pools: plans who translates what, with the patience that upstream translation asks for, and writes of the rules
/// what has changed.
/// </summary>
internal sealed class Nat(TimeProvider clock, ChangedConnections changed, ILogger log) : IFeature
{
    public const string FeatureName = "nat";

    private readonly NatObjects objects = new();
    private readonly UpstreamHysteresis hysteresis = new(clock);
    private string node = "";
    private NatSettings settings = new();
    private RoutingFacts facts = RoutingFacts.None;
    private KernelSnapshot kernel = KernelSnapshot.Empty;
    private UpstreamWays ways = new([], KernelSnapshot.Empty);
    private NatRules written = NatRules.None;
    /// <summary>Null: none of this run's.</summary>
    private NatPlan? inForce;
    /// <summary>Something was taken that the plan may follow from.</summary>
    private bool isDirty = true;
    /// <summary>When it was planned, and how long until it is to be planned again if nothing comes.</summary>
    private long planned;
    private TimeSpan? patience;

    public string Name => FeatureName;
    public NatPlan Plan { get; private set; } = NatPlan.Nothing;
    public ImmutableArray<UpstreamPeerView> Peers { get; private set; } = [];

    /// <summary>What it has to be told of sessions and routes.</summary>
    public RoutingQuestion Question { get; private set; } = RoutingQuestion.None;

    public TimeSpan? Due => patience is not { } wait ? null
        : clock.GetElapsedTime(planned) is var gone && gone < wait ? wait - gone : TimeSpan.Zero;

    public bool Concerns(DataplaneChange change) =>
        change is not DataplaneChange.Object(var one) || one.Kind.Concerns.HasFlag(Concern.Nat);

    public void Apply(DataplaneChange change)
    {
        switch (change)
        {
            case DataplaneChange.Object(var one): isDirty |= objects.Apply(one); break;
            case DataplaneChange.Routing(var newest): (facts, isDirty) = (newest, true); break;
            case DataplaneChange.Configured(var newest): (node, settings, isDirty) = (newest.Node, newest.Nat ?? new(), true); break;
            case DataplaneChange.Machine(var newest):
                // Others' routes decide what leads upstream, and nothing else here.
                isDirty |= Question.IsAsked && newest.Routes != kernel.Routes;
                kernel = newest;
                break;
        }
    }

    /// <summary>Plans anew, where anything was taken that counts or its time has come.</summary>
    public bool Look()
    {
        if (isDirty || Due == TimeSpan.Zero) PlanAnew();
        return Plan != inForce;
    }

    private void PlanAnew()
    {
        isDirty = false;
        if (!ways.IsOf(facts, kernel)) ways = new(facts.Routes, kernel);
        var upstream = new Upstream(settings.Upstream, objects, facts, ways);
        var pools = objects.Pools.Where(pool => pool.NatOutgoing).ToArray();
        var offers = pools.ToDictionary(pool => pool.Name, upstream.For);
        var holds = hysteresis.Update(offers, settings.Upstream.StableFor, out patience);
        planned = clock.GetTimestamp();
        Plan = new NatPlanner(node, objects, settings, upstream.IsConfigured, offers, holds).Plan();
        Peers = [.. facts.Peers.Select(peer => new UpstreamPeerView(peer.Name, peer.Established, upstream.Translates(peer)))];
        Question = new(settings.Enabled && upstream.IsConfigured, [.. pools.Select(pool => pool.Cidr).Order()]);
    }

    public void InForce()
    {
        Say();
        // What was in force before this run is not known, so nothing can be told to have changed.
        if (inForce != null && settings.OnChange == OnPoolChange.Cut && inForce.WithoutUpstream() != Plan.WithoutUpstream())
            changed.Cut(inForce, Plan, kernel);
        inForce = Plan;
    }

    private void Say()
    {
        var before = inForce?.Pools.ToDictionary(pool => pool.Name, pool => pool.Treatment) ?? [];
        foreach (var pool in Plan.Pools)
            if (!before.TryGetValue(pool.Name, out var treatment) || treatment != pool.Treatment)
                DataplaneLog.Treats(log, pool.Name, pool.Treatment.Word(), pool.Reason);
    }

    public void Write(PartsWriter into) => Write(into, Masquerade.Render(Plan));

    /// <summary>Of the rules what differs from those that were written before.</summary>
    internal void Write(PartsWriter into, NatRules now)
    {
        var before = into.IsFresh ? NatRules.None : written;
        now.WriteParts(into, before);
        if (!before.Postrouting.AsSpan().SequenceEqual(now.Postrouting.AsSpan())) into.PutRules(Frame.Postrouting, now.Postrouting);
        written = now;
    }
}

/// <param name="Postrouting">Its rules in the frame's chain.</param>
internal sealed record NatRules(ImmutableArray<NftSet> Sets, ImmutableArray<NftChain> Chains, ImmutableArray<NftRule> Postrouting)
{
    public static readonly NatRules None = new([], [], []);

    /// <summary>Of the sets and chains those that differ.</summary>
    public void WriteParts(PartsWriter into, NatRules before)
    {
        foreach (var gone in before.Sets.ExceptBy(Sets.Select(set => set.Name), set => set.Name)) into.RemoveSet(gone.Name);
        foreach (var gone in before.Chains.ExceptBy(Chains.Select(chain => chain.Name), chain => chain.Name))
            into.RemoveChain(gone.Name);
        foreach (var set in Sets.Where(set => !before.Sets.Any(set.Same))) into.Put(set);
        foreach (var chain in Chains.Where(chain => !before.Chains.Any(chain.Same))) into.Put(chain);
    }

    /// <summary>What these rules would do by themselves.</summary>
    public PacketTable Alone() => new(Sets, [.. Chains, Frame.Postrouting with { Rules = Postrouting }]);

    public bool Same(NatRules other) => Postrouting.AsSpan().SequenceEqual(other.Postrouting.AsSpan())
        && Sets.Length == other.Sets.Length && Sets.Zip(other.Sets).All(pair => pair.First.Same(pair.Second))
        && Chains.Length == other.Chains.Length && Chains.Zip(other.Chains).All(pair => pair.First.Same(pair.Second));
}
