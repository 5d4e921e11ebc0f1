using System.Collections.Immutable;
using Calico.Bgp.Dataplane.Egress;
using Calico.Bgp.Dataplane.LocalEndpoints;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Dataplane.Policies;

/// <summary>
/// From the rules that a packet met to the programs that it was asked by: what decided there stands in the comments of the rules, why it
/// matched in the policy's own words. Nothing is decided here.
/// </summary>
/// <param name="isNobodys">An interface is a workload's by its name, and no endpoint is known there.</param>
/// <param name="links">Which interfaces workloads should have.</param>
internal sealed class PolicyExplainer(
    Func<PolicyComment, PolicyRule?> ruleOf, Func<string, string?> endpointOn, Predicate<string> isNobodys,
    WorkloadLinks links)
{
    private const string Allow = "allow", Deny = "deny", Continue = "continue";

    private static readonly Dictionary<string, ProgramKind> Kinds =
        Enum.GetValues<ProgramKind>().ToDictionary(Programs.Word, StringComparer.Ordinal);

    public static string Verdict(PacketEnd end) => end.Verdict switch
    {
        PacketVerdict.Accept => Allow,
        PacketVerdict.Drop => Deny,
        _ => "unknown",
    };

    /// <summary>
    /// What the host sends to its workloads no program is asked about; but what comes back is, and where nobody is known that is closed.
    /// </summary>
    public string? Unanswered(Packet packet, PacketEnd end) =>
        packet is { In: null, Out: { } link } && end.Verdict == PacketVerdict.Accept && isNobodys(link)
            ? $"its answers are dropped: {PolicyComment.UnknownInterface} ({link})" : null;

    /// <summary>What of workloads' interfaces is not as their packets' ways suppose it.</summary>
    public IEnumerable<string> Astray(IEnumerable<Address> ends, IPolicyHost host) =>
        ends.Distinct().Select(address => links.Of(address, host)).OfType<string>();

    /// <summary>In the order in which they are asked.</summary>
    /// <param name="leaving">What becomes of it at gateways of other nodes; null: it goes by none.</param>
    public ImmutableArray<ProgramExplanation> Explain(Packet packet, PacketEnd end, EgressLeaving? leaving = null)
    {
        var programs = ImmutableArray.CreateBuilder<ProgramExplanation>();
        for (var i = 0; i < end.Trail.Length;)
        {
            var begin = i;
            var kind = KindOf(end.Trail[i].Chain);
            if (kind == null)
            {
                if (Alone(packet, end.Trail[i]) is { } alone) programs.Add(alone);
                i++;
                continue;
            }
            // What it jumps to is its own, until a base chain or another program comes.
            while (i < end.Trail.Length && end.Trail[i].Chain.Hook == null && (KindOf(end.Trail[i].Chain) ?? kind) == kind) i++;
            programs.Add(Of(kind.Value, packet, end.Trail.AsSpan()[begin..i]));
        }
        if (leaving is { IsLost: true } && end is { Verdict: PacketVerdict.Drop, Decided: null })
            programs.Add(new("egress gateway", packet.In == null ? null : endpointOn(packet.In), Deny, null, null, null, leaving.Lost));
        return programs.DrainToImmutable();
    }

    /// <summary>Null: the chain is no program.</summary>
    private static ProgramKind? KindOf(NftChain chain) => chain.Hook != null ? null : KindOf(chain.Name);

    public static ProgramKind? KindOf(string chain)
    {
        if (!chain.StartsWith(Enforcement.Prefix, StringComparison.Ordinal)) return null;
        var hash = chain.LastIndexOf('-');
        if (hash <= Enforcement.Prefix.Length) return null;
        return Kinds.TryGetValue(chain[Enforcement.Prefix.Length..hash], out var kind) ? kind : null;
    }

    private ProgramExplanation Of(ProgramKind kind, Packet packet, ReadOnlySpan<PacketStep> steps)
    {
        var key = new ProgramKey(kind, [], []);
        var link = IsLeaving(kind) ? packet.Out : packet.In;
        var endpoint = link == null ? null : endpointOn(link);
        for (var i = steps.Length - 1; i >= 0; i--)
            if (steps[i] is { Stopped: null, IsRefused: false } step && VerdictOf(step.Rule) is { } verdict)
                return Decided(Word(kind), endpoint, verdict, step);
        return new(Word(kind), endpoint, key.TiersDeny ? Allow : Continue, null, null, null, "no policy there decides");
    }

    public static bool IsLeaving(ProgramKind kind) => kind is ProgramKind.WorkloadIn or ProgramKind.HostOut
        or ProgramKind.HostOutTranslated or ProgramKind.ForwardOut or ProgramKind.UntrackedOut;

    public static string Word(ProgramKind kind) => kind switch
    {
        ProgramKind.UntrackedIn => "untracked in",
        ProgramKind.PreDnat => "preDNAT",
        ProgramKind.ForwardIn => "forward-in",
        ProgramKind.WorkloadOut => "pod egress",
        ProgramKind.WorkloadIn => "pod ingress",
        ProgramKind.ForwardOut => "forward-out",
        ProgramKind.HostIn => "normal-in",
        ProgramKind.UntrackedOut => "untracked out",
        _ => "normal-out",
    };

    private static string? VerdictOf(NftRule rule) => rule.Statements.LastOrDefault() switch
    {
        ActDecide { Verdict.Code: NftVerdictCode.Accept } => Allow,
        ActDecide { Verdict.Code: NftVerdictCode.Drop } or ActReject => Deny,
        _ => null,
    };

    /// <summary>What denies outside of any program.</summary>
    private ProgramExplanation? Alone(Packet packet, PacketStep step)
    {
        if (step is not { Stopped: null, IsRefused: false } || VerdictOf(step.Rule) != Deny) return null;
        var place = step.Rule.Comment == PolicyComment.Spoofed ? "anti-spoofing"
            : step.Chain.Hook?.Point == NftHookPoint.Input ? "workload to host" : step.Chain.Name[(step.Chain.Name.IndexOf('-') + 1)..];
        return Decided(place, packet.In == null ? null : endpointOn(packet.In), Deny, step);
    }

    private ProgramExplanation Decided(string program, string? endpoint, string verdict, PacketStep step)
    {
        if (PolicyComment.Parse(step.Rule.Comment) is not { } by)
            return new(program, endpoint, verdict, null, null, null, step.Rule.Comment ?? step.Rule.ToString());
        if (by.IsEndOfTier)
            return new(program, endpoint, verdict, by.Tier, null, null, $"no policy of tier {by.Tier} decides: end of tier");
        var name = by.Name[(by.Name.LastIndexOf('/') + 1)..];
        var tier = by.Tier == PolicyComment.NoTier ? null : by.Tier;
        var why = by.Rule == null ? "the kernel refused a rule of it, or nobody has said it: it is closed" : Words(ruleOf(by), step);
        return new(program, endpoint, verdict, tier, name, by.Rule, $"{by.Kind} {by.Name}: {why}");
    }

    /// <summary>What the rule asks, and by which element of a set it was so.</summary>
    private static string Words(PolicyRule? rule, PacketStep step)
    {
        var by = step.By == null ? "" : $" (by {step.By})";
        return rule == null ? $"{step.Rule}" : RuleWords.Of(rule) + by;
    }
}
