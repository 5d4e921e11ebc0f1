using System.Collections.Concurrent;
using System.Collections.Immutable;
using Calico.Bgp.Dataplane.Policies;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Services;

/// <summary>Chooses among backends.</summary>
/// <param name="Chain">One, as a translation has it among what it wants.</param>
/// <param name="To">Leads to it.</param>
internal sealed record SpreadChain(ImmutableArray<NftChain> Chain, NftVerdict To);

/// <summary>The maps that all translations share, of each family, and the chains that choose among a translation's backends.</summary>
internal static class ServiceParts
{
    public const string Rejecting = "svc-none";

    public const string Outsiders = "svc-outsiders";

    public const string Timing = "svc-timing";

    // Each name by the family.
    private static readonly string[] times = Names("svc-times"), hostTimes = Names("svc-hosttimes"), fronts = Names("svc-ports"),
        hostFronts = Names("svc-hosts"), insideFronts = Names("svc-inports"), ends = Names("svc-ends"), hostEnds = Names("svc-hostends"),
        insideEnds = Names("svc-inends"), masqueraded = Names("svc-masq"), outsiders = Names("svc-masqout"), here = Names("svc-here"),
        sources = Names("svc-from"), portSources = Names("svc-fromport"), hostSources = Names("svc-hostfrom"),
        vips = Names("svc-vips"), hairpins = Names("svc-hairpins");

    private static string[] Names(string name) => [name + Digit(IpFamily.IPv4), name + Digit(IpFamily.IPv6)];

    private static string Digit(IpFamily family) => family == IpFamily.IPv4 ? "4" : "6";

    /// <summary>Whose connections have times of their own, and which.</summary>
    public static string Times(IpFamily family, bool withPort) => (withPort ? times : hostTimes)[(int)family];

    /// <summary>Where packets to an address, a protocol and a port go on; of all ports.</summary>
    public static string Fronts(IpFamily family, bool withPort) => (withPort ? fronts : hostFronts)[(int)family];

    /// <summary>All of these.</summary>
    public static readonly ImmutableArray<string> AllFronts = [.. fronts, .. hostFronts];

    /// <summary>What a translation is found by.</summary>
    /// <param name="port">Null: of all ports.</param>
    /// <param name="room">Where the key is to stand; null: by itself.</param>
    public static (string Map, NftOctets Key) Front(Address address, byte protocol, ushort? port, OctetRoom? room = null) =>
        (Fronts(address.Family, port != null),
            port is { } one ? MatchAddressPort.Key(address, protocol, one, room) : NftOctets.Of(NftOctets.Of(address), new([protocol])));

    /// <summary>The same for pods of this host and it itself, where they are led elsewhere.</summary>
    public static string InsideFronts(IpFamily family) => insideFronts[(int)family];

    /// <summary>Each translation's backends, numbered from 0.</summary>
    public static string Ends(IpFamily family, bool withPort) => (withPort ? ends : hostEnds)[(int)family];

    public static string InsideEnds(IpFamily family) => insideEnds[(int)family];

    /// <summary>Addresses, protocols and ports whose clients get this host's address on the way to a backend elsewhere.</summary>
    public static string Masqueraded(IpFamily family, TranslationMasquerade who) =>
        (who == TranslationMasquerade.All ? masqueraded : outsiders)[(int)family];

    /// <summary>Backends on this node.</summary>
    public static string Here(IpFamily family) => here[(int)family];

    public static string Sources(IpFamily family, bool withPort, bool givesPort) =>
        (!withPort ? hostSources : givesPort ? portSources : sources)[(int)family];

    /// <summary>Addresses that are nobody's.</summary>
    public static string Vips(IpFamily family) => vips[(int)family];

    /// <summary>Each backend beside itself: who speaks to itself by way of a service has to look like another.</summary>
    public static string Hairpins(IpFamily family) => hairpins[(int)family];

    /// <summary>Of a backend that comes to itself by way of this host.</summary>
    public static NftOctets Hairpin(Address backend) => NftOctets.Of(NftOctets.Of(backend), NftOctets.Of(backend));

    public static readonly ImmutableArray<NftSet> Sets = [.. SetsOf(IpFamily.IPv4), .. SetsOf(IpFamily.IPv6)];

    private static IEnumerable<NftSet> SetsOf(IpFamily family)
    {
        var address = family == IpFamily.IPv4 ? NftType.Ipv4Address : NftType.Ipv6Address;
        ImmutableArray<NftType> host = [address, NftType.Protocol], port = [.. host, NftType.Port], to = [address, NftType.Port];
        yield return new(InsideFronts(family), port, false, [], [NftType.Verdict]);
        yield return new(InsideEnds(family), [.. port, NftType.Mark], false, [], to);
        yield return new(Masqueraded(family, TranslationMasquerade.All), port, false, []);
        yield return new(Masqueraded(family, TranslationMasquerade.Outsiders), port, false, []);
        yield return new(Here(family), [address], false, []);
        yield return new(Fronts(family, true), port, false, [], [NftType.Verdict]);
        yield return new(Fronts(family, false), host, false, [], [NftType.Verdict]);
        yield return new(Ends(family, true), [.. port, NftType.Mark], false, [], to);
        yield return new(Ends(family, false), [.. host, NftType.Mark], false, [], [address]);
        yield return new(Sources(family, true, false), [.. port, .. to], false, [], [address]);
        yield return new(Sources(family, true, true), [.. port, .. to], false, [], to);
        yield return new(Sources(family, false, false), [.. host, address], false, [], [address]);
        yield return new(Times(family, true), port, false, [], [NftType.Verdict]);
        yield return new(Times(family, false), host, false, [], [NftType.Verdict]);
        yield return new(Vips(family), [address], false, []);
        yield return new(Hairpins(family), [address, address], false, []);
    }

