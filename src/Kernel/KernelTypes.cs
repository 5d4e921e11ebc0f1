using System.Collections.Immutable;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel;

/// <summary>rtm_type (linux/rtnetlink.h).</summary>
public enum RouteType : byte
{
    Unicast = 1,
    Local = 2,
    Broadcast = 3,
    Anycast = 4,
    Multicast = 5,
    Blackhole = 6,
    Unreachable = 7,
    Prohibit = 8,
}

/// <summary>One way out: a gateway, an interface, or both. <paramref name="Interface"/> 0: the kernel finds it by the gateway.</summary>
/// <param name="Weight">1 and up; the share among several hops (rtnh_hops + 1).</param>
public readonly record struct RouteHop(Address? Gateway, int Interface, int Weight = 1, bool OnLink = false)
{
    public override string ToString()
    {
        var words = new List<string>();
        if (Gateway is { } gateway) words.Add($"via {gateway}");
        if (Interface != 0) words.Add($"dev {Interface}");
        if (Weight != 1) words.Add($"weight {Weight}");
        if (OnLink) words.Add("onlink");
        return string.Join(' ', words);
    }
}

/// <summary>Where a route leads. Compared by value; many prefixes share one.</summary>
/// <param name="Metric">RTA_PRIORITY; 0: the kernel's default (IPv6 makes it 1024).</param>
/// <param name="Table">RTA_TABLE; 254 is main.</param>
public sealed record RouteTarget(RouteType Type, ImmutableArray<RouteHop> Hops, uint Metric = 0, uint Table = 254)
{
    /// <summary>The number of a next hop or a group (RTA_NH_ID), in place of hops; 0: none.</summary>
    public uint NextHop { get; init; }

    public bool Equals(RouteTarget? other) => other != null
        && (Type, Metric, Table, NextHop) == (other.Type, other.Metric, other.Table, other.NextHop)
            && Hops.AsSpan().SequenceEqual(other.Hops.AsSpan());

    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.Add(Type);
        hash.Add(Metric);
        hash.Add(Table);
        hash.Add(NextHop);
        foreach (var hop in Hops) hash.Add(hop);
        return hash.ToHashCode();
    }

    /// <summary>In the words of <c>ip route</c>, interfaces by number.</summary>
    public override string ToString()
    {
        var words = new List<string>();
        if (Type != RouteType.Unicast) words.Add(Type.ToString().ToLowerInvariant());
        if (NextHop != 0) words.Add($"nhid {NextHop}");
        foreach (var hop in Hops) words.Add(Hops.Length > 1 ? $"nexthop {hop}" : hop.ToString());
        if (Metric != 0) words.Add($"metric {Metric}");
        if (Table != 254) words.Add($"table {Table}");
        return string.Join(' ', words);
    }
}

/// <summary>What we want the kernel to hold for a prefix; null: nothing of ours.</summary>
public readonly record struct RouteWish(Prefix Prefix, RouteTarget? Target);

/// <summary>A route that stands in the kernel and is not ours.</summary>
/// <param name="Protocol">rtm_protocol: 2 kernel, 3 boot, 4 static, 80 Calico's pods, …</param>
public sealed record ForeignRoute(Prefix Prefix, RouteTarget Target, byte Protocol, byte Scope, Address? PreferredSource);

/// <summary>
/// An interface. <paramref name="Flags"/>: ifi_flags (IFF_UP 1, IFF_BROADCAST 2, IFF_LOOPBACK 8, IFF_POINTOPOINT 16, IFF_RUNNING 64,
/// IFF_MULTICAST 4096, IFF_LOWER_UP 65536).
/// </summary>
public sealed record Link(int Index, string Name, uint Flags, int Mtu, int Master, MacAddress? Mac)
{
    public bool IsUp => (Flags & 1) != 0;
    public bool HasCarrier => (Flags & 0x10000) != 0;
    public bool IsLoopback => (Flags & 8) != 0;
}

/// <summary>An address of an interface. <paramref name="Opposite"/>: the other end of a point-to-point address.</summary>
/// <param name="Scope">ifa_scope: 0 global, 200 site, 253 link, 254 host.</param>
public sealed record LinkAddress(int Interface, Address Address, int PrefixLength, Address? Opposite, byte Scope, bool Secondary)
{
    public Prefix Subnet => new(Opposite ?? Address, PrefixLength);
}

/// <summary>
/// Who answers to an address on a link. <paramref name="IsRouter"/>: it has said so in a neighbour or router advertisement.
/// </summary>
public sealed record Neighbour(int Interface, Address Address, MacAddress? Mac, bool IsRouter);

