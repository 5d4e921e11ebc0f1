using System.Collections.Immutable;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Tests.Live;
using Calico.Bgp.Net;
using static Calico.Bgp.Kernel.Tests.Nftables.Tables;

namespace Calico.Bgp.Kernel.Tests.Nftables;

/// <summary>
/// Of what nft lists and does not read (a hash in a key, the port that a connection was begun to): our words are those that it has for the
/// kernel's bytecode, and what the kernel tells of it is what was sent.
/// </summary>
public sealed class TranslationActsTests
{
    private static readonly ImmutableArray<NftType> Key4 = [NftType.Ipv4Address, NftType.Protocol, NftType.Port],
        Key6 = [NftType.Ipv6Address, NftType.Protocol, NftType.Port];

    private static readonly FlowField[] All =
    [
        FlowField.Source, FlowField.Destination, FlowField.SourcePort, FlowField.DestinationPort, FlowField.Protocol, FlowField.FlowLabel,
    ];

    public static readonly TheoryData<NftStatement> Listings = new()
    {
        new ActSpread(IpFamily.IPv4, [FlowField.Source, FlowField.SourcePort], 3, "ends4"),
        new ActSpread(IpFamily.IPv4, [], 3, "ends4"),
        new ActSpread(IpFamily.IPv6, [.. All], 1009, "ends6"),
        new ActSpread(IpFamily.IPv4, [FlowField.Source], 3, "hosts4", WithPort: false),
        new ActSpread(IpFamily.IPv6, [FlowField.Source], 3, "hosts6", WithPort: false),
        new ActSourceNatByService(IpFamily.IPv4, "from4"),
        new ActSourceNatByService(IpFamily.IPv6, "from6", GivesPort: true),
        new ActSourceNatByService(IpFamily.IPv4, "allfrom4", WithPort: false),
        new MatchBegunTo(IpFamily.IPv4, "begun4"),
        new MatchBegunTo(IpFamily.IPv6, "begun6"),
        new ActRedirect(Address.Parse("198.51.100.9")),
        new ActRedirect(Address.Parse("198.51.100.9"), 8080),
        new ActRedirect(Address.Parse("2001:db8::9"), 8080),
        new ActPrefixNat(NftEnd.Destination, Prefix.Parse("198.51.100.0/24")),
        new ActPrefixNat(NftEnd.Destination, Prefix.Parse("2001:db8:7::/48")),
        new ActRemember(IpFamily.IPv4, "kept4"),
        new ActRemember(IpFamily.IPv6, "kept6"),
    };

    private static readonly NftSet[] Maps =
    [
        Map("ends4", [.. Key4, NftType.Mark], NftType.Ipv4Address, NftType.Port),
        Map("ends6", [.. Key6, NftType.Mark], NftType.Ipv6Address, NftType.Port),
        Map("hosts4", [NftType.Ipv4Address, NftType.Protocol, NftType.Mark], NftType.Ipv4Address),
        Map("hosts6", [NftType.Ipv6Address, NftType.Protocol, NftType.Mark], NftType.Ipv6Address),
        Map("from4", [.. Key4, NftType.Ipv4Address, NftType.Port], NftType.Ipv4Address),
        Map("from6", [.. Key6, NftType.Ipv6Address, NftType.Port], NftType.Ipv6Address, NftType.Port),
        Map("allfrom4", [NftType.Ipv4Address, NftType.Protocol, NftType.Ipv4Address], NftType.Ipv4Address),
        new("begun4", Key4, false, []),
        new("begun6", Key6, false, []),
        Kept("kept4", NftType.Ipv4Address),
        Kept("kept6", NftType.Ipv6Address),
    ];

    private static NftSet Kept(string name, NftType of) =>
        new(name, [of], false, []) { Dynamic = true, Timeout = TimeSpan.FromHours(3), Size = 65_536 };

    private static NftSet Map(string name, ImmutableArray<NftType> key, params ImmutableArray<NftType> value) =>
        new(name, key, false, [], value);

    [NeedsTheory(Needs.Namespaces, "nft")]
    [MemberData(nameof(Listings))]
    public void A_statement_is_listed_by_nft_in_our_words(NftStatement statement)
    {
        using var ns = new NetworkNamespace();
        var ruleset = ns.Ruleset();
        var source = statement is ActSourceNatByService;
        var family = statement.ToString().Contains("ip6", StringComparison.Ordinal) ? IpFamily.IPv6 : IpFamily.IPv4;
        ruleset.Have(Table(Maps, new NftChain("c", new("nat", source ? NftHookPoint.Postrouting : NftHookPoint.Prerouting, 100),
            [Rule(new MatchFamily(family), statement)])));
        Assert.Equal([], ruleset.Problems(10).Select(problem => $"{problem.Part}: {problem.Words}"));
        // nft leaves the family out where a field of a header says it.
        var before = statement is MatchBegunTo or ActRedirect or ActPrefixNat
            ? $"meta nfproto {(family == IpFamily.IPv4 ? "ipv4" : "ipv6")} " : "";
        Assert.Contains($"\n\t\t{before}{statement}\n", ns.Nft($"list chain inet {Name} c"), StringComparison.Ordinal);
        ruleset.Look();
        Assert.Equal(1, ruleset.Transactions);
    }
}
