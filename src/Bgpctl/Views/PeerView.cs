using Calico.Bgp.Answers;

namespace Calico.Bgp.Bgpctl.Views;

/// <summary><c>bgpctl peers NAME</c>: all that is known of one neighbour.</summary>
internal static class PeerView
{
    public static Page Of(PeerAnswer peer, DateTimeOffset now) => new(
        new Section(
            new Cell($"{peer.Name}: {PeersView.Address(peer)}, {(peer.As == 0 ? "any AS" : $"AS {peer.As}")} ({peer.Type})"),
            Facts(peer, now)),
        new Section(new Cell("Routes"), Channels(peer)),
        new Section(new Cell("Messages"), Messages(peer)));

    private static Grid Facts(PeerAnswer peer, DateTimeOffset now)
    {
        var agreed = peer.Negotiated;
        return Grid.Facts(
            ("description", peer.Description),
            ("asked for by", peer.Range == null ? peer.Origin : $"{peer.Origin} ({peer.Range})"),
            ("state", PeersView.State(peer)),
            ("since", $"{PeersView.Since(peer, now)} ({Words.Count(peer.EstablishedTransitions, "session")} so far)"),
            ("its routes", Kept(peer)),
            ("message", peer.Message),
            ("last error", new(PeersView.Fault(peer.LastError, now) ?? "", peer.Up ? Tone.Faint : Tone.Bad)),
            ("last NOTIFICATION", PeersView.Fault(peer.LastNotification, now)),
            ("last socket error", PeersView.Fault(peer.LastSocketError, now)),
            ("BFD", peer.Bfd is { } bfd ? Bfd(bfd, now) : null),
            ("local", agreed == null ? $"AS {peer.LocalAs}" : $"{agreed.LocalAddress}, AS {peer.LocalAs}"),
            ("router id", agreed == null ? null : Named(agreed)),
            ("hold time", agreed == null ? null : HoldTime(agreed, peer.Timers)),
            ("next attempt", peer.Timers.Retry is { } retry ? $"in {Words.Seconds(retry)}" : null),
            ("capabilities", agreed == null ? null : Capabilities(agreed)),
            ("options", Options(peer)),
            ("bad attributes", Damage(peer)),
            ("AS_SETs", AsSets(peer)),
            ("prefix limit", Limits(peer)));
    }

    /// <summary>Null: none of an earlier session.</summary>
    private static string? Kept(PeerAnswer peer) => peer.Kept is not { } kept ? null : string.Join(", ", kept.Select(
        one => $"{one.Family} of a lost session stay for {Words.Seconds(one.SecondsLeft)}{(one.LongLived ? " as the last resort" : "")}"));

    /// <summary>Null state: there is no link on which the peer could be watched.</summary>
    public static Cell Bfd(PeerBfdAnswer bfd, DateTimeOffset now)
    {
        if (bfd.State == null) return new("not watched: it stands on no link of ours", Tone.Bad);
        var state = BfdView.State(bfd.State);
        var detection = bfd is { State: "up", DetectionTime: { } time } ? $", silence of {BfdView.Milliseconds(time)} takes it down" : "";
        var loss = BfdView.Loss(bfd.LastLoss, now) is { } last ? $"; last loss: {last}" : "";
        var problem = bfd.Problem == null ? "" : $"; {bfd.Problem}";
        return new($"{state.Text} for {Words.Span(now - bfd.Since!.Value)}{detection}{loss}{problem}", state.Tone);
    }

    private static string Named(NegotiatedAnswer agreed) =>
        agreed.PeerHostName == null ? agreed.RouterId : $"{agreed.RouterId} ({agreed.PeerHostName})";

    private static string HoldTime(NegotiatedAnswer agreed, TimersAnswer timers)
    {
        if (agreed.HoldTime == 0) return "none";
        var left = timers.Hold is { } hold ? $", {Words.Seconds(hold)} left" : "";
        var next = timers.Keepalive is { } keepalive ? $"; next keepalive in {Words.Seconds(keepalive)}" : "";
        return $"{agreed.HoldTime} s{left}{next}";
    }

