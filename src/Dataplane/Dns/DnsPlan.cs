using System.Collections.Immutable;
using Calico.Bgp.Net;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Dataplane.Dns;

/// <summary>A set of names that rules allow, and the sets of the kernel's that have what these lead to.</summary>
/// <param name="Id">Of the names and of what the sets are keyed by: no other ever has it.</param>
internal readonly record struct DnsSet(int Id, ListOf<DomainPattern> Patterns, string OfIPv4, string OfIPv6)
{
    public string Of(IpFamily family) => family == IpFamily.IPv4 ? OfIPv4 : OfIPv6;
}

/// <summary>What the rules that are being written want of names.</summary>
/// <param name="Gone">Interfaces whose endpoint is not the one that it was.</param>
/// <param name="IsFresh">The kernel's sets may be empty, or others'.</param>
internal sealed record DnsPlan(ImmutableArray<DnsSet> Sets, ImmutableArray<string> Gone, DnsFacts Facts, bool IsFresh)
{
    /// <summary>No rule names any: nobody has to listen.</summary>
    public bool IsInUse => !Sets.IsEmpty;
}

/// <summary>What of the configuration concerns names. Compared by value.</summary>
internal sealed record DnsFacts
{
    public DnsMode Mode { get; init; }
    /// <summary>Denied packets were to wait, and no bit of the mark is left to know those by that have.</summary>
    public bool LacksMark { get; init; }
    public TimeSpan Deadline { get; init; } = TimeSpan.FromMilliseconds(250);
    public NameCacheSettings Cache { get; init; } = new();
    /// <summary>Null: the cache ends with the process.</summary>
    public string? File { get; init; }
    public TimeSpan SaveInterval { get; init; } = TimeSpan.FromSeconds(60);
    /// <summary>Another one: all that was looked up is forgotten.</summary>
    public int Epoch { get; init; }
}
