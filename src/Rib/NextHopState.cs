using System.Collections.Immutable;
using Calico.Bgp.Net;

namespace Calico.Bgp.Rib;

/// <summary>One way out towards a next hop, as the kernel would take it.</summary>
public readonly record struct NextHopVia(Address? Gateway, int Interface, int Weight = 1, bool OnLink = false);

/// <summary>By which rule a next hop is reached or not (RFC 4271 sections 5.1.3 and 9.1.2.1).</summary>
public enum NextHopRule : byte
{
    /// <summary>No route leads to it.</summary>
    NoRoute,
    /// <summary>It is on a link of ours.</summary>
    Connected,
    /// <summary>A route leads to it.</summary>
    Route,
    /// <summary>It is an address of our own.</summary>
    OwnAddress,
    /// <summary>The longest match ends there.</summary>
    Blackhole,
    Unreachable,
    Prohibit,
    /// <summary>The longest match leads over links that are down or have no carrier, or not over the one that is asked for.</summary>
    LinkDown,
    /// <summary>A route leads to it, but it is of a neighbour one hop away, and on no link of ours.</summary>
    NotOnLink,
    /// <summary>Link-local, and on no link that is known and up.</summary>
    NoLink,
    /// <summary>Unspecified, or multicast.</summary>
    NotUnicast,
    /// <summary>The longest match is the very prefix, or a route that the way has met already: passed over for a shorter one.</summary>
    Circle,
    /// <summary>The longest match leads into the IPIP tunnel, and whether that is there is not known here.</summary>
    Tunnel,
    /// <summary>Behind so many routes of ours that we look no further.</summary>
    TooFar,
}

/// <summary>A step on the way to a next hop: an address was looked up, and a route, if any, answered.</summary>
/// <param name="Depth">How many routes of ours led here; 0: the next hop itself.</param>
/// <param name="Over">The longest match; null: there is none.</param>
/// <param name="Peer">Whose route of ours it is; null: it is the kernel's, by <paramref name="Protocol"/> (rtm_protocol).</param>
/// <param name="Vias">The ways out, where it leads on without another step.</param>
public readonly record struct NextHopStep(
    int Depth, Address Address, Prefix? Over, ushort? Peer, byte Protocol, uint Metric, ImmutableArray<NextHopVia> Vias, NextHopRule Rule);

/// <summary>What the kernel's links, addresses and routes, ours among them, say of a next hop (RFC 4271 section 9.1.2.1).</summary>
/// <param name="Connected">On a link of ours: no route is needed to reach it.</param>
/// <param name="OwnAddress">It is one of our own addresses (RFC 4271 5.1.3): never usable.</param>
/// <param name="Metric">The interior cost: the metrics of the routes that lead to it, added up.</param>
public sealed record NextHopState(bool Resolvable, bool Connected, bool OwnAddress, uint Metric, ImmutableArray<NextHopVia> Vias)
{
    public static readonly NextHopState Unresolved = new(false, false, false, 0, []);

    /// <summary>What bars it, where it is not resolvable; not compared: what follows from it is the same.</summary>
    public NextHopRule Bar { get; init; }

    /// <summary>Who put the foreign route there that covers it (rtm_protocol); not compared.</summary>
    public byte Protocol { get; init; }

    /// <summary>Length of the foreign or connected prefix that covers it, whether or not that leads anywhere; -1: none does.</summary>
    public int Covering { get; init; } = -1;

    /// <summary>Prefixes of our own routes that its packets meet on their way, in this order.</summary>
    public ListOf<Prefix> Over { get; init; }

    /// <summary>For a path to one prefix: that prefix itself lies over the next hop, and was passed over for a shorter one.</summary>
    public bool Circular { get; init; }

    /// <param name="direct">Of a neighbour one hop away: its next hop must be on a link of ours, as for the kernel's gateways.</param>
    public bool IsUsable(bool direct) => !OwnAddress && (Connected || (Resolvable && !direct));

    /// <summary>The rule that <see cref="IsUsable"/> went by.</summary>
    public NextHopRule RuleFor(bool direct)
    {
        if (OwnAddress) return NextHopRule.OwnAddress;
        if (IsUsable(direct)) return Connected ? NextHopRule.Connected : NextHopRule.Route;
        return Resolvable ? NextHopRule.NotOnLink : Circular && Bar == NextHopRule.NoRoute ? NextHopRule.Circle : Bar;
    }

    public bool Equals(NextHopState? other) =>
        other != null && (Resolvable, Connected, OwnAddress, Metric, Covering) == (other.Resolvable, other.Connected, other.OwnAddress,
            other.Metric, other.Covering)
        && Circular == other.Circular && Over == other.Over && Vias.AsSpan().SequenceEqual(other.Vias.AsSpan());
    public override int GetHashCode() => HashCode.Combine(Resolvable, Connected, OwnAddress, Metric, Vias.Length);
}

/// <summary>Where an own route of bgpd.yaml or of the resources leads, as the kernel has it.</summary>
/// <param name="Vias">Empty: packets end there, as <paramref name="End"/> says (blackhole, unreachable, prohibit).</param>
public readonly record struct StaticWay(ImmutableArray<NextHopVia> Vias, NextHopRule End = NextHopRule.Blackhole);

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
