using System.Collections.Immutable;
using Calico.Bgp.Kernel.Netlink;

namespace Calico.Bgp.Kernel.Nftables;

/// <summary>
/// The messages that make of some parts what they shall be, in the order in which they lean on one another: objects, sets and chains
/// come; rules of chains that change go, and elements; what is not wanted any more goes, and what changes in a way that the kernel lets
/// nobody change, which comes again at once; elements come; rules come. Maps go before the chains that they lead to. What leans on a
/// part that comes again (rules on their sets and chains, maps on their chains) is written again with it.
/// </summary>
/// <param name="blocked">What the kernel has refused, and is not to be asked about again yet; null: nothing.</param>
internal sealed class NftDifference(string table, NftParts parts, Predicate<NftPart>? blocked, NftTransaction into)
{
    /// <summary>More elements than these may fill a message.</summary>
    private const int InShortMessage = 64;

    private readonly List<SetPart> sets = [];
    private readonly List<ObjectPart> objects = [];
    private readonly List<(ChainPart Chain, ImmutableArray<NftRule> Rules)> chains = [];
    private readonly HashSet<SetPart> setsAgain = [];
    private readonly HashSet<ChainPart> chainsAgain = [], rewritten = [];
    private uint setIds;

    /// <summary>Else an element that may be there is put, taken out and put again, all in the one transaction.</summary>
    public bool RenewsTimeouts { get; init; } = true;

    public void Write(
        string? comment, IEnumerable<ObjectPart> someObjects, IEnumerable<SetPart> someSets, IEnumerable<ChainPart> someChains)
    {
        foreach (var one in someObjects)
            if (one.Differs && !Blocks(Part(one))) objects.Add(one);
        sets.AddRange(someSets.Where(
            set => !Blocks(set.Wanted != null ? new NftPart.Set(set.Name) : new NftPart.Removal(new NftPart.Set(set.Name)))));
        foreach (var chain in someChains) Add(chain);
        Widen();
        if (!parts.TableIsThere) into.Add(new NftPart.Table(table), () => [NftMessage.AddTable(table, comment)]);
        foreach (var one in objects)
            if (one.IsWanted) into.Add(Part(one), () => [AddObject(one)]);
        // The kernel finds a set by walking along all of them: those that change by the packet stand in front.
        foreach (var set in sets.OrderByDescending(set => set.Wanted?.Dynamic == true))
            if (set is { ToMake: { } wanted, There: null }) AddSet(wanted);
        foreach (var (chain, _) in chains)
            if (chain is { Wanted: { } wanted, There: null }) AddChain(wanted);
        foreach (var (chain, rules) in chains)
            if (chain.There != null && (chain.Wanted == null || IsWritten(chain, rules))) Flush(chain);
        foreach (var set in sets)
            if (set.There != null && !IsAgain(set)) Elements(set, set.ToRemove, add: false);
        foreach (var set in sets.Where(IsAgain)) Remove(new NftPart.Set(set.Name), NftMessage.DeleteSet(table, set.Name));
        foreach (var (chain, _) in chains)
            if (IsAgain(chain)) Remove(new NftPart.Chain(chain.Name), NftMessage.DeleteChain(table, chain.Name));
        foreach (var one in objects)
            if (!one.IsWanted) into.Add(Part(one), () => [DeleteObject(one)]);
        foreach (var set in sets)
            if (set.ToMake is { } wanted && IsAgain(set)) AddSet(wanted);
        foreach (var (chain, _) in chains)
            if (chain.Wanted is { } wanted && IsAgain(chain)) AddChain(wanted);
        foreach (var set in sets)
            if (set.Wanted is { } wanted) Elements(set, IsAgain(set) && !wanted.Dynamic ? set.Elements : set.ToAdd, add: true);
        foreach (var (chain, rules) in chains) AddRules(chain, rules);
    }

    private bool Blocks(NftPart part) => blocked != null && blocked(part);

    private static NftPart Part(ObjectPart one)
    {
        NftPart part = one.IsTimeout ? new NftPart.Timeout(one.Name) : new NftPart.Counter(one.Name);
        return one.IsWanted ? part : new NftPart.Removal(part);
    }

    private NetlinkMessage AddObject(ObjectPart one) =>
        one.Timeout is { } timeout ? NftMessage.AddTimeout(table, timeout) : NftMessage.AddCounter(table, one.Name);

    private NetlinkMessage DeleteObject(ObjectPart one) =>
        one.IsTimeout ? NftMessage.DeleteTimeout(table, one.Name) : NftMessage.DeleteCounter(table, one.Name);

    private void Add(ChainPart chain)
    {
        if (Blocks(chain.Wanted != null ? new NftPart.Chain(chain.Name) : new NftPart.Removal(new NftPart.Chain(chain.Name)))) return;
        chains.Add((chain, chain.Wanted is { } wanted ? wanted.Without(blocked) : []));
    }

    /// <summary>Removed, whether it comes again or not.</summary>
    private bool IsAgain(SetPart set) => set.There != null && (set.Wanted == null || setsAgain.Contains(set));

    private bool IsAgain(ChainPart chain) => chain.There != null && (chain.Wanted == null || chainsAgain.Contains(chain));

