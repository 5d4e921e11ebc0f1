using Calico.Bgp.Net;
using Calico.Bgp.Resources.Policies;

namespace Calico.Bgp.Dataplane.Policies.Lint;

/// <summary>Whether one rule matches all that another matches. In doubt no: two selectors, for one, are equal or are not
/// compared.</summary>
internal static class RuleCover
{
    public static bool Covers(this PolicyRule a, PolicyRule b) =>
        (a.Family == null || a.Family == b.Family) && CoversProtocol(a, b)
        && (a.Icmp is not { Type: { } type } icmp
            || (b.Icmp is { } other && other.Type == type && (icmp.Code == null || icmp.Code == other.Code)))
        && (a.NotIcmp is not { Type: not null } || a.NotIcmp == b.NotIcmp)
        && Covers(a.Source, b.Source) && Covers(a.Destination, b.Destination);

    private static bool CoversProtocol(PolicyRule a, PolicyRule b)
    {
        if (a.Protocol is { } protocol && protocol != b.Protocol) return false;
        if (a.NotProtocol is not { } not) return true;
        return b.Protocol is { } one ? one != not : b.NotProtocol == not;
    }

    private static bool Covers(RuleEntity a, RuleEntity b) =>
        (a.Nets.Count == 0 || (b.Nets.Count > 0 && b.Nets.All(net => a.Nets.Any(wide => wide.Contains(net)))))
        && a.NotNets.All(not => b.NotNets.Any(wide => wide.Contains(not)) || (b.Nets.Count > 0 && !b.Nets.Any(net => Overlap(net, not))))
        && (a.In == null || a.In.Equals(b.In)) && (a.NotIn == null || a.NotIn.Equals(b.NotIn))
        && (a.Ports.Count == 0 || (b.Ports.Count > 0 && b.Ports.All(port => a.Ports.Any(wide => Covers(wide, port)))))
        && (a.NotPorts.Count == 0 || a.NotPorts == b.NotPorts)
        && (a.Service == null || a.Service == b.Service)
        && (a.Domains.Count == 0 || (b.Domains.Count > 0 && b.Domains.All(name => a.Domains.Contains(name))));

    private static bool Overlap(Prefix a, Prefix b) => a.Contains(b) || b.Contains(a);

    private static bool Covers(PortMatch wide, PortMatch port) => wide.Name != null || port.Name != null
        ? wide.Name == port.Name : wide.First <= port.First && port.Last <= wide.Last;
}
