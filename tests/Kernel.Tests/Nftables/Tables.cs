using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Calico.Bgp.Kernel.Netlink;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Kernel.Tests.Live;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging.Abstractions;

namespace Calico.Bgp.Kernel.Tests.Nftables;

/// <summary>All that shall be, for tests that think of it so.</summary>
internal sealed record WholeTable(ImmutableArray<NftSet> Sets, ImmutableArray<NftChain> Chains)
{
    public ImmutableArray<string> Counters { get; init; } = [];
    public ImmutableArray<NftTimeout> Timeouts { get; init; } = [];

    public static readonly WholeTable Empty = new([], []);

    public string? Comment { get; init; }

    /// <summary>What is put, whether it has changed or not, and what goes.</summary>
    public ImmutableArray<NftChange> After(WholeTable before) =>
    [
        .. before.Chains.Where(chain => Chains.All(other => other.Name != chain.Name))
            .Select(chain => new NftChange.RemoveChain(chain.Name)),
        .. before.Sets.Where(set => Sets.All(other => other.Name != set.Name)).Select(set => new NftChange.RemoveSet(set.Name)),
        .. before.Counters.Except(Counters).Select(counter => new NftChange.RemoveCounter(counter)),
        .. before.Timeouts.Except(Timeouts).Select(timeout => new NftChange.RemoveTimeout(timeout.Name)),
        .. Counters.Select(counter => new NftChange.PutCounter(counter)),
        .. Timeouts.Select(timeout => new NftChange.PutTimeout(timeout)),
        .. Sets.Select(set => new NftChange.PutSet(set)), .. Chains.Select(chain => new NftChange.PutChain(chain)),
    ];
}

/// <summary>A ruleset that is told whole tables, or changes.</summary>
internal sealed class Keeper(Ruleset ruleset)
{
    private WholeTable last = WholeTable.Empty;

    public Ruleset Ruleset => ruleset;
    public long Transactions => ruleset.Transactions;
    public long Readings => ruleset.Readings;
    public bool IsSettled => ruleset.IsSettled;

    public IEnumerable<NftProblem> Problems(int limit) => ruleset.Problems(limit);

    public void Have(WholeTable table)
    {
        ruleset.Want(table.After(last));
        last = table;
        ruleset.Round();
    }

    /// <returns>True where it went ahead of the rounds.</returns>
    public bool Have(params ReadOnlySpan<NftChange> changes)
    {
        var ahead = ruleset.Want([.. changes]);
        ruleset.Round();
        return ahead;
    }

    public void Look()
    {
        ruleset.Doubt();
        ruleset.Round();
    }
}

internal static class Tables
{
    public const string Name = "bgpd-test";
    public static readonly NftHook Postrouting = new("nat", NftHookPoint.Postrouting, 110),
        Prerouting = new("filter", NftHookPoint.Prerouting, -300);

    public static NftSet Prefixes(string name, params IEnumerable<string> prefixes)
    {
        NftElement[] elements = [.. prefixes.Select(prefix => NftElement.Of(Prefix.Parse(prefix)))];
        var type = prefixes.Any(prefix => prefix.Contains(':')) ? NftType.Ipv6Address : NftType.Ipv4Address;
        return new(name, [type], Intervals: true, [.. elements]);
    }

    public static WholeTable Table(IEnumerable<NftSet> sets, params IEnumerable<NftChain> chains) => new([.. sets], [.. chains]);

    /// <summary>With what rules may ask for.</summary>
    public static WholeTable WithRule(NftRule rule)
    {
        NftSet[] sets =
        [
            Prefixes("pools", "192.168.0.0/16"), Named("named", "10.0.0.1", IpProtocol.Tcp), Named("named6", "fd00::1", IpProtocol.Sctp),
            new("links", [NftType.InterfaceName], false, [NftElement.Of(NftOctets.OfInterface("cali1"))]),
            Asked("asked", "cali1", "10.0.0.1"), Asked("asked6", "cali1", "fd00::1"),
        ];
        return Table(sets, new NftChain("post", Postrouting, [rule])) with { Counters = ["seen"] };
    }

    private static NftSet Asked(string name, string link, string address)
    {
        var one = Address.Parse(address);
        return new(name, [NftType.InterfaceName, one.IsIPv4 ? NftType.Ipv4Address : NftType.Ipv6Address], false,
            [NftElement.Of(MatchInterfaceAddress.Key(link, one))]);
    }

    private static NftSet Named(string name, string address, IpProtocol protocol)
    {
        var one = Address.Parse(address);
        return new(name, [one.IsIPv4 ? NftType.Ipv4Address : NftType.Ipv6Address, NftType.Protocol, NftType.Port], false,
            [NftElement.Of(MatchAddressPort.Key(one, (byte)protocol, 80))]);
    }

    public static NftRule Rule(params ReadOnlySpan<NftStatement> statements) => new(statements);

    /// <summary>The keeper of the test's table, with a socket of this namespace.</summary>
    public static Keeper Ruleset(this NetworkNamespace ns, string? comment = null) =>
        new(new(Name, comment, ns.Inside(() => new NetlinkSocket(0, 1 << 20, NetlinkProtocol.Netfilter)),
            null, TimeProvider.System, NullLogger.Instance));

    /// <summary>The table as nft lists it: as text, as JSON without handles, and as bytecode.</summary>
    public static string Listed(this NetworkNamespace ns) =>
        ns.Nft($"list table inet {Name}") + WithoutHandles(ns.Nft($"-j list table inet {Name}"))
            + Bytecode(ns.Nft($"--debug=netlink list table inet {Name}"));

    private static string Bytecode(string debug) =>
        string.Join('\n', debug.Split('\n').Where(line => line.StartsWith("  [", StringComparison.Ordinal)));

    private static string WithoutHandles(string json)
    {
        var root = JsonNode.Parse(json)!;
        foreach (var item in root["nftables"]!.AsArray())
            foreach (var (_, value) in item!.AsObject()) (value as JsonObject)?.Remove("handle");
        return root.ToJsonString();
    }
}
