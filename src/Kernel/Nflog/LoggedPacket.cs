using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Packets;

namespace Calico.Bgp.Kernel.Nflog;

/// <summary>A packet that a rule has logged (<see cref="ActLog"/>).</summary>
/// <param name="Prefix">The rule's.</param>
/// <param name="Packet">As it was when the rule met it; what its octets do not say is null.</param>
public sealed record LoggedPacket(DateTimeOffset At, string Prefix, NftHookPoint Place, Packet Packet);
