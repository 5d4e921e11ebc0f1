using System.Collections.Frozen;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Control.Bird.Expressions;

/// <summary>The words of expressions: what a route can be asked for, and the named constants.</summary>
internal static class Names
{
    private static readonly FrozenDictionary<string, Expression> Table = new Dictionary<string, Expression>
    {
        ["true"] = Expression.Of(Value.True),
        ["false"] = Expression.Of(Value.False),

        ["net"] = Of(ValueKind.Prefix, route => Value.Of(route.Route!.Prefix)),
        ["from"] = Of(ValueKind.Ip, route => Value.Of(route.Route!.From ?? Address.AnyIPv6)),
        ["gw"] = Of(ValueKind.Ip, route => Value.Of(route.FirstHop?.Gateway ?? Address.AnyIPv6)),
        ["ifname"] = Of(ValueKind.Text, route => Value.Of(route.Interface)),
        ["ifindex"] = Of(ValueKind.Int, route => Value.Of((uint)(route.FirstHop?.Interface ?? 0))),
        ["weight"] = Of(ValueKind.Int, route => Value.Of((uint)(route.FirstHop?.Weight ?? 0))),
        ["proto"] = Of(ValueKind.Text, route => Value.Of(route.Route!.Protocol)),
        ["source"] = Of(ValueKind.Source, route => Source(route.Route!.Origin)),
        ["dest"] = Of(ValueKind.Destination, route => Destination(route.Route!.Type)),
        ["scope"] = Of(ValueKind.Scope, _ => new(ValueKind.Scope, Universe)),
        ["preference"] = Of(ValueKind.Int, route => Value.Of(route.Route!.Preference)),
        ["igp_metric"] = Of(ValueKind.Int, route => route.Route!.IgpMetric is { } metric ? Value.Of(metric) : Value.Void),
        ["krt_source"] = Of(ValueKind.Int, route => route.Foreign is { } foreign ? Value.Of((uint)foreign.Protocol) : Value.Void),
        ["krt_metric"] = Of(ValueKind.Int, route => route.Foreign is { } foreign ? Value.Of(foreign.Target.Metric) : Value.Void),

        ["bgp_origin"] = Of(ValueKind.Origin,
            route => route.Has(AttributeType.Origin) ? new(ValueKind.Origin, (uint)route.Route!.Summary.Origin) : Value.Void),
        ["bgp_path"] = Of(ValueKind.Path, route => route.Path()),
        ["bgp_next_hop"] = Of(ValueKind.Ip, route => route.NextHop()),
        ["bgp_med"] = Of(ValueKind.Int, route => route.Number(AttributeType.MultiExitDisc)),
        ["bgp_local_pref"] = Of(ValueKind.Int, route => route.Number(AttributeType.LocalPref)),
        ["bgp_otc"] = Of(ValueKind.Int, route => route.Number(AttributeType.OnlyToCustomer)),
        ["bgp_atomic_aggr"] = Of(ValueKind.Opaque, route => Presence(route, AttributeType.AtomicAggregate)),
        ["bgp_aggregator"] = Of(ValueKind.Opaque, route => Presence(route, AttributeType.Aggregator)),
        ["bgp_community"] = List(AttributeType.Communities, ValueKind.Communities, 4),
        ["bgp_ext_community"] = List(AttributeType.ExtendedCommunities, ValueKind.ExtendedCommunities, 8),
        ["bgp_large_community"] = List(AttributeType.LargeCommunities, ValueKind.LargeCommunities, 12),
        ["bgp_originator_id"] = Of(ValueKind.Quad, route => route.Quad(AttributeType.OriginatorId)),
        ["bgp_cluster_list"] = List(AttributeType.ClusterList, ValueKind.Communities, 4),

        // BIRD's numbers, which "eval" shows.
        ["RTS_STATIC"] = Constant(ValueKind.Source, 1),
        ["RTS_INHERIT"] = Constant(ValueKind.Source, 2),
        ["RTS_DEVICE"] = Constant(ValueKind.Source, 3),
        ["RTS_BGP"] = Constant(ValueKind.Source, 11),
        ["RTD_UNICAST"] = Constant(ValueKind.Destination, 1),
        ["RTD_BLACKHOLE"] = Constant(ValueKind.Destination, 2),
        ["RTD_UNREACHABLE"] = Constant(ValueKind.Destination, 3),
        ["RTD_PROHIBIT"] = Constant(ValueKind.Destination, 4),
        ["ORIGIN_IGP"] = Constant(ValueKind.Origin, 0),
        ["ORIGIN_EGP"] = Constant(ValueKind.Origin, 1),
        ["ORIGIN_INCOMPLETE"] = Constant(ValueKind.Origin, 2),
        ["NET_IP4"] = Constant(ValueKind.NetType, 1),
        ["NET_IP6"] = Constant(ValueKind.NetType, 2),
        ["SCOPE_HOST"] = Constant(ValueKind.Scope, 0),
        ["SCOPE_LINK"] = Constant(ValueKind.Scope, 1),
        ["SCOPE_SITE"] = Constant(ValueKind.Scope, 2),
        ["SCOPE_ORGANIZATION"] = Constant(ValueKind.Scope, 3),
        ["SCOPE_UNIVERSE"] = Constant(ValueKind.Scope, Universe),
    }.ToFrozenDictionary();

    private const uint Universe = 4;

    public static bool TryGet(string name, out Expression expression) => Table.TryGetValue(name, out expression!);

    private static Expression Of(ValueKind kind, Func<RouteContext, Value> get) =>
        new(kind, route => route.Route == null ? Value.Error : get(route), false);

    private static Expression List(AttributeType type, ValueKind kind, int size) => Of(kind, route => route.List(type, kind, size));

    private static Expression Constant(ValueKind kind, uint number) => Expression.Of(new(kind, number));

    private static Value Presence(RouteContext route, AttributeType type) => route.Has(type) ? new(ValueKind.Opaque, 0) : Value.Void;

    private static Value Source(RouteOrigin origin) => new(ValueKind.Source, origin switch
    {
        RouteOrigin.Static => 1u,
        RouteOrigin.Kernel => 2,
        RouteOrigin.Direct => 3,
        _ => 11,
    });

    private static Value Destination(RouteType type) => new(ValueKind.Destination, type switch
    {
        RouteType.Unicast => 1u,
        RouteType.Blackhole => 2,
        RouteType.Prohibit => 4,
        _ => 3,
    });
}
