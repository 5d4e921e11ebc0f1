using Calico.Bgp.Wire;

namespace Calico.Bgp.Session;

/// <summary>One of two connections between the same two speakers.</summary>
/// <param name="Ours">We opened it.</param>
internal readonly record struct Contender(bool Ours, Phase Phase);

internal enum Verdict { KeepBoth, DropOther, DropThis }

/// <summary>
/// Which of two connections survives (RFC 4271 section 6.8): the one that the speaker with the higher identifier opened; with
/// equal identifiers the higher AS number decides (RFC 6286 section 2.3). Asked whenever an OPEN has come.
///
/// The RFC looks at connections in OpenConfirm only, and lets each side end up with the connection that the other one has just
/// dropped. Two rules keep both sides of one mind whatever the timing: who opened the connection that is going to win is bound
/// to it from the moment our OPEN is on it, and gives it up where it is not yet there; the other side follows, and so keeps a
/// losing connection until the OPEN on the winning one arrives.
/// </summary>
internal static class Collision
{
    /// <param name="opened">What the OPEN on <paramref name="self"/> agreed to; names both speakers.</param>
    public static Verdict Judge(Negotiated opened, Contender self, Contender other)
    {
        if (other.Phase == Phase.Established) return Verdict.DropThis;
        // Both were opened by the same side, so it has given up the one that it did not speak on last.
        if (self.Ours == other.Ours) return Verdict.DropOther;
        if (self.Ours == OursWins(opened)) return Verdict.DropOther;
        return other.Ours ? AgainstOurs(other.Phase) : AgainstTheirs(other.Phase);
    }

    private static Verdict AgainstOurs(Phase other) => other is Phase.OpenSent or Phase.OpenConfirm ? Verdict.DropThis : Verdict.DropOther;

    private static Verdict AgainstTheirs(Phase other) => other is Phase.OpenConfirm ? Verdict.DropThis : Verdict.KeepBoth;

    private static bool OursWins(Negotiated opened) =>
        opened.LocalId == opened.PeerId ? opened.LocalAs > opened.PeerAs : opened.LocalId > opened.PeerId;
}
