using System.Collections.Immutable;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Services;

/// <summary>
/// Other sources for what leaves, in the manner of cnat (reference/cnat.md, section 1.2): settings → chains and sets, of each family its
/// own. What translations say of sources stands in front of it, and what pools say (natOutgoing) behind.
/// </summary>
internal static class SourceNat
{
    private static IpFamily[] Families => [IpFamily.IPv4, IpFamily.IPv6];

    private static string Digit(IpFamily family) => family == IpFamily.IPv4 ? "4" : "6";

    private static string Chain(IpFamily family) => "svc-snat" + Digit(family);

    public static bool IsChain(string name) => Families.Any(family => Chain(family) == name);

    private static string Excluded(IpFamily family) => "svc-snatexcept" + Digit(family);

    private static string Own(IpFamily family) => "svc-snatown" + Digit(family);

    public static SourceNatParts Render(SourceNatSettings? settings, Places places)
    {
        if (settings == null) return SourceNatParts.None;
        return Families.Select(family => settings.Policy == SourceNatPolicy.Dnat ? Rewriting(settings, family)
            : Replacing(settings, family, places)).Aggregate(SourceNatParts.None, (all, one) => all.And(one));
    }

    /// <summary>Nothing where there is no address: packets keep their source.</summary>
    private static SourceNatParts Replacing(SourceNatSettings settings, IpFamily family, Places places)
    {
        if (settings.Addresses.FirstOrDefault(one => one.Family == family) is not { } place || Range(place, places) is not { } range)
            return SourceNatParts.None;
        var act = new ActSourceNat(range.First, range.Last, Persistent: range.First != range.Last);
        var rules = new List<NftRule>();
        rules.AddRange(Sparing(settings, family));
        if (settings.Policy == SourceNatPolicy.K8s)
            rules.AddRange(settings.Hosts.Select(host => new NftRule(new MatchInterface(Leaving: true, host), ActDecide.Return)));
        rules.AddRange(settings.Include.Select(name => new NftRule(new MatchInterface(Leaving: false, name), act)));
        if (settings.Policy == SourceNatPolicy.K8s) rules.AddRange(BesidePods(settings, family, act));
        var own = new NftSet(Own(family), [Type(family)], Intervals: true, [new(NftOctets.Of(range.First), NftOctets.Of(range.Last))]);
        return new(new([own, .. Exclusions(settings, family)], [new(Chain(family), null, [.. rules])], [Entering(family)]), [],
            [Unknown(family)]);
    }

    public static (Address First, Address Last)? Range(SourceNatPlace place, Places places)
    {
        if (place.Prefix is { } prefix) return (prefix.Address, prefix.Last);
        return places.Of(TranslationPlace.OfInterface(place.Interface!, place.Family)) is { } address ? (address, address) : null;
    }

    private static NftRule Entering(IpFamily family) => new(new MatchFamily(family), ActDecide.Jump(Chain(family)));

    private static IEnumerable<NftRule> Sparing(SourceNatSettings settings, IpFamily family) =>
        settings.Exclude.Any(prefix => prefix.Family == family)
            ? [new(new MatchAddress(family, NftEnd.Destination, Excluded(family)), ActDecide.Return)] : [];

    private static IEnumerable<NftSet> Exclusions(SourceNatSettings settings, IpFamily family) =>
        settings.Exclude.Any(prefix => prefix.Family == family)
            ? [new(Excluded(family), [Type(family)], Intervals: true,
                [.. PrefixCover.Outermost(settings.Exclude.Where(prefix => prefix.Family == family)).Select(NftElement.Of)])] : [];

    private static NftType Type(IpFamily family) => family == IpFamily.IPv4 ? NftType.Ipv4Address : NftType.Ipv6Address;

    /// <summary>
    /// What this host itself sends has its own address, and what has got the new source elsewhere keeps it. A pod that speaks to itself
    /// by way of a service is the services' affair.
    /// </summary>
    private static IEnumerable<NftRule> BesidePods(SourceNatSettings settings, IpFamily family, NftStatement act) =>
    [
        .. from pod in settings.Pods
           from leaving in (bool[])[false, true]
           select new NftRule(new MatchInterface(leaving, pod), ActDecide.Return),
        new(new MatchLocalSource(OfOutgoingInterface: false), ActDecide.Return),
        new(new MatchAddress(family, NftEnd.Source, Own(family)), ActDecide.Return),
        new(act),
    ];

    /// <summary>What nobody has asked for and is sent to the new source, where that is none of this host's own: it leads nowhere.</summary>
    private static NftRule Unknown(IpFamily family) => new(
        [
            new MatchFamily(family), new MatchAddress(family, NftEnd.Destination, Own(family)), new MatchLocalDestination(Not: true),
            new MatchState(ConnectionStates.New), new ActCount(), ActDecide.Drop,
        ], "to an address of source NAT, and no session's");

    private static SourceNatParts Rewriting(SourceNatSettings settings, IpFamily family)
    {
        PrefixRewrite[] own = [.. settings.Rewrite.Where(one => one.From.Family == family)];
        if (own.Length == 0) return SourceNatParts.None;
        IEnumerable<NftStatement[]> entrances = settings.Include.Count == 0 ? [[]]
            : settings.Include.Select(name => (NftStatement[])[new MatchInterface(Leaving: false, name)]);
        NftRule[] leaving =
        [
            .. Sparing(settings, family),
            .. from one in own
               from entrance in entrances
               select new NftRule(
                   [.. entrance, new MatchNets(family, NftEnd.Source, [one.From]), new ActPrefixNat(NftEnd.Source, one.To)]),
        ];
        return new(new([.. Exclusions(settings, family)], [new(Chain(family), null, [.. leaving])], [Entering(family)]),
            [.. own.Select(one => new NftRule(new MatchFamily(family), new MatchNets(family, NftEnd.Destination, [one.To]),
                new ActPrefixNat(NftEnd.Destination, one.From)))], []);
    }
}

/// <summary>What source NAT has in the table.</summary>
/// <param name="Leaving">Its own parts, and its rules on the way out.</param>
/// <param name="Arriving">Where destinations are translated.</param>
/// <param name="Leftover">Behind that.</param>
internal sealed record SourceNatParts(NatRules Leaving, ImmutableArray<NftRule> Arriving, ImmutableArray<NftRule> Leftover)
{
    public static readonly SourceNatParts None = new(NatRules.None, [], []);

    public SourceNatParts And(SourceNatParts other) => new(
        new([.. Leaving.Sets, .. other.Leaving.Sets], [.. Leaving.Chains, .. other.Leaving.Chains],
            [.. Leaving.Postrouting, .. other.Leaving.Postrouting]),
        [.. Arriving, .. other.Arriving], [.. Leftover, .. other.Leftover]);

    public bool Same(SourceNatParts other) => Leaving.Same(other.Leaving) && Arriving.AsSpan().SequenceEqual(other.Arriving.AsSpan())
        && Leftover.AsSpan().SequenceEqual(other.Leftover.AsSpan());
}
