using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Packets;

namespace Calico.Bgp.Dataplane.Services;

/// <summary>Why services give a packet another source, by the rule that does it.</summary>
internal static class SourceWords
{
    /// <summary>Null: the rule is none of theirs, or gives none.</summary>
    public static string? Of(PacketStep step)
    {
        if (step.Stopped != null || step.IsRefused) return null;
        return step.Rule.Statements[^1] switch
        {
            ActSourceNatByService => "the translation that gives it its destination gives it another source, too",
            ActSourceNat or ActPrefixNat when SourceNat.IsChain(step.Chain.Name) => "services.snat gives it another source",
            ActMasquerade when step.Chain.Name == ServiceParts.Outsiders || step.Rule.Statements.Any(one => one is MatchBegunTo) =>
                "it goes to a service's endpoint elsewhere, whose answers have to come back by this node",
            ActMasquerade when step.Rule.Statements.Any(one => one is MatchAddressPair pair
                && pair.Set == ServiceParts.Hairpins(pair.Family)) =>
                "it goes back to its sender by way of a service, and has to look like another's",
            _ => null,
        };
    }
}
