using System.Collections.Immutable;

namespace Calico.Bgp.Kernel.Nftables;

/// <summary>
/// What is wanted of our table, by name, beside what the kernel has of it; and the dirty ones, by which the two may differ. A change costs
/// what it touches, however many parts there are.
/// </summary>
internal sealed class NftParts
{
    private readonly Dictionary<string, SetPart> sets = [];
    private readonly Dictionary<string, ChainPart> chains = [];
    private readonly Dictionary<string, ObjectPart> objects = [];
    private readonly HashSet<SetPart> dirtySets = [];
    private readonly HashSet<ChainPart> dirtyChains = [];
    private readonly HashSet<ObjectPart> dirtyObjects = [];

    public bool TableIsThere { get; set; }

    /// <summary>What nobody has wanted yet is left as it is.</summary>
    public bool KeepsOthers { get; init; }

    /// <summary>How many chains the kernel has made; the newest one's number.</summary>
    public long ChainsMade { get; set; }

    public IReadOnlyCollection<SetPart> Sets => sets.Values;
    public IReadOnlyCollection<ChainPart> Chains => chains.Values;
    public IReadOnlyCollection<SetPart> DirtySets => dirtySets;
    public IReadOnlyCollection<ChainPart> DirtyChains => dirtyChains;

    public IReadOnlyCollection<ObjectPart> DirtyObjects => dirtyObjects;

    public SetPart? Set(string name) => sets.GetValueOrDefault(name);

    private SetPart? StoodInForBy(string name) => SetPart.StoodInForBy(name) is { } of ? Set(of) : null;

    public ChainPart? Chain(string name) => chains.GetValueOrDefault(name);

    /// <exception cref="ArgumentException">Elements are put into a set that nobody wants; nothing of the changes is to be
    /// taken.</exception>
    public void Check(ImmutableArray<NftChange> changes)
    {
        var before = new Dictionary<string, bool>();
        foreach (var change in changes)
            switch (change)
            {
                case NftChange.PutSet put: before[put.Set.Name] = true; break;
                case NftChange.RemoveSet remove: before[remove.Name] = false; break;
                case NftChange.PutElements put when !(before.TryGetValue(put.Set, out var wanted) ? wanted : Set(put.Set)?.Wanted != null):
                    throw new ArgumentException($"expected a set that is wanted, got elements for {put.Set}, which is not",
                        nameof(changes));
            }
    }

    public void Apply(NftChange change)
    {
        switch (change)
        {
            case NftChange.PutSet(var set):
                if (!sets.TryGetValue(set.Name, out var part)) sets[set.Name] = part = new(set.Name);
                if (part.Put(set)) dirtySets.Add(part);
                break;
            case NftChange.PutElements(var name, var elements):
                var into = sets[name];
                foreach (var element in elements) into.Put(element);
                if (into.Differs) dirtySets.Add(into);
                break;
            case NftChange.RemoveElements(var name, var elements):
                if (Set(name) is not { Wanted: not null } from) break;
                foreach (var element in elements) from.Remove(element);
                if (from.Differs) dirtySets.Add(from);
                break;
            case NftChange.RemoveSet(var name):
                if (Set(name) is not { } gone) break;
                gone.Remove();
                dirtySets.Add(gone);
                break;
            case NftChange.PutCounter(var name): Put(name, null); break;
            case NftChange.PutTimeout(var timeout): Put(timeout.Name, timeout); break;
            case NftChange.RemoveCounter(var name): RemoveObject(name); break;
            case NftChange.RemoveTimeout(var name): RemoveObject(name); break;
            case NftChange.PutChain(var chain):
                if (!chains.TryGetValue(chain.Name, out var known)) chains[chain.Name] = known = new(chain.Name);
                if (known.Put(chain)) dirtyChains.Add(known);
                break;
            case NftChange.RemoveChain(var name):
                if (Chain(name) is not { } unwanted) break;
                unwanted.Remove();
                dirtyChains.Add(unwanted);
                break;
        }
    }

    private void Put(string name, NftTimeout? timeout)
    {
        if (!objects.TryGetValue(name, out var known)) objects[name] = known = new(name, timeout != null);
        (known.IsWanted, known.Timeout) = (true, timeout);
        if (known.Differs) dirtyObjects.Add(known);
    }

    private void RemoveObject(string name)
    {
        if (!objects.TryGetValue(name, out var idle)) return;
        idle.IsWanted = false;
        dirtyObjects.Add(idle);
    }

    /// <summary>What the kernel has was read: what differs is dirty, and what nobody wants is a part that shall not be, unless others'
    /// are kept.</summary>
    /// <param name="allowed">The rules that are wanted of a chain, without what the kernel has refused before.</param>
    public void Compare(ToldTable told, Func<NftChain, ImmutableArray<NftRule>> allowed)
    {
        (TableIsThere, ChainsMade) = (told.Exists, told.Chains.Count);
        if (!KeepsOthers) Meet(told);
        foreach (var one in objects.Values)
        {
            one.IsThere = (one.IsTimeout ? told.Timeouts : told.Counters).Contains(one.Name);
            if (one.Differs) dirtyObjects.Add(one);
        }
        foreach (var set in sets.Values)
        {
            set.Compare(told.Sets.GetValueOrDefault(set.Name), told.Sets.ContainsKey(SetPart.StandInFor(set.Name)));
            if (set.Differs) dirtySets.Add(set);
        }
        foreach (var chain in chains.Values)
        {
            var rules = chain.Wanted is { } wanted ? allowed(wanted) : [];
            chain.Compare(told, rules);
            if (chain.Differs) dirtyChains.Add(chain);
        }
    }

