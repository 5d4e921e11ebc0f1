using System.Collections.Immutable;
using Calico.Bgp.Dataplane.Dns;
using Calico.Bgp.Dataplane.Sets;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Dataplane.Policies;

/// <summary>A policy's or a profile's rules of one direction.</summary>
/// <param name="DropsOnly">Where it is reached from the kernel takes no reject.</param>
internal readonly record struct ChainKey(ResourceId Of, PolicyTypes Direction, bool DropsOnly);

/// <summary>
/// The chains of the policies and profiles that programs use, one for each direction. A chain keeps its name while its object is edited,
/// so that an edit writes this one chain. Where the kernel refuses a rule of one, this chain alone is closed, in the same transaction:
/// without the rule the others may allow what they should not, so it drops all that it is asked about, until the kernel takes the rule or
/// the object changes.
/// </summary>
internal sealed class PolicyChains(MemberSets sets, DnsSets names, PolicyObjects objects)
{
    /// <summary>By identity: it is in sets while it changes.</summary>
    private sealed class Part(ChainKey key)
    {
        public ChainKey Key => key;
        public string Name { get; } = Name(key);
        public int Uses { get; set; }
        public SetUses Sets { get; set; } = new();
        public bool Logs { get; set; }
    }

    private readonly Dictionary<ChainKey, Part> used = [];
    private readonly Dictionary<string, Part> byName = [];
    private readonly Dictionary<ResourceId, HashSet<Part>> byObject = [];
    private readonly Dictionary<Selector, HashSet<Part>> bySelector = [];
    private readonly HashSet<Part> dirty = [];
    private readonly HashSet<string> unused = [];
    private int logging;

    public int Count => used.Count;

    /// <summary>Some rule has the action Log.</summary>
    public bool AnyLogs => logging > 0;

