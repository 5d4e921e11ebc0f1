using Calico.Bgp.Kernel.Packets;

namespace Calico.Bgp.Kernel.Nftables;

/// <summary>
/// limit rate RATE/second burst BURST packets: holds for so many packets and no more, so that what the rule tells of them stays within
/// bounds however many come. A packet that is walked is within them.
/// </summary>
public sealed record MatchRate(uint PerSecond, uint Burst) : NftStatement
{
    internal override void Encode(Expressions into) => into.Limit(PerSecond, Burst);

    internal override NftAnswer Ask(PassingPacket packet) => NftAnswer.Holds;

    public override string ToString() => $"limit rate {PerSecond}/second burst {Burst} packets";
}
