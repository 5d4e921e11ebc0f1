using Calico.Bgp.Net;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Speaker;

/// <summary>Everything that this room can say. Event ids 4000 to 4999.</summary>
internal static partial class SpeakerLog
{
    [LoggerMessage(4000, LogLevel.Warning,
        "peer {Peer}: more than {Limit} {Family} prefixes: the session ends and stays down until it is enabled, or the limit is raised")]
    public static partial void PrefixLimitExceeded(this ILogger log, string peer, int limit, IpFamily family);

    [LoggerMessage(4002, LogLevel.Information, "peer {Peer}: its limit of prefixes was raised, and it comes back")]
    public static partial void PrefixLimitRaised(this ILogger log, string peer);

    [LoggerMessage(4001, LogLevel.Error, "cannot listen as the new configuration says ({Reason}); the old addresses stay")]
    public static partial void ListenRefused(this ILogger log, string reason);

    [LoggerMessage(4006, LogLevel.Warning, "router.listen: this host has no {Address}: sessions come in there once it has")]
    public static partial void ListenWaits(this ILogger log, Address address);

    [LoggerMessage(4007, LogLevel.Information, "router.listen: {Address} is there, and sessions come in")]
    public static partial void ListenOpened(this ILogger log, Address address);

    [LoggerMessage(
        4005, LogLevel.Warning, "{Neighbour} called, and gets no session: {Reason} ({Unsaid} more such calls since the last such line)")]
    public static partial void NewcomerRefused(this ILogger log, Address neighbour, string reason, int unsaid);

    [LoggerMessage(
        4010, LogLevel.Information,
        "restarting: {Routes} routes of an earlier run are in the kernel and stay; peers' {Families} routes are taken when all have come, "
        + "or after {Deferral}")]
    public static partial void Recovering(this ILogger log, int routes, string families, string deferral);

    [LoggerMessage(4011, LogLevel.Information, "restarted: peers' {Families} routes are taken, {After} after the start")]
    public static partial void Recovered(this ILogger log, string families, string after);

    [LoggerMessage(4012, LogLevel.Information, "{Peer}: its {Families} routes stay, stale, for {Time} at first")]
    public static partial void RoutesKept(this ILogger log, string peer, string families, string time);

    [LoggerMessage(4013, LogLevel.Information, "{Peer}: not back in time: its {Families} routes become the last resort (LLGR)")]
    public static partial void LongStale(this ILogger log, string peer, string families);

    [LoggerMessage(4014, LogLevel.Information, "{Peer}: not back in time: its stale {Families} routes go")]
    public static partial void StaleGone(this ILogger log, string peer, string families);

    [LoggerMessage(4003, LogLevel.Information, "{Peer}: a neighbour of {Range} has called: its session is made")]
    public static partial void NewcomerMade(this ILogger log, string peer, Prefix range);

    [LoggerMessage(4021, LogLevel.Information, "{Peer}: {Neighbour} is the neighbour on {Interface}")]
    public static partial void NeighbourFound(this ILogger log, string peer, Address neighbour, string @interface);

    [LoggerMessage(4022, LogLevel.Warning, "{Peer}: its neighbour cannot be looked for on {Interface}: {Reason}")]
    public static partial void DiscoveryRefused(this ILogger log, string peer, string @interface, string reason);

    [LoggerMessage(4023, LogLevel.Information, "peer {Peer}: is drained, and ends after {Wait}: {Reason}")]
    public static partial void DrainBegun(this ILogger log, string peer, string wait, string reason);

    [LoggerMessage(4024, LogLevel.Information, "peer {Peer}: is drained, and down until it is undrained")]
    public static partial void Drained(this ILogger log, string peer);

    [LoggerMessage(4025, LogLevel.Information, "{Producer} has not announced {Prefix} again in time: it is withdrawn")]
    public static partial void LeaseExpired(this ILogger log, string producer, Prefix prefix);

    [LoggerMessage(4004, LogLevel.Information, "{Peer}: down for {Patience} or longer: its session goes, until it calls again")]
    public static partial void NewcomerGone(this ILogger log, string peer, string patience);
}
