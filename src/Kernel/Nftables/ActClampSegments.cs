using Calico.Bgp.Kernel.Packets;

namespace Calico.Bgp.Kernel.Nftables;

/// <summary>
/// tcp flags &amp; syn != 0x0 tcp option maxseg size set N: whoever begins a connection says no larger segment than that; the kernel never
/// makes one larger. Needs TCP in the same rule.
/// </summary>
public sealed record ActClampSegments(ushort Most) : NftStatement
{
    private static readonly MatchSyn OfSyn = new();

    internal override void Encode(Expressions into)
    {
        OfSyn.Encode(into);
        into.Immediate(NftOctets.Of(Most).Span.ToArray(), slot: 0);
        into.SetSegments();
    }

    internal override NftAnswer Ask(PassingPacket packet) => NftAnswer.Holds;

    public override string ToString() => $"{OfSyn} tcp option maxseg size set {Most}";
}
