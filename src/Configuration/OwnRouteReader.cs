using System.Collections.Immutable;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Speaker;

namespace Calico.Bgp.Configuration;

/// <summary>
/// <c>routes</c>: own routes. Interfaces stay names here, because they may come later than the daemon does; the speaker, which follows the
/// kernel's links, knows their numbers.
/// </summary>
internal sealed class OwnRouteReader(Section root)
{
    /// <summary>The kernel's: a route's hops are counted in an octet's worth of weights.</summary>
    private const int MostHops = 256;

    private readonly Dictionary<Prefix, int> lines = [];

    public ImmutableArray<OwnRouteConfig> Read() => [.. root.Sections("routes").Select(Route).OfType<OwnRouteConfig>()];

    private OwnRouteConfig? Route(Section route)
    {
        var prefix = route.Value("prefix", Scalars.Prefix);
        if (!route.Has("prefix")) route.Problems.Error(route.Node, "expected the key prefix, got a route without it");
        if (prefix is { } first && !lines.TryAdd(first, route.Node.Line))
            route.Error("prefix", $"expected each prefix once under routes, got {first} again (first in line {lines[first]})");
        var hops = Hops(route, prefix);
        var type = Type(route, hops.Count > 0);
        var bfd = BfdReader.Read(route);
        if (bfd != null && !hops.Exists(hop => hop.Hop.Gateway != null))
            route.Error("bfd", "expected bfd beside a gateway (via), got a route without one");
        route.Close();
        if (prefix == null) return null;
        return new(prefix.Value, type, [.. hops.Select(hop => hop.Hop)])
        {
            Interfaces = [.. hops.Select(hop => hop.Interface)],
            Bfd = bfd,
        };
    }

    private static RouteType Type(Section route, bool leads)
    {
        var type = route.Word("type",
            ("unicast", RouteType.Unicast), ("blackhole", RouteType.Blackhole),
            ("unreachable", RouteType.Unreachable), ("prohibit", RouteType.Prohibit));
        if (type == null && !leads && !route.Has("type"))
            route.Problems.Error(
                route.Node, "expected the key type (blackhole, unreachable or prohibit) or via, got a route without either");
        if (type == RouteType.Unicast && !leads) route.Error("type", "expected via, interface or hops with type unicast, got none");
        if (type is not (null or RouteType.Unicast) && leads)
            route.Error("type", $"expected no via, interface or hops with type {type.Value.ToString().ToLowerInvariant()}");
        return type ?? RouteType.Unicast;
    }

    /// <summary>Either one way out among the route's own keys, or several under <c>hops</c>.</summary>
    private static List<(RouteHop Hop, string? Interface)> Hops(Section route, Prefix? prefix)
    {
        var several = route.Sections("hops").ToList();
        var single = route.Has("via") | route.Has("interface");
        if (several.Count > 0 && single) route.Error("hops", "expected either hops or via and interface, got both");
        if (several.Count > MostHops) route.Error("hops", $"expected at most {MostHops} hops, got {several.Count}");
        var hops = new List<(RouteHop, string?)>();
        if (single || route.Has("weight")) hops.Add(Hop(route, prefix));
        foreach (var hop in several)
        {
            hops.Add(Hop(hop, prefix));
            hop.Close();
        }
        return hops;
    }

    private static (RouteHop Hop, string? Interface) Hop(Section hop, Prefix? prefix)
    {
        var via = hop.Address("via");
        var device = Names.Interface(hop, "interface");
        var weight = (int)(hop.Number("weight", 1, 256) ?? 1);
        if (via == null && device == null) hop.Problems.Error(hop.Node, "expected via or interface for a way out, got neither");
        if (via is { IsLinkLocal: true } && device == null)
            hop.Error("via", $"expected the key interface beside the link-local address {via}");
        if (via is { } gateway && (gateway.IsUnspecified || gateway.IsMulticast))
            hop.Error("via", $"expected a router's address for via, got {gateway}");
        // RFC 8950: an IPv4 prefix may lead to an IPv6 gateway; the kernel knows no way round.
        if (via is { IsIPv4: true } && prefix is { Family: IpFamily.IPv6 })
            hop.Error("via", $"expected an IPv6 address for via, as {prefix} is, got {via}");
        return (new(via, 0, weight), device);
    }
}
