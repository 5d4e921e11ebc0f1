using System.Collections.Frozen;
using System.Collections.Immutable;
using Calico.Bgp.Kernel.Nftables;

namespace Calico.Bgp.Kernel.Packets;

/// <summary>Rendered parts that a packet can be walked through.</summary>
public interface IPacketTable
{
    /// <summary>
    /// Base chains, in the order in which they were made: of two with one priority the newer one comes first (nf_hook_entries_grow).
    /// </summary>
    IEnumerable<NftChain> BaseChains { get; }

    NftChain? Chain(string name);

    /// <summary>False: the kernel has refused it.</summary>
    bool IsInForce(NftChain chain, NftRule rule);

    SetAnswer Find(string set, NftOctets key);

    /// <summary>All that the set has; null: what is in a dynamic one only the kernel knows.</summary>
    IEnumerable<NftElement>? Elements(string set);
}

/// <summary>What a set says of a key.</summary>
/// <param name="IsThere">Null: what is in a dynamic set only the kernel knows.</param>
/// <param name="Element">The one that has the key.</param>
/// <param name="Words">The element as nft would write it.</param>
public readonly record struct SetAnswer(bool? IsThere, NftElement Element = default, string? Words = null)
{
    public static readonly SetAnswer Absent = new(false), Unknown = new(null);

    internal static SetAnswer Of(NftSet set, NftElement element) => new(true, element, SetWords.Of(set, element));
}

/// <summary>
/// Parts that stand by themselves: the rules of one feature, or those that would be. Each set is put in order once, so that many packets
/// can be walked through it.
/// </summary>
public sealed class PacketTable : IPacketTable
{
    private readonly ImmutableArray<NftChain> chains;
    private readonly FrozenDictionary<string, NftChain> chainsByName;
    private readonly FrozenDictionary<string, NftSet> sets;

    public PacketTable(IEnumerable<NftSet> sets, IEnumerable<NftChain> chains)
    {
        this.chains = [.. chains];
        chainsByName = this.chains.ToFrozenDictionary(chain => chain.Name);
        this.sets = sets.ToFrozenDictionary(set => set.Name, set => set with { Elements = set.Elements.Sort(ByFirst) });
    }

    public IEnumerable<NftChain> BaseChains => chains.Where(chain => chain.Hook != null);

    public NftChain? Chain(string name) => chainsByName.GetValueOrDefault(name);

    public bool IsInForce(NftChain chain, NftRule rule) => true;

    public SetAnswer Find(string set, NftOctets key)
    {
        // A rule that asks a set which is not there is none that the kernel takes.
        if (!sets.TryGetValue(set, out var asked)) return SetAnswer.Absent;
        if (asked.Dynamic) return SetAnswer.Unknown;
        return asked.Key.Length > 1 ? Among(asked, asked.Elements, key) : Nearest(asked, asked.Elements.AsSpan(), key);
    }

    public IEnumerable<NftElement>? Elements(string set) =>
        !sets.TryGetValue(set, out var asked) ? [] : asked.Dynamic ? null : asked.Elements;

    internal static int ByFirst(NftElement a, NftElement b) => a.From.CompareTo(b.From);

    /// <summary>Ranges do not overlap: only the last that begins before the key may have it.</summary>
    /// <param name="elements">In the order of their first keys.</param>
    internal static SetAnswer Nearest(NftSet set, ReadOnlySpan<NftElement> elements, NftOctets key)
    {
        var (low, high) = (0, elements.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (elements[middle].From <= key) low = middle + 1;
            else high = middle;
        }
        return low > 0 && elements[low - 1] is var element && set.Covers(element, key) ? SetAnswer.Of(set, element) : SetAnswer.Absent;
    }

    internal static SetAnswer Among(NftSet set, IEnumerable<NftElement> elements, NftOctets key)
    {
        foreach (var element in elements)
            if (set.Covers(element, key)) return SetAnswer.Of(set, element);
        return SetAnswer.Absent;
    }
}
