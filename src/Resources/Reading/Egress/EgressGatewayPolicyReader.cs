using Calico.Bgp.Net;
using Calico.Bgp.Resources.Egress;

namespace Calico.Bgp.Resources.Reading.Egress;

/// <summary>EgressGatewayPolicy: each destination once, and no rule that says nothing (section 3.1 of calico-policy-nat.md).</summary>
internal static class EgressGatewayPolicyReader
{
    private enum Preference { None, PreferNodeLocal }

    public static EgressGatewayPolicy Read(Metadata metadata, Fields root)
    {
        var spec = root["spec"].Section();
        var seen = new HashSet<Prefix>();
        var policy = new EgressGatewayPolicy(metadata) { Rules = spec["rules"].List(rule => Rule(rule, seen)) };
        if (spec["rules"].IsAbsent || spec["rules"].IsEmptyList) spec.Error("rules", "expected a rule or more, got none");
        spec.WarnOfOthers();
        return policy;
    }

    /// <summary>ExternalNetwork: which table its routes are in.</summary>
    public static ExternalNetwork ReadNetwork(Metadata metadata, Fields root)
    {
        var spec = root["spec"].Section();
        spec["routeTableIndex"].Require("the number of a table");
        var network = new ExternalNetwork(metadata) { RouteTable = spec["routeTableIndex"].Number(1, int.MaxValue) ?? 0 };
        if (WhoseTable(network.RouteTable) is { } other)
            spec.Error("routeTableIndex", $"expected a table of the network's own, got {network.RouteTable}, which is {other}");
        spec.WarnOfOthers();
        return network;
    }

    /// <summary>By the node's own routes everything would leave as if there were no network (Calico's RouteTableRanges have none of these
    /// either), and a way's lead back to a gateway.</summary>
    private static string? WhoseTable(int number) => number switch
    {
        253 => "the kernel's (default)",
        254 => "the node's own (main)",
        255 => "the kernel's (local)",
        >= ExternalNetwork.FirstOfWays and < ExternalNetwork.FirstOfWays + ExternalNetwork.MostWays =>
            "this daemon's, for a way to gateways",
        _ => null,
    };

    private static EgressRule? Rule(Field field, HashSet<Prefix> seen)
    {
        var rule = field.Section();
        _ = rule["description"].Text();
        var (destination, gateway) = (rule["destination"].Section(), rule["gateway"]);
        var cidr = destination["cidr"].MaskedNetwork();
        if (destination["cidr"].IsAbsent && gateway.IsAbsent) field.Error("expected a destination or a gateway, got neither");
        if (!seen.Add(cidr ?? Prefix.DefaultIPv4))
            rule.Error("destination", $"expected each destination once, got {Words(cidr)} again");
        var read = new EgressRule(cidr, gateway.IsAbsent ? null : Gateway(gateway.Section()))
        {
            PrefersLocal = rule["gatewayPreference"].Choice<Preference>() == Preference.PreferNodeLocal,
        };
        destination.RefuseOthers();
        rule.RefuseOthers();
        return read;
    }

    private static string Words(Prefix? cidr) => cidr?.ToString() ?? "0.0.0.0/0 (which none stands for)";

    private static EgressChoice? Gateway(Fields gateway)
    {
        gateway["selector"].Require("a selector of gateways");
        gateway["namespaceSelector"].Require("a selector of namespaces");
        foreach (var name in (string[])["selector", "namespaceSelector"])
            if (gateway[name] is { IsAbsent: false } said && said.Text() is { Length: 0 })
                said.Error("expected a selector, got an empty one");
        var (gateways, namespaces) = (gateway["selector"].Selector(), gateway["namespaceSelector"].Selector());
        var most = gateway["maxNextHops"].Number(0, int.MaxValue) ?? 0;
        gateway.RefuseOthers();
        return gateways == null || namespaces == null ? null : new(gateways, namespaces, most);
    }
}
