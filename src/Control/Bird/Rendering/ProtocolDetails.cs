using Calico.Bgp.Session;
using Calico.Bgp.Speaker;
using Calico.Bgp.Wire;

namespace Calico.Bgp.Control.Bird.Rendering;

/// <summary>
/// The block of one protocol in <c>show protocols all</c>: the protocol's own lines, its session's, and one part for each
/// channel; an empty line ends it. Exporters parse this by its labels and columns, so what is ours alone comes after BIRD's lines.
/// </summary>
internal sealed class ProtocolDetails(Reply reply, Times times)
{
    private const int BgpPort = 179;

    public void Write(ProtocolStatus protocol)
    {
        if (protocol.Description is { Length: > 0 } description) Line($"  Description:    {description}");
        if (protocol.Message is { Length: > 0 } message) Line($"  Message:        {message}");
        if (protocol.Session is { } session) Write(protocol, session);
        foreach (var channel in protocol.Channels) Write(protocol, channel);
        Line("");
    }

    private void Write(ProtocolStatus protocol, SessionSnapshot session)
    {
        var settings = session.Settings;
        var isScoped = settings is { PeerAddress.IsLinkLocal: true } or { PeerAddress.IsUnspecified: true };
        var scope = isScoped && settings.Interface != null ? "%" + settings.Interface : "";
        Line($"  BGP state:          {SessionWords.State(protocol)}");
        Line($"    Neighbor address: {settings.PeerAddress}{scope}");
        var dialled = session.Phase == Phase.Established && !settings.Passive;
        if (dialled && settings.PeerPort != BgpPort) Line($"    Neighbor port:    {settings.PeerPort}");
        // BIRD's `neighbor external` has no such line until it knows.
        if ((session.Negotiated?.PeerAs ?? settings.PeerAs) is var peerAs && peerAs != default) Line($"    Neighbor AS:      {peerAs}");
        Line($"    Local AS:         {settings.LocalAs}");
        if (!protocol.Kept.IsEmpty) Line("    Neighbor graceful restart active");
        if (protocol.Enabled && session is { Phase: Phase.Established, Negotiated: { } negotiated }) WriteUp(protocol, session, negotiated);
        else if (protocol.Enabled) WriteStart(protocol, session);
        if (SessionWords.Error(protocol) is { Length: > 0 } error) Line($"    Last error:       {error}");
        if (session.Phase != Phase.Established) WriteFaults(session.Faults);
    }

    /// <summary>Lines of our own: both facts with their times, where BIRD has one of them.</summary>
    private void WriteFaults(SessionFaults faults)
    {
        if (faults.Notification is { } told) Line($"    Last notification: {SessionWords.Told(told, times)}");
        if (faults.Socket is { } failed && (failed != faults.Why || failed.Detail != null))
            Line($"    Last socket error: {SessionWords.Told(failed, times)}");
    }

    /// <summary>Not established: which timer the next attempt waits for.</summary>
    private void WriteStart(ProtocolStatus protocol, SessionSnapshot session)
    {
        if (session.Left.Retry is { } left)
        {
            if (session.Phase == Phase.Idle) Line($"    Error wait:       {Timer(left, session.Settings.IdleHoldTime)}");
            else if (session.Phase == Phase.Active) Line($"    Connect delay:    {Timer(left, session.Settings.ConnectRetryTime)}");
        }
        var restarting = protocol.Kept.Where(kept => !kept.IsLong).Select(kept => (TimeSpan?)kept.Left).FirstOrDefault();
        if (restarting is { } wait) Line($"    Restart timer:    {Times.Seconds(wait)}/-");
    }

    private void WriteUp(ProtocolStatus protocol, SessionSnapshot session, Negotiated negotiated)
    {
        Line($"    Neighbor ID:      {negotiated.PeerId}");
        Line("    Local capabilities");
        foreach (var line in CapabilityLines.Of(negotiated.Sent.Capabilities)) Line(line);
        Line("    Neighbor capabilities");
        foreach (var line in CapabilityLines.Of(negotiated.Received.Capabilities)) Line(line);
        Line($"    Session:          {Kind(protocol, session.Settings, negotiated)}");
        Line($"    Source address:   {negotiated.LocalAddress}");
        if (session.Left.Hold is { } hold) Line($"    Hold timer:       {Timer(hold, TimeSpan.FromSeconds(negotiated.HoldTime))}");
        if (session.Left.Keepalive is { } keepalive)
            Line($"    Keepalive timer:  {Timer(keepalive, KeepaliveTime(session.Settings, negotiated))}");
    }

    /// <summary>An internal session has no TTL limit here, which is what BIRD calls multihop.</summary>
    private static string Kind(ProtocolStatus protocol, SessionSettings settings, Negotiated negotiated) => string.Concat(
        negotiated.Internal ? "internal" : "external",
        negotiated.Internal || settings.Multihop > 1 ? " multihop" : "",
        protocol.RouteReflectorClient ? " route-reflector" : "",
        negotiated.FourOctetAs ? " AS4" : "");

    private static TimeSpan KeepaliveTime(SessionSettings settings, Negotiated negotiated) =>
        settings.KeepaliveTime is { } configured && configured.TotalSeconds * 3 <= negotiated.HoldTime
            ? configured
            : TimeSpan.FromSeconds(negotiated.HoldTime / 3);

    /// <summary>A backoff may have made the wait longer than the setting; then what is left is all that is known.</summary>
    private static string Timer(TimeSpan left, TimeSpan whole) =>
        $"{Times.Seconds(left)}/{(long)Math.Ceiling(Math.Max(left.TotalSeconds, whole.TotalSeconds))}";

    private void Write(ProtocolStatus protocol, ChannelStatus channel)
    {
        foreach (var line in ChannelLines.Of(protocol, channel)) Line(line);
    }

    private void Line(string text) => reply.Line(ReplyCode.ProtocolDetails, text);
}
