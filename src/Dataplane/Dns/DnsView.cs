using System.Collections.Immutable;

namespace Calico.Bgp.Dataplane.Dns;

/// <summary>What became of the DNS so far.</summary>
/// <param name="Queries">To trusted servers, seen.</param>
/// <param name="Responses">From trusted servers, whatever came of them.</param>
/// <param name="Held">Of these, that waited until what they open was open.</param>
/// <param name="HeldFor">All of them together.</param>
/// <param name="Unprogrammed">Of these, that went on without: the deadline had come, or the kernel had refused.</param>
/// <param name="Unasked">Nobody had asked that.</param>
/// <param name="Damaged">Of the responses, what is no DNS, or broken.</param>
/// <param name="Opened">Elements put into the kernel's sets.</param>
public readonly record struct DnsCounts(
    long Queries, long Responses, long Held, TimeSpan HeldFor, long Unprogrammed, long Unasked, long Damaged, long Opened)
{
    /// <summary>Denied packets that waited for what a response opens, and were judged again.</summary>
    public long Delayed { get; init; }
}

/// <summary>How far rules that go by names are in force.</summary>
/// <param name="Lists">Different lists of names that rules have.</param>
/// <param name="Open">Elements that are open now, of all lists.</param>
/// <param name="Problem">Why nothing is learned; null: it is.</param>
public sealed record DnsView(bool IsInUse, DnsMode Mode, int Lists, int Open, DnsCounts Counts, string? Problem = null)
{
    /// <summary>Why nothing waits that should, and the first packets to a name may be lost; null: it does.</summary>
    public string? Unheld { get; init; }

    /// <summary>Names that are known, of all endpoints.</summary>
    public int Names { get; init; }

    /// <summary>Directions of TCP connections whose messages are put together.</summary>
    public int Streams { get; init; }

    /// <summary>How often something went because something was full.</summary>
    public long GivenUp { get; init; }

    public static readonly DnsView Off = new(false, DnsMode.Hold, 0, 0, default);
}

/// <summary>A name that an endpoint has been answered of.</summary>
/// <param name="Endpoint">The interface; empty: this host's own, or with isolation by node anybody's. Where it has a name, that.</param>
/// <param name="IsAllowed">Some rule goes by it.</param>
public sealed record DnsCacheEntry(
    string Endpoint, string Name, bool IsAllowed, ImmutableArray<DnsCacheTarget> Aliases, ImmutableArray<DnsCacheTarget> Addresses);

/// <summary>What a name leads to.</summary>
/// <param name="To">A name, or an address.</param>
/// <param name="Server">Who said so.</param>
/// <param name="Ttl">As it was said.</param>
/// <param name="Seconds">How long it counts yet.</param>
public readonly record struct DnsCacheTarget(string To, string Server, uint Ttl, long Seconds);
