using Calico.Bgp.Kernel.Packets;
using static Calico.Bgp.Kernel.Nftables.Expressions;

namespace Calico.Bgp.Kernel.Nftables;

// What a rule asks of the kernel's routes (fib).

internal static class Fib
{
    public const uint Source = 1, Destination = 2, Mark = 4, CameIn = 8, Leaves = 16; // NFTA_FIB_F_…
    public const uint Interface = 1, AddressType = 3;                                 // NFT_FIB_RESULT_…
}

/// <summary>
/// fib saddr type local, fib saddr . oif type != local: whether the source is this host's own address, or the outgoing interface's.
/// </summary>
public sealed record MatchLocalSource(bool OfOutgoingInterface, bool Not = false) : NftStatement
{
    internal override void Encode(Expressions into)
    {
        into.Fib(Fib.AddressType, OfOutgoingInterface ? Fib.Source | Fib.Leaves : Fib.Source);
        into.Compare(Not ? Operator.NotEqual : Operator.Equal, BitConverter.GetBytes((uint)RouteType.Local));
    }

    internal override NftAnswer Ask(PassingPacket packet)
    {
        var isLocal = packet.Source is { } source ? packet.Facts.IsLocal(source) : null;
        if (OfOutgoingInterface && isLocal == true)
            isLocal = packet.Out is not { } link ? true
                : link.Known is { } name ? packet.Facts.IsLocalOn(packet.Source!.Value, name) : null;
        return isLocal is { } known ? NftAnswer.Of(known != Not)
            : new NftAnswer.Unknown("whether the source is an address of this host's", packet.SourceNow(Asked(not: false)), !Not);
    }

    public override string ToString() => Asked(Not);

    private string Asked(bool not) => $"fib saddr{(OfOutgoingInterface ? " . oif" : "")} type {(not ? "!= " : "")}local";
}

/// <summary>fib daddr type local: whether the destination is this host's own address.</summary>
public sealed record MatchLocalDestination(bool Not = false) : NftStatement
{
    internal override void Encode(Expressions into)
    {
        into.Fib(Fib.AddressType, Fib.Destination);
        into.Compare(Not ? Operator.NotEqual : Operator.Equal, BitConverter.GetBytes((uint)RouteType.Local));
    }

    /// <summary>The walk asks the same to find the packet's way, so both answer alike.</summary>
    internal override NftAnswer Ask(PassingPacket packet) => packet.Facts.IsLocal(packet.Destination) is { } known
        ? NftAnswer.Of(known != Not)
        : new NftAnswer.Unknown(LocalAddress.Fact(packet.Destination), LocalAddress.Question(packet.Destination), !Not);

    public override string ToString() => $"fib daddr type {(Not ? "!= " : "")}local";
}

/// <summary>Whether an address is this host's: what is taken to be so of it holds wherever it is asked.</summary>
internal static class LocalAddress
{
    public static string Fact(Net.Address address) => $"whether {address} is an address of this host's";

    public static string Question(Net.Address address) => $"fib type local {address}";
}

/// <summary>
/// fib saddr . mark . iif oif != 0: a route to the source leads out by the interface that the packet comes in by. A packet that comes in by
/// none has such a route as well as any.
/// </summary>
/// <param name="Missing">oif 0: it has none, so its source is not to be believed. Stands in chains of prerouting alone.</param>
public sealed record MatchReversePath(bool Missing) : NftStatement
{
    internal override void Encode(Expressions into)
    {
        into.Fib(Fib.Interface, Fib.Source | Fib.Mark | Fib.CameIn);
        into.Compare(Missing ? Operator.Equal : Operator.NotEqual, new byte[sizeof(uint)]);
    }

    internal override NftAnswer Ask(PassingPacket packet)
    {
        var isThere = packet is { Source: { } source, In.Known: { } link }
            ? packet.Facts.ComesBackBy(source, packet.Mark, link) : null;
        return isThere is { } known ? NftAnswer.Of(known != Missing)
            : new NftAnswer.Unknown(
                "whether a route leads back to the source", packet.MarkNow(packet.SourceNow(Asked(missing: false))), !Missing);
    }

    public override string ToString() => Asked(Missing);

    private static string Asked(bool missing) => $"fib saddr . mark . iif oif {(missing ? "" : "!= ")}0";
}
