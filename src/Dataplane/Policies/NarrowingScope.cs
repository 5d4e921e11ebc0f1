using System.Collections.Immutable;
using Calico.Bgp.Kernel.Conntrack;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Policies;

/// <summary>Whose connections a change may have forbidden: those with one of these ends.</summary>
/// <param name="IsAll">Any connection's: a host endpoint's rules are others, or what stands before all programs.</param>
/// <param name="Addresses">Of workloads whose programs or policies are others, and of those who came into a set or left it.</param>
/// <param name="Ranges">The same, of whole networks.</param>
/// <param name="Workloads">The interfaces of this node's.</param>
internal sealed record NarrowingScope(
    bool IsAll, ImmutableHashSet<Address> Addresses, ImmutableArray<(Address First, Address Last)> Ranges,
    IReadOnlyDictionary<Address, string> Workloads)
{
    /// <summary>Of workloads that are gone, and nobody's since: what they had is at its end.</summary>
    public ImmutableHashSet<Address> Gone { get; init; } = [];

    /// <summary>More networks than these are not told apart.</summary>
    private const int MostRanges = 64;

    public static readonly NarrowingScope Nothing = new(false, [], [], ImmutableDictionary<Address, string>.Empty);

    public bool IsNothing => !IsAll && Addresses.IsEmpty && Ranges.IsEmpty && Gone.IsEmpty;

    /// <summary>What is behind another change, too; where links lead, the newer knows.</summary>
    public NarrowingScope With(NarrowingScope newer) => new(
        IsAll || newer.IsAll || Ranges.Length + newer.Ranges.Length > MostRanges, Addresses.Union(newer.Addresses),
        [.. Ranges.Concat(newer.Ranges).Distinct().Take(MostRanges)], newer.Workloads)
    {
        Gone = Gone.Union(newer.Gone),
    };

    public bool MayConcern(IpFamily family) => IsAll || Addresses.Any(one => one.Family == family)
        || Gone.Any(one => one.Family == family) || Ranges.Any(range => range.First.Family == family);

    /// <summary>Some of them are somebody's again: what his rules let through may be his.</summary>
    public NarrowingScope Returned(IEnumerable<Address> come)
    {
        var again = Gone.Intersect(come);
        return again.IsEmpty ? this : this with { Gone = Gone.Except(again), Addresses = Addresses.Union(again) };
    }

    /// <summary>One that a helper has announced was let through with another, and by itself would not be: it is left alone.</summary>
    public bool Concerns(Connection connection) => IsOfGone(connection) || (!connection.IsExpected
        && (IsAll || Has(connection.Source) || Has(connection.Destination) || Has(connection.Server)));

    public bool IsOfGone(Connection connection) => !Gone.IsEmpty
        && (Gone.Contains(connection.Source) || Gone.Contains(connection.Destination) || Gone.Contains(connection.Server));

    private bool Has(Address address)
    {
        if (Addresses.Contains(address)) return true;
        foreach (var (first, last) in Ranges)
            if (address.Family == first.Family && first <= address && address <= last) return true;
        return false;
    }
}
