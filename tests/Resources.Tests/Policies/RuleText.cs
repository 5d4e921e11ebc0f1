using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Resources.Tests.Policies;

/// <summary>Rules in a line each, for tables.</summary>
internal static class RuleText
{
    public static string Of(PolicyRule rule)
    {
        var parts = new List<string> { rule.Action.ToString() };
        if (rule.Family is { } family) parts.Add(family.ToString());
        if (rule.Protocol is { } protocol) parts.Add($"proto {protocol}");
        if (rule.NotProtocol is { } other) parts.Add($"not proto {other}");
        if (rule.Icmp is { } icmp) parts.Add($"icmp {icmp}");
        if (rule.NotIcmp is { } notIcmp) parts.Add($"not icmp {notIcmp}");
        Add(parts, "from", rule.Source);
        Add(parts, "to", rule.Destination);
        return string.Join(" ", parts);
    }

    private static void Add(List<string> parts, string end, RuleEntity entity)
    {
        if (entity.Service is { } service) parts.Add($"{end} service {service}");
        if (entity.In is { } within) parts.Add($"{end} <{within}>");
        if (entity.NotIn is { } outside) parts.Add($"{end} not <{outside}>");
        if (entity.Nets.Count > 0) parts.Add($"{end} {entity.Nets}");
        if (entity.NotNets.Count > 0) parts.Add($"{end} not {entity.NotNets}");
        if (entity.Ports.Count > 0) parts.Add($"{end} ports {entity.Ports}");
        if (entity.NotPorts.Count > 0) parts.Add($"{end} not ports {entity.NotPorts}");
    }
}
