using System.Collections.Immutable;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane;

/// <summary>Addresses of one family as ranges: in order, neither overlapping nor touching. Compared by value.</summary>
public sealed class AddressRanges : IEquatable<AddressRanges>
{
    public static readonly AddressRanges None = new([]);

    private AddressRanges(ImmutableArray<AddressRange> ranges) => All = ranges;

    public ImmutableArray<AddressRange> All { get; }
    public bool IsEmpty => All.IsEmpty;

    /// <param name="ranges">In order and disjoint; those that touch are joined.</param>
    public static AddressRanges Of(IEnumerable<AddressRange> ranges)
    {
        var joined = ImmutableArray.CreateBuilder<AddressRange>();
        foreach (var range in ranges)
        {
            if (joined.Count > 0 && Next(joined[^1].Last) == range.First) joined[^1] = joined[^1] with { Last = range.Last };
            else joined.Add(range);
        }
        return joined.Count == 0 ? None : new(joined.ToImmutable());
    }

    /// <summary>The address behind this one; null behind the last.</summary>
    public static Address? Next(Address address)
    {
        var step = (UInt128)1 << (128 - address.Family.Bits());
        var next = unchecked(address.Bits + step);
        return next == 0 ? null : new Address(next, address.Family);
    }

    public static Address Previous(Address address) => new(address.Bits - ((UInt128)1 << (128 - address.Family.Bits())), address.Family);

    public static AddressRange Of(Prefix prefix) => new(prefix.Address, prefix.Last);

    public AddressRanges Intersect(AddressRanges other)
    {
        var common = new List<AddressRange>();
        for (int i = 0, j = 0; i < All.Length && j < other.All.Length;)
        {
            var (a, b) = (All[i], other.All[j]);
            var (first, last) = (a.First > b.First ? a.First : b.First, a.Last < b.Last ? a.Last : b.Last);
            if (first <= last) common.Add(new(first, last));
            if (a.Last < b.Last) i++;
            else j++;
        }
        return Of(common);
    }

    public bool Equals(AddressRanges? other) => other != null && All.AsSpan().SequenceEqual(other.All.AsSpan());
    public override bool Equals(object? obj) => Equals(obj as AddressRanges);
    public override int GetHashCode() => All.Length == 0 ? 0 : HashCode.Combine(All.Length, All[0], All[^1]);
    public override string ToString() => string.Join(", ", All);
}
