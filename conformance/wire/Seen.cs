// What somebody says about a route, in one spelling for all: a BIRD's text, a GoBGP's JSON and bare octets become comparable.
namespace Calico.Bgp.Conformance.Wire;

/// <summary>Attributes by name; what is absent was not shown.</summary>
internal sealed class Seen : SortedDictionary<string, string>
{
    public const string Origin = "origin", AsPath = "AS path", NextHop = "next hop", Med = "MED", LocalPref = "local preference",
        AtomicAggregate = "atomic aggregate", Aggregator = "aggregator", Communities = "communities", Extended = "extended communities",
        IPv6Extended = "IPv6 extended", Large = "large communities", OriginatorId = "originator id", ClusterList = "cluster list",
        Otc = "OTC", Aigp = "AIGP", LinkBandwidth = "link bandwidth", Unknown = "unknown transitive";

    /// <summary>Communities of a kind are a set: their order says nothing.</summary>
    public static string Set(IEnumerable<string> members) => string.Join(' ', members.Order(StringComparer.Ordinal));

    public Seen With(string name, string? value)
    {
        if (value != null) this[name] = value;
        return this;
    }

    /// <summary>
    /// An extended community by its octets: <c>rt:65010:100</c>, or the octets where it has no common name. Link bandwidth is taken
    /// out, as daemons print its float in their own ways.
    /// </summary>
    public static string ExtendedCommunity(ReadOnlySpan<byte> octets) => (octets[0], octets[1]) switch
    {
        (0, 2) => $"rt:{octets[2] << 8 | octets[3]}:{Number(octets[4..8])}",
        (0, 3) => $"ro:{octets[2] << 8 | octets[3]}:{Number(octets[4..8])}",
        _ => Convert.ToHexStringLower(octets),
    };

    public static bool IsLinkBandwidth(ReadOnlySpan<byte> octets) => (octets[0] & 0xbf, octets[1]) == (0, 4);

    /// <summary>Octets per second as the community carries them: an IEEE float.</summary>
    public static string Bandwidth(ReadOnlySpan<byte> octets) =>
        $"{octets[2] << 8 | octets[3]}:{(long)BitConverter.UInt32BitsToSingle(Number(octets[4..8]))}";

    public void AddExtended(IEnumerable<byte[]> communities)
    {
        var all = communities.ToList();
        if (all.Where(one => !IsLinkBandwidth(one)).Select(one => ExtendedCommunity(one))
            .ToList() is { Count: > 0 } others) this[Extended] = Set(others);
        if (all.FirstOrDefault(one => IsLinkBandwidth(one)) is { } bandwidth) this[LinkBandwidth] = Bandwidth(bandwidth);
    }

    public static uint Number(ReadOnlySpan<byte> octets) => System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(octets);
}
