// From the speaker's snapshots to what /v1/status, /v1/peers and /v1/kernel say.

using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Session;
using Calico.Bgp.Speaker;
using Calico.Bgp.Speaker.Plan;
using Calico.Bgp.Wire;

namespace Calico.Bgp.Control.Http;

internal static class StatusAnswers
{
    public static StatusAnswer Status(ISpeaker speaker, IDaemon daemon)
    {
        var router = speaker.Router;
        var protocols = speaker.Protocols;
        return new(
            router.Version, router.HostName, router.RouterId.ToString(), router.As.Value, router.Now, router.Started, router.Reconfigured,
            router.ShuttingDown, speaker.Ready, Health.NotReadyBecause(speaker), daemon.ConfigFile, speaker.FilterNames,
            Sessions(protocols), [.. protocols.Where(protocol => protocol.Session == null).Select(Protocol)],
            Counts(speaker.KernelStatus), Memory(speaker.Memory))
        {
            Resources = daemon.Planned is { } plan ? Resources(plan) : null,
        };
    }

    private static ResourcesAnswer Resources(PlanFollower plan) => new(
        plan.Plan.Node, plan.Plan.Release.Name,
        [
            .. plan.ResourceProblems.Select(problem => new ProblemAnswer(
                problem.Object, problem.Field, problem.Reason, problem.File, problem.Line, problem.Severity == ProblemSeverity.Error)),
            .. plan.Plan.Problems.Select(problem => new ProblemAnswer(problem.Object, problem.Field, problem.Reason, null, null, Refused: false)),
        ]);

    public static IReadOnlyList<PeerAnswer> Peers(ISpeaker speaker) =>
        [.. speaker.Protocols.Where(protocol => protocol.Session != null).Select(protocol => Peer(protocol, protocol.Session!))];

    public static PeerAnswer Peer(ProtocolStatus protocol, SessionSnapshot session)
    {
        var (settings, counters) = (session.Settings, session.Counters);
        return new(
            protocol.Name, protocol.Description, settings.PeerAddress.ToString(), settings.Interface, settings.PeerAs.Value,
            settings.LocalAs.Value, settings.PeerAs == settings.LocalAs ? "internal" : "external", protocol.Enabled, protocol.Up,
            Word(session.Phase), session.Since, protocol.Message, Fault(session.LastFault), protocol.RouteReflectorClient,
            settings.Passive, settings.Multihop, settings.Password != null, session.Negotiated is { } agreed ? Agreed(agreed) : null,
            new(session.HoldLeft?.TotalSeconds, session.KeepaliveLeft?.TotalSeconds, session.RetryLeft?.TotalSeconds),
            MessagesIn(counters), MessagesOut(counters),
            counters.AttributesDiscarded, counters.TreatedAsWithdrawn, session.EstablishedTransitions, Channels(protocol));
    }

    public static KernelAnswer Kernel(ISpeaker speaker)
    {
        var (status, state) = (speaker.KernelStatus, speaker.KernelState);
        return new(
            Counts(status),
            [.. status.Refusals.Select(refusal => new RefusalAnswer(
                refusal.Prefix.ToString(), Target(refusal.Target, state), refusal.Errno, refusal.Words, refusal.Since, refusal.Attempts))],
            [.. state.Links.Values.OrderBy(link => link.Index).Select(link => Interface(link, state))]);
    }

    public static OwnRouteAnswer OwnRoute(OwnRoute route, KernelSnapshot state) =>
        new(route.Prefix.ToString(), Target(route.Wanted, state), Target(route.Installed, state), route.Problem);

    public static HopAnswer Hop(RouteHop hop, KernelSnapshot state)
    {
        var name = hop.Interface == 0 ? null : state.Links.GetValueOrDefault(hop.Interface)?.Name ?? $"if{hop.Interface}";
        return new(hop.Gateway?.ToString(), name, hop.Weight, hop.OnLink);
    }

    public static string Word(Phase phase) => phase switch
    {
        Phase.Idle => "idle",
        Phase.Connect => "connect",
        Phase.Active => "active",
        Phase.OpenSent => "openSent",
        Phase.OpenConfirm => "openConfirm",
        _ => "established",
    };

    public static string Word(RouteType type) => type switch
    {
        RouteType.Unicast => "unicast",
        RouteType.Local => "local",
        RouteType.Broadcast => "broadcast",
        RouteType.Anycast => "anycast",
        RouteType.Multicast => "multicast",
        RouteType.Blackhole => "blackhole",
        RouteType.Unreachable => "unreachable",
        _ => "prohibit",
    };

    private static MessagesAnswer MessagesIn(MessageCounters of) =>
        new(of.OpensIn, of.UpdatesIn, of.NotificationsIn, of.KeepalivesIn, of.RefreshesIn, of.OctetsIn);

