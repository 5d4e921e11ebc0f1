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
    /// <summary>More networks than these are not told apart.</summary>
    private const int MostRanges = 64;

    public static readonly NarrowingScope Nothing = new(false, [], [], ImmutableDictionary<Address, string>.Empty);

    public bool IsNothing => !IsAll && Addresses.IsEmpty && Ranges.IsEmpty;

    /// <summary>What is behind another change, too; where links lead, the newer knows.</summary>
    public NarrowingScope With(NarrowingScope newer) => new(
        IsAll || newer.IsAll || Ranges.Length + newer.Ranges.Length > MostRanges, Addresses.Union(newer.Addresses),
        [.. Ranges.Concat(newer.Ranges).Distinct().Take(MostRanges)], newer.Workloads);

    /// <summary>One that a helper has announced was let through with another, and by itself would not be: it is left alone.</summary>
    public bool Concerns(Connection connection) => !connection.IsExpected
        && (IsAll || Has(connection.Source) || Has(connection.Destination) || Has(connection.Server));

    private bool Has(Address address)
    {
        if (Addresses.Contains(address)) return true;
        foreach (var (first, last) in Ranges)
            if (address.Family == first.Family && first <= address && address <= last) return true;
        return false;
    }
}