    /// <summary>Translations share them, and they are few.</summary>
    private static readonly ConcurrentDictionary<(IpFamily, bool, FlowHash, uint, bool), SpreadChain> spreads = [];

    /// <summary>Chooses one of so many backends, by this of a flow.</summary>
    /// <param name="inside">Of those that pods of this host and it itself have; these all have ports.</param>
    public static SpreadChain Spread(IpFamily family, bool withPort, FlowHash by, uint sides, bool inside = false)
    {
        // Where there is one, or the protocol has no ports, other translations may have the chain, too.
        var hash = sides == 1 ? FlowHash.Source : withPort ? by : by & ~(FlowHash.SourcePort | FlowHash.DestinationPort);
        if (family == IpFamily.IPv4) hash &= ~FlowHash.FlowLabel;
        return spreads.GetOrAdd((family, withPort, hash, sides, inside), Made);
    }

    private static SpreadChain Made((IpFamily Family, bool WithPort, FlowHash Hash, uint Sides, bool Inside) of)
    {
        var (family, withPort, hash, sides, inside) = of;
        var name = $"svc-{(inside ? "in" : withPort ? "" : "host")}spread{Digit(family)}-{sides}-{(byte)hash:x2}";
        var ends = inside ? InsideEnds(family) : Ends(family, withPort);
        NftRule one = new(new ActSpread(family, Fields(hash), sides, ends, withPort));
        // A packet reads the map a moment after it was told how many there are, and between the two there may be fewer: the first is there
        // as long as any are.
        NftRule first = new(new ActSpread(family, Fields(FlowHash.Source), 1, ends, withPort));
        return new([new(name, null, sides == 1 ? [one] : [one, first])], new(NftVerdictCode.Goto, name));
    }

    /// <summary>Gives each connection that begins the times that its translation has; what is of other protocols keeps the
    /// kernel's.</summary>
    public static NftChain TimingChain(ListOf<string> filled) => new(Timing, null, Asking(filled,
    [
        .. from family in Families
           from withPort in (bool[])[true, false]
           select (Times(family, withPort),
               new NftRule(new MatchFamily(family), new ActDecideByService(family, Times(family, withPort), withPort))),
    ]))
    {
        Comment = "how long connections live that say nothing",
    };

    public static ImmutableArray<NftRule> EnteringTiming { get; } =
        [new(new MatchState(ConnectionStates.New), ActDecide.Jump(Timing))];

    /// <summary>Of TCP and of UDP: nft 1.0.6 can list no others.</summary>
    public static (NftChain Chain, ImmutableArray<NftTimeout> Timeouts) Timed(TranslationTimeouts times)
    {
        const string prefix = "svc-";
        var tcp = NftTimeout.OfTcp(prefix, times.Other, times.Tcp);
        ImmutableArray<NftTimeout> all = times.Other is { } other ? [tcp, NftTimeout.OfUdp(prefix, other)] : [tcp];
        return (new($"{Timing}-{ContentHash.Of(string.Join(' ', all.Select(one => one.Name)))}", null,
            [.. all.Select(one => new NftRule(new ActTimeout(one.Name)))]), all);
    }

    /// <summary>Goes on to a chain with what comes from there, and with nothing else.</summary>
    public static NftChain Allow(IpFamily family, ListOf<Prefix> from, string to)
    {
        Prefix[] own = [.. from.Where(prefix => prefix.Family == family).Distinct().Order()];
        NftRule[] allowed = own.Length == 0 ? [] : [new(new MatchFamily(family), new MatchNets(family, NftEnd.Source, [.. own]),
            new ActDecide(new NftVerdict(NftVerdictCode.Goto, to)))];
        return new($"svc-allow{Digit(family)}-{ContentHash.Of($"{string.Join(' ', own)} {to}")}", null,
            [.. allowed, new([ActDecide.Drop], "from none of loadBalancerSourceRanges")]);
    }

    private static ListOf<FlowField> Fields(FlowHash hash)
    {
        if (hash.HasFlag(FlowHash.Symmetric)) return [];
        FlowField[] ends = hash.HasFlag(FlowHash.Reverse)
            ? [FlowField.Destination, FlowField.Source, FlowField.DestinationPort, FlowField.SourcePort]
            : [FlowField.Source, FlowField.Destination, FlowField.SourcePort, FlowField.DestinationPort];
        return [.. ends.Append(FlowField.Protocol).Append(FlowField.FlowLabel).Where(field => hash.HasFlag(Bit(field)))
            .DefaultIfEmpty(FlowField.Source)];
    }

