using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Dataplane;

/// <summary>Everything this room can say; event ids 7000 to 7099.</summary>
internal static partial class DataplaneLog
{
    [LoggerMessage(7000, LogLevel.Information, "pool {Pool}: {Treatment} ({Reason})")]
    public static partial void Treats(ILogger log, string pool, string treatment, string reason);

    [LoggerMessage(7001, LogLevel.Information, "{Count} connections were cut: a change of pools alters their treatment")]
    public static partial void Cut(ILogger log, long count);

    [LoggerMessage(7002, LogLevel.Warning, "connections whose treatment has changed cannot be cut: {Words}")]
    public static partial void CutRefused(ILogger log, string words);
}
