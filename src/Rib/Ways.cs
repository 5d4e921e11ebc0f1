using System.Diagnostics.CodeAnalysis;
using Calico.Bgp.Net;

namespace Calico.Bgp.Rib;

/// <summary>
/// A next hop by which a route of ours leads. <paramref name="Direct"/>: of a neighbour one hop away, so it is on a link.
/// </summary>
internal readonly record struct WayHop(Address Address, int Scope, bool Direct);

/// <summary>A route of ours that the kernel has and that lies over next hops of others. Compared by value.</summary>
/// <param name="Metric">In the kernel (RTA_PRIORITY; IPv6 has 1024 where nothing is said).</param>
/// <param name="Vias">Of a static route; <paramref name="NextHops"/>: of one that BGP brought. Neither: packets end there.</param>
internal sealed record Way(uint Metric, ListOf<NextHopVia> Vias, ListOf<WayHop> NextHops)
{
    /// <summary>Whose route it is.</summary>
    public required ushort Peer { get; init; }
    /// <summary>How packets end that it leads nowhere.</summary>
    public NextHopRule End { get; init; }
    public bool IsDead => Vias.Count == 0 && NextHops.Count == 0;
}

/// <summary>
/// The routes of ours that lie over next hops, of all shards: few beside the table, so a dictionary that is asked length by length. Who
/// finds them is <see cref="WayFinder"/>.
/// </summary>
internal sealed class Ways
{
    private readonly Dictionary<Prefix, Way> ways = [];
    /// <summary>How many there are of each family and length.</summary>
    private readonly int[][] lengths = [new int[33], new int[129]];

    public bool IsEmpty => ways.Count == 0;

    /// <summary>False: nothing has changed.</summary>
    public bool Set(Prefix prefix, Way? way)
    {
        ways.TryGetValue(prefix, out var before);
        if (way == before) return false;
        ref var count = ref lengths[(int)prefix.Family][prefix.Length];
        if (before == null) count++;
        if (way == null)
        {
            count--;
            ways.Remove(prefix);
        }
        else ways[prefix] = way;
        return true;
    }

    /// <summary>The longest over the address, no longer than <paramref name="length"/>, which becomes its length.</summary>
    public bool TryLongest(Address address, ref int length, out Prefix prefix, [NotNullWhen(true)] out Way? way)
    {
        (prefix, way) = (default, null);
        for (var counts = lengths[(int)address.Family]; length >= 0; length--)
            if (counts[length] > 0 && ways.TryGetValue(prefix = new(address, length), out way)) return true;
        return false;
    }
}

/// <summary>The next hops in use, of all shards: which prefixes lie over one is asked of each that moves.</summary>
internal sealed class WatchedAddresses
{
    /// <summary>How many shards hold each.</summary>
    private readonly PrefixMap<int>[] holders = [new(IpFamily.IPv4), new(IpFamily.IPv6)];
    /// <summary>By their first octet: what most prefixes are told apart by.</summary>
    private readonly int[][] firsts = [new int[256], new int[256]];

    /// <summary>True for the first holder.</summary>
    public bool Add(Address address)
    {
        var (map, name) = (holders[(int)address.Family], new Prefix(address, address.Family.Bits()));
        if (map.TryGet(name, out var count))
        {
            map[name] = count + 1;
            return false;
        }
        map[name] = 1;
        firsts[(int)address.Family][FirstOf(address)]++;
        return true;
    }

    /// <summary>True for the last holder.</summary>
    public bool Remove(Address address)
    {
        var (map, name) = (holders[(int)address.Family], new Prefix(address, address.Family.Bits()));
        if (map[name] > 1)
        {
            map[name]--;
            return false;
        }
        map.Remove(name);
        firsts[(int)address.Family][FirstOf(address)]--;
        return true;
    }

    /// <summary>Some next hop lies in the prefix.</summary>
    public bool IsOver(Prefix prefix) =>
        (prefix.Length < 8 || firsts[(int)prefix.Family][FirstOf(prefix.Address)] > 0) && holders[(int)prefix.Family].AnyWithin(prefix);

    private static int FirstOf(Address address) => (int)(address.High >> 56);
}
