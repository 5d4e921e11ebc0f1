using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Services;

/// <summary>
/// What translations want of the maps and chains that they share, counted, and what of it has changed since it was last written: a change
/// costs what it touches, however many translations there are.
/// </summary>
internal sealed class SharedMaps
{
    /// <summary>Of each map; none has ranges or times, so that a key and a value are all that an element is.</summary>
    private readonly Dictionary<string, Dictionary<NftOctets, (NftValue? Value, int Uses)>> elements = [];
    private readonly Dictionary<string, (NftChain Chain, int Uses)> chains = [];
    private readonly Dictionary<string, (NftSet Set, int Uses)> sets = [];
    private readonly Dictionary<string, HashSet<NftOctets>> touched = [];
    private readonly Dictionary<string, (NftTimeout Timeout, int Uses)> timeouts = [];
    private readonly HashSet<string> touchedChains = [], touchedSets = [], touchedTimeouts = [];

    /// <summary>Else all is yet to be written, and what is touched is no news.</summary>
    private bool isWritten;

    public bool IsTouched => touched.Count + touchedChains.Count + touchedSets.Count + touchedTimeouts.Count > 0;

    /// <summary>Some connections have times of their own.</summary>
    public bool HasTimeouts => timeouts.Count > 0;

    /// <summary>Those of these that have anything.</summary>
    public ListOf<string> Filled(ImmutableArray<NftSet> maps) =>
        [.. maps.Select(map => map.Name).Where(map => elements.TryGetValue(map, out var all) && all.Count > 0)];

    public bool Has(string map, NftOctets key) => elements.TryGetValue(map, out var all) && all.ContainsKey(key);

    /// <summary>What is in both stays untouched.</summary>
    public void Replace(Wishes before, Wishes after)
    {
        foreach (var timeout in after.Timeouts) Use(timeouts, touchedTimeouts, timeout.Name, timeout);
        foreach (var set in after.Sets) Use(sets, touchedSets, set.Name, set);
        foreach (var chain in after.Chains) Use(chains, touchedChains, chain.Name, chain);
        foreach (var (map, element) in after.Elements) Use(map, element);
        foreach (var (map, element) in before.Elements) Drop(map, element);
        foreach (var chain in before.Chains) Drop(chains, touchedChains, chain.Name);
        foreach (var set in before.Sets) Drop(sets, touchedSets, set.Name);
        foreach (var timeout in before.Timeouts) Drop(timeouts, touchedTimeouts, timeout.Name);
    }

    private void Use(string map, NftElement element)
    {
        var all = CollectionsMarshal.GetValueRefOrAddDefault(elements, map, out _) ??= [];
        ref var known = ref CollectionsMarshal.GetValueRefOrAddDefault(all, element.From, out _);
        if (isWritten && (known.Uses == 0 || known.Value != element.Value)) Touch(map, element.From);
        known = (element.Value, known.Uses + 1);
    }

    private void Drop(string map, NftElement element)
    {
        var all = elements[map];
        ref var known = ref CollectionsMarshal.GetValueRefOrNullRef(all, element.From);
        if (--known.Uses > 0) return;
        all.Remove(element.From);
        if (isWritten) Touch(map, element.From);
    }

    private void Touch(string map, NftOctets key) => (CollectionsMarshal.GetValueRefOrAddDefault(touched, map, out _) ??= []).Add(key);

    /// <summary>What has the same name is the same.</summary>
    private static void Use<T>(Dictionary<string, (T Part, int Uses)> parts, HashSet<string> touched, string name, T part)
    {
        var uses = parts.GetValueOrDefault(name).Uses;
        if (uses == 0) touched.Add(name);
        parts[name] = (part, uses + 1);
    }

    private static void Drop<T>(Dictionary<string, (T Part, int Uses)> parts, HashSet<string> touched, string name)
    {
        var (part, uses) = parts[name];
        if (uses > 1) parts[name] = (part, uses - 1);
        else
        {
            parts.Remove(name);
            touched.Add(name);
        }
    }

    /// <summary>Of the maps these, with all that is in them, and all chains.</summary>
    public void WriteAll(PartsWriter into, ImmutableArray<NftSet> maps)
    {
        foreach (var map in maps) into.Put(map with { Elements = Of(map.Name) });
        foreach (var (set, _) in sets.Values) into.Put(set);
        foreach (var (timeout, _) in timeouts.Values) into.Put(timeout);
        foreach (var (chain, _) in chains.Values) into.Put(chain);
        Forget();
        isWritten = true;
    }

    private ImmutableArray<NftElement> Of(string map)
    {
        if (!elements.TryGetValue(map, out var all)) return [];
        var some = ImmutableArray.CreateBuilder<NftElement>(all.Count);
        foreach (var (key, (value, _)) in all) some.Add(NftElement.Of(key, value));
        return some.MoveToImmutable();
    }

    public void WriteTouched(PartsWriter into)
    {
        foreach (var name in touchedSets)
            if (sets.TryGetValue(name, out var filled)) into.Put(filled.Set);
            else into.RemoveSet(name);
        foreach (var name in touchedTimeouts)
            if (timeouts.TryGetValue(name, out var times)) into.Put(times.Timeout);
            else into.RemoveTimeout(name);
        foreach (var name in touchedChains)
            if (chains.TryGetValue(name, out var wanted)) into.Put(wanted.Chain);
            else into.RemoveChain(name);
        foreach (var (map, keys) in touched)
        {
            var all = elements[map];
            var there = keys.ToLookup(all.ContainsKey);
            if (there[false].Any()) into.RemoveElements(map, [.. there[false].Select(key => NftElement.Of(key))]);
            if (there[true].Any()) into.PutElements(map, [.. there[true].Select(key => NftElement.Of(key, all[key].Value))]);
        }
        Forget();
    }

    public void RemoveAll(PartsWriter into, ImmutableArray<NftSet> maps)
    {
        foreach (var map in maps) into.RemoveSet(map.Name);
        foreach (var name in touchedSets) into.RemoveSet(name);
        foreach (var name in touchedTimeouts) into.RemoveTimeout(name);
        foreach (var name in touchedChains) into.RemoveChain(name);
        Forget();
        isWritten = false;
    }

    private void Forget()
    {
        touched.Clear();
        touchedChains.Clear();
        touchedSets.Clear();
        touchedTimeouts.Clear();
    }
}

/// <summary>What one translation wants.</summary>
/// <param name="Sets">That packets put elements into.</param>
internal sealed record Wishes(
    ImmutableArray<(string Map, NftElement Element)> Elements, ImmutableArray<NftSet> Sets, ImmutableArray<NftChain> Chains,
    ImmutableArray<BackendFlows> Flows)
{
    public static readonly Wishes None = new([], [], [], []);

    public ImmutableArray<NftTimeout> Timeouts { get; init; } = [];

    /// <summary>The address that leads somewhere by it; null: it leads nowhere.</summary>
    public Address? Served { get; init; }

    /// <summary>The address that it is at, which nobody has beside translations; null: it is at none, or a machine may have it.</summary>
    public Address? Nobodys { get; init; }

    /// <summary>Of Maglev's table, which is the same on every node that has the same backends; null: another way chooses.</summary>
    public string? Digest { get; init; }

    /// <summary>What of it is not done, though it is in force.</summary>
    public ListOf<string> Lacks { get; init; } = [];

    /// <summary>The addresses, protocols and ports that it is to be found by.</summary>
    public ImmutableArray<(string Map, NftOctets Key)> Fronts { get; init; } = [];
}
