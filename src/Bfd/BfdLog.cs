using Calico.Bgp.Net;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Bfd;

/// <summary>Everything that this room can say; event ids 8000 to 8099.</summary>
internal static partial class BfdLog
{
    [LoggerMessage(8000, LogLevel.Information, "BFD runs on a thread of its own, with {Priority}")]
    public static partial void Running(this ILogger log, string priority);

    [LoggerMessage(8001, LogLevel.Information, "BFD with {Peer}: up")]
    public static partial void Up(this ILogger log, Address peer);

    [LoggerMessage(8002, LogLevel.Warning, "BFD with {Peer}: down: {Words}")]
    public static partial void Lost(this ILogger log, Address peer, string words);

    [LoggerMessage(8003, LogLevel.Information, "BFD with {Peer}: {State}")]
    public static partial void Changed(this ILogger log, Address peer, BfdState state);

    [LoggerMessage(8004, LogLevel.Error, "BFD cannot listen: {Words}; tried again every second")]
    public static partial void CannotListen(this ILogger log, string words);
}
