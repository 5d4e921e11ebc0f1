// From the speaker's snapshots to what /v1/status, /v1/peers and /v1/kernel say.

using Calico.Bgp.Answers;
using Calico.Bgp.Dataplane;
using Calico.Bgp.Dataplane.Egress;
using Calico.Bgp.Kernel;
using Calico.Bgp.Kernel.Routes;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Session;
using Calico.Bgp.Speaker;
using Calico.Bgp.Speaker.Plan;
using Calico.Bgp.Wire;

namespace Calico.Bgp.Control.Http;

internal static class StatusAnswers
{
    /// <param name="saved">What outlives the daemon; null: nothing does.</param>
    public static StatusAnswer Status(ISpeaker speaker, IDaemon daemon, Loops loops, IDataplane? dataplane, SavedTranslations? saved)
    {
        var router = speaker.Router;
        var protocols = speaker.Protocols;
        return new()
        {
            Version = router.Version,
            HostName = router.HostName,
            RouterId = router.RouterId.ToString(),
            As = router.As.Value,
            Now = router.Now,
            Started = router.Started,
            Reconfigured = router.Reconfigured,
            ShuttingDown = router.ShuttingDown,
            Ready = speaker.Ready,
            NotReadyBecause = Health.NotReadyBecause(speaker),
            Recovery = router.Recovery is { } recovery
                ? new(Words(recovery.Families), recovery.Waits, recovery.Left.TotalSeconds) : null,
            ConfigFile = daemon.ConfigFile,
            LastReload = daemon.LastReload is { } last ? Reload(last) : null,
            Filters = speaker.FilterNames,
            Sessions = Sessions(protocols),
            ListenWaits = router.ListenWaits is { IsEmpty: false } waits ? [.. waits.Select(address => address.ToString())] : null,
            Drained = speaker.Protocols.Where(protocol => protocol.Drain != null).Select(protocol => protocol.Name).ToArray()
                is { Length: > 0 } drained ? drained : null,
            OverLimit = protocols.SelectMany(OverLimit).ToArray() is { Length: > 0 } over ? over : null,
            Ranges = speaker.Ranges is { Count: > 0 } ranges ? [.. ranges.Select(Range)] : null,
            Protocols = [.. protocols.Where(protocol => protocol.Session == null).Select(Protocol)],
            Kernel = Counts(speaker.KernelStatus),
            Memory = Memory(speaker.Memory),
            Loops = [.. loops.Status.Select(Loop)],
            Sources = daemon.Sources is { Count: > 0 } sources ? [.. sources.Select(source => Source(source, router.Now))] : null,
            NotInForce = dataplane?.View.Problem,
            NotSaved = saved?.Problem,
            Policy = dataplane?.Policy is { } policy && (policy.Enabled || policy.IsBeginning) ? Policy(policy) : null,
            Services = dataplane?.Services is { } services && (services.Enabled || services.IsBeginning)
                ? new(services.Translations, services.Waiting, [.. services.Problems])
                {
                    NodeTaken = services.NodeTaken.IsEmpty ? null : [.. services.NodeTaken],
                    Waits = services.IsBeginning ? PolicyAnswers.Beginning : null,
                } : null,
            Egress = dataplane?.Egress is { } egress && (egress.Enabled || egress.IsBeginning) ? Egress(egress) : null,
            Trial = daemon.Trials is { State: { Objects.IsEmpty: false } state } ? TrialOrders.Of(state.Objects, state) : null,
            Resources = daemon.Planned is { } plan ? Resources(plan, daemon) : null,
        };
    }

    private static EgressStatusAnswer Egress(EgressView egress) => new(
        egress.Gateways.Count, [.. egress.Blocked.Select(one => new EgressBlockedAnswer(one.Pod, one.Node, one.Reason))])
    {
        Refused = egress.Refused.Count == 0 ? null : [.. egress.Refused],
        Waits = egress.IsBeginning ? PolicyAnswers.Beginning : null,
    };

