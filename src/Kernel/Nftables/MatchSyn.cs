using Calico.Bgp.Kernel.Packets;
using static Calico.Bgp.Kernel.Nftables.Expressions;

namespace Calico.Bgp.Kernel.Nftables;

/// <summary>
/// tcp flags &amp; syn != 0x0, tcp flags &amp; syn == 0x0: whether a segment opens its connection, from either side (RFC 9293, section
/// 3.1); TCP stands before it. Of a connection that conntrack does not know it takes one without for the first, too
/// (net.netfilter.nf_conntrack_tcp_loose).
/// </summary>
public sealed record MatchSyn(bool Not = false) : NftStatement
{
    private const byte Syn = 0x02;
    private const uint FlagsOffset = 13;

    internal override void Encode(Expressions into)
    {
        into.Payload(Header.Transport, FlagsOffset, 1);
        into.Bitwise([Syn]);
        into.Compare(Not ? Operator.Equal : Operator.NotEqual, [0]);
    }

    internal override NftAnswer Ask(PassingPacket packet) => packet.IsSyn is { } known ? NftAnswer.Of(known != Not)
        : new NftAnswer.Unknown("whether the segment is a SYN", new MatchSyn().ToString(), !Not) { Learn = packet.LearnSyn };

    public override string ToString() => $"tcp flags & syn {(Not ? "==" : "!=")} 0x0";
}