    public static string Name(ChainKey key) =>
        $"{Enforcement.Prefix}{(key.Direction == PolicyTypes.Ingress ? "in"
            : "out")}-{ContentHash.Of(key.Of.ToString())}{(key.DropsOnly ? "-d" : "")}";

    /// <summary>Null: it is none of a policy or profile that is used.</summary>
    public ChainKey? KeyOf(string chain) => byName.TryGetValue(chain, out var part) ? part.Key : null;

    /// <summary>Some rule of it goes by names. Of one that is used, once it is written.</summary>
    public bool HasNames(ChainKey key) => used[key].Sets.HasNames;

    /// <summary>Counted.</summary>
    public void Use(ChainKey key)
    {
        if (!used.TryGetValue(key, out var part))
        {
            used[key] = part = new(key);
            byName.Add(part.Name, part);
            Add(byObject, key.Of, part);
            dirty.Add(part);
            unused.Remove(part.Name);
        }
        part.Uses++;
    }

    public void Release(ChainKey key)
    {
        var part = used[key];
        if (--part.Uses > 0) return;
        used.Remove(key);
        byName.Remove(part.Name);
        dirty.Remove(part);
        Remove(byObject, key.Of, part);
        unused.Add(part.Name);
        SetLogs(part, false);
        Forget(part);
    }

    private void Forget(Part part)
    {
        foreach (var selector in part.Sets.Selectors) Remove(bySelector, selector, part);
        part.Sets.Release(sets, names);
        part.Sets = new();
    }

    private void SetLogs(Part part, bool logs)
    {
        logging += (logs ? 1 : 0) - (part.Logs ? 1 : 0);
        part.Logs = logs;
    }

    private static void Add<T>(Dictionary<T, HashSet<Part>> index, T key, Part part) where T : notnull
    {
        if (!index.TryGetValue(key, out var parts)) index[key] = parts = [];
        parts.Add(part);
    }

    private static void Remove<T>(Dictionary<T, HashSet<Part>> index, T key, Part part) where T : notnull
    {
        if (!index.TryGetValue(key, out var parts)) return;
        parts.Remove(part);
        if (parts.Count == 0) index.Remove(key);
    }

    /// <summary>The object's rules are others.</summary>
    public void Changed(ResourceId id)
    {
        if (byObject.TryGetValue(id, out var parts)) dirty.UnionWith(parts);
    }

    /// <summary>The selector's members are in other sets.</summary>
    public void Moved(Selector selector)
    {
        if (bySelector.TryGetValue(selector, out var parts)) dirty.UnionWith(parts);
    }

    public void Renew() => dirty.UnionWith(used.Values);

    public void Write(PartsWriter into, PolicyFacts facts)
    {
        if (into.IsFresh) Renew();
        foreach (var part in dirty) Write(part, into, facts);
        if (!into.IsFresh)
            foreach (var name in unused)
            {
                into.RemoveChain(name);
                foreach (var counter in Counters(name)) into.RemoveCounter(counter);
            }
        unused.Clear();
        dirty.Clear();
    }

    /// <summary>What has been allowed, and what denied.</summary>
    public static string[] Counters(string chain) => [chain + "-allow", chain + "-deny"];

    /// <summary>What the kernel's counters say of policies and profiles; those of chains that are no more are left out.</summary>
    public ImmutableArray<PolicyCount> Counted(ImmutableArray<NftCount> counts)
    {
        var sums = new Dictionary<(ResourceId Of, PolicyTypes Direction), PolicyCount>();
        foreach (var (name, packets, octets) in counts)
        {
            var end = name.LastIndexOf('-');
            if (end < 0 || !byName.TryGetValue(name[..end], out var part)) continue;
            var key = (part.Key.Of, part.Key.Direction);
            var sum = sums.GetValueOrDefault(key) ?? new(key.Of, key.Direction, default, default);
            var count = new PacketCount(packets, octets);
            sums[key] = Counters(name[..end])[0] == name ? sum with { Allowed = sum.Allowed + count }
                : sum with { Denied = sum.Denied + count };
        }
        return [.. sums.OrderBy(one => one.Key.Of).ThenBy(one => one.Key.Direction).Select(one => one.Value)];
    }

    private void Write(Part part, PartsWriter into, PolicyFacts facts)
    {
        var (name, before) = (part.Name, part.Sets);
        foreach (var selector in before.Selectors) Remove(bySelector, selector, part);
        part.Sets = new();
        // What it goes on using is used before it is released.
        ImmutableArray<NftRule> rules = [.. Rules(part, facts)];
        SetLogs(part, rules.Any(rule => rule.Statements is [.., ActLog]));
        ImmutableArray<NftRule>[] gentler = [.. facts.Gentler(facts.LogsDenied || part.Logs, part.Key.DropsOnly).Select(
            less => Rules(part, less).ToImmutableArray())];
        before.Release(sets, names);
        foreach (var selector in part.Sets.Selectors) Add(bySelector, selector, part);
        foreach (var counter in Counters(name)) into.PutCounter(counter);
        into.Put(new NftChain(name, null, rules) { Instead = [.. gentler, Closed(part)] });
    }

    private IEnumerable<NftRule> Rules(Part part, PolicyFacts facts)
    {
        var (id, direction, dropsOnly) = part.Key;
        var counters = Counters(part.Name);
        NftStatement[] deny = [new ActCountBy(counters[1]), facts.Deny(dropsOnly)];
        if (objects.RulesOf(id, direction) is not { } rules)
            return Told(new([.. deny], ClosedBy(part).ToString()), deny.Length, ClosedBy(part), facts);
        NftStatement[] allow = rules.Effect switch
        {
            PolicyEffect.Untracked => [new ActCountBy(counters[0]), new ActNoTrack(), facts.Marks.SetEarly, ActDecide.Accept],
            PolicyEffect.PreDnat => [new ActCountBy(counters[0]), facts.Marks.SetEarly, ActDecide.Accept],
            _ => [new ActCountBy(counters[0]), ActDecide.Accept],
        };
        var renderer = new RuleRenderer(sets, names, part.Sets, direction);
        return rules.Rules.SelectMany((rule, index) =>
        {
            if (rule.Action == RuleAction.Log && !facts.Tells) return [];
            var said = new PolicyComment(rules.Tier, id.Kind.Word, Said(id), direction, index);
            var comment = said.ToString();
            NftStatement[] acts = rule.Action switch
            {
                RuleAction.Allow => allow,
                RuleAction.Deny => deny,
                RuleAction.Pass => [facts.Marks.SetPass, ActDecide.Return],
                _ => new LogPrefix(false, null, said.Within(LogPrefix.RoomFor(null))).Tell,
            };
            var all = renderer.Render(rule, acts, comment);
            return rule.Action == RuleAction.Deny ? all.SelectMany(one => Told(one, deny.Length, said, facts)) : all;
        });
    }

    /// <summary>Nothing that a kernel might not take: a drop alone.</summary>
    private ImmutableArray<NftRule> Closed(Part part) =>
        [new([new ActCountBy(Counters(part.Name)[1])], ClosedBy(part).ToString()), new([ActDecide.Drop], ClosedBy(part).ToString())];

    private PolicyComment ClosedBy(Part part)
    {
        var (id, direction, _) = part.Key;
        return new(objects.RulesOf(id, direction)?.Tier ?? PolicyComment.NoTier, id.Kind.Word, Said(id), direction);
    }

    /// <param name="acts">How many statements of it are no question: one that logs, or has packets wait, asks the same.</param>
    private static IEnumerable<NftRule> Told(NftRule denying, int acts, PolicyComment by, PolicyFacts facts)
    {
        var matches = denying.Statements[..^acts];
        if (facts.DeniedWait && by is { Direction: PolicyTypes.Egress, Rule: not null }) yield return new([.. matches, DnsChains.Wait]);
        if (facts.TellsDenied) yield return new([.. matches, .. new LogPrefix(true, null, by.Within(LogPrefix.RoomFor(null))).Tell]);
        yield return denying;
    }

    public static string Said(ResourceId id) => id.Key.Namespace.Length == 0 ? id.Key.Name : $"{id.Key.Namespace}/{id.Key.Name}";
}
