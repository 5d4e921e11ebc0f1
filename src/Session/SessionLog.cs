using Calico.Bgp.Net;
using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Attributes;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Session;

/// <summary>Everything that this room can say; event ids 2000 to 2999. Text that a peer sent arrives here escaped.</summary>
internal static partial class SessionLog
{
    [LoggerMessage(2000, LogLevel.Information, "{Peer}: established with {Address} (AS {As}, id {Id}): {Families}, hold time {Hold} s")]
    public static partial void Established(
        this ILogger log, string peer, Address address, Asn @as, RouterId id, string families, ushort hold);

    [LoggerMessage(2019, LogLevel.Information, "{Peer}: taken over, established with {Address} (AS {As}): {Families}")]
    public static partial void TakenOver(this ILogger log, string peer, Address address, Asn @as, string families);

    [LoggerMessage(2001, LogLevel.Information, "{Peer}: down: {Kind}: {Reason}")]
    public static partial void Down(this ILogger log, string peer, FaultKind kind, string reason);

    [LoggerMessage(2002, LogLevel.Information, "{Peer}: not up: {Kind}: {Reason}")]
    public static partial void NotUp(this ILogger log, string peer, FaultKind kind, string reason);

    [LoggerMessage(2003, LogLevel.Debug, "{Peer}: still not up: {Kind}: {Reason}")]
    public static partial void StillNotUp(this ILogger log, string peer, FaultKind kind, string reason);

    [LoggerMessage(2004, LogLevel.Warning, "{Peer}: damaged UPDATE: {Penalty}, {Attribute}: {Expected} ({Unsaid} more since the last)")]
    public static partial void Damaged(
        this ILogger log, string peer, Penalty penalty, AttributeType attribute, string expected, int unsaid);

    [LoggerMessage(
        2014, LogLevel.Warning,
        "{Peer} announces {Prefix}, which nobody may (RFC 6890): passed over, as are others like it (counted as rejected)")]
    public static partial void Martian(this ILogger log, string peer, Prefix prefix);

    [LoggerMessage(
        2005, LogLevel.Information,
        "{Peer}: refused a further connection from {Address}: {Reason} ({Unsaid} more since the last such line)")]
    public static partial void Refused(this ILogger log, string peer, Address address, string reason, int unsaid);

    [LoggerMessage(2006, LogLevel.Debug, "{Peer}: {From} -> {To} on {Event}")]
    public static partial void Step(this ILogger log, string peer, Phase from, Phase to, string @event);

    [LoggerMessage(2010, LogLevel.Information, "listening on {Address} port {Port}")]
    public static partial void Listening(this ILogger log, Address address, int port);

    [LoggerMessage(2011, LogLevel.Warning, "connection from {Address}, no peer of ours: closed ({Unsaid} more since the last such line)")]
    public static partial void Stranger(this ILogger log, Address address, int unsaid);

    [LoggerMessage(2012, LogLevel.Error, "cannot accept connections for a moment: {Words}")]
    public static partial void AcceptFailed(this ILogger log, string words);

    [LoggerMessage(2013, LogLevel.Error, "{Peer}: the listening sockets refuse its MD5 key or hop limit: {Words}")]
    public static partial void ListenerOptionsRefused(this ILogger log, string peer, string words);

    [LoggerMessage(2090, LogLevel.Critical, "{Peer}: the session ends by a mistake in this program")]
    public static partial void ConnectionMistaken(this ILogger log, string peer, Exception mistake);
}
