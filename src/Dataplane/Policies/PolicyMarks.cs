using System.Numerics;
using Calico.Bgp.Kernel.Nftables;

namespace Calico.Bgp.Dataplane.Policies;

/// <summary>
/// The two bits of a packet's mark that policy uses, the lowest of the mask's: <em>early</em>, an untracked or pre-DNAT policy has allowed
/// it; <em>pass</em>, a policy leaves it to the next tier. Within a base chain all else is told by where the packet is.
/// </summary>
internal readonly record struct PolicyMarks(uint Early, uint Pass)
{
    public static PolicyMarks Of(uint mask)
    {
        var early = 1u << BitOperations.TrailingZeroCount(mask);
        return new(early, 1u << BitOperations.TrailingZeroCount(mask & ~early));
    }

    public NftStatement Begin => new ActMark(~(Early | Pass), 0);
    public NftStatement SetEarly => new ActMark(~Early, Early);
    public NftStatement IsEarly => new MatchMark(Early, Early);
    public NftStatement SetPass => new ActMark(~Pass, Pass);
    public NftStatement ClearPass => new ActMark(~Pass, 0);
    public NftStatement HasPassed => new MatchMark(Pass, Pass);
    public NftStatement HasNotPassed => new MatchMark(Pass, 0);
}