    private static string Capabilities(NegotiatedAnswer agreed) => Words.Joined(
        ", ",
        string.Join(' ', agreed.Families),
        agreed.FourOctetAs ? "4-octet AS" : null,
        agreed.ExtendedMessages ? "extended messages" : null,
        agreed.EnhancedRouteRefresh ? "enhanced route refresh" : agreed.RouteRefresh ? "route refresh" : null,
        agreed.AddPathReceive.Count > 0 ? $"ADD-PATH receive ({string.Join(' ', agreed.AddPathReceive)})" : null,
        agreed.AddPathSend.Count > 0 ? $"ADD-PATH send ({string.Join(' ', agreed.AddPathSend)})" : null,
        agreed.ExtendedNextHop ? "extended next hop" : null,
        Restart(agreed), agreed.PeerStaleTimeIPv4 + agreed.PeerStaleTimeIPv6 > 0
            ? $"long-lived {Math.Max(agreed.PeerStaleTimeIPv4, agreed.PeerStaleTimeIPv6)} s" : null);

    private static string? Restart(NegotiatedAnswer agreed) => (agreed.GracefulRestart.Count, agreed.KeptByPeer.Count) switch
    {
        (0, 0) => null,
        (0, _) => "graceful restart (it keeps our routes)",
        (_, 0) => $"graceful restart {agreed.PeerRestartTime} s (we keep its routes)",
        _ => $"graceful restart {agreed.PeerRestartTime} s",
    };

    private static string Options(PeerAnswer peer) => Words.Joined(
        ", ",
        peer.Passive ? "passive" : null,
        peer.Multihop > 1 ? $"multihop {peer.Multihop}" : null,
        peer.Authenticated ? "TCP MD5" : null,
        peer.RouteReflectorClient ? "route reflector client" : null);

    private static string? Damage(PeerAnswer peer) => peer.AttributesDiscarded + peer.TreatedAsWithdrawn == 0
        ? null
        : $"{peer.AttributesDiscarded} discarded, updates treated as withdrawn: {peer.TreatedAsWithdrawn} (RFC 7606)";

    private static string? AsSets(PeerAnswer peer) => peer.Channels.Sum(channel => channel.AsSets) is > 0 and var count
        ? $"updates treated as withdrawn: {count} (RFC 9774; decision.rejectAsSets)" : null;

    private static string Limits(PeerAnswer peer) => Words.Joined(
        ", ",
        peer.Channels.Where(channel => channel.PrefixLimit != null)
            .Select(channel => $"{channel.Received} of {channel.PrefixLimit} ({channel.Family})"));

    private static Grid Channels(PeerAnswer peer) => new(
        [
            new("Family"), new("State"), new("Received", true), new("Accepted", true), new("Filtered", true), new("Advertised", true),
            new("Best", true), new("Import"), new("Export"), new("Next hop"),
        ],
        [.. peer.Channels.Select(channel => (Cell[])
            [
                channel.Family, State(peer, channel), Words.Number(channel.Received),
                Words.Number(channel.Accepted), Words.Number(channel.Filtered), Words.Number(channel.Advertised),
                Words.Number(channel.Preferred), PeersView.Import(channel), PeersView.Export(channel), channel.NextHop,
            ])]);

    private static Cell State(PeerAnswer peer, ChannelAnswer channel) => (peer.Up, channel.Up) switch
    {
        (_, true) => new("up", Tone.Good),
        (true, false) => new("not agreed on", Tone.Bad),
        _ => new("down", Tone.Bad),
    };

    private static Grid Messages(PeerAnswer peer)
    {
        var (taken, sent) = (peer.MessagesIn, peer.MessagesOut);
        return new([new("Type"), new("Received", true), new("Sent", true)],
        [
            Row("open", taken.Opens, sent.Opens), Row("update", taken.Updates, sent.Updates),
            Row("notification", taken.Notifications, sent.Notifications), Row("keepalive", taken.Keepalives, sent.Keepalives),
            Row("route refresh", taken.Refreshes, sent.Refreshes), Row("octets", taken.Octets, sent.Octets),
        ]);
    }

    private static Cell[] Row(string type, long taken, long sent) => [type, Words.Number(taken), Words.Number(sent)];
}
