using System.Collections.Immutable;
using Calico.Bgp.Net;

namespace Calico.Bgp.Rib;

/// <summary>One way out towards a next hop, as the kernel would take it.</summary>
public readonly record struct NextHopVia(Address? Gateway, int Interface, int Weight = 1, bool OnLink = false);

/// <summary>What the kernel's links, addresses and routes, ours among them, say of a next hop (RFC 4271 section 9.1.2.1).</summary>
/// <param name="Connected">On a link of ours: no route is needed to reach it.</param>
/// <param name="OwnAddress">It is one of our own addresses (RFC 4271 5.1.3): never usable.</param>
/// <param name="Metric">The interior cost: the metrics of the routes that lead to it, added up.</param>
public sealed record NextHopState(bool Resolvable, bool Connected, bool OwnAddress, uint Metric, ImmutableArray<NextHopVia> Vias)
{
    public static readonly NextHopState Unresolved = new(false, false, false, 0, []);

    /// <summary>Length of the foreign or connected prefix that covers it, whether or not that leads anywhere; -1: none does.</summary>
    public int Covering { get; init; } = -1;

    /// <summary>Prefixes of our own routes that its packets meet on their way, in this order.</summary>
    public ListOf<Prefix> Over { get; init; }

    /// <summary>For a path to one prefix: that prefix itself lies over the next hop, and was passed over for a shorter one.</summary>
    public bool Circular { get; init; }

    public bool Equals(NextHopState? other) =>
        other != null && (Resolvable, Connected, OwnAddress, Metric, Covering) == (other.Resolvable, other.Connected, other.OwnAddress, other.Metric, other.Covering)
        && Circular == other.Circular && Over == other.Over && Vias.AsSpan().SequenceEqual(other.Vias.AsSpan());
    public override int GetHashCode() => HashCode.Combine(Resolvable, Connected, OwnAddress, Metric, Vias.Length);
}

/// <summary>Where an own route of bgpd.yaml or of the resources leads, as the kernel has it.</summary>
/// <param name="Vias">Empty: packets end there (blackhole, unreachable, prohibit).</param>
public readonly record struct StaticWay(ImmutableArray<NextHopVia> Vias);

/// <summary>
/// What one state of the kernel's tables says of next hops, own routes that BGP brought left out: these the RIB knows better. Immutable: a
/// change makes a new one.
/// </summary>
public interface INextHopResolver
{
    /// <summary>By foreign routes and connected subnets alone.</summary>
    /// <param name="scope">Interface of a link-local next hop; 0 for all others.</param>
    NextHopState Resolve(Address nextHop, int scope);

    /// <summary>Where the own static route leads; null: it does not go into the kernel (a service's address), or not now.</summary>
    StaticWay? Static(Prefix prefix);

    /// <summary>The table that next hops are looked up in: own routes of other tables lead to no next hop.</summary>
    uint Table { get; }

    /// <summary>The interface's name, for filters; null where there is none of that index.</summary>
    string? InterfaceName(int index);
}
