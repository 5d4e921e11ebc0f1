using System.Collections.Immutable;
using Calico.Bgp.Kernel.Netlink;

namespace Calico.Bgp.Kernel.Nftables;

/// <summary>
/// The messages that make of some parts what they shall be, in the order in which they lean on one another: objects, sets and chains
/// come; rules of chains that change go, and elements; what is not wanted any more goes, and what changes in a way that the kernel lets
/// nobody change, which comes again at once; elements come; rules come. Maps go before the chains that they lead to. What leans on a
/// part that comes again (rules on their sets and chains, maps on their chains) is written again with it.
///
/// A packet on its way keeps the rules that were, and finds nothing any more in a map that these ask and that is gone (the kernel takes a
/// map's elements out of force with it, and leaves a set's where they are; of five million packets beside 900 such changes twenty found
/// nothing). So a map goes one transaction behind the rules that ask it. One that comes again has a stand-in first, with all that it shall
/// have: rules ask that until it is there.
/// </summary>
/// <param name="blocked">What the kernel has refused, and is not to be asked about again yet; null: nothing.</param>
/// <param name="mayWait">What rules ask until now may go with the next transaction.</param>
internal sealed class NftDifference(
    string table, NftParts parts, Predicate<NftPart>? blocked, NftTransaction into, bool mayWait = true)
{
    /// <summary>More elements than these may fill a message.</summary>
    private const int InShortMessage = 64;

    private readonly List<SetPart> sets = [];
    private readonly List<ObjectPart> objects = [];
    private readonly List<(ChainPart Chain, ImmutableArray<NftRule> Rules)> chains = [];
    private readonly HashSet<SetPart> setsAgain = [];
    private readonly HashSet<ChainPart> chainsAgain = [], rewritten = [];

    /// <summary>Maps that get a stand-in now; that go later; whose stand-in goes now.</summary>
    private readonly HashSet<SetPart> stoodInFor = [], goLater = [], relieved = [];
    private readonly HashSet<string> namesStoodInFor = [];

    /// <summary>What is wanted no longer may still be led to by maps that go later.</summary>
    private bool keepsChains;
    private uint setIds;

    /// <summary>Nothing waits for the next transaction.</summary>
    public bool IsAll { get; private set; } = true;

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
        PutOff();
        if (!parts.TableIsThere) into.Add(new NftPart.Table(table), () => [NftMessage.AddTable(table, comment)]);
        foreach (var one in objects)
            if (one.IsWanted) into.Add(Part(one), () => [AddObject(one)]);
        // The kernel finds a set by walking along all of them: those that change by the packet stand in front.
        foreach (var set in sets.OrderByDescending(set => set.Wanted?.Dynamic == true))
        {
            if (set is { ToMake: { } wanted, There: null }) AddSet(wanted);
            if (stoodInFor.Contains(set)) AddSet(set.ToMake! with { Name = SetPart.StandInFor(set.Name) }, set.Name);
        }
        foreach (var (chain, _) in chains)
            if (chain is { Wanted: { } wanted, There: null }) AddChain(wanted);
        foreach (var (chain, rules) in chains)
            if (chain.There != null && (chain.Wanted == null ? !keepsChains || !chain.IsEmpty : IsWritten(chain, rules))) Flush(chain);
        foreach (var set in sets)
            if (set.There != null && !IsAgain(set) && !Stays(set)) Elements(set, set.ToRemove, add: false);
        foreach (var set in sets.Where(IsAgain)) Delete(set.Name);
        foreach (var set in relieved) Delete(SetPart.StandInFor(set.Name));
        foreach (var (chain, _) in chains)
            if (IsAgain(chain)) Remove(new NftPart.Chain(chain.Name), NftMessage.DeleteChain(table, chain.Name));
        foreach (var one in objects)
            if (!one.IsWanted) into.Add(Part(one), () => [DeleteObject(one)]);
        foreach (var set in sets)
            if (set.ToMake is { } wanted && IsAgain(set)) AddSet(wanted);
        foreach (var (chain, _) in chains)
            if (chain.Wanted is { } wanted && IsAgain(chain)) AddChain(wanted);
        foreach (var set in sets)
            if (stoodInFor.Contains(set)) Elements(set, set.Elements, add: true, SetPart.StandInFor(set.Name));
            else if (set.Wanted is { } wanted) Elements(set, IsAgain(set) && !wanted.Dynamic ? set.Elements : set.ToAdd, add: true);
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
    private bool IsAgain(SetPart set) => set.There != null && !goLater.Contains(set) && (set.Wanted == null || setsAgain.Contains(set));

    private bool IsAgain(ChainPart chain) =>
        chain.There != null && (chain.Wanted == null ? !keepsChains : chainsAgain.Contains(chain));

    /// <summary>As it is, for this transaction.</summary>
    private bool Stays(SetPart set) => stoodInFor.Contains(set) || goLater.Contains(set);

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
        // What a chain that comes again is led to by cannot be left as it is meanwhile.
        stoodInFor.UnionWith(setsAgain.Where(set => mayWait && IsAskedMap(set) && !set.HasStandIn).Except(maps));
        setsAgain.ExceptWith(stoodInFor);
        namesStoodInFor.UnionWith(stoodInFor.Select(set => set.Name));
        foreach (var chain in parts.Chains.Where(chain => chain.There != null && Leans(chain, setNames, chainNames)))
        {
            rewritten.Add(chain);
            if (chains.TrueForAll(goal => goal.Chain != chain)) Add(chain);
        }
    }

    private bool IsAskedMap(SetPart set) => set is { There: { IsMap: true, Dynamic: false } } && parts.IsAsked(set.Name);

    private void PutOff()
    {
        if (mayWait) goLater.UnionWith(sets.Where(set => set is { Wanted: null, There.IsMap: true } && parts.IsAsked(set.Name)));
        foreach (var set in sets.Where(set => set is { HasStandIn: true, ChangesKind: false }))
            if (!Blocks(new NftPart.Removal(new NftPart.Set(SetPart.StandInFor(set.Name)))) && (!mayWait || !parts.AsksStandIns))
                relieved.Add(set);
        keepsChains = mayWait && sets.Exists(set => Stays(set) || (set.HasStandIn && !relieved.Contains(set)));
        IsAll = !keepsChains;
    }

    private static bool Leans(ChainPart chain, HashSet<string> sets, HashSet<string> chains) => !chain.InForce.IsDefaultOrEmpty
        && chain.InForce.Any(rule => rule.Statements.Any(one =>
            one.SetsAsked.Any(sets.Contains) || (one.ChainMeant is { } other && chains.Contains(other))));

    /// <param name="part">What it is refused as; null: as itself.</param>
    private void AddSet(NftSet set, string? part = null)
    {
        var id = ++setIds;
        into.Add(new NftPart.Set(part ?? set.Name), () => [NftMessage.AddSet(table, set, id)]);
    }

    private void Delete(string set) => Remove(new NftPart.Set(set), NftMessage.DeleteSet(table, set));

    private void AddChain(NftChain chain) => into.Add(new NftPart.Chain(chain.Name), () => [NftMessage.AddChain(table, chain)]);

    private void Flush(ChainPart chain) => Remove(new NftPart.Chain(chain.Name), NftMessage.FlushChain(table, chain.Name));

    private void Remove(NftPart what, NetlinkMessage message) => into.Add(new NftPart.Removal(what), message);

    private bool IsWritten(ChainPart chain, ImmutableArray<NftRule> rules) =>
        chain.Wanted != null && (chain.There == null || IsAgain(chain) || rewritten.Contains(chain) || !chain.Holds(rules));

    private void AddRules(ChainPart chain, ImmutableArray<NftRule> rules)
    {
        if (!IsWritten(chain, rules)) return;
        foreach (var rule in rules)
            into.Add(new NftPart.Rule(chain.Name, rule),
                () => NftMessage.AddRule(table, chain.Name, rule, () => ++setIds, namesStoodInFor));
    }

    /// <summary>Many in one message: they share one attribute, whose length has 16 bits.</summary>
    /// <param name="named">As the kernel knows it; null: by its name.</param>
    private void Elements(SetPart set, IReadOnlyCollection<NftElement> elements, bool add, string? named = null)
    {
        var shape = (add ? set.Wanted : set.There)!;
        NftPart Part(NftElement element) =>
            add ? new NftPart.Element(set.Name, element) : new NftPart.Removal(new NftPart.Element(set.Name, element));
        var allowed = blocked == null ? elements : elements.Where(element => !Blocks(Part(element)));
        using var left = allowed.GetEnumerator();
        var sent = 0;
        for (var any = left.MoveNext(); any;)
        {
            var message = NftMessage.Elements(table, named ?? set.Name, add, shape.Dynamic);
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
            if (relieved.Contains(set)) set.CommitStandIn(false);
            if (stoodInFor.Contains(set)) set.CommitStandIn(true);
            if (Stays(set)) continue;
            set.Commit(setsAgain.Contains(set), blocked);
            if (!set.HasStandIn) parts.Clean(set);
        }
        // As they were sent: those that come anew, and behind them those that come again.
        foreach (var (chain, rules) in chains.OrderBy(goal => goal.Chain.There != null))
        {
            if (chain.Wanted == null && keepsChains)
            {
                chain.Empty();
                continue;
            }
            var isMade = chain is { Wanted: not null } && (chain.There == null || IsAgain(chain));
            var asksStandIns = IsWritten(chain, rules) && rules.Any(AsksStandIn);
            chain.Commit(rules, isMade ? ++parts.ChainsMade : chain.Made, asksStandIns);
            if (!asksStandIns) parts.Clean(chain);
        }
    }

    private bool AsksStandIn(NftRule rule) => rule.Statements.Any(one => one.SetsAsked.Any(namesStoodInFor.Contains));
}
