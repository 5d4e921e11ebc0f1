namespace Calico.Bgp.Dataplane.Dns;

/// <summary>What waits until the kernel has what a response opens.</summary>
public enum DnsMode : byte
{
    /// <summary>The response.</summary>
    Hold,
    /// <summary>The response goes on at once; a packet waits that is denied and that it opens, and is judged again, as with Calico's
    /// DelayDeniedPacket.</summary>
    DenyDelay,
    /// <summary>Nothing: a connection that comes faster than the kernel has been told is denied, as with Calico's NoDelay.</summary>
    None,
}

/// <summary><c>policy.dns</c> of bgpd.yaml.</summary>
public sealed record DnsSettings
{
    /// <summary>Null: FelixConfiguration's nftablesDNSPolicyMode, else it is held.</summary>
    public DnsMode? Mode { get; init; }
    public DnsIsolation Isolation { get; init; }
    /// <summary>Nothing waits longer.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromMilliseconds(250);
    /// <summary>Shorter TTLs count as this.</summary>
    public TimeSpan MinTtl { get; init; } = TimeSpan.FromSeconds(5);
    /// <summary>Where what was looked up outlives a restart; null: FelixConfiguration's dnsCacheFile says, else nowhere.</summary>
    public string? CacheFile { get; init; }
}
