using Calico.Bgp.Kernel;
using Calico.Bgp.Speaker;
using Calico.Bgp.Wire;

namespace Calico.Bgp.Configuration;

/// <summary>A configuration in plain lines, for <c>--check</c>: what would be listened on, who is spoken to, what is let through.</summary>
internal static class ConfigDescription
{
    public static IEnumerable<string> Lines(DaemonConfig config)
    {
        var speaker = config.Speaker;
        yield return $"router {speaker.RouterId}, AS {speaker.As}, node {speaker.HostName}";
        yield return $"listen {string.Join(", ", speaker.Listen)} port {speaker.ListenPort}";
        foreach (var peer in speaker.Peers) yield return $"peer {peer.Session.Name}: {Place(peer.Session)} {Peer(peer)}";
        foreach (var range in speaker.Ranges)
            yield return $"peers {range.Each.Session.Name}_*: {range.Limit} at most from {range.Range}, {Peer(range.Each)}";
        foreach (var link in speaker.Links)
            yield return $"peer {link.Each.Session.Name}: whoever is on {link.Interface}, {Peer(link.Each)}";
        foreach (var route in speaker.Routes) yield return Route(route);
        foreach (var filter in speaker.Filters) yield return $"filter {filter.Name}";
        yield return Kernel(speaker.Kernel);
        if (config.Nat is { } nat) yield return Nat(nat);
        if (config.Policy is { } policy)
            yield return policy.Enabled ? "policy: enforced" : "policy: off, rules of an earlier run are removed";
        if (config.Services is { } services)
            yield return services.Enabled
                ? $"services: translated, {services.Translations.Count} of this file{(services.Kubernetes ? " and Kubernetes'" : "")}"
                : "services: off, rules of an earlier run are removed";
        if (config.Egress is { } egress)
            yield return egress.Enabled ? "egress: pods leave by the gateways that they choose"
                : "egress: off, rules of an earlier run are removed";
        if (config.Control.Socket is { } socket) yield return $"birdc {socket}";
        foreach (var http in config.Control.Http) yield return $"http {http}";
    }

    private static string Nat(Dataplane.NatSettings nat) => nat.Enabled
        ? $"nat: what leaves the pools is translated{Upstream(nat.Upstream)}" : "nat: off, rules of an earlier run are removed";

    private static string Upstream(Dataplane.UpstreamSettings upstream)
    {
        var who = upstream.AllPeers ? ["all peers"] : upstream.Peers.ToArray();
        if (upstream.Community is { } community) who = [.. who, $"who announces a default route with {community}"];
        return who.Length == 0 ? "" : $", but for what the network translates: {string.Join(", ", who)}";
    }

    private static string Peer(PeerConfig peer)
    {
        var session = peer.Session;
        var kind = session.LocalAs != session.PeerAs ? "external" : peer.RouteReflectorClient ? "internal, client" : "internal";
        var state = session.Shutdown ? ", shut down" : session.Passive ? ", passive" : "";
        var import = $"import {peer.Import.Name}{Unsaid(peer.ImportDefaulted)}";
        var whose = session.TakesAnyExternalAs ? "any AS" : $"AS {session.PeerAs}";
        return $"{whose} ({kind}{state}), {Families(session.Families)}, {import}, "
            + $"export {peer.Export.Name}{Unsaid(peer.ExportDefaulted)}";
    }

    private static string Place(Session.SessionSettings session)
    {
        var place = session.Interface == null ? $"{session.PeerAddress}" : $"{session.PeerAddress}%{session.Interface}";
        return session.PeerPort == 179 ? place : $"{place} port {session.PeerPort}";
    }

    private static string Unsaid(bool defaulted) => defaulted ? " (nothing configured, RFC 8212)" : "";

    private static string Families(FamilySet set) =>
        set switch { FamilySet.IPv4 => "ipv4", FamilySet.IPv6 => "ipv6", _ => "ipv4 and ipv6" };

    private static string Route(OwnRouteConfig route)
    {
        if (route.Type != RouteType.Unicast) return $"route {route.Prefix} {route.Type.ToString().ToLowerInvariant()}";
        var hops = route.Hops.Select((hop, i) => Hop(hop, route.Interfaces[i], route.Hops.Length > 1));
        return $"route {route.Prefix} {string.Join(", ", hops)}";
    }

    private static string Hop(RouteHop hop, string? device, bool weighed) => string.Join(" ", new[]
    {
        hop.Gateway is { } gateway ? $"via {gateway}" : null,
        device == null ? null : $"dev {device}",
        weighed ? $"weight {hop.Weight}" : null,
    }.OfType<string>());

    private static string Kernel(KernelConfig kernel)
    {
        var through = kernel.Export is { } export ? $" through {export.Name}" : "";
        var learns = kernel.Learn ? ", foreign ones are learned" : "";
        return kernel.InstallRoutes
            ? $"kernel: routes go into table {kernel.Table} as protocol {kernel.Protocol}{through}{learns}"
            : $"kernel: no routes are installed{learns}";
    }
}