    private static PolicyStatusAnswer Policy(PolicyView policy) => new(
        policy.Policies, policy.Workloads, policy.Hosts, policy.Programs,
        [.. policy.Problems.Select(problem => new PolicyProblemAnswer(problem.Policy, problem.Reason))])
    {
        Waits = policy.IsBeginning ? PolicyAnswers.Beginning : null,
        WithoutInterface = policy.WithoutInterface,
    };

    private static IEnumerable<OverLimitAnswer> OverLimit(ProtocolStatus protocol) =>
        from channel in protocol.Channels
        where channel is { IsOverLimit: true, ReceiveLimit: not null }
        select new OverLimitAnswer(protocol.Name, channel.Family.Word(), channel.ReceiveLimit!.Value);

    private static RangeAnswer Range(RangeStatus range) =>
        new(range.Range.ToString(), range.Name, range.Sessions, range.Limit, range.Origin.ToString());

    private static LoopAnswer Loop(LoopStatus loop) => new(
        loop.Name, loop.Of, loop.SinceBeat.TotalSeconds, loop.InTurnFor?.TotalSeconds, loop.LongestTurn.TotalSeconds, loop.Defects,
        loop.HasFailed);

    private static LastReloadAnswer Reload(ReloadStatus last) => new(
        last.At, last.File, last.Refused == null,
        last.Refused is { } why ? new(AnswerCode.ConfigurationRefused, why.ToString(), why.Where) : null);

    private static SourceAnswer Source(SourceStatus source, DateTimeOffset now) => new(
        source.Kind, source.Name, source.State.InSyncSince, source.Objects,
        source.State.LastError is { } error ? new(error.At, error.Text) : null, source.Lag(now)?.TotalSeconds)
    {
        Withheld = source.State.Withheld is { } withheld ? new(withheld.Files, withheld.Until) : null,
    };

    private static ResourcesAnswer Resources(PlanFollower plan, IDaemon daemon) => new(
        plan.Plan.Node, plan.Plan.Release.Name,
        [
            .. plan.ResourceProblems.Select(problem => new ProblemAnswer(
                problem.Object, problem.Field, problem.Reason, problem.File, problem.Line, problem.Severity == ProblemSeverity.Error)
            {
                WithoutEffect = problem.IsWithoutEffect,
            }),
            .. plan.Plan.Problems.Select(problem => Doubt(problem, PlaceOf(problem.Object, plan, daemon))),
        ]);

    private static ProblemAnswer Doubt(PlanProblem problem, ResourcePlace? place) =>
        new(problem.Object, problem.Field, problem.Reason, place?.File, place?.Line, Refused: false);

    /// <summary>Of an object that asks for one of this node's peers, as of a missing Secret; others' places are not kept.</summary>
    private static ResourcePlace? PlaceOf(string resource, PlanFollower plan, IDaemon daemon) =>
        plan.Plan.Peers.FirstOrDefault(peer => peer.Origin.ToString() == resource) is { } asked ? daemon.PlaceOf(asked.Origin) : null;

    public static IReadOnlyList<PeerAnswer> Peers(ISpeaker speaker) =>
        [.. speaker.Protocols.Where(protocol => protocol.Session != null).Select(protocol => Peer(protocol, protocol.Session!))];

