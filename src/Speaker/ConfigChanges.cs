using System.Collections.Immutable;

namespace Calico.Bgp.Speaker;

/// <summary>What another configuration would change, in lines for people; which sessions it resets is part of it.</summary>
public static class ConfigChanges
{
    public static ImmutableArray<string> Between(SpeakerConfig older, SpeakerConfig newer)
    {
        var lines = ImmutableArray.CreateBuilder<string>();
        if (older.HostName != newer.HostName) lines.Add($"node: {newer.HostName}");
        if ((older.RouterId, older.As) != (newer.RouterId, newer.As)) lines.Add($"router: {newer.RouterId}, AS {newer.As}");
        Peers(older, newer, lines);
        Ranges(older, newer, lines);
        foreach (var route in newer.Routes.Except(older.Routes)) lines.Add($"route {route.Prefix}: added or changed");
        foreach (var prefix in older.Routes.Select(route => route.Prefix).Except(newer.Routes.Select(route => route.Prefix)))
            lines.Add($"route {prefix}: removed");
        foreach (var prefix in newer.Announced.Except(older.Announced)) lines.Add($"announced {prefix}: added");
        foreach (var prefix in older.Announced.Except(newer.Announced)) lines.Add($"announced {prefix}: removed");
        if (older.Decision != newer.Decision) lines.Add("decision: changed; every best path is chosen again");
        if (!older.Listen.SequenceEqual(newer.Listen) || older.ListenPort != newer.ListenPort) lines.Add("router.listen: changed");
        if (older.OnStop != newer.OnStop) lines.Add("router.onStop: changed");
        if (older.Deferral != newer.Deferral) lines.Add("router.deferral: changed");
        if (older.IsDrained != newer.IsDrained)
            lines.Add($"router.drainOnCordon: {(newer.IsDrained ? "the node is cordoned; all sessions are drained" : "over")}");
        if (older.Shards != newer.Shards) lines.Add("rib.shards: takes effect at the next start");
        if (!older.Producers.SequenceEqual(newer.Producers)) lines.Add("control.producers: changed; what is announced stays");
        KernelChanges(older.Kernel, newer.Kernel, lines);
        return lines.ToImmutable();
    }

    private static void Peers(SpeakerConfig older, SpeakerConfig newer, ImmutableArray<string>.Builder lines)
    {
        var before = Named(older).ToDictionary(peer => peer.Session.Name, StringComparer.Ordinal);
        foreach (var peer in Named(newer))
        {
            if (!before.Remove(peer.Session.Name, out var was)) lines.Add($"peer {peer.Session.Name}: added");
            else if (peer == was) continue;
            else if (peer.Session.Shutdown && !was.Session.Shutdown) lines.Add($"peer {peer.Session.Name}: shut down");
            else if (peer.Session with { Index = 0 } != was.Session with { Index = 0 })
                lines.Add($"peer {peer.Session.Name}: session settings changed, the session is reset");
            else lines.Add($"peer {peer.Session.Name}: changed, the session stays up");
        }
        foreach (var name in before.Keys) lines.Add($"peer {name}: removed");
    }

    private static IEnumerable<PeerConfig> Named(SpeakerConfig config) => config.Peers.Concat(config.Links.Select(link => link.Nobody));

    private static void Ranges(SpeakerConfig older, SpeakerConfig newer, ImmutableArray<string>.Builder lines)
    {
        var before = older.Ranges.ToDictionary(range => range.Range);
        foreach (var range in newer.Ranges)
        {
            if (!before.Remove(range.Range, out var was)) lines.Add($"peers of {range.Range}: added");
            else if (range == was) continue;
            else if (range.Each.Session != was.Each.Session)
                lines.Add($"peers of {range.Range}: session settings changed, their sessions are reset");
            else lines.Add($"peers of {range.Range}: changed, their sessions stay up");
        }
        foreach (var range in before.Keys) lines.Add($"peers of {range}: removed");
    }

    private static void KernelChanges(KernelConfig older, KernelConfig newer, ImmutableArray<string>.Builder lines)
    {
        if (older.Learn != newer.Learn) lines.Add($"kernel.learn: {(newer.Learn ? "on" : "off")}");
        if (older.Metric != newer.Metric) lines.Add($"kernel.metric: {newer.Metric}");
        if (older.IgnoredInterfaces != newer.IgnoredInterfaces) lines.Add("ignored interfaces: changed");
        if (!Equals(older.Export, newer.Export)) lines.Add("kernel.export: changed");
        if ((older.InstallRoutes, older.Table, older.Protocol) != (newer.InstallRoutes, newer.Table, newer.Protocol))
            lines.Add("kernel.installRoutes, table or protocol: takes effect at the next start");
        if (older.SweepAfter != newer.SweepAfter) lines.Add("kernel.sweepAfter: takes effect at the next start");
    }
}
