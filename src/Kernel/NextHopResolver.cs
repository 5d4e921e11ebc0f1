using System.Collections.Immutable;
using Calico.Bgp.Kernel.Routes;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel;

/// <summary>What bars a next hop.</summary>
public enum Bar : byte
{
    /// <summary>No route covers it, unless it is reached.</summary>
    NoRoute,
    Blackhole,
    Unreachable,
    Prohibit,
    /// <summary>The longest match leads over links that are down, have no carrier, or are not the one that was asked for.</summary>
    LinkDown,
    /// <summary>Link-local, and its link is not known, or down.</summary>
    NoLink,
    /// <summary>Unspecified, or multicast.</summary>
    NotUnicast,
}

/// <summary>How a next hop is reached (RFC 4271 section 5.1.3 and 9.1.2.1), and what a route through it needs in the kernel.</summary>
/// <param name="Connected">On a link of ours: the next hop itself is the gateway.</param>
/// <param name="OwnAddress">It is an address of this machine; a route through it would lead nowhere.</param>
/// <param name="Interface">Of the first hop; 0 where it is not resolvable.</param>
/// <param name="Hops">For the kernel: the next hop itself where it is connected, else the covering route's gateways.</param>
/// <param name="Metric">The covering route's RTA_PRIORITY: the cost of getting there.</param>
/// <param name="Via">The covering prefix, also where it leads nowhere; null: nothing covers it.</param>
public readonly record struct Resolution(
    bool Resolvable, bool Connected, bool OwnAddress, int Interface, ImmutableArray<RouteHop> Hops, uint Metric, Prefix? Via)
{
    public static readonly Resolution Unresolvable = new(false, false, false, 0, [], 0, null);

    /// <summary>Why it is not resolvable. Like <see cref="Protocol"/> for people alone: it is not compared.</summary>
    public Bar Bar { get; init; }

    /// <summary>Who put the covering route there (rtm_protocol).</summary>
    public byte Protocol { get; init; }

    public bool Equals(Resolution other) =>
        Resolvable == other.Resolvable && Connected == other.Connected && OwnAddress == other.OwnAddress && Interface == other.Interface
        && Metric == other.Metric && Via == other.Via && Hops.AsSpan().SequenceEqual(other.Hops.AsSpan());

    public override int GetHashCode() => HashCode.Combine(Resolvable, Connected, OwnAddress, Interface, Metric, Via, Hops.Length);
}

/// <summary>
/// Resolves next hops by what the kernel holds beside our own routes: the longest match among foreign routes and connected subnets
/// decides. Where that leads into a blackhole or over links without carrier the next hop is not resolvable, and no shorter prefix is
/// asked: packets would not ask it either. Made from a snapshot, at no cost until the first question.
/// </summary>
/// <remarks>Not thread-safe: it belongs to the loop that asks.</remarks>
public sealed class NextHopResolver(KernelSnapshot snapshot)
{
    private const uint ConnectedMetricIPv6 = 256; // IP6_RT_PRIO_ADDRCONF

    private readonly record struct Candidate(RouteType Type, ImmutableArray<RouteHop> Hops, uint Metric, byte Protocol);

    private readonly PrefixMap<List<Candidate>>?[] tables = new PrefixMap<List<Candidate>>?[2];
    private readonly Dictionary<(Address, int), Resolution> answers = [];
    private readonly HashSet<Address> own = [.. snapshot.Addresses.Select(address => address.Address)];

    public KernelSnapshot Snapshot { get; } = snapshot;

    /// <summary>The resolver for a later snapshot: this one, where nothing that it looks at has changed.</summary>
    public NextHopResolver For(KernelSnapshot later) =>
        ReferenceEquals(later.Links, Snapshot.Links) && ReferenceEquals(later.Routes, Snapshot.Routes)
            && later.Addresses == Snapshot.Addresses
            ? this : new(later);

