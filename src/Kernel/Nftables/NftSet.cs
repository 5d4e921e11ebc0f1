using System.Collections.Immutable;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Nftables;

/// <summary>A set, or with <paramref name="Value"/> a map.</summary>
/// <param name="Key">The parts of its key: several make a concatenation.</param>
/// <param name="Intervals">Whether an element may be a range. Ranges must not overlap.</param>
/// <param name="Elements">In any order; each key once.</param>
/// <param name="Value">What a map leads to, in parts like the key; a verdict stands alone.</param>
public sealed record NftSet(
    string Name, ImmutableArray<NftType> Key, bool Intervals, ImmutableArray<NftElement> Elements, ImmutableArray<NftType> Value = default)
{
    public string? Comment { get; init; }

    /// <summary>
    /// Packets and the clock may change it: what is in it is not ours to compare. It is adopted as it is, elements are put into it and
    /// taken out of it once, and nothing else is.
    /// </summary>
    public bool Dynamic { get; init; }

    /// <summary>Belongs to a rule, and comes and goes with it; the kernel gives it its name.</summary>
    internal bool Anonymous { get; init; }

    /// <summary>How long an element lives that says nothing else; null: for ever. Of a dynamic set alone.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>How many elements it takes; 0: as many as there are.</summary>
    public uint Size { get; init; }

    public bool IsMap => !Value.IsDefaultOrEmpty;

    public bool LeadsToVerdicts => IsMap && Value[0] == NftType.Verdict;

    /// <summary>What cannot be changed while the set lives. A size that nobody asked for is the kernel's affair.</summary>
    public bool SameKind(NftSet other) =>
        (Name, Intervals, Comment, Dynamic, Timeout, Anonymous)
            == (other.Name, other.Intervals, other.Comment, other.Dynamic, other.Timeout, other.Anonymous)
        && (Size == other.Size || Size == 0 || other.Size == 0)
        && Key.AsSpan().SequenceEqual(other.Key.AsSpan()) && Value.AsSpan().SequenceEqual(other.Value.AsSpan());

    /// <summary>The element has the key: of a concatenation with ranges each part lies in its own.</summary>
    internal bool Covers(in NftElement element, NftOctets key)
    {
        ReadOnlySpan<byte> from = element.From.Span, to = element.To.Span, asked = key.Span;
        if (from.Length != asked.Length) return false;
        if (!Intervals) return from.SequenceEqual(asked);
        var at = 0;
        foreach (var part in Key)
        {
            var octets = asked.Slice(at, part.Octets());
            if (octets.SequenceCompareTo(from.Slice(at, octets.Length)) < 0) return false;
            if (octets.SequenceCompareTo(to.Slice(at, octets.Length)) > 0) return false;
            at += Netlink.NetlinkMessage.Align(octets.Length);
        }
        return true;
    }

    /// <summary>With the same elements, in the same order.</summary>
    public bool Same(NftSet other) => SameKind(other) && Elements.AsSpan().SequenceEqual(other.Elements.AsSpan());
}

/// <summary>An element: one key, or all keys from one to another; of a map, with its value.</summary>
public readonly record struct NftElement(NftOctets From, NftOctets To, NftValue? Value = null)
{
    /// <summary>Kept short: there are hundreds of thousands of elements, and few have one.</summary>
    private readonly long ticks;

    /// <summary>After how long a dynamic set drops it, more than no time; null: as the set says.</summary>
    public TimeSpan? Timeout
    {
        get => ticks == 0 ? null : new(ticks);
        init => ticks = value?.Ticks ?? 0;
    }

    public static NftElement Of(NftOctets key, NftValue? value = null) => new(key, key, value);

    public static NftElement Of(Prefix prefix) => new(NftOctets.Of(prefix.Address), NftOctets.Of(prefix.Last));

    public override string ToString() => (From == To ? $"{From}" : $"{From}-{To}") + (Value == null ? "" : $" : {Value}");

    /// <summary>The kernel holds one element for a key, whatever it leads to.</summary>
    internal sealed class ByKey : IEqualityComparer<NftElement>
    {
        public static readonly ByKey Instance = new();

        public bool Equals(NftElement a, NftElement b) => a.From == b.From && a.To == b.To;

        public int GetHashCode(NftElement element) => element.From.GetHashCode();
    }
}

/// <summary>What a map leads to.</summary>
public abstract record NftValue;

public sealed record NftData(NftOctets Octets) : NftValue
{
    public override string ToString() => Octets.ToString();
}

public enum NftVerdictCode { Return = -5, Goto = -4, Jump = -3, Drop = 0, Accept = 1 }

public sealed record NftVerdict(NftVerdictCode Code, string? Chain = null) : NftValue
{
    public override string ToString() => Code.ToString().ToLowerInvariant() + (Chain == null ? "" : " " + Chain);
}
