using System.Collections.Immutable;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Nftables;

/// <summary>
/// A table of family inet as it shall be: values, compared as such. What differs from what the kernel has is what gets sent.
/// </summary>
public sealed record NftTable(string Name, ImmutableArray<NftSet> Sets, ImmutableArray<NftChain> Chains)
{
    public string? Comment { get; init; }

    public static NftTable Empty(string name) => new(name, [], []);
}

/// <summary>A set, or with <paramref name="Value"/> a map.</summary>
/// <param name="Key">The parts of its key: several make a concatenation.</param>
/// <param name="Intervals">Whether an element may be a range. Ranges must not overlap.</param>
public sealed record NftSet(string Name, ImmutableArray<NftType> Key, bool Intervals, ImmutableSortedSet<NftElement> Elements, NftType? Value = null)
{
    public string? Comment { get; init; }

    /// <summary>What cannot be changed while the set lives.</summary>
    public bool SameKind(NftSet other) =>
        Name == other.Name && Intervals == other.Intervals && Value == other.Value && Comment == other.Comment && Key.AsSpan().SequenceEqual(other.Key.AsSpan());
}

/// <summary>An element: one key, or all keys from one to another; of a map, with its value.</summary>
public readonly record struct NftElement(NftOctets From, NftOctets To, NftValue? Value = null) : IComparable<NftElement>
{
    public static NftElement Of(NftOctets key, NftValue? value = null) => new(key, key, value);

    public static NftElement Of(Prefix prefix) => new(NftOctets.Of(prefix.Address), NftOctets.Of(prefix.Last));

    public int CompareTo(NftElement other)
    {
        var byStart = From.CompareTo(other.From);
        if (byStart == 0) byStart = To.CompareTo(other.To);
        return byStart != 0 ? byStart : string.CompareOrdinal(Value?.ToString(), other.Value?.ToString());
    }

    public static bool operator <(NftElement a, NftElement b) => a.CompareTo(b) < 0;
    public static bool operator >(NftElement a, NftElement b) => a.CompareTo(b) > 0;
    public static bool operator <=(NftElement a, NftElement b) => a.CompareTo(b) <= 0;
    public static bool operator >=(NftElement a, NftElement b) => a.CompareTo(b) >= 0;

    public override string ToString() => (From == To ? $"{From}" : $"{From}-{To}") + (Value == null ? "" : $" : {Value}");
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

/// <summary>The places in a packet's way where a chain may stand (NF_INET_…).</summary>
public enum NftHookPoint : uint { Prerouting, Input, Forward, Output, Postrouting }

/// <summary>What makes a chain a base chain.</summary>
/// <param name="Type">filter, nat or route.</param>
public sealed record NftHook(string Type, NftHookPoint Point, int Priority);

public sealed record NftChain(string Name, NftHook? Hook, ImmutableArray<NftRule> Rules)
{
    public string? Comment { get; init; }

    /// <summary>What cannot be changed while the chain lives.</summary>
    public bool SameKind(NftChain other) => Name == other.Name && Hook == other.Hook && Comment == other.Comment;
}

/// <summary>A rule: matches, then acts, evaluated from left to right.</summary>
public sealed record NftRule(ImmutableArray<NftStatement> Statements, string? Comment = null)
{
    public NftRule(params ReadOnlySpan<NftStatement> statements) : this([.. statements], null) { }

    public bool Equals(NftRule? other) => other != null && Comment == other.Comment && Statements.AsSpan().SequenceEqual(other.Statements.AsSpan());

    public override int GetHashCode() => HashCode.Combine(Comment, Statements.Length);

    /// <summary>About as nft lists it.</summary>
    public override string ToString() => string.Join(' ', Statements) + (Comment == null ? "" : $" comment \"{Comment}\"");
}

/// <summary>One step of a rule; encodes itself.</summary>
public abstract record NftStatement
{
    internal abstract void Encode(Expressions into);
}
