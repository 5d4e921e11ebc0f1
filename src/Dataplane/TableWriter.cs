using System.Collections.Immutable;
using Calico.Bgp.Kernel.Nftables;

namespace Calico.Bgp.Dataplane;

/// <summary>
/// Gathers what the features change of the one table until it is handed over. The base chains that they share are put together here: one is
/// there while any feature has rules in it.
/// </summary>
internal sealed class TableWriter
{
    private readonly ImmutableArray<NftChange>.Builder changes = ImmutableArray.CreateBuilder<NftChange>();
    private readonly Dictionary<(string Chain, string Feature), ImmutableArray<NftRule>> shared = [];
    private readonly HashSet<NftChain> touched = [];

    /// <summary>Nothing of it has been handed over yet: whoever writes now writes all that it wants.</summary>
    public bool IsFresh { get; private set; } = true;

    public PartsWriter For(IFeature feature) => new(feature.Name, this);

    public void Add(NftChange change) => changes.Add(change);

    public void Put(NftChain chain, string feature, ImmutableArray<NftRule> rules)
    {
        shared[(chain.Name, feature)] = rules;
        touched.Add(chain);
    }

    /// <summary>What has changed since the last time.</summary>
    public ImmutableArray<NftChange> Take()
    {
        foreach (var chain in touched)
        {
            ImmutableArray<NftRule> rules = [.. Frame.Order.SelectMany(feature => shared.GetValueOrDefault((chain.Name, feature), []))];
            changes.Add(rules.IsEmpty ? new NftChange.RemoveChain(chain.Name) : new NftChange.PutChain(chain with { Rules = rules }));
        }
        touched.Clear();
        IsFresh = false;
        return changes.DrainToImmutable();
    }

    /// <summary>The table is gone, and with it all that was written.</summary>
    public void Forget()
    {
        changes.Clear();
        shared.Clear();
        touched.Clear();
        IsFresh = true;
    }
}

/// <summary>One feature's hand in the table. A name that is not the feature's own is a mistake of the feature's.</summary>
internal sealed class PartsWriter(string feature, TableWriter table)
{
    public bool IsFresh => table.IsFresh;

    public void Put(NftSet set) => table.Add(new NftChange.PutSet(Own(set.Name, set)));

    public void PutElements(string set, ImmutableArray<NftElement> elements) =>
        table.Add(new NftChange.PutElements(Own(set, set), elements));

    public void RemoveElements(string set, ImmutableArray<NftElement> elements) =>
        table.Add(new NftChange.RemoveElements(Own(set, set), elements));

    public void Put(NftChain chain) => table.Add(new NftChange.PutChain(Own(chain.Name, chain)));

    public void RemoveSet(string name) => table.Add(new NftChange.RemoveSet(Own(name, name)));

    public void RemoveChain(string name) => table.Add(new NftChange.RemoveChain(Own(name, name)));

    public void PutCounter(string name) => table.Add(new NftChange.PutCounter(Own(name, name)));

    public void RemoveCounter(string name) => table.Add(new NftChange.RemoveCounter(Own(name, name)));

    public void Put(NftTimeout timeout) => table.Add(new NftChange.PutTimeout(Own(timeout.Name, timeout)));

    public void RemoveTimeout(string name) => table.Add(new NftChange.RemoveTimeout(Own(name, name)));

    /// <summary>The feature's rules in a base chain of the frame's; none: it has nothing to do there.</summary>
    public void PutRules(NftChain shared, ImmutableArray<NftRule> rules) => table.Put(shared, feature, rules);

    /// <exception cref="ArgumentException">The name does not begin with the feature's.</exception>
    private T Own<T>(string name, T part) => name.StartsWith(feature + "-", StringComparison.Ordinal)
        ? part : throw new ArgumentException($"expected a name that begins with {feature}-, got {name}", nameof(name));
}
