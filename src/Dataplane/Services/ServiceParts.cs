using System.Collections.Immutable;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane.Services;

/// <summary>The maps that all translations share, of each family, and the chains that choose among a translation's backends.</summary>
internal static class ServiceParts
{
    public const string Rejecting = "svc-none";

    private static string Digit(IpFamily family) => family == IpFamily.IPv4 ? "4" : "6";

    /// <summary>Where packets to an address, a protocol and a port go on; of all ports.</summary>
    public static string Fronts(IpFamily family, bool withPort) => (withPort ? "svc-ports" : "svc-hosts") + Digit(family);

    /// <summary>Each translation's backends, numbered from 0.</summary>
    public static string Ends(IpFamily family, bool withPort) => (withPort ? "svc-ends" : "svc-hostends") + Digit(family);

    public static string Sources(IpFamily family, bool withPort, bool givesPort) =>
        (withPort ? "svc-from" : "svc-hostfrom") + (givesPort ? "port" : "") + Digit(family);

    /// <summary>Addresses that are nobody's.</summary>
    public static string Vips(IpFamily family) => "svc-vips" + Digit(family);

    /// <summary>Each backend beside itself: who speaks to itself by way of a service has to look like another.</summary>
    public static string Hairpins(IpFamily family) => "svc-hairpins" + Digit(family);

    public static readonly ImmutableArray<NftSet> Sets = [.. SetsOf(IpFamily.IPv4), .. SetsOf(IpFamily.IPv6)];

    private static IEnumerable<NftSet> SetsOf(IpFamily family)
    {
        var address = family == IpFamily.IPv4 ? NftType.Ipv4Address : NftType.Ipv6Address;
        ImmutableArray<NftType> host = [address, NftType.Protocol], port = [.. host, NftType.Port], to = [address, NftType.Port];
        yield return new(Fronts(family, true), port, false, [], [NftType.Verdict]);
        yield return new(Fronts(family, false), host, false, [], [NftType.Verdict]);
        yield return new(Ends(family, true), [.. port, NftType.Mark], false, [], to);
        yield return new(Ends(family, false), [.. host, NftType.Mark], false, [], [address]);
        yield return new(Sources(family, true, false), [.. port, .. to], false, [], [address]);
        yield return new(Sources(family, true, true), [.. port, .. to], false, [], to);
        yield return new(Sources(family, false, false), [.. host, address], false, [], [address]);
        yield return new(Vips(family), [address], false, []);
        yield return new(Hairpins(family), [address, address], false, []);
    }

    /// <summary>Chooses one of so many backends, by this of a flow.</summary>
    public static NftChain Spread(IpFamily family, bool withPort, FlowHash by, uint sides)
    {
        // Where there is one, or the protocol has no ports, other translations may have the chain, too.
        var hash = sides == 1 ? FlowHash.Source : withPort ? by : by & ~(FlowHash.SourcePort | FlowHash.DestinationPort);
        if (family == IpFamily.IPv4) hash &= ~FlowHash.FlowLabel;
        var name = $"{(withPort ? "svc-spread" : "svc-hostspread")}{Digit(family)}-{sides}-{(byte)hash:x2}";
        return new(name, null, [new(new ActSpread(family, Fields(hash), sides, Ends(family, withPort), withPort))]);
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

    public static ImmutableArray<NftRule> Translating { get; } =
    [
        .. from family in Families
           from withPort in (bool[])[true, false]
           select new NftRule(new MatchFamily(family), new ActDecideByService(family, Fronts(family, withPort), withPort)),
    ];

    /// <summary>What no translation has taken of the packets to an address that is nobody's.</summary>
    public static ImmutableArray<NftRule> Leftover { get; } =
    [
        .. Families.Select(family => new NftRule(
            [new MatchFamily(family), new MatchAddress(family, NftEnd.Destination, Vips(family)), new ActCount(), ActDecide.Drop],
            "to a virtual address, and no translation's")),
    ];

    public static ImmutableArray<NftRule> Leaving { get; } =
    [
        .. from family in Families
           from act in (NftStatement[][])
           [
               [new ActSourceNatByService(family, Sources(family, true, false))],
               [new ActSourceNatByService(family, Sources(family, true, true), GivesPort: true)],
               [new ActSourceNatByService(family, Sources(family, false, false), WithPort: false)],
               [new MatchAddressPair(family, Hairpins(family)), new ActMasquerade()],
           ]
           select new NftRule([new MatchFamily(family), new MatchTranslated(Destination: true), .. act]),
    ];

    private static IpFamily[] Families => [IpFamily.IPv4, IpFamily.IPv6];
}
