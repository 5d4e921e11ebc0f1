using System.Collections.Immutable;
using Calico.Bgp.Kernel;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Dataplane.Tests;

/// <summary>Resources, and what is planned of them, in few words.</summary>
internal static class Plans
{
    public static IPPool Pool(string name, string cidr, bool nat = true) =>
        new(new Metadata(name)) { Cidr = Prefix.Parse(cidr), BlockSize = cidr.Contains(':') ? 122 : 26, NatOutgoing = nat };

    /// <summary>They came.</summary>
    public static ImmutableArray<ResourceChange> Come(params IEnumerable<Resource> resources) =>
        [.. resources.Select(one => new ResourceChange(one.Kind, one.Key, null, one))];

    public static NatObjects Objects(params IEnumerable<Resource> resources)
    {
        var objects = new NatObjects();
        foreach (var change in Come(resources)) objects.Apply(change);
        return objects;
    }

    public static FelixConfiguration Felix(string name = "default") => new(new Metadata(name));

    public static Node Node(string name, string address)
    {
        var own = new InterfaceAddress(Address.Parse(address), new Prefix(Address.Parse(address), address.Contains(':') ? 64 : 24));
        return new(new Metadata(name)) { IPv4 = address.Contains(':') ? null : own, IPv6 = address.Contains(':') ? own : null };
    }

    public static AddressRanges Ranges(params IEnumerable<string> prefixes) =>
        AddressRanges.Of(prefixes.Select(Prefix.Parse).Order().Select(AddressRanges.Of));

    public static bool Contains(this AddressRanges ranges, Address address) =>
        ranges.All.Any(range => range.First.Family == address.Family && range.First <= address && address <= range.Last);

    public static NatPlan Plan(
        IEnumerable<Resource> resources, NatSettings? settings = null, bool upstream = false,
        params (string Pool, UpstreamOffer Offer, AddressRanges Holds)[] pools) =>
        new NatPlanner("node1", Objects(resources), settings ?? new NatSettings { Enabled = true }, upstream,
            pools.ToDictionary(pool => pool.Pool, pool => pool.Offer), pools.ToDictionary(pool => pool.Pool, pool => pool.Holds)).Plan();

    public static NatPlan Plan(params IEnumerable<Resource> resources) => Plan(resources, null);

    /// <summary>About as nft lists it: sets with their elements in nft's octets, chains with their rules.</summary>
    public static string Rendered(NatPlan plan)
    {
        var rules = Masquerade.Render(plan);
        return string.Join('\n', [
            .. rules.Sets.Select(set => $"{set.Name} {{ {string.Join(", ", set.Elements.Select(Text))} }}"),
            .. rules.Postrouting.Select(rule => $"postrouting: {rule}"),
            .. rules.Chains.SelectMany(chain => chain.Rules.Select(rule => $"{chain.Name}: {rule}")),
        ]);
    }

    private static string Text(NftElement element)
    {
        var from = element.From.Span;
        var to = element.To.Span;
        if (from.Length is 4 or 16) return Range(from, to);
        var half = from.Length / 2;
        return $"{Range(from[..half], to[..half])} . {Range(from[half..], to[half..])}";
    }

    private static string Range(ReadOnlySpan<byte> from, ReadOnlySpan<byte> to) => $"{Address.FromOctets(from)}-{Address.FromOctets(to)}";

    public static KernelSnapshot KernelWith(params (string Prefix, uint Metric)[] routes) => KernelSnapshot.Empty with
    {
        Routes = routes.ToImmutableDictionary(
            route => (Prefix.Parse(route.Prefix), route.Metric, 254u),
            route => new ForeignRoute(Prefix.Parse(route.Prefix), new RouteTarget(RouteType.Unicast, []), 2, 0, null)),
    };
}
