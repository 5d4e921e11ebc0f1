using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Bgpd;

/// <summary>Everything that the daemon itself can say. Event ids 1000 to 1999.</summary>
internal static partial class DaemonLog
{
    [LoggerMessage(1000, LogLevel.Information, "bgpd {Version} runs with {File}: router id {RouterId}, AS {As}, {Peers} peers")]
    public static partial void Running(this ILogger log, string version, string file, RouterId routerId, Asn @as, int peers);

    [LoggerMessage(1024, LogLevel.Information, "{Program} is started to take over within {Time}")]
    public static partial void Upgrading(this ILogger log, string program, string time);

    [LoggerMessage(1025, LogLevel.Information, "process {Process} ({Release}) has taken over in {Time}: this one ends")]
    public static partial void Upgraded(this ILogger log, int process, string release, string time);

    [LoggerMessage(1026, LogLevel.Error, "{Program} has not taken over, this process goes on: {Reason}")]
    public static partial void NotUpgraded(this ILogger log, string program, string reason);

    [LoggerMessage(1027, LogLevel.Information, "taken over from the process before (bgpd {Release}): {Sessions} sessions, {Peers} peers")]
    public static partial void TakenOver(this ILogger log, string release, int sessions, int peers);

    [LoggerMessage(1001, LogLevel.Critical, "cannot run: {Reason}")]
    public static partial void CannotRun(this ILogger log, string reason);

    [LoggerMessage(1040, LogLevel.Information, "a gateway with {Addresses}: VXLAN network {Network}, port {Port}")]
    public static partial void EgressPodStands(this ILogger log, string addresses, uint network, ushort port);

    [LoggerMessage(1041, LogLevel.Information, "/readiness is answered on port {Port}")]
    public static partial void EgressPodListens(this ILogger log, int port);

    [LoggerMessage(1042, LogLevel.Information, "the gateway is {State}")]
    public static partial void EgressPodIs(this ILogger log, string state);

    [LoggerMessage(1002, LogLevel.Information, "ending: routes stay in the kernel")]
    public static partial void Ending(this ILogger log);

    [LoggerMessage(1003, LogLevel.Error, "{File} is not taken, the old configuration stays: {Errors}")]
    public static partial void Refused(this ILogger log, string file, string errors);

    [LoggerMessage(1004, LogLevel.Information, "{File} is taken: {Changes}")]
    public static partial void Taken(this ILogger log, string file, string changes);

    [LoggerMessage(1005, LogLevel.Information, "back to the configuration before: {Changes}")]
    public static partial void Undone(this ILogger log, string changes);

    [LoggerMessage(1006, LogLevel.Error, "the configuration could not be changed because of a mistake in this program")]
    public static partial void ConfigureFailed(this ILogger log, Exception mistake);

    [LoggerMessage(1007, LogLevel.Information, "the resources changed: {Changes}")]
    public static partial void ResourcesTaken(this ILogger log, string changes);

    [LoggerMessage(1008, LogLevel.Error, "refused, its last good version stays: {Problem}")]
    public static partial void ResourceRefused(this ILogger log, ResourceProblem problem);

    [LoggerMessage(1050, LogLevel.Error, "refused, and no good version of it is known, so that it has no effect: {Problem}")]
    public static partial void ResourceWithoutEffect(this ILogger log, ResourceProblem problem);

    [LoggerMessage(1009, LogLevel.Warning, "{Problem}")]
    public static partial void ResourceDoubtful(this ILogger log, ResourceProblem problem);

    [LoggerMessage(1012, LogLevel.Error, "{Reason}; BGP goes on, and packets meet whatever rules are there")]
    public static partial void NatImpossible(this ILogger log, string reason);

    [LoggerMessage(1030, LogLevel.Warning,
        "no rules of an earlier run are there, and the sources have not been read: until they are, workloads are closed, but for "
        + "connections that have begun before")]
    public static partial void Closed(this ILogger log);

    [LoggerMessage(1043, LogLevel.Warning,
        "an earlier run has left rules without network policy, and the sources have not been read: until they are, workloads are closed, "
        + "but for connections that have begun before")]
    public static partial void ClosedBeside(this ILogger log);

    [LoggerMessage(1044, LogLevel.Warning,
        "an earlier run has left table inet {Table}, which enforces network policy, and bgpd.yaml asks for nothing in it: it is removed, "
        + "and nothing is denied by it")]
    public static partial void Left(this ILogger log, string table);

    [LoggerMessage(1045, LogLevel.Warning,
        "what workloads' interfaces are called is not kept for the next start: {File}: {Reason}")]
    public static partial void WorkloadsNotKnown(this ILogger log, string file, string reason);

    [LoggerMessage(1031, LogLevel.Warning,
        "an earlier run has closed workloads until the sources are read, and bgpd.yaml does not ask for that any more: they are open")]
    public static partial void Opened(this ILogger log);

    [LoggerMessage(1046, LogLevel.Warning,
        "this run ends before it has begun: workloads, which it had closed until the sources are read, are open, and no network policy is "
        + "in force")]
    public static partial void OpenedAgain(this ILogger log);

    [LoggerMessage(1047, LogLevel.Warning,
        "this run ends before it has begun: workloads stay closed, as they were before it; `bgpd --flush` opens them")]
    public static partial void StayClosed(this ILogger log);

    [LoggerMessage(1048, LogLevel.Error,
        "this run ends before it has begun, and workloads stay closed, as its rules cannot be removed ({Reason}); `bgpd --flush` opens "
        + "them")]
    public static partial void NotOpened(this ILogger log, string reason);

    [LoggerMessage(1049, LogLevel.Error,
        "what was tried could not be taken back in time: its rules stay in force until the next start")]
    public static partial void TrialStays(this ILogger log);

    [LoggerMessage(1013, LogLevel.Warning,
        "bgpd.yaml asks for nothing in table inet {Table} any more: it is removed, and nothing new is translated or denied")]
    public static partial void NatGone(this ILogger log, string table);

    [LoggerMessage(1032, LogLevel.Warning, "bgpd.yaml asks for no network policy any more: nothing is denied by it")]
    public static partial void PolicyGone(this ILogger log);

    [LoggerMessage(1014, LogLevel.Error, "bgpd.yaml asks for nothing in table inet {Table} any more, but it cannot be removed: {Words}")]
    public static partial void NatStays(this ILogger log, string table, string words);

    [LoggerMessage(1028, LogLevel.Warning, "gateways' addresses are not told of on {Link}: {Words}")]
    public static partial void NotClaimed(this ILogger log, string link, string words);

    [LoggerMessage(1016, LogLevel.Error, "the watchdog is not told that the daemon is alive: {Reason}")]
    public static partial void NotAlive(this ILogger log, string reason);

    [LoggerMessage(1017, LogLevel.Warning,
        "ended without waiting longer for what does not end: a file system that does not answer, for one")]
    public static partial void NotAllEnded(this ILogger log);

    [LoggerMessage(1018, LogLevel.Warning, "CalicoNodeStatus/{Name} is not written: {Reason}")]
    public static partial void StatusNotWritten(this ILogger log, string name, string reason);

    [LoggerMessage(1010, LogLevel.Warning, "{Place}: {Reason}")]
    public static partial void PlanDoubtful(this ILogger log, string place, string reason);
}
