using System.Runtime.InteropServices;
using Calico.Bgp.Kernel.Packets;

namespace Calico.Bgp.Kernel.Nftables;

/// <summary>By which of its expressions a kernel hands packets to a program, for its verdict.</summary>
public enum QueueWay : byte
{
    /// <summary>By none.</summary>
    None,
    /// <summary>nf_tables' own, <c>queue</c> (CONFIG_NFT_QUEUE).</summary>
    Expression,
    /// <summary>x_tables' target NFQUEUE, of which nf_tables makes use (CONFIG_NFT_COMPAT and CONFIG_NETFILTER_XT_TARGET_NFQUEUE). nft can
    /// list such a rule, and cannot say it.</summary>
    Target,
    /// <summary>By none; but copies can be had (nf_tables' <c>log</c>, CONFIG_NFT_LOG): the packet itself goes on at once.</summary>
    Copies,
}

/// <summary>
/// queue flags bypass to NUMBER: the packet waits for the verdict of whoever listens to the queue. An accept lets it go on behind this
/// chain, as the chain's own would. While nobody listens it goes on at once.
/// </summary>
/// <param name="Way">Either expression is the same to the packet; where there are copies alone, nothing waits.</param>
public sealed record ActQueue(ushort Number, QueueWay Way) : NftStatement
{
    private const ushort Queues = 1, Bypass = 1; // NFT_QUEUE_FLAG_BYPASS, NFQ_FLAG_BYPASS

    /// <summary>queue to NUMBER: while nobody listens, it is dropped; who listens has it meet the chain again
    /// (<see cref="Nfqueue.QueueVerdict.Repeat"/>), so that whatever stands behind this is asked in the end.</summary>
    public bool Repeats { get; init; }

    private ushort Flags => Repeats ? (ushort)0 : Bypass;

    internal override void Encode(Expressions into)
    {
        if (Way == QueueWay.Expression) into.Queue(Number, Queues, Flags);
        else if (Way == QueueWay.Copies) into.Log(Number, "");
        else into.Target("NFQUEUE", 3, Target());
    }

    /// <summary>struct xt_NFQ_info_v3, in the machine's order, filled up as x_tables has all its structures (XT_ALIGN).</summary>
    private byte[] Target()
    {
        ReadOnlySpan<ushort> info = [Number, Queues, Flags, 0];
        return MemoryMarshal.AsBytes(info).ToArray();
    }

    /// <summary>Whoever listens lets pass what he has seen, and whoever is not there, too.</summary>
    internal override NftAnswer Ask(PassingPacket packet) =>
        Repeats || Way == QueueWay.Copies ? NftAnswer.Holds : new NftAnswer.Verdict(new NftVerdict(NftVerdictCode.Accept));

    public override string ToString() =>
        Way == QueueWay.Copies ? $"log group {Number}" : $"queue {(Repeats ? "" : "flags bypass ")}to {Number}";
}
