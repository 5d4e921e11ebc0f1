using System.Numerics;
using Calico.Bgp.Kernel.Nftables;

namespace Calico.Bgp.Dataplane.Policies;

/// <summary>
/// The two bits of a packet's mark that policy uses, the lowest of the mask's: <em>early</em>, an untracked or pre-DNAT policy has allowed
/// it; <em>pass</em>, a policy leaves it to the next tier. Within a base chain all else is told by where the packet is. A third one where
/// denied packets wait for names: <em>waited</em>, it has.
/// </summary>
internal readonly record struct PolicyMarks(uint Early, uint Pass)
{
    /// <summary>0: none waits.</summary>
    public uint Waited { get; init; }

    public static PolicyMarks Of(uint mask)
    {
        var early = 1u << BitOperations.TrailingZeroCount(mask);
        return new(early, 1u << BitOperations.TrailingZeroCount(mask & ~early));
    }

    /// <summary>The next of the mask's that others do not use; 0: there is none.</summary>
    public static uint Third(uint mask, uint others)
    {
        var two = Of(mask);
        var left = mask & ~(two.Early | two.Pass | others);
        return left & (0 - left);
    }

    public NftStatement Begin => new ActMark(~(Early | Pass | Waited), 0);
    public NftStatement SetEarly => new ActMark(~Early, Early);
    public NftStatement IsEarly => new MatchMark(Early, Early);
    public NftStatement SetPass => new ActMark(~Pass, Pass);
    public NftStatement ClearPass => new ActMark(~Pass, 0);
    public NftStatement HasPassed => new MatchMark(Pass, Pass);
    public NftStatement HasNotWaited => new MatchMark(Waited, 0);
    public NftStatement SetWaited => new ActMark(~Waited, Waited);
    public NftStatement HasNotPassed => new MatchMark(Pass, 0);
}
