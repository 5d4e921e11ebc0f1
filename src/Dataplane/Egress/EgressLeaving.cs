using System.Collections.Immutable;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane.Egress;

/// <summary>A gateway on another node that packets are handed to.</summary>
/// <param name="Source">What they leave it with; null: an address of its node's own.</param>
/// <param name="Interface">Of this node, by which they come there.</param>
internal readonly record struct EgressLeavingBy(ResourceKey Gateway, string Node, Address? Source, int Interface)
{
    public string Seen => Source?.ToString() ?? $"an address of {Node}";

    public override string ToString() => $"{Gateway} on {Node}";
}

/// <summary>
/// What becomes of packets that rules mark for a way to other nodes. Rules say by which way, and no more: where it leads stands in routes,
/// and with which address they leave the gateway's node decides.
/// </summary>
/// <param name="By">The kernel deals connections among them; none: the way's table says unreachable.</param>
/// <param name="Lost">Why there is none.</param>
internal sealed record EgressLeaving(ListOf<EgressLeavingBy> By, string Lost)
{
    /// <summary>Of ours, that guards what is said here: only another table could have it hold.</summary>
    public const string Guarded = "another table that translates its source on this node would have it dropped";

    public bool IsLost => By.Count == 0;

    /// <summary>That all leave by; null: there are several, or none.</summary>
    public int? Interface => By.Select(one => one.Interface).Distinct().ToArray() is [var only] ? only : null;

    /// <summary>What all leave with; null: there are several, or none is known.</summary>
    public Address? Source => By.Select(one => one.Source).Distinct().ToArray() is [var only] ? only : null;

    /// <summary>What they are seen as, in words.</summary>
    public string? Seen => By.Select(one => one.Seen).Distinct().ToArray() switch
    {
        [] => null,
        [var only] => only,
        var several => $"one of {string.Join(", ", several)}",
    };

    /// <summary>By whom, in words.</summary>
    public string Words => $"by gateway {string.Join(" or ", By.Select(one => one.ToString()).Distinct())}";

    /// <summary>The mark of the one way that a packet is led by; null: by none, or it depends.</summary>
    public static uint? MarkOf(ImmutableArray<PacketEnd> ends) =>
        ends.Select(Marked).OfType<uint>().Distinct().ToArray() is [var only] ? only : null;

    private static uint? Marked(PacketEnd end) => end.Trail.LastOrDefault(step => step is { Stopped: null, IsRefused: false }
        && EgressRenderer.IsOutChain(step.Chain) && step.Rule.Statements.Any(one => one is ActMark))
        ?.Rule.Statements.OfType<ActMark>().Last().Turn;

    /// <summary>
    /// What becomes of the packet where these are its ends by the rules. That another table translates its source, which nobody can see, is
    /// not taken to be so; where no gateway is there, it leaves by no route.
    /// </summary>
    public ImmutableArray<PacketEnd> Ends(ImmutableArray<PacketEnd> walked)
    {
        var alone = walked.RemoveAll(end => end.Verdict == PacketVerdict.Drop && EgressRenderer.IsGuard(end.Decided)
            && end.DependsOn.Any(one => one.Fact == MatchTranslated.SourceFact));
        if (alone.IsEmpty) return walked;
        return !IsLost ? alone : [.. alone.Select(end => Marked(end) == null || end.Verdict != PacketVerdict.Accept ? end
            : end with { Verdict = PacketVerdict.Drop, Decided = null })];
    }
}
