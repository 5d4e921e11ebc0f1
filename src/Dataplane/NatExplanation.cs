using System.Collections.Immutable;
using Calico.Bgp.Dataplane.Egress;
using Calico.Bgp.Dataplane.Packets;
using Calico.Bgp.Dataplane.Services;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Packets;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane;

/// <summary>What becomes of a packet, of its source address above all, and the steps that say so.</summary>
/// <param name="Translated">Its source is, by this node; null: it depends on what <see cref="DependsOn"/> names.</param>
/// <param name="To">What it becomes, in words, here or at the gateway that it leaves by; null where it stays.</param>
public sealed record NatExplanation(bool? Translated, string? To, ListOf<string> Steps)
{
    /// <summary>What it becomes; null: it stays, or the kernel chooses among several.</summary>
    public Address? Address { get; init; }
    /// <summary>Where services send it, in words; null: where it was sent.</summary>
    public string? Destination { get; init; }
    /// <summary>It goes nowhere.</summary>
    public bool Dropped { get; init; }
    /// <summary>That it leaves by; null: it does not leave, or that is not known.</summary>
    public string? Interface { get; init; }
    /// <summary>The rule that decided, in nft's words, with its chain; null: it met none.</summary>
    public string? Rule { get; init; }
    /// <summary>What nobody has said of the packet, and what becomes of it depends on.</summary>
    public ListOf<string> DependsOn { get; init; } = [];
    /// <summary>Every rule that it meets.</summary>
    public ListOf<string> Trail { get; init; } = [];
}