    public static PeerAnswer Peer(ProtocolStatus protocol, SessionSnapshot session)
    {
        var (settings, counters) = (session.Settings, session.Counters);
        return new()
        {
            Name = protocol.Name,
            Description = protocol.Description,
            Origin = protocol.Origin.ToString(),
            Range = protocol.Range?.ToString(),
            Address = settings.PeerAddress.ToString(),
            Interface = settings.Interface,
            As = (session.Negotiated?.PeerAs ?? settings.PeerAs).Value,
            LocalAs = settings.LocalAs.Value,
            Type = settings.PeerAs == settings.LocalAs ? "internal" : "external",
            Drain = protocol.Drain is { } drain ? new(Word(drain.Stage), drain.Reason, drain.Since, drain.Until) : null,
            Enabled = protocol.Enabled,
            Up = protocol.Up,
            State = Word(session.Phase),
            Since = session.Since,
            Message = protocol.Message,
            LastError = Fault(session.Faults.Why),
            LastNotification = Fault(session.Faults.Notification),
            LastSocketError = Fault(session.Faults.Socket),
            Bfd = protocol.Bfd is { } bfd ? BfdAnswers.Of(bfd) : null,
            RouteReflectorClient = protocol.RouteReflectorClient,
            Passive = settings.Passive,
            Multihop = settings.Multihop,
            Authenticated = settings.Password != null,
            Negotiated = session.Negotiated is { } agreed ? Agreed(agreed) : null,
            Timers = new(
                session.Left.Hold?.TotalSeconds, session.Left.Keepalive?.TotalSeconds, session.Left.Retry?.TotalSeconds),
            MessagesIn = Messages(counters.In),
            MessagesOut = Messages(counters.Out),
            AttributesDiscarded = counters.AttributesDiscarded,
            TreatedAsWithdrawn = counters.TreatedAsWithdrawn,
            EstablishedTransitions = session.EstablishedTransitions,
            Channels = Channels(protocol),
            Kept = protocol.Kept.IsEmpty ? null
                : [.. protocol.Kept.Select(kept => new KeptAnswer(kept.Family.Word(), kept.IsLong, kept.Left.TotalSeconds))],
        };
    }

    public static KernelAnswer Kernel(ISpeaker speaker)
    {
        var (status, state) = (speaker.KernelStatus, speaker.KernelState);
        return new(
            Counts(status),
            [.. status.Refusals.Select(refusal => new RefusalAnswer(
                refusal.Prefix.ToString(), Target(refusal.Target, state), refusal.Errno, refusal.Words, refusal.Since, refusal.Attempts))],
            [.. state.Links.Values.OrderBy(link => link.Index).Select(link => Interface(link, state))])
        {
            RefusedObjects = status.RefusedObjects.IsEmpty ? null : [.. status.RefusedObjects.Select(refusal => new ObjectRefusalAnswer(
                $"{refusal.Object}", refusal.Owner, refusal.Errno, refusal.Words, refusal.Since, refusal.Attempts))],
            Beside = status.Beside.IsEmpty ? null : [.. status.Beside.Select(route => Beside(route, state))],
        };
    }

    private static BesideAnswer Beside(ForeignRoute route, KernelSnapshot state) => new(
        route.Prefix.ToString(), Target(route.Target, state)!, route.Protocol == 0 ? null : RouteProtocol.Name(route.Protocol));

    public static OwnRouteAnswer OwnRoute(OwnRoute route, KernelSnapshot state) =>
        new(route.Prefix.ToString(), Target(route.Wanted, state), Target(route.Installed, state), route.Problem);

    public static HopAnswer Hop(RouteHop hop, KernelSnapshot state)
    {
        var name = hop.Interface == 0 ? null : state.Links.GetValueOrDefault(hop.Interface)?.Name ?? $"if{hop.Interface}";
        return new(hop.Gateway?.ToString(), name, hop.Weight, hop.OnLink);
    }

    private static string Word(DrainStage stage) => stage switch
    {
        DrainStage.Announced => "announced",
        DrainStage.Withdrawn => "withdrawn",
        _ => "down",
    };

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

