using System.Collections.Immutable;
using Calico.Bgp.Net;
using Calico.Bgp.Rib;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Session;
using Calico.Bgp.Wire;

namespace Calico.Bgp.Speaker;

/// <summary>Protocol instances as <c>show protocols</c> lists them: ours, then the peers in the order of their configuration.</summary>
internal static class ProtocolViews
{
    public const string Device = "device1", Bfd = "bfd1";

    public static IReadOnlyList<ProtocolStatus> Of(SpeakerLoop speaker)
    {
        var list = new List<ProtocolStatus> { new(Device, ProtocolKind.Device, true, true, speaker.Started) };
        list.AddRange(speaker.Sources.GroupBy(source => source.Name).Select(sources => Own(speaker, [.. sources])));
        if (speaker.Bfd.Since is { } since) list.Add(new(Bfd, ProtocolKind.Bfd, true, true, since));
        list.AddRange(speaker.Peers.Select(peer => Bgp(speaker, peer)));
        return list;
    }

    private static ProtocolStatus Own(SpeakerLoop speaker, OwnRouteSource[] sources)
    {
        var first = sources[0];
        var kind = first.Origin switch
        {
            RouteOrigin.Static => ProtocolKind.Static,
            RouteOrigin.Direct => ProtocolKind.Direct,
            _ => ProtocolKind.Kernel,
        };
        var export = kind == ProtocolKind.Kernel && speaker.Config.Kernel.InstallRoutes
            ? speaker.Config.Kernel.Export?.Name ?? "ACCEPT" : "REJECT";
        var channels = sources.Select(source => Channel(
            speaker.Rib.CountsOf(source.Index, source.Family), source.Family, source.Enabled, new("ACCEPT"), new(export), null));
        return new(first.Name, kind, first.Enabled, first.Enabled, first.Since) { Channels = [.. channels] };
    }

    private static ProtocolStatus Bgp(SpeakerLoop speaker, Peer peer)
    {
        var (config, session) = (peer.Config, peer.Session.Snapshot);
        var families = peer.Up?.Negotiated.Families ?? FamilySet.None;
        var up = session.Phase == Phase.Established;
        var channels = ImmutableArray.CreateBuilder<ChannelStatus>();
        foreach (var family in (ReadOnlySpan<IpFamily>)[IpFamily.IPv4, IpFamily.IPv6])
        {
            if (!session.Settings.Families.Has(family)) continue;
            var isAgreed = families.Has(family);
            var nextHop = isAgreed && peer.Up is { } life ? Self(life.Told, family) : null;
            channels.Add(Channel(
                speaker.Rib.CountsOf(peer.Index, family), family, up && isAgreed,
                new(config.Import.Name, config.ImportDefaulted), new(config.Export.Name, config.ExportDefaulted), nextHop) with
            {
                ReceiveLimit = config.PrefixLimit,
                IsOverLimit = peer.OverLimit?.Family == family,
            });
        }
        return new(peer.Name, ProtocolKind.Bgp, session.Enabled, up, session.Since)
        {
            Description = config.Description,
            Message = Message(peer, session),
            Channels = channels.ToImmutable(),
            Session = session,
            RouteReflectorClient = config.RouteReflectorClient,
            Drain = peer.Drain?.Status,
            Origin = config.Origin,
            Bfd = config.Bfd == null ? null : new(speaker.Bfd.Of(peer)),
            Range = peer.Range?.Range,
            Kept = [.. peer.Retention.Families.Select(
                kept => new KeptStatus(kept.Family, kept.IsLong, Positive(kept.Until - speaker.Time.GetUtcNow())))],
        };
    }

    private static TimeSpan Positive(TimeSpan left) => left > TimeSpan.Zero ? left : TimeSpan.Zero;

    /// <summary>What people said of it: the operator here, by an order or in bgpd.yaml, or the neighbour's (RFC 9003).</summary>
    private static string? Message(Peer peer, SessionSnapshot session) =>
        (peer.Drain is { } drain ? Words(drain) : null)
        ?? peer.Message ?? peer.Config.Problem ?? (session.Settings.Shutdown ? session.Settings.ShutdownText : null)
        ?? session.Faults.Why.Notification?.Text
        ?? (IsLookedFor(session) ? NotFound(session.Settings.Interface) : session.Hint);

    private static string Words(Drain drain)
    {
        var what = drain.Stage switch
        {
            DrainStage.Announced => "is being drained (graceful shutdown is said)",
            DrainStage.Withdrawn => "is being drained (all is withdrawn)",
            _ => "drained, and down until it is undrained",
        };
        return drain.Reason is { Length: > 0 } reason ? $"{what}: {reason}" : what;
    }

    private static bool IsLookedFor(SessionSnapshot session) => session is { Enabled: true, Settings.PeerAddress.IsUnspecified: true };

    private static string NotFound(string? device) => $"no neighbour on {device} yet: nobody there has said that he is a router, or called";

    private static string Self(RibPeer peer, IpFamily family) =>
        family == IpFamily.IPv6 && peer.SelfLinkLocal is { } linkLocal ? $"{peer.SelfIPv6} {linkLocal}" : peer.Self(family).ToString();

    private static ChannelStatus Channel(
        PeerCounts counts, IpFamily family, bool up, ChannelFilter import, ChannelFilter export, string? nextHop) => new(
        family, up, import, export, nextHop, new(counts.Imported, counts.Filtered, counts.Exported, counts.Preferred),
        new(
            new(counts.UpdatesReceived, counts.UpdatesRejected, counts.UpdatesFiltered, counts.UpdatesIgnored, counts.UpdatesAccepted),
            new(counts.WithdrawsReceived, 0, 0, counts.WithdrawsIgnored, counts.WithdrawsAccepted),
            new(
                counts.ExportUpdates + counts.ExportRejected + counts.ExportFiltered, counts.ExportRejected, counts.ExportFiltered, 0,
                counts.ExportUpdates),
            new(counts.ExportWithdraws, 0, 0, 0, counts.ExportWithdraws)))
        {
            AsSets = counts.AsSets,
        };
}