    /// <summary>Seldom anything: then all parts are looked through for those that lean on what comes again.</summary>
    private void Widen()
    {
        setsAgain.UnionWith(sets.Where(set => set.ChangesKind));
        chainsAgain.UnionWith(chains.Select(goal => goal.Chain).Where(chain => chain.ChangesKind));
        if (setsAgain.Count + chainsAgain.Count == 0) return;
        var chainNames = chainsAgain.Select(chain => chain.Name).ToHashSet();
        var maps = parts.Sets.Where(set => set is { Wanted.LeadsToVerdicts: true, There: not null }
            && set.Elements.Any(element => element.Value is NftVerdict { Chain: { } chain } && chainNames.Contains(chain))).ToArray();
        setsAgain.UnionWith(maps);
        foreach (var map in maps)
            if (!sets.Contains(map)) sets.Add(map);
        var setNames = setsAgain.Select(set => set.Name).ToHashSet();
        foreach (var chain in parts.Chains.Where(chain => chain.There != null && Leans(chain, setNames, chainNames)))
        {
            rewritten.Add(chain);
            if (chains.TrueForAll(goal => goal.Chain != chain)) Add(chain);
        }
    }

    private static bool Leans(ChainPart chain, HashSet<string> sets, HashSet<string> chains) => !chain.InForce.IsDefaultOrEmpty
        && chain.InForce.Any(rule => rule.Statements.Any(one =>
            one.SetsAsked.Any(sets.Contains) || (one.ChainMeant is { } other && chains.Contains(other))));

    private void AddSet(NftSet set)
    {
        var id = ++setIds;
        into.Add(new NftPart.Set(set.Name), () => [NftMessage.AddSet(table, set, id)]);
    }

    private void AddChain(NftChain chain) => into.Add(new NftPart.Chain(chain.Name), () => [NftMessage.AddChain(table, chain)]);

    private void Flush(ChainPart chain) => Remove(new NftPart.Chain(chain.Name), NftMessage.FlushChain(table, chain.Name));

    private void Remove(NftPart what, NetlinkMessage message) => into.Add(new NftPart.Removal(what), message);

    private bool IsWritten(ChainPart chain, ImmutableArray<NftRule> rules) =>
        chain.Wanted != null && (chain.There == null || IsAgain(chain) || rewritten.Contains(chain) || !chain.Holds(rules));

    private void AddRules(ChainPart chain, ImmutableArray<NftRule> rules)
    {
        if (!IsWritten(chain, rules)) return;
        foreach (var rule in rules)
            into.Add(new NftPart.Rule(chain.Name, rule), () => NftMessage.AddRule(table, chain.Name, rule, () => ++setIds));
    }

    /// <summary>Many in one message: they share one attribute, whose length has 16 bits.</summary>
    private void Elements(SetPart set, IReadOnlyCollection<NftElement> elements, bool add)
    {
        var shape = (add ? set.Wanted : set.There)!;
        NftPart Part(NftElement element) =>
            add ? new NftPart.Element(set.Name, element) : new NftPart.Removal(new NftPart.Element(set.Name, element));
        var allowed = blocked == null ? elements : elements.Where(element => !Blocks(Part(element)));
        using var left = allowed.GetEnumerator();
        var sent = 0;
        for (var any = left.MoveNext(); any;)
        {
            var message = NftMessage.Elements(table, set.Name, add, shape.Dynamic);
            if (elements.Count > InShortMessage) message.In(into.Room);
            // Which one is minded, if any is, the collection tells, which stays as it is until the kernel has answered.
            var (first, head, places) = (sent, left.Current, new List<int>());
            using (message.OpenNested(3)) // ELEMENTS
                for (; any && message.Length < NftMessage.MostOctets; any = left.MoveNext(), sent++)
                {
                    places.Add(message.Length);
                    NftElements.Write(message, shape, left.Current, add);
                }
            into.Add(Part(head), message,
                at => Part(allowed.ElementAt(first + Math.Max(0, places.FindLastIndex(place => at >= place)))));
            if (first == 0 && any) into.Reserve(message.Length * (elements.Count / sent + 1));
            if (add && shape.Dynamic && !RenewsTimeouts) Renew(set.Name, shape, [.. allowed.Skip(first).Take(sent - first)]);
        }
    }

    /// <summary>Each is there by now, and whatever time it had goes with it.</summary>
    private void Renew(string set, NftSet shape, List<NftElement> these)
    {
        foreach (var add in (bool[])[false, true])
        {
            var message = NftMessage.Elements(table, set, add, perhaps: false);
            using (message.OpenNested(3)) // ELEMENTS
                foreach (var element in these) NftElements.Write(message, shape, element, add);
            into.Add(new NftPart.Element(set, these[0]), message);
        }
    }

    /// <summary>The kernel has taken it.</summary>
    public void Commit()
    {
        parts.TableIsThere = true;
        foreach (var one in objects)
        {
            one.IsThere = one.IsWanted;
            parts.Clean(one);
        }
        foreach (var set in sets)
        {
            set.Commit(setsAgain.Contains(set), blocked);
            parts.Clean(set);
        }
        // As they were sent: those that come anew, and behind them those that come again.
        foreach (var (chain, rules) in chains.OrderBy(goal => goal.Chain.There != null))
        {
            var isMade = chain is { Wanted: not null } && (chain.There == null || IsAgain(chain));
            chain.Commit(rules, isMade ? ++parts.ChainsMade : chain.Made);
            parts.Clean(chain);
        }
    }
}