/// <summary>
/// Words what the walk of a packet through the rules in force came to. The rules decide; the plan says of which pool they speak, and why
/// that is treated so.
/// </summary>
/// <param name="ends">What may become of the packet.</param>
/// <param name="masqueraded">What an address becomes on the interface that the packet leaves by, where that is known.</param>
/// <param name="leaving">What becomes of it at gateways of other nodes; null: it goes by none.</param>
internal sealed class NatExplainer(
    NatPlan plan, Packet packet, ImmutableArray<PacketEnd> ends, Address? masqueraded = null, EgressLeaving? leaving = null)
{
    /// <summary>More of them are counted, and not named.</summary>
    private const int Named = 4;

    private readonly FamilyPlan? family = plan.Families.FirstOrDefault(family => family.Family == packet.Source.Family);

    public NatExplanation Explain()
    {
        var outcomes = ends.Select(IsTranslated).Distinct().ToArray();
        var first = ends[0];
        var translated = outcomes.Length == 1 && ends.All(end => end.Verdict == first.Verdict) ? outcomes[0] : null;
        var dropped = ends.All(end => end.Verdict == PacketVerdict.Drop);
        var leaves = first.Places.Contains(NftHookPoint.Postrouting) && !(dropped && first.Decided == null);
        var elsewhere = translated == false && leaving is { IsLost: false } && !dropped ? leaving : null;
        var to = translated == true ? To() : elsewhere == null ? null : $"{elsewhere.Seen}, {elsewhere.Words}";
        return new(translated, to, [.. translated == null ? Ways() : Steps(first)])
        {
            Address = translated == true && ends.Select(AddressOf).Distinct().ToArray() is [{ } only] ? only : elsewhere?.Source,
            Destination = Destination(),
            Dropped = dropped,
            Interface = leaves ? packet.Out : null,
            Rule = translated == null ? null : (first.Decided ?? first.Trail.LastOrDefault(IsPools))?.ToString(),
            DependsOn = [.. Facts()],
            Trail = [.. first.Trail.Select(step => step.ToString())],
        };
    }

    private static bool? IsTranslated(PacketEnd end) => end.Verdict == PacketVerdict.Open ? null : end.Source != null;

    private static string? Destination(PacketEnd end) => end.Destination is not { First: { } to } translated ? null
        : new BackendEnd(TranslationPlace.Of(to), translated.Ports is { } ports && ports.From == ports.To ? ports.From : null).ToString();

    private string? Destination() => ends.Select(Destination).Distinct().ToArray() switch
    {
        [var only] => only,
        var some when some.Length <= Named => string.Join(" or ", some.Select(one => one ?? packet.Destination.ToString())),
        var many => $"one of {many.Length} backends",
    };

    /// <summary>Facts by which the ends differ: where all come to the same, it depends on nothing.</summary>
    private IEnumerable<string> Facts() => ends.All(end => end.Verdict != PacketVerdict.Open && end.IsLike(ends[0])) ? []
        : ends.SelectMany(end => end.DependsOn).Select(condition => condition.Fact).Distinct();

    private Address? AddressOf(PacketEnd end) => end.Source switch
    {
        { First: null } => masqueraded,
        { First: var first, Last: var last } when first == last => first,
        _ => null,
    };

    private string To()
    {
        var addresses = ends.Select(Word).Distinct();
        var ports = ends.Where(end => end.Source!.Ports != null).GroupBy(end => end.Source!.Ports!.Value, Protocol)
            .Select(range => $", {string.Join(" and ", range.Distinct())} ports {range.Key}");
        return string.Join(" or ", addresses) + string.Concat(ports);
    }

    /// <summary>A rule that gives ports says of which protocol.</summary>
    private static string Protocol(PacketEnd end) => end.Decided!.Rule.Statements.OfType<MatchProtocols>()
        .Select(match => ((IpProtocol)match.Protocols[0]).ToString().ToUpperInvariant()).FirstOrDefault("any");

    private string Word(PacketEnd end) => end.Source switch
    {
        { First: null } when masqueraded is { } address => $"{address}, the address of {packet.Out}",
        { First: null } => packet.Out is { } link ? $"an address of {link}" : "the address of the interface it leaves by",
        { First: var first, Last: var last } => first == last ? $"{first}" : $"one of {first}-{last}",
        _ => "",
    };

    /// <summary>Where it depends: each way that it may go.</summary>
    private IEnumerable<string> Ways()
    {
        foreach (var end in ends)
        {
            var becomes = end switch
            {
                { Verdict: PacketVerdict.Open } => "it depends on that what becomes of it",
                { Verdict: PacketVerdict.Drop, Decided: null } => $"it is dropped{Lost()}",
                { Verdict: PacketVerdict.Drop } => "it is dropped",
                { Source: null } => "it stays as it is",
                _ => $"it is translated to {Word(end)}",
            };
            var sent = Destination(end) is { } to ? $"services send it to {to}, and " : "";
            yield return $"{string.Join(", ", end.DependsOn)}: {sent}{becomes}";
        }
    }

    private List<string> Steps(PacketEnd end)
    {
        var steps = new List<string>();
        if (Destination() is { } sent) steps.Add($"services send it to {sent}: bgpctl cnat explain says why");
        if (end.Verdict == PacketVerdict.Drop)
            return [.. steps, end.Decided == null ? $"it is dropped{Lost()}"
                : $"it is dropped in chain {end.Decided.Chain.Name}{Why(end.Decided)}"];
        if (end.Source != null && end.Trail.Select(SourceWords.Of).LastOrDefault(words => words != null) is { } services)
            return [.. steps, services];
        if (!end.Places.Contains(NftHookPoint.Postrouting))
            return [.. steps, "the destination is this node's own address: what is delivered here never meets the rules"];
        if (family == null && leaving == null) return [.. steps, "NAT is off (nat.enabled)"];
        var before = steps.Count;
        foreach (var step in end.Trail)
        {
            if (step.IsRefused) steps.Add($"the kernel has refused a rule, so that no packet meets it: {step.Rule}");
            else if (IsPools(step)) AddPools(step, SentPacket.To(packet, end), steps);
            else if (step.Stopped == null && EgressRenderer.Words(step) is { } gateway) steps.Add(gateway);
            else if (step == end.Decided && step.Rule.Statements.Any(one => one is MatchLocalSource))
                steps.Add("the source is this host's, but not the tunnel's: what enters a tunnel gets the tunnel's address");
        }
        if (steps.Count == before && family != null) steps.Add(Untranslated());
        if (leaving is { IsLost: false }) steps.AddRange([$"it leaves {leaving.Words}, as {leaving.Seen}", EgressLeaving.Guarded]);
        return steps;
    }

    private string Lost() => leaving is { IsLost: true } ? $": {leaving.Lost}" : "";

    private static string Why(PacketStep by) => by.Rule.Comment is { Length: > 0 } comment ? $": {comment}" : "";

    private static bool IsPools(PacketStep step) =>
        step.Rule.Statements.Any(one => one is MatchAddress match && match.Set == Masquerade.Sources(match.Family));

    /// <summary>The rule for what leaves the pools, match by match as far as the packet came.</summary>
    /// <param name="to">Where it goes by then.</param>
    private void AddPools(PacketStep step, Address to, List<string> steps)
    {
        foreach (var statement in step.Rule.Statements)
        {
            var holds = !ReferenceEquals(statement, step.Stopped);
            if (Word(statement, holds, step.By, to) is { } word) steps.Add(word);
            if (!holds) return;
        }
        var pool = Pool();
        if (pool is { Treatment: PoolTreatment.Masquerade, Reason.Length: > 0 } && pool.Asked != UpstreamNat.Ignore)
            steps.Add($"this node translates: {pool.Reason}");
    }

    private string? Word(NftStatement statement, bool holds, string? by, Address to) => statement switch
    {
        MatchAddress { End: NftEnd.Source } => !holds ? Untranslated()
            : $"the source is in pool {Pool()?.Name} ({Pool()?.Cidr}), whose outgoing traffic is translated",
        MatchAddress match when match.Set == Masquerade.Inside(match.Family) => holds ? "the destination is in no pool"
            : $"the destination is in pool {Innermost(to)?.Name} ({by}): what stays inside the pools is not translated",
        MatchAddress when !holds => $"the destination is a host ({by}), which natOutgoingExclusions excepts",
        MatchAddressPair when holds => $"the way to {to} does not lead to the network that translates for the pool, or not "
            + $"for long enough yet ({Pool()?.Reason}): this node translates",
        MatchAddressPair => $"the network translates: {Pool()?.Reason}",
        MatchInterface match => holds ? $"it leaves by an interface called {match.Name}"
            : $"it leaves by {packet.Out}, and natOutgoingInterfaceFilter is {match.Name}",
        _ => null,
    };

    /// <summary>Whose sources the rule means.</summary>
    private PoolPlan? Pool() => family!.Translated.FirstOrDefault(pool => pool.Cidr.Contains(packet.Source));

    private PoolPlan? Innermost(Address address) =>
        family!.Pools.Where(pool => pool.Cidr.Contains(address)).OrderByDescending(pool => pool.Cidr.Length).FirstOrDefault();

    private string Untranslated()
    {
        if (Innermost(packet.Source) is not { } pool) return "the source is in no pool";
        var alone = pool.Treatment == PoolTreatment.UpstreamOnly
            ? ", which the network alone may translate (nat.bgpd/upstream: Require)" : "";
        return $"the source is in pool {pool.Name} ({pool.Cidr}){alone}: {pool.Reason}";
    }
}