    private static FlowHash Bit(FlowField field) => field switch
    {
        FlowField.Source => FlowHash.Source,
        FlowField.Destination => FlowHash.Destination,
        FlowField.SourcePort => FlowHash.SourcePort,
        FlowField.DestinationPort => FlowHash.DestinationPort,
        FlowField.Protocol => FlowHash.Protocol,
        _ => FlowHash.FlowLabel,
    };

    /// <summary>
    /// A rule that asks a map costs a packet the same where the map has nothing, and is left out then. One of each chain that translates
    /// stays: without such chains the kernel translates no connection any more, not even those that there are.
    /// </summary>
    private static ImmutableArray<NftRule> Asking(
        ListOf<string> filled, IEnumerable<(string Map, NftRule Rule)> all, string? stays = null) =>
        [.. all.Where(one => one.Map == stays || filled.Contains(one.Map)).Select(one => one.Rule)];

    public static ImmutableArray<NftRule> Translating(ListOf<string> filled) => Asking(filled,
        from family in Families
        from withPort in (bool[])[true, false]
        select (Fronts(family, withPort),
            new NftRule(new MatchFamily(family), new ActDecideByService(family, Fronts(family, withPort), withPort))),
        stays: Fronts(IpFamily.IPv4, true));

    /// <summary>Of what this host itself sends.</summary>
    public static ImmutableArray<NftRule> TranslatingOwn(ListOf<string> filled) => Asking(filled, Families.Select(family =>
        (InsideFronts(family), new NftRule(new MatchFamily(family), new ActDecideByService(family, InsideFronts(family))))));

    /// <param name="workloads">What the names of pods' interfaces begin with.</param>
    public static ImmutableArray<NftRule> TranslatingPods(ListOf<string> filled, ListOf<string> workloads) => Asking(filled,
        from family in Families
        from prefix in workloads
        select (InsideFronts(family), new NftRule(new MatchInterface(Leaving: false, prefix + "*"), new MatchFamily(family),
            new ActDecideByService(family, InsideFronts(family)))));

    /// <summary>Gives all but this host's pods its own address.</summary>
    public static NftChain OutsidersOf(ListOf<string> workloads) => new(Outsiders, null,
    [
        .. workloads.Select(prefix => new NftRule(new MatchInterface(Leaving: false, prefix + "*"), ActDecide.Return)),
        new(new ActMasquerade()),
    ])
    {
        Comment = "all but pods of this host",
    };

    public static ImmutableArray<NftRule> Masquerading(ListOf<string> filled) => Asking(filled,
        from family in Families
        from who in (TranslationMasquerade[])[TranslationMasquerade.All, TranslationMasquerade.Outsiders]
        select (Masqueraded(family, who), new NftRule(new MatchFamily(family), new MatchTranslated(Destination: true),
            new MatchBegunTo(family, Masqueraded(family, who)),
            new MatchAddress(family, NftEnd.Destination, Here(family), Outside: true),
            who == TranslationMasquerade.All ? new ActMasquerade() : ActDecide.Jump(Outsiders))));

    /// <summary>What no translation has taken of the packets to an address that is nobody's. One that is this host's own after all, or
    /// becomes it, goes on as it would: who reaches the host by it is not shut out.</summary>
    public static ImmutableArray<NftRule> Leftover(ListOf<string> filled) => Asking(filled, Families.Select(family => (Vips(family),
        new NftRule(
            [new MatchFamily(family), new MatchAddress(family, NftEnd.Destination, Vips(family)), new MatchLocalDestination(Not: true),
                new ActCount(), ActDecide.Drop],
            "to a virtual address, and no translation's"))));

    /// <summary>
    /// A key says to where the connection was begun and where it goes, so that nobody else's is found; and one that goes to where it was
    /// begun, which the kernel does not call translated, has its new source, too.
    /// </summary>
    public static ImmutableArray<NftRule> Leaving(ListOf<string> filled) => Asking(filled,
        from family in Families
        from one in ((string, NftStatement[])[])
        [
            (Sources(family, true, false), [new ActSourceNatByService(family, Sources(family, true, false))]),
            (Sources(family, true, true), [new ActSourceNatByService(family, Sources(family, true, true), GivesPort: true)]),
            (Sources(family, false, false), [new ActSourceNatByService(family, Sources(family, false, false), WithPort: false)]),
            (Hairpins(family),
                [new MatchTranslated(Destination: true), new MatchAddressPair(family, Hairpins(family)), new ActMasquerade()]),
        ]
        select (one.Item1, new NftRule([new MatchFamily(family), .. one.Item2])),
        stays: Hairpins(IpFamily.IPv4));

    private static IpFamily[] Families => [IpFamily.IPv4, IpFamily.IPv6];
}
