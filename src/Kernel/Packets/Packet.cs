using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Packets;

/// <summary>
/// A packet, as far as whoever asks knows it. What is null nobody has said: what depends on it is answered so, and never guessed.
/// </summary>
/// <exception cref="ArgumentException">The addresses are of two families.</exception>
public sealed record Packet(Address Source, Address Destination)
{
    public Address Destination { get; } = Destination.Family == Source.Family ? Destination
        : throw new ArgumentException($"expected two addresses of one family, got {Source} and {Destination}", nameof(Destination));

    public IpProtocol? Protocol { get; init; }
    public ushort? SourcePort { get; init; }
    public ushort? DestinationPort { get; init; }

    /// <summary>Of TCP. Null: of what begins its connection it is so, of anything else nobody has said.</summary>
    public bool? IsSyn { get; init; }

    public byte? IcmpType { get; init; }
    public byte? IcmpCode { get; init; }
    public uint? Mark { get; init; }

    /// <summary>Of one that carries another in VXLAN.</summary>
    public uint? VxlanNetwork { get; init; }

    /// <summary>
    /// What a table of others' (kube-proxy's) makes of its destination, at the priority that such have (-100): what of ours has translated
    /// it before that, it finds so.
    /// </summary>
    public PacketRedirect? Redirect { get; init; }

    /// <summary>
    /// Of a service's elements, which are numbered from 0, the one that it falls upon where that does not follow from all else that is said
    /// of it. Null: then it stays open, and its end has those that there are.
    /// </summary>
    public uint? Side { get; init; }

    /// <summary>The interface that it comes in by. With it the packet comes from outside, whatever its source.</summary>
    public string? In { get; init; }

    /// <summary>The interface that it leaves by.</summary>
    public string? Out { get; init; }

    /// <summary>Of its connection: as a rule its first packet is asked about, because that decides a translation.</summary>
    public ConnectionStates? State { get; init; } = ConnectionStates.New;
}

/// <summary>Another destination.</summary>
/// <param name="Port">Null: the port stays.</param>
public sealed record PacketRedirect(Address To, ushort? Port)
{
    /// <summary>The destination stays what it is.</summary>
    public static readonly PacketRedirect None = new(default, null);

    /// <summary>By IPVS: the packet comes to the host's input with the destination that it had, is given the other one behind that, and
    /// leaves as if the host had made it.</summary>
    public bool IsBehindInput { get; init; }
}

/// <summary>What fib statements ask, and what a packet's way through the hooks follows from. Null: nobody here knows.</summary>
public interface IHostFacts
{
    /// <summary>The kernel would deliver it here (RTN_LOCAL).</summary>
    bool? IsLocal(Address address);

    /// <summary>The same, for an address of this interface's.</summary>
    bool? IsLocalOn(Address address, string link);

    /// <summary>A route to this source leads out by the interface, for a packet with this mark; 0 where nobody knows it.</summary>
    bool? ComesBackBy(Address source, uint mark, string link);
}
