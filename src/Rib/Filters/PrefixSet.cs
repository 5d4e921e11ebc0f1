using Calico.Bgp.Net;

namespace Calico.Bgp.Rib.Filters;

/// <summary>
/// A prefix list made ready: one longest-match lookup answers. Each entry of the trie knows which lengths are in the list anywhere below
/// it, its own and what it inherits from the entries that it lies in; the lengths above a base became entries of their own.
/// </summary>
public sealed class PrefixSet : IEquatable<PrefixSet>
{
    /// <summary>Bit n for prefixes of n bits; 0 to 128 are one more than a word holds.</summary>
    private readonly record struct Lengths(UInt128 Bits, bool Full)
    {
        public bool Has(int length) => length == 128 ? Full : (Bits >> length & 1) != 0;
        public Lengths With(Lengths other) => new(Bits | other.Bits, Full | other.Full);

        public static Lengths From(int least, int most)
        {
            // Bits [least, most] of those below 128.
            var below = most >= 127 ? UInt128.MaxValue : (UInt128.One << (most + 1)) - 1;
            return new(least > 127 ? 0 : below & ~((UInt128.One << least) - 1), most == 128);
        }
    }

    private readonly PrefixMap<Lengths> ipv4 = new(IpFamily.IPv4);
    private readonly PrefixMap<Lengths> ipv6 = new(IpFamily.IPv6);
    /// <summary>0: not asked for yet.</summary>
    private int hash;

    public PrefixSet(ListOf<PrefixPattern> patterns)
    {
        Patterns = patterns;
        foreach (var pattern in patterns.Items) Add(pattern);
        Inherit(ipv4);
        Inherit(ipv6);
    }

    public ListOf<PrefixPattern> Patterns { get; }

    public bool Has(Prefix prefix) => MapOf(prefix.Family).TryLongest(prefix, out _, out var lengths) && lengths.Has(prefix.Length);

    private PrefixMap<Lengths> MapOf(IpFamily family) => family == IpFamily.IPv4 ? ipv4 : ipv6;

    private void Add(PrefixPattern pattern)
    {
        var (from, least, most) = pattern;
        for (var length = least; length < from.Length && length <= most; length++)
            Add(new Prefix(from.Address, length), Lengths.From(length, length));
        if (most >= from.Length) Add(from, Lengths.From(Math.Max(least, from.Length), most));
    }

    private void Add(Prefix at, Lengths lengths)
    {
        var map = MapOf(at.Family);
        map[at] = map.TryGet(at, out var known) ? known.With(lengths) : lengths;
    }

    /// <summary>From the top down: what covers an entry has inherited already when its turn comes.</summary>
    private static void Inherit(PrefixMap<Lengths> map)
    {
        foreach (var (prefix, own) in map.All.ToList())
            if (prefix.Length > 0 && map.TryLongest(new Prefix(prefix.Address, prefix.Length - 1), out _, out var above))
                map[prefix] = own.With(above);
    }

    /// <summary>Thousands of chains share a set of thousands of prefixes, and a new plan compares each with what it was.</summary>
    public bool Equals(PrefixSet? other) => ReferenceEquals(this, other)
        || (other != null && GetHashCode() == other.GetHashCode() && Patterns == other.Patterns);
    public override bool Equals(object? obj) => Equals(obj as PrefixSet);
    public override int GetHashCode()
    {
        if (hash == 0) hash = Patterns.GetHashCode();
        return hash;
    }

    public override string ToString() => Patterns.ToString();
}
