using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Sources;

/// <summary>
/// Everything that this room can say: when a source is lost or not there yet, and when it is back, once each. Event ids 5000 to 5099.
/// </summary>
internal static partial class SourcesLog
{
    [LoggerMessage(5000, LogLevel.Information, "{Kind} {Name}: in sync")]
    public static partial void InSync(this ILogger log, string kind, string name);

    [LoggerMessage(5001, LogLevel.Warning, "{Kind} {Name}: not in sync, what it said stays: {Reason}")]
    public static partial void Lost(this ILogger log, string kind, string name, string reason);

    [LoggerMessage(5002, LogLevel.Warning,
        "{Kind} {Name}: cannot be read yet, and until it has been nothing is announced, withdrawn or written: {Reason}")]
    public static partial void NotYetRead(this ILogger log, string kind, string name, string reason);
}
