using Calico.Bgp.Dataplane.LocalEndpoints;
using Calico.Bgp.Kernel.Nflog;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Resources;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Dataplane.Policies;

/// <content>Who has told of a packet, from the prefix of the rule and where the packet was.</content>
internal sealed partial class Enforcement
{
    /// <summary>Some rule logs.</summary>
    public bool Logs => IsOn && (LogsDenied || chains.AnyLogs);

    public bool LogsDenied => IsOn && facts.Now.LogsDenied;

    /// <summary>Null: it is no rule of ours.</summary>
    public (bool IsDenied, FlowJudge By)? JudgeOf(LoggedPacket packet)
    {
        if (LogPrefix.Parse(packet.Prefix) is not { } prefix) return null;
        if (PolicyComment.Parse(prefix.Comment) is not { } comment)
            return (prefix.IsDenied, Beside(prefix, packet, null, prefix.Comment));
        var tier = comment.Tier == PolicyComment.NoTier ? null : comment.Tier;
        if (comment.IsEndOfTier)
            return (prefix.IsDenied, Beside(prefix, packet, tier, $"no policy of tier {tier} decides: end of tier"));
        var id = objects.IdOf(comment);
        var places = id is { } known ? [.. Places(packet.Place, comment.Direction).Where(kind => Asks(kind, LinkOf(kind, packet), known))]
            : Array.Empty<ProgramKind>();
        var name = $"{comment.Kind} {(id is { } found ? PolicyChains.Said(found) : comment.Name)}";
        var reason = comment.Rule is { } rule ? $"{name} rule {rule}" : $"{name} is closed";
        // A policy may be asked for both ends of a packet that is routed through: which of them it was the rule does not know.
        var program = places.Length == 0 ? null : string.Join(" or ", places.Select(PolicyExplainer.Word));
        var endpoint = string.Join(" or ", places.Select(kind => EndpointOf(kind, packet)).OfType<string>().Distinct());
        return (prefix.IsDenied, new(program, endpoint.Length == 0 ? null : endpoint,
            comment.Direction == PolicyTypes.Ingress ? "ingress" : "egress", tier, name, comment.Rule, reason));
    }

    /// <summary>No rule of a policy has told.</summary>
    private FlowJudge Beside(LogPrefix prefix, LoggedPacket packet, string? tier, string reason)
    {
        var endpoint = EndpointOf(prefix.Program, packet);
        if (prefix.Program is not { } kind) return new(null, endpoint, null, tier, null, null, reason);
        var direction = new ProgramKey(kind, [], []).Direction == PolicyTypes.Ingress ? "ingress" : "egress";
        return new(PolicyExplainer.Word(kind), endpoint, direction, tier, null, null, reason);
    }

    /// <summary>Programs that a policy's rules of a direction may be asked by at a place of a packet's way.</summary>
    private static ProgramKind[] Places(NftHookPoint at, PolicyTypes direction) => (at, direction == PolicyTypes.Ingress) switch
    {
        (NftHookPoint.Prerouting, true) => [ProgramKind.UntrackedIn, ProgramKind.PreDnat],
        (NftHookPoint.Input, true) => [ProgramKind.HostIn],
        (NftHookPoint.Input, false) => [ProgramKind.WorkloadOut],
        (NftHookPoint.Forward, true) => [ProgramKind.ForwardIn, ProgramKind.WorkloadIn],
        (NftHookPoint.Forward, false) => [ProgramKind.WorkloadOut, ProgramKind.ForwardOut],
        (NftHookPoint.Output, false) => [ProgramKind.UntrackedOut, ProgramKind.HostOut],
        (NftHookPoint.Postrouting, false) => [ProgramKind.HostOutTranslated],
        _ => [],
    };

    private static string? LinkOf(ProgramKind kind, LoggedPacket packet) =>
        PolicyExplainer.IsLeaving(kind) ? packet.Packet.Out : packet.Packet.In;

    private bool Asks(ProgramKind kind, string? link, ResourceId policy)
    {
        if (link == null) return false;
        var programs = following.GetValueOrDefault(link) ?? following.GetValueOrDefault(LocalEndpoint.EveryInterface);
        return programs != null && programs.TryGetValue(kind, out var key)
            && (key.Profiles.Any(profile => policy == new ResourceId(Kinds.Profile, new("", profile)))
                || key.Tiers.Any(tier => tier.Policies.Any(one => one.Id == policy)));
    }

    private string? EndpointOf(ProgramKind? kind, LoggedPacket packet) =>
        (kind is { } one ? LinkOf(one, packet) : packet.Packet.In) is { } link ? EndpointOn(link) : null;
}