    /// <summary>Maps that packets ask shall lead to chains that are not there yet, and nothing goes to come again at once.</summary>
    public bool LeadsToNew => dirtyChains.Any(chain => chain is { There: null, Wanted.Hook: null })
        && !dirtyChains.Any(chain => chain.ChangesKind) && !dirtySets.Any(set => set.ChangesShape)
        && dirtySets.Any(set => set is { There: not null, Wanted.LeadsToVerdicts: true }
            && set.ToAdd.Any(element => element.Value is NftVerdict { Chain: { } to } && Chain(to) is { There: null }));

    /// <summary>Packets may meet rules that ask it; what is not known of rules may.</summary>
    public bool IsAsked(string set) => chains.Values.Any(chain => chain.There != null
        && (chain.InForce.IsDefault || chain.InForce.Any(rule => rule.Statements.Any(one => one.SetsAsked.Contains(set)))));

    /// <summary>The same of any map that stands in for another.</summary>
    public bool AsksStandIns => chains.Values.Any(chain => chain.There != null && (chain.AsksStandIns || chain.InForce.IsDefault));

    private void Meet(ToldTable told)
    {
        foreach (var name in told.Sets.Keys.Select(name => SetPart.StoodInForBy(name) ?? name)) sets.TryAdd(name, new(name));
        foreach (var name in told.Chains.Keys) chains.TryAdd(name, new(name));
        foreach (var name in told.Counters) objects.TryAdd(name, new(name, isTimeout: false));
        foreach (var name in told.Timeouts) objects.TryAdd(name, new(name, isTimeout: true));
    }

    /// <summary>Rules that ask one of these sets, in chains that say what they have where one of their rules cannot be.</summary>
    public IEnumerable<(NftPart.Rule Rule, string Set)> Asking(IReadOnlySet<string> these) =>
        from chain in chains.Values
        where chain.Wanted is { Instead.IsEmpty: false }
        from rule in chain.Wanted!.Instead.SelectMany(rules => rules).Concat(chain.Wanted.Rules)
        from asked in rule.Statements.SelectMany(one => one.SetsAsked).Where(these.Contains).Take(1)
        select (new NftPart.Rule(chain.Name, rule), asked);

    /// <summary>What waited for another attempt is due.</summary>
    public void Retry(NftPart part)
    {
        switch (part)
        {
            case NftPart.Set(var name): Retry(Set(name) ?? StoodInForBy(name)); break;
            case NftPart.Element(var of, _): Retry(Set(of)); break;
            case NftPart.Counter(var name): RetryObject(name); break;
            case NftPart.Timeout(var name): RetryObject(name); break;
            case NftPart.Chain(var name): Retry(Chain(name)); break;
            case NftPart.Rule(var of, _): Retry(Chain(of)); break;
            case NftPart.Removal(var what): Retry(what); break;
        }
    }

    private void RetryObject(string name)
    {
        if (objects.TryGetValue(name, out var one)) dirtyObjects.Add(one);
    }

    private void Retry(SetPart? set)
    {
        if (set != null) dirtySets.Add(set);
    }

    private void Retry(ChainPart? chain)
    {
        if (chain != null) dirtyChains.Add(chain);
    }

    /// <summary>Whether it is still asked for, be it that it comes or that it goes.</summary>
    public bool IsWanted(NftPart part) => part switch
    {
        NftPart.Table => true,
        NftPart.Set(var name) => Set(name)?.Wanted != null,
        NftPart.Chain(var name) => Chain(name)?.Wanted != null,
        NftPart.Element(var of, var element) => Set(of)?.Wants(element) == true,
        NftPart.Rule(var of, var rule) => Chain(of)?.Wants(rule) == true,
        NftPart.Counter(var name) => objects.GetValueOrDefault(name)?.IsWanted == true,
        NftPart.Timeout(var name) => objects.GetValueOrDefault(name)?.IsWanted == true,
        NftPart.Removal(NftPart.Counter(var name)) => objects.GetValueOrDefault(name)?.IsThere == true,
        NftPart.Removal(NftPart.Timeout(var name)) => objects.GetValueOrDefault(name)?.IsThere == true,
        NftPart.Removal(NftPart.Element(var of, var element)) => Set(of)?.ToRemove.Contains(element) == true,
        NftPart.Removal(NftPart.Set(var name)) => Set(name)?.There != null || StoodInForBy(name)?.HasStandIn == true,
        NftPart.Removal(NftPart.Chain(var name)) => Chain(name)?.There != null,
        _ => false,
    };

    /// <summary>The set is in force as it is wanted.</summary>
    public void Clean(SetPart set)
    {
        dirtySets.Remove(set);
        if (set.Wanted == null) sets.Remove(set.Name);
    }

    public void Clean(ObjectPart one)
    {
        dirtyObjects.Remove(one);
        if (!one.IsWanted) objects.Remove(one.Name);
    }

    public void Clean(ChainPart chain)
    {
        dirtyChains.Remove(chain);
        if (chain.Wanted == null) chains.Remove(chain.Name);
    }

    /// <summary>What is left of the dirty ones waits until the kernel is to be asked again.</summary>
    public void Rest()
    {
        dirtySets.Clear();
        dirtyChains.Clear();
        dirtyObjects.Clear();
    }

    public void Clear()
    {
        sets.Clear();
        chains.Clear();
        objects.Clear();
        Rest();
        TableIsThere = false;
    }
}
