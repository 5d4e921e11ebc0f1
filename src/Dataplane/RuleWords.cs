using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Dataplane;

/// <summary>What a policy's rule asks of a packet, in words.</summary>
public static class RuleWords
{
    /// <summary>All that must hold; <c>all packets</c> where nothing is asked.</summary>
    public static string Of(PolicyRule rule)
    {
        var words = new List<string>();
        if (rule.Family is { } family) words.Add(family == IpFamily.IPv4 ? "IPv4" : "IPv6");
        if (rule.Protocol is { } protocol) words.Add($"protocol {Name(protocol)}");
        if (rule.NotProtocol is { } not) words.Add($"protocol not {Name(not)}");
        if (rule.Icmp is { } icmp) words.Add($"ICMP type {icmp}");
        if (rule.NotIcmp is { } notIcmp) words.Add($"ICMP type not {notIcmp}");
        words.AddRange(Of("source", rule.Source));
        words.AddRange(Of("destination", rule.Destination));
        return words.Count == 0 ? "all packets" : string.Join(", ", words);
    }

    private static string Name(byte protocol) => Enum.IsDefined((IpProtocol)protocol)
        ? ((IpProtocol)protocol).ToString().ToLowerInvariant() : $"{protocol}";

    private static IEnumerable<string> Of(string end, RuleEntity of)
    {
        if (of.Service is { } service) yield return $"{end} is of service {service}";
        if (of.Domains.Count > 0) yield return $"{end} has a name of {string.Join(" ", of.Domains)}";
        else if (of.In is { } selector) yield return $"{end} is in {selector}";
        if (of.NotIn is { } not) yield return $"{end} is not in {not}";
        if (of.Nets.Count > 0) yield return $"{end} in {string.Join(" ", of.Nets)}";
        if (of.NotNets.Count > 0) yield return $"{end} not in {string.Join(" ", of.NotNets)}";
        if (of.Ports.Count > 0) yield return $"{end} port {string.Join(" ", of.Ports)}";
        if (of.NotPorts.Count > 0) yield return $"{end} port not {string.Join(" ", of.NotPorts)}";
    }
}
