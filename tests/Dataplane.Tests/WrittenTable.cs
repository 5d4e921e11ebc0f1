using System.Collections.Immutable;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Packets;

namespace Calico.Bgp.Dataplane.Tests;

/// <summary>What the table has after all that features have written: the kernel's side of their changes, without a kernel.</summary>
internal sealed class WrittenTable
{
    private readonly TableWriter writer = new();
    private readonly Dictionary<string, NftSet> sets = [];
    private readonly Dictionary<string, NftChain> chains = [];
    private readonly SortedSet<string> timeouts = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, NftSet> Sets => sets;
    public IReadOnlyDictionary<string, NftChain> Chains => chains;
    public IEnumerable<string> Timeouts => timeouts;

    /// <summary>For packets that walk through it.</summary>
    /// <param name="asTaken">What the kernel makes of a chain; null: what it is told.</param>
    public PacketTable Packets(Func<NftChain, NftChain>? asTaken = null) =>
        new(sets.Values, asTaken == null ? chains.Values : chains.Values.Select(asTaken));

    public string Text => string.Join('\n',
    [
        .. sets.Values.OrderBy(set => set.Name).Select(set => $"{set.Name}: {string.Join(", ", set.Elements.Select(one =>
            one.ToString()).Order())}"),
        .. chains.Values.OrderBy(chain => chain.Name).Select(chain => $"{chain.Name}: {string.Join("; ", chain.Rules)}"),
    ]);

    public PartsWriter For(IFeature feature) => writer.For(feature);

    /// <summary>What has been written since the last time is there.</summary>
    public ImmutableArray<NftChange> Take()
    {
        var changes = writer.Take();
        foreach (var change in changes) Apply(change);
        return changes;
    }

    private void Apply(NftChange change)
    {
        switch (change)
        {
            case NftChange.PutSet(var set): sets[set.Name] = set; break;
            case NftChange.RemoveSet(var name): sets.Remove(name); break;
            case NftChange.PutElements(var name, var elements): Put(name, elements, elements); break;
            case NftChange.RemoveElements(var name, var elements): Put(name, elements, []); break;
            case NftChange.PutChain(var chain): chains[chain.Name] = chain; break;
            case NftChange.RemoveChain(var name): chains.Remove(name); break;
            case NftChange.PutCounter or NftChange.RemoveCounter: break;
            case NftChange.PutTimeout(var timeout): timeouts.Add(timeout.Name); break;
            case NftChange.RemoveTimeout(var name): timeouts.Remove(name); break;
            default: throw new ArgumentException(change.ToString(), nameof(change));
        }
    }

    private void Put(string name, ImmutableArray<NftElement> gone, ImmutableArray<NftElement> come)
    {
        var left = sets[name].Elements.Where(old => !gone.Any(one => one.From == old.From && one.To == old.To));
        sets[name] = sets[name] with { Elements = [.. left, .. come] };
    }
}