    private static MessagesAnswer Messages(MessageCounts of) =>
        new(of.Opens, of.Updates, of.Notifications, of.Keepalives, of.Refreshes, of.Octets);

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
        ProtocolKind.Bfd => "bfd",
        _ => "bgp",
    };

    private static IReadOnlyList<ChannelAnswer> Channels(ProtocolStatus protocol) => [.. protocol.Channels.Select(Channel)];

    private static ChannelAnswer Channel(ChannelStatus channel) => new()
    {
        Family = channel.Family.Word(),
        Up = channel.Up,
        Import = channel.Import.Name,
        ImportDefault = channel.Import.IsDefault,
        Export = channel.Export.Name,
        ExportDefault = channel.Export.IsDefault,
        NextHop = channel.NextHop,
        Received = channel.Routes.Imported + channel.Routes.Filtered,
        Accepted = channel.Routes.Imported,
        Filtered = channel.Routes.Filtered,
        Advertised = channel.Routes.Exported,
        Preferred = channel.Routes.Preferred,
        PrefixLimit = channel.ReceiveLimit,
        AsSets = channel.AsSets,
        Changes = Changes(channel.Counts),
    };

    private static ChangesAnswer Changes(UpdateCounts counts) => new()
    {
        ImportUpdatesReceived = counts.ImportUpdates.Received,
        ImportUpdatesRejected = counts.ImportUpdates.Rejected,
        ImportUpdatesFiltered = counts.ImportUpdates.Filtered,
        ImportUpdatesIgnored = counts.ImportUpdates.Ignored,
        ImportUpdatesAccepted = counts.ImportUpdates.Accepted,
        ImportWithdrawsReceived = counts.ImportWithdraws.Received,
        ImportWithdrawsRejected = counts.ImportWithdraws.Rejected,
        ImportWithdrawsIgnored = counts.ImportWithdraws.Ignored,
        ImportWithdrawsAccepted = counts.ImportWithdraws.Accepted,
        ExportUpdatesReceived = counts.ExportUpdates.Received,
        ExportUpdatesRejected = counts.ExportUpdates.Rejected,
        ExportUpdatesFiltered = counts.ExportUpdates.Filtered,
        ExportUpdatesAccepted = counts.ExportUpdates.Accepted,
        ExportWithdrawsReceived = counts.ExportWithdraws.Received,
        ExportWithdrawsAccepted = counts.ExportWithdraws.Accepted,
    };

    private static FaultAnswer? Fault(SessionFault? fault) => fault?.Kind switch
    {
        null or FaultKind.None => null,
        FaultKind.Socket => Fault(fault, "socket"),
        FaultKind.Sent => Fault(fault, "sent"),
        FaultKind.Received => Fault(fault, "received"),
        FaultKind.Way => Fault(fault, "way"),
        _ => Fault(fault, "stopped"),
    };

    private static FaultAnswer Fault(SessionFault fault, string kind) =>
        new(kind, fault.Text, (int?)fault.Notification?.Code, fault.Notification?.Subcode, fault.At) { Detail = fault.Detail };

    private static NegotiatedAnswer Agreed(Negotiated agreed) => new()
    {
        RouterId = agreed.PeerId.ToString(),
        LocalAddress = agreed.LocalAddress.ToString(),
        PeerAddress = agreed.PeerAddress.ToString(),
        HoldTime = agreed.HoldTime,
        Families = Words(agreed.Families),
        FourOctetAs = agreed.FourOctetAs,
        ExtendedMessages = agreed.ExtendedMessages,
        RouteRefresh = agreed.RouteRefresh,
        EnhancedRouteRefresh = agreed.EnhancedRouteRefresh,
        AddPathReceive = Words(agreed.AddPathReceive),
        AddPathSend = Words(agreed.AddPathSend),
        ExtendedNextHop = agreed.ExtendedNextHop,
        GracefulRestart = Words(agreed.GracefulRestart),
        PeerRestartTime = agreed.PeerRestartTime,
        KeptByPeer = Words(agreed.KeptByPeer),
        NotificationRestart = agreed.NotificationRestart,
        PeerStaleTimeIPv4 = agreed.LongLivedIPv4,
        PeerStaleTimeIPv6 = agreed.LongLivedIPv6,
        PeerHostName = agreed.Received.Capabilities.Fqdn?.HostName,
    };

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
