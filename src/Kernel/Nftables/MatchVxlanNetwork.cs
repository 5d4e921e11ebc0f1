using Calico.Bgp.Kernel.Packets;
using static Calico.Bgp.Kernel.Nftables.Expressions;

namespace Calico.Bgp.Kernel.Nftables;

/// <summary>
/// vxlan vni 4096, which nft lists as @th,96,24: the identifier of the VXLAN network (RFC 7348, section 5). It stands in the transport's
/// header as the kernel counts, eight octets of UDP and four of VXLAN's flags in; UDP and the port stand before it.
/// </summary>
public sealed record MatchVxlanNetwork(uint Number) : NftStatement
{
    private const uint Offset = 12, Octets = 3;

    internal override void Encode(Expressions into)
    {
        into.Payload(Header.Transport, Offset, Octets);
        into.Compare(Operator.Equal, [(byte)(Number >> 16), (byte)(Number >> 8), (byte)Number]);
    }

    internal override NftAnswer Ask(PassingPacket packet) => packet.VxlanNetwork is { } known
        ? NftAnswer.Of(known == Number) : new NftAnswer.Unknown("the VXLAN network", ToString());

    public override string ToString() => $"@th,96,24 0x{Number:x6}";
}