    /// <param name="onInterface">Only over this interface; 0: any. A link-local next hop needs it.</param>
    public Resolution Resolve(Address nextHop, int onInterface = 0)
    {
        if (answers.TryGetValue((nextHop, onInterface), out var known)) return known;
        return answers[(nextHop, onInterface)] = Find(nextHop, onInterface);
    }

    private Resolution Find(Address nextHop, int onInterface)
    {
        if (nextHop.IsUnspecified || nextHop.IsMulticast) return Resolution.Unresolvable with { Bar = Bar.NotUnicast };
        if (nextHop.IsLoopback || own.Contains(nextHop)) return Resolution.Unresolvable with { OwnAddress = true };
        if (nextHop.IsLinkLocal) return LinkLocal(nextHop, onInterface);
        if (!Table(nextHop.Family).TryLongest(nextHop, out var via, out var candidates)) return Resolution.Unresolvable;
        foreach (var candidate in candidates)
        {
            if (candidate.Type != RouteType.Unicast) return Barred(via, candidate, BarOf(candidate.Type));
            var hops = candidate.Hops.RemoveAll(hop => !Carries(hop.Interface) || (onInterface != 0 && hop.Interface != onInterface));
            if (hops.Length > 0) return Over(nextHop, via, hops, candidate.Metric) with { Protocol = candidate.Protocol };
        }
        return Barred(via, candidates[0], Bar.LinkDown);
    }

    private static Resolution Barred(Prefix via, Candidate by, Bar bar) =>
        Resolution.Unresolvable with { Via = via, Metric = by.Metric, Protocol = by.Protocol, Bar = bar };

    private static Bar BarOf(RouteType type) => type switch
    {
        RouteType.Blackhole => Bar.Blackhole,
        RouteType.Prohibit => Bar.Prohibit,
        _ => Bar.Unreachable,
    };

    private Resolution LinkLocal(Address nextHop, int onInterface) => Carries(onInterface)
        ? new(true, true, false, onInterface, [new(nextHop, onInterface)], 0, new Prefix(nextHop, 64))
        : Resolution.Unresolvable with { Bar = Bar.NoLink };

    private static Resolution Over(Address nextHop, Prefix via, ImmutableArray<RouteHop> hops, uint metric)
    {
        var connected = hops[0].Gateway == null;
        if (connected) hops = [.. hops.Select(hop => hop.Gateway == null ? hop with { Gateway = nextHop } : hop)];
        return new(true, connected, false, hops[0].Interface, hops, metric, via);
    }

    private bool Carries(int index) => Snapshot.Links.TryGetValue(index, out var link) && link is { IsUp: true, HasCarrier: true };

    private PrefixMap<List<Candidate>> Table(IpFamily family)
    {
        if (tables[(int)family] is { } ready) return ready;
        var table = tables[(int)family] = new(family);
        foreach (var route in Snapshot.Routes.Values)
            if (route.Prefix.Family == family)
                Add(table, route.Prefix, new(route.Target.Type, route.Target.Hops, route.Target.Metric, route.Protocol));
        // An address counts even where its route has gone to another table or was never made (noprefixroute), but only on a link that is
        // up: of one that was set down the kernel has taken the subnet's route away, and a shorter one leads there. (A link that has lost
        // its carrier keeps it, and is the longest match that leads nowhere.)
        var metric = family == IpFamily.IPv6 ? ConnectedMetricIPv6 : 0;
        foreach (var address in Snapshot.Addresses)
            if (address.Address.Family == family && Snapshot.Links.TryGetValue(address.Interface, out var link) && link.IsUp)
                Add(table, address.Subnet, new(RouteType.Unicast, [new(null, address.Interface)], metric, RouteProtocol.Kernel));
        return table;
    }

    private static void Add(PrefixMap<List<Candidate>> table, Prefix prefix, Candidate candidate)
    {
        if (!table.TryGet(prefix, out var candidates)) table[prefix] = candidates = [];
        var at = candidates.FindIndex(other => other.Metric > candidate.Metric);
        candidates.Insert(at < 0 ? candidates.Count : at, candidate);
    }
}
