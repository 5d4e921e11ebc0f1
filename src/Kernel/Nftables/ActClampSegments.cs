using Calico.Bgp.Kernel.Packets;
using static Calico.Bgp.Kernel.Nftables.Expressions;

namespace Calico.Bgp.Kernel.Nftables;

/// <summary>
/// tcp flags &amp; syn != 0x0 tcp option maxseg size set N: whoever begins a connection says no larger segment than that; the kernel never
/// makes one larger. Needs TCP in the same rule.
/// </summary>
public sealed record ActClampSegments(ushort Most) : NftStatement
{
    private const byte Syn = 0x02;
    private const uint FlagsOffset = 13;

    internal override void Encode(Expressions into)
    {
        into.Payload(Header.Transport, FlagsOffset, 1);
        into.Bitwise([Syn]);
        into.Compare(Operator.NotEqual, [0]);
        into.Immediate(NftOctets.Of(Most).Span.ToArray(), slot: 0);
        into.SetSegments();
    }

    internal override NftAnswer Ask(PassingPacket packet) => NftAnswer.Holds;

    public override string ToString() => $"tcp flags & syn != 0x0 tcp option maxseg size set {Most}";
}
