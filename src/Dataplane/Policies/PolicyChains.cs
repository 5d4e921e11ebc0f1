using System.Collections.Immutable;
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
/// so that an edit writes this one chain. One that the kernel has refused a rule of is closed: it drops all that it is asked about, until
/// its object changes.
/// </summary>
internal sealed class PolicyChains(MemberSets sets, PolicyObjects objects)
{
    private sealed record Part(ChainKey Key)
    {
        public int Uses { get; set; }
        public SetUses Sets { get; set; } = new();
        public string? Refused { get; set; }
    }

    private readonly Dictionary<ChainKey, Part> used = [];
    private readonly Dictionary<string, Part> byName = [];
    private readonly Dictionary<ResourceId, HashSet<Part>> byObject = [];
    private readonly Dictionary<Selector, HashSet<Part>> bySelector = [];
    private readonly HashSet<Part> dirty = [];
    private readonly HashSet<string> unused = [];

    public int Count => used.Count;

    /// <summary>What the kernel has refused, and is closed therefore.</summary>
    public IEnumerable<(ResourceId Of, string Words)> Closed =>
        used.Values.Where(part => part.Refused != null).Select(part => (part.Key.Of, part.Refused!)).DistinctBy(one => one.Of);

    public static string Name(ChainKey key) =>
        $"{Enforcement.Prefix}{(key.Direction == PolicyTypes.Ingress ? "in"
            : "out")}-{ContentHash.Of(key.Of.ToString())}{(key.DropsOnly ? "-d" : "")}";

    /// <summary>Counted.</summary>
    public void Use(ChainKey key)
    {
        if (!used.TryGetValue(key, out var part))
        {
            used[key] = byName[Name(key)] = part = new(key);
            Add(byObject, key.Of, part);
            dirty.Add(part);
        }
        part.Uses++;
    }

    public void Release(ChainKey key)
    {
        var part = used[key];
        if (--part.Uses > 0) return;
        used.Remove(key);
        dirty.Remove(part);
        Remove(byObject, key.Of, part);
        byName.Remove(Name(key));
        unused.Add(Name(key));
        Forget(part);
    }

    private void Forget(Part part)
    {
        foreach (var selector in part.Sets.Selectors) Remove(bySelector, selector, part);
        part.Sets.Release(sets);
        part.Sets = new();
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
        foreach (var part in byObject.GetValueOrDefault(id) ?? [])
        {
            part.Refused = null;
            dirty.Add(part);
        }
    }

    /// <summary>The selector's members are in other sets.</summary>
    public void Moved(Selector selector)
    {
        if (bySelector.TryGetValue(selector, out var parts)) dirty.UnionWith(parts);
    }

    public void Renew() => dirty.UnionWith(used.Values);

    /// <summary>The kernel has refused a rule of this chain: without it the others may allow what they should not.</summary>
    /// <returns>True: it is to be written, closed.</returns>
    public bool Close(string chain, string words)
    {
        if (!byName.TryGetValue(chain, out var part) || part.Refused != null) return false;
        part.Refused = words;
        return dirty.Add(part);
    }

    public void Write(PartsWriter into, PolicyFacts facts)
    {
        if (into.IsFresh) Renew();
        foreach (var part in dirty) Write(part, into, facts);
        unused.ExceptWith(byName.Keys);
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
        var (name, before) = (Name(part.Key), part.Sets);
        foreach (var selector in before.Selectors) Remove(bySelector, selector, part);
        part.Sets = new();
        // What it goes on using is used before it is released.
        ImmutableArray<NftRule> rules = [.. Rules(part, name, facts)];
        before.Release(sets);
        foreach (var selector in part.Sets.Selectors) Add(bySelector, selector, part);
        foreach (var counter in Counters(name)) into.PutCounter(counter);
        into.Put(new NftChain(name, null, rules));
    }

    private IEnumerable<NftRule> Rules(Part part, string name, PolicyFacts facts)
    {
        var (id, direction, dropsOnly) = part.Key;
        var counters = Counters(name);
        NftStatement[] deny = [new ActCountBy(counters[1]), facts.Deny(dropsOnly)];
        var source = objects.RulesOf(id, direction);
        if (source is not { } rules || part.Refused != null)
            return [new NftRule([.. deny], new PolicyComment(source?.Tier ?? PolicyComment.NoTier, id.Kind.Word, Said(id),
                direction).ToString())];
        NftStatement[] allow = rules.Effect switch
        {
            PolicyEffect.Untracked => [new ActCountBy(counters[0]), new ActNoTrack(), facts.Marks.SetEarly, ActDecide.Accept],
            PolicyEffect.PreDnat => [new ActCountBy(counters[0]), facts.Marks.SetEarly, ActDecide.Accept],
            _ => [new ActCountBy(counters[0]), ActDecide.Accept],
        };
        var renderer = new RuleRenderer(sets, part.Sets);
        return rules.Rules.SelectMany((rule, index) =>
        {
            var comment = new PolicyComment(rules.Tier, id.Kind.Word, Said(id), direction, index).ToString();
            NftStatement[] acts = rule.Action switch
            {
                RuleAction.Allow => allow,
                RuleAction.Deny => deny,
                RuleAction.Pass => [facts.Marks.SetPass, ActDecide.Return],
                _ => [new ActLog(PolicyFacts.LogGroup, name)],
            };
            return renderer.Render(rule, acts, comment);
        });
    }

    public static string Said(ResourceId id) => id.Key.Namespace.Length == 0 ? id.Key.Name : $"{id.Key.Namespace}/{id.Key.Name}";
}
