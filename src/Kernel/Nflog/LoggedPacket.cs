using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Nflog;

/// <summary>A packet that a rule has logged (<see cref="ActLog"/>).</summary>
/// <param name="Prefix">The rule's.</param>
/// <param name="Packet">As it was when the rule met it; what its octets do not say is null.</param>
public sealed record LoggedPacket(DateTimeOffset At, string Prefix, NftHookPoint Place, Packet Packet)
{
    /// <summary>What its client has sent it to, where that was translated before the rule met it; null: it was not, or the kernel does not
    /// say.</summary>
    public AskedEnd? Asked { get; init; }
}

/// <param name="Port">Null: the protocol has none.</param>
public sealed record AskedEnd(Address To, ushort? Port);
