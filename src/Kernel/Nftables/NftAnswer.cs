using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;

namespace Calico.Bgp.Kernel.Nftables;

/// <summary>What a statement says of a packet: whether it goes on, or what becomes of it. Nothing is done by saying so.</summary>
internal abstract record NftAnswer
{
    public static readonly NftAnswer Holds = new Match(true), Fails = new Match(false);

    public static NftAnswer Of(bool isSo) => isSo ? Holds : Fails;

    /// <param name="By">The element of the set that has it, in nft's words; null: none has, or no set was asked.</param>
    public sealed record Match(bool IsSo, string? By = null) : NftAnswer;

    /// <summary>It depends on a fact of the packet's that nobody has said.</summary>
    /// <param name="Fact">In words.</param>
    /// <param name="Question">What is asked of it, in nft's; asked again, the answer is the same. Null: it is not, as of a die.</param>
    /// <param name="Wanted">The statement holds where that is so, or where it is not.</param>
    public sealed record Unknown(string Fact, string? Question, bool Wanted = true) : NftAnswer
    {
        /// <summary>What else follows for the packet once it is assumed.</summary>
        public Action<bool>? Learn { get; init; }
    }

    /// <summary>It depends on a fact in more ways than two.</summary>
    public sealed record Open(string Fact) : NftAnswer
    {
        /// <summary>Where it may be sent to by that, each once: to be read while the packet stands here.</summary>
        public IEnumerable<(uint Side, Address To)> Sides { get; init; } = [];
    }

    public sealed record Verdict(NftVerdict To, string? By = null) : NftAnswer;

    public sealed record Translation(PacketTranslation To) : NftAnswer
    {
        /// <summary>The fact by which it is so, as whoever asks has said it; null: it follows from the packet.</summary>
        public PacketCondition? Said { get; init; }
    }

    public sealed record Marking(uint Keep, uint Turn) : NftAnswer
    {
        /// <summary>Else the packet's.</summary>
        public bool IsOfConnection { get; init; }
    }

    public sealed record Untracking : NftAnswer;
}