/// <summary>What the kernel holds beside our own routes, as of one moment. Immutable; a new one replaces it after each change.</summary>
public sealed record KernelSnapshot(
    long Version,
    ImmutableDictionary<int, Link> Links,
    ImmutableArray<LinkAddress> Addresses,
    ImmutableDictionary<(Prefix Prefix, uint Metric, uint Table), ForeignRoute> Routes)
{
    public static readonly KernelSnapshot Empty = new(
        0, ImmutableDictionary<int, Link>.Empty, [], ImmutableDictionary<(Prefix Prefix, uint Metric, uint Table), ForeignRoute>.Empty);

    /// <summary>Addresses that have an answer, whether or not it is fresh.</summary>
    public ImmutableDictionary<(int Interface, Address Address), Neighbour> Neighbours { get; init; } =
        ImmutableDictionary<(int Interface, Address Address), Neighbour>.Empty;
}

/// <summary>A wish that the kernel refused, with its own words; it is tried again.</summary>
public sealed record KernelRefusal(Prefix Prefix, RouteTarget? Target, int Errno, string Words, DateTimeOffset Since, int Attempts)
{
    /// <summary>Who wants it.</summary>
    public string Owner { get; init; } = RouteOwners.Speaker;
}

public sealed record KernelStatus(
    int Wanted, int Installed, int Pending, long Writes, long Failures, long Resyncs, ImmutableArray<KernelRefusal> Refusals)
{
    /// <summary>Rules, next hops and links that the kernel refused.</summary>
    public ImmutableArray<ObjectRefusal> RefusedObjects { get; init; } = [];

    /// <summary>Hops of others that IPv6 has put into routes of ours, where prefix, metric and table are the same. Protocol 0: whose they
    /// are, the kernel has not said.</summary>
    public ImmutableArray<ForeignRoute> Beside { get; init; } = [];
}

/// <summary>A route of ours with what the kernel has of it, for <c>bgpctl kernel</c>.</summary>
/// <param name="Owner">Who wants it.</param>
public sealed record OwnRoute(
    Prefix Prefix, RouteTarget? Wanted, RouteTarget? Installed, string? Problem, string Owner = RouteOwners.Speaker);

/// <summary>Routes of somebody beside the speaker, in one table: keyed by the prefix, and swept by nobody else.</summary>
public interface IRouteClaim
{
    string Owner { get; }
    uint Table { get; }

    /// <summary>As <see cref="IKernel.WishAsync"/>; the targets' table is the claim's, whatever they say.</summary>
    ValueTask WishAsync(ReadOnlyMemory<RouteWish> wishes, CancellationToken stop = default);

    /// <summary>
    /// All that this owner wants has been wished for: what an earlier run has left of ours in the table goes, as soon as all owners of the
    /// table have said so. Ends when it is gone, or the others are waited for.
    /// </summary>
    ValueTask SweepAsync(CancellationToken stop = default);

    /// <summary>Forgets every wish of this owner's in this table, and removes its routes. Ends when they are gone.</summary>
    ValueTask FlushAsync(CancellationToken stop = default);
}

/// <summary>A route under our protocol, in a table that nobody has claimed: an earlier run's.</summary>
public readonly record struct LeftRoute(uint Table, Prefix Prefix, uint Metric);

/// <summary>Where owners beside the speaker get a table, or a share of one.</summary>
public interface IRouteClaims
{
    /// <summary>The same owner and table again are the same claim. Whoever claims must sweep: others of the table wait for it.</summary>
    ValueTask<IRouteClaim> ClaimAsync(string owner, uint table, CancellationToken stop = default);

    /// <summary>What an earlier run has left in tables that nobody has claimed so far, in no particular order.</summary>
    ValueTask<ImmutableArray<LeftRoute>> LeftAsync(CancellationToken stop = default);
}

/// <summary>The kernel's tables as the rest of the daemon sees them: one writer behind a bounded queue, snapshots for readers.</summary>
public interface IKernel
{
    KernelSnapshot Current { get; }

    /// <summary>Called on the kernel's loop after <see cref="Current"/> has changed; must not block.</summary>
    event Action<KernelSnapshot>? Changed;

    /// <summary>Takes wishes over (copies them); a prefix has one wish, the newest: with another table or metric the route moves there.
    /// Waits while the queue is full. Thread-safe.</summary>
    ValueTask WishAsync(ReadOnlyMemory<RouteWish> wishes, CancellationToken stop = default);

    /// <summary>
    /// The sessions have settled: own routes left by an earlier run that nobody has wished for since are removed. Ends when they are.
    /// </summary>
    ValueTask SweepAsync(CancellationToken stop = default);

    /// <summary>Forgets every wish and removes every own route (<c>--flush</c>). Ends when they are gone.</summary>
    ValueTask FlushAsync(CancellationToken stop = default);

    KernelStatus Status { get; }

    /// <summary>Own routes, in no particular order; answered by the kernel's loop in slices.</summary>
    IAsyncEnumerable<OwnRoute> OwnRoutes(CancellationToken stop = default);
}