    private static MessagesAnswer MessagesOut(MessageCounters of) =>
        new(of.OpensOut, of.UpdatesOut, of.NotificationsOut, of.KeepalivesOut, of.RefreshesOut, of.OctetsOut);

    private static SessionsAnswer Sessions(IReadOnlyList<ProtocolStatus> protocols) => new(
        protocols.Count(protocol => protocol.Session != null),
        protocols.Count(protocol => protocol is { Session: not null, Enabled: true }),
        protocols.Count(protocol => protocol.Session?.Phase == Phase.Established));

    private static ProtocolAnswer Protocol(ProtocolStatus protocol) => new(
        protocol.Name, Word(protocol.Kind), protocol.Enabled, protocol.Up, protocol.Since, Channels(protocol));

    private static string Word(ProtocolKind kind) => kind switch
    {
        ProtocolKind.Device => "device",
        ProtocolKind.Direct => "direct",
        ProtocolKind.Kernel => "kernel",
        ProtocolKind.Static => "static",
        _ => "bgp",
    };

    private static IReadOnlyList<ChannelAnswer> Channels(ProtocolStatus protocol) => [.. protocol.Channels.Select(Channel)];

    private static ChannelAnswer Channel(ChannelStatus channel) => new(
        channel.Family.Word(), channel.Up, channel.Import, channel.ImportDefault, channel.Export, channel.ExportDefault, channel.NextHop,
        channel.Imported + channel.Filtered, channel.Imported, channel.Filtered, channel.Exported, channel.Preferred,
        Changes(channel.Counts));

    private static ChangesAnswer Changes(UpdateCounts counts) => new(
        counts.ImportUpdatesReceived, counts.ImportUpdatesRejected, counts.ImportUpdatesFiltered, counts.ImportUpdatesIgnored,
        counts.ImportUpdatesAccepted, counts.ImportWithdrawsReceived, counts.ImportWithdrawsRejected, counts.ImportWithdrawsIgnored,
        counts.ImportWithdrawsAccepted, counts.ExportUpdatesReceived, counts.ExportUpdatesRejected, counts.ExportUpdatesFiltered,
        counts.ExportUpdatesAccepted, counts.ExportWithdrawsReceived, counts.ExportWithdrawsAccepted);

    private static FaultAnswer? Fault(SessionFault fault) => fault.Kind switch
    {
        FaultKind.None => null,
        FaultKind.Socket => Fault(fault, "socket"),
        FaultKind.Sent => Fault(fault, "sent"),
        FaultKind.Received => Fault(fault, "received"),
        _ => Fault(fault, "stopped"),
    };

    private static FaultAnswer Fault(SessionFault fault, string kind) =>
        new(kind, fault.Text, (int?)fault.Notification?.Code, fault.Notification?.Subcode, fault.At);

    private static NegotiatedAnswer Agreed(Negotiated agreed) => new(
        agreed.PeerId.ToString(), agreed.LocalAddress.ToString(), agreed.PeerAddress.ToString(), agreed.HoldTime, Words(agreed.Families),
        agreed.FourOctetAs, agreed.ExtendedMessages, agreed.RouteRefresh, agreed.EnhancedRouteRefresh, Words(agreed.AddPathReceive),
        Words(agreed.AddPathSend), agreed.ExtendedNextHop, Words(agreed.GracefulRestart), agreed.PeerRestartTime,
        agreed.Received.Capabilities.Fqdn?.HostName);

    private static IReadOnlyList<string> Words(FamilySet families) => families switch
    {
        FamilySet.Both => ["ipv4", "ipv6"],
        FamilySet.IPv4 => ["ipv4"],
        FamilySet.IPv6 => ["ipv6"],
        _ => [],
    };

    private static KernelCountsAnswer Counts(KernelStatus status) => new(
        status.Wanted, status.Installed, status.Pending, status.Refusals.Length, status.Writes, status.Failures, status.Resyncs);

    private static MemoryAnswer Memory(MemoryReport memory) => new(
        memory.RoutingTables, memory.RouteAttributes, memory.Protocols, memory.Configuration, memory.Total, Environment.WorkingSet);

    private static TargetAnswer? Target(RouteTarget? target, KernelSnapshot state) => target == null
        ? null
        : new(Word(target.Type), [.. target.Hops.Select(hop => Hop(hop, state))], target.Metric, target.Table);

    private static InterfaceAnswer Interface(Link link, KernelSnapshot state) => new(
        link.Index, link.Name, link.IsUp, link.HasCarrier, link.Mtu, link.Mac?.ToString(),
        [.. from address in state.Addresses where address.Interface == link.Index select $"{address.Address}/{address.PrefixLength}"]);
}
