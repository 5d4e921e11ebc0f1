using System.Text.Json.Nodes;

namespace Calico.Bgp.Conformance.Packets;

/// <summary>
/// Every kind of source to every kind of destination, over every transport, in both families: who did the server see? Sources are pods of
/// pools with NAT, without, public, disabled, and of no pool; destinations lie in the same pool, here and on the other node, in another
/// pool, in a disabled one, are the node's own address, the other node's, and outside. Of each packet the daemon is asked, too, what
/// becomes of it: by its rules it has to say what was seen.
/// </summary>
internal static class Matrix
{
    private static readonly (string Name, string IPv4, string IPv6)[] Destinations =
    [
        ("same pool", "192.168.1.3", "fd01::1:3"), ("same pool, other node", Site.Remote4, Site.Remote6),
        ("other pool", "172.16.1.2", "fd02::1:2"),
        ("disabled pool", Site.Exempt4, Site.Exempt6), ("own node", Site.Node4, Site.Node6), ("other node", Site.Other4, Site.Other6),
        ("outside", Site.Outside4, Site.Outside6),
    ];

    /// <summary>Sources from pools with natOutgoing, disabled or not; destinations that are in no pool, and are not delivered
    /// here.</summary>
    private static bool IsTranslated(string source, string destination, bool exceptHosts) =>
        source is "nat" or "disabled" && (destination == "outside" || (destination == "other node" && !exceptHosts));

    public static async Task HoldsAsync(Site site, bool exceptHosts)
    {
        foreach (var transport in Enum.GetValues<Transport>())
            foreach (var ipv6 in (bool[])[false, true])
                Assert.Equal("", string.Join('\n', await WrongAsync(site, transport, ipv6, exceptHosts)));
    }

    /// <summary>A row for each source and destination that the server did not see as it should.</summary>
    private static async Task<IEnumerable<string>> WrongAsync(Site site, Transport transport, bool ipv6, bool exceptHosts)
    {
        var rows =
            from pod in Site.Pods
            where pod.Name != "nat-too"
            from destination in Destinations
            let source = ipv6 ? pod.IPv6 : pod.IPv4
            let target = ipv6 ? destination.IPv6 : destination.IPv4
            where source != target
            let expected = !IsTranslated(pod.Name, destination.Name, exceptHosts) ? source : ipv6 ? Site.Node6 : Site.Node4
            select WrongAsync(site, transport, $"{transport}, {pod.Name} to {destination.Name}", (pod.Name, source, target), expected);
        return (await Task.WhenAll(rows)).OfType<string>();
    }

    private static async Task<string?> WrongAsync(Site site, Transport transport, string what, (string Pod, string From, string To) packet,
        string expected)
    {
        var seen = (await Echo.SeenAsync(site[packet.Pod], packet.From, packet.To, transport))?.Address.ToString();
        if (seen != expected) return $"{what} ({packet.To}): expected {expected}, saw {seen ?? "nothing"}";
        var told = await ToldAsync(site, packet.From, packet.To, transport);
        return told == seen ? null : $"{what} ({packet.To}): saw {seen}, told {told}";
    }

    /// <summary>The source that the packet arrives with, as the daemon explains it.</summary>
    public static async Task<string> ToldAsync(Site site, string source, string to, Transport transport)
    {
        var protocol = transport == Transport.Icmp && to.Contains(':') ? "icmp6" : transport.ToString().ToLowerInvariant();
        var answer = await site.HttpAsync($"/v1/nat/explain?src={source}&dst={to}&protocol={protocol}");
        var explanation = JsonNode.Parse(answer)!;
        return explanation["translated"]?.GetValue<bool>() switch
        {
            true => explanation["address"]?.GetValue<string>() ?? answer,
            false => source,
            null => answer,
        };
    }
}
