using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Capabilities;

namespace Calico.Bgp.Control.Bird.Rendering;

/// <summary>
/// The capabilities of one OPEN as <c>show protocols all</c> lists them: RFC 4760, 2918, 8950, 8654, 4724, 6793, 7911, 7313,
/// 9494, the FQDN draft and 9234, in that order.
/// </summary>
internal static class CapabilityLines
{
    public static IEnumerable<string> Of(CapabilitySet capabilities)
    {
        if (capabilities.Multiprotocol.Count > 0)
        {
            yield return "      Multiprotocol";
            yield return List("AF announced:", capabilities.Multiprotocol);
        }
        if (capabilities.RouteRefresh) yield return "      Route refresh";
        if (capabilities.ExtendedNextHop.Count > 0)
        {
            yield return "      Extended next hop";
            var overIPv6 = capabilities.ExtendedNextHop.Where(entry => entry.NextHopAfi == Family.IPv6Unicast.Afi);
            yield return List("IPv6 nexthop:", overIPv6.Select(entry => entry.Family));
        }
        if (capabilities.ExtendedMessages) yield return "      Extended message";
        foreach (var line in Restart(capabilities.GracefulRestart)) yield return line;
        if (capabilities.FourOctetAs != null) yield return "      4-octet AS numbers";
        foreach (var line in AddPath(capabilities.AddPath)) yield return line;
        if (capabilities.EnhancedRouteRefresh) yield return "      Enhanced refresh";
        if (capabilities.LongLivedHelper || capabilities.LongLived.Count > 0) yield return "      Long-lived graceful restart";
        foreach (var line in LongLived(capabilities.LongLived)) yield return line;
        if (capabilities.Fqdn is { } name) yield return $"      Hostname: {name.HostName}";
        if (capabilities.Role is { } role) yield return $"      Role: {Word(role)}";
    }

    /// <summary>Without families the speaker can only help its neighbour over a restart, and there is nothing to detail.</summary>
    private static IEnumerable<string> Restart(GracefulRestart? restart)
    {
        if (restart == null) yield break;
        yield return "      Graceful restart";
        if (restart.Families.Count == 0) yield break;
        yield return $"        Restart time: {restart.Seconds}";
        if (restart.Restarting) yield return "        Restart recovery";
        yield return List("AF supported:", restart.Families.Select(entry => entry.Family));
        yield return List("AF preserved:", restart.Families.Where(entry => entry.ForwardingPreserved).Select(entry => entry.Family));
    }

    private static IEnumerable<string> AddPath(IReadOnlyList<AddPathFamily> families)
    {
        if (families.Count == 0) yield break;
        yield return "      ADD-PATH";
        yield return List("RX:", families.Where(entry => entry.Direction.HasFlag(AddPathDirection.Receive)).Select(entry => entry.Family));
        yield return List("TX:", families.Where(entry => entry.Direction.HasFlag(AddPathDirection.Send)).Select(entry => entry.Family));
    }

    private static IEnumerable<string> LongLived(IReadOnlyList<LongLivedFamily> families)
    {
        if (families.Count == 0) yield break;
        yield return $"        LL stale time: {families.Max(entry => entry.StaleSeconds)}";
        yield return List("AF supported:", families.Select(entry => entry.Family));
        yield return List("AF preserved:", families.Where(entry => entry.ForwardingPreserved).Select(entry => entry.Family));
    }

    private static string List(string label, IEnumerable<Family> families) =>
        "        " + label + string.Concat(families.OrderBy(family => (family.Afi, family.Safi)).Select(family => " " + family));

    private static string Word(Role role) => role switch
    {
        Role.Provider => "provider",
        Role.RouteServer => "rs-server",
        Role.RouteServerClient => "rs-client",
        Role.Customer => "customer",
        Role.Peer => "peer",
        _ => "undefined",
    };
}
