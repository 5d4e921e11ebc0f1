using System.Collections.Immutable;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;

namespace Calico.Bgp.Speaker;

/// <summary>A way out of a configured route. <paramref name="Problem"/>: why it cannot be used now; null: it can.</summary>
/// <param name="Interface">Its name, where the configuration says one.</param>
public sealed record ConfiguredHop(RouteHop Hop, string? Interface, string? Problem);

/// <summary>An own route of bgpd.yaml or of the resources, whether it is in force or waits for a way out.</summary>
/// <param name="Protocol">The source that brings it into the table: static1 or static2.</param>
public sealed record ConfiguredRoute(Prefix Prefix, RouteType Type, string Protocol, ImmutableArray<ConfiguredHop> Hops)
{
    /// <summary>One way out is enough, and none is needed where packets end there.</summary>
    public bool IsActive => Hops.IsEmpty || Hops.Any(hop => hop.Problem == null);

    /// <summary>Why it is not in force; null: it is.</summary>
    public string? Problem => IsActive ? null : string.Join("; ", Hops.Select(hop => hop.Problem));

    internal static IReadOnlyList<ConfiguredRoute> Of(SpeakerLoop speaker)
    {
        var kernel = speaker.Kernel.Current;
        var names = speaker.Sources.Where(source => source is { Origin: Rib.Filters.RouteOrigin.Static, MovesItself: false })
            .ToDictionary(source => source.Family, source => source.Name);
        return [.. speaker.OwnRouteList.Select(route => Of(route, names[route.Prefix.Family], kernel))];
    }

    internal static ConfiguredRoute Of(OwnRouteConfig route, string protocol, KernelSnapshot kernel) => new(
        route.Prefix, route.Type, protocol, [.. Enumerable.Range(0, route.Hops.Length).Select(hop => HopOf(route, hop, kernel))]);

    private static ConfiguredHop HopOf(OwnRouteConfig route, int at, KernelSnapshot kernel)
    {
        var rule = OwnHops.Judge(route, at, kernel, out var hop);
        var name = OwnHops.InterfaceOf(route, at);
        return new(hop, name, rule == OwnHopRule.Usable ? null : Why.Of(rule, hop.Gateway, name));
    }
}
