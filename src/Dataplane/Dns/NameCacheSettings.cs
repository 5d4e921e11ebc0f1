namespace Calico.Bgp.Dataplane.Dns;

/// <summary>For whom a lookup opens what it leads to.</summary>
public enum DnsIsolation : byte
{
    /// <summary>For the endpoint that asked.</summary>
    Pod,
    /// <summary>For all endpoints of the node, as in Calico.</summary>
    Node,
}

/// <summary>How long addresses stay open, and how much is kept at most. Whatever is full loses first what is said at its bound, and
/// counts it (<c>NameCacheCounts</c>).</summary>
internal sealed record NameCacheSettings
{
    public DnsIsolation Isolation { get; init; }
    /// <summary>Shorter TTLs count as this.</summary>
    public TimeSpan MinTtl { get; init; } = TimeSpan.FromSeconds(5);
    /// <summary>Calico's dnsExtraTTL.</summary>
    public TimeSpan ExtraTtl { get; init; }
    /// <summary>Longer TTLs count as this (RFC 8767 section 4).</summary>
    public TimeSpan MaxTtl { get; init; } = TimeSpan.FromDays(7);
    /// <summary>An endpoint's, or with <see cref="DnsIsolation.Node"/> all. First goes a name that no set asks for, of these the one that
    /// was used longest ago; then the same of the others.</summary>
    public int NamesPerEndpoint { get; init; } = 10_000;
    /// <summary>All endpoints' together. First goes one of the endpoint that has most.</summary>
    public int Names { get; init; } = 100_000;
    /// <summary>First goes the one that would end first.</summary>
    public int AddressesPerName { get; init; } = 1024;
    /// <summary>Aliases from a name to its addresses; what lies further is not opened.</summary>
    public int ChainLength { get; init; } = 16;
    /// <summary>Queries of an endpoint that wait for their response. First goes the oldest.</summary>
    public int QueriesPerEndpoint { get; init; } = 4096;
    /// <summary>A response that comes later was not asked for.</summary>
    public TimeSpan QueryLife { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long what was answered with this TTL stays open: not shorter than it says, and longer by a second or a tenth, so that
    /// it never ends before the resolver's own cache. A TTL with the highest bit is none (RFC 2181 section 8).</summary>
    public long Lifetime(uint ttl)
    {
        var said = ttl > int.MaxValue ? 0 : ttl * 1000L;
        var counted = Math.Min(Math.Max(said, (long)MinTtl.TotalMilliseconds), (long)MaxTtl.TotalMilliseconds);
        return counted + Math.Max(1000, counted / 10) + (long)ExtraTtl.TotalMilliseconds;
    }
}
