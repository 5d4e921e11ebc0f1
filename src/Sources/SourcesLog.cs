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

    [LoggerMessage(5003, LogLevel.Information,
        "{File} is tried, and taken back in {Seconds} s unless it is confirmed; objects in it: {Objects}")]
    public static partial void Tried(this ILogger log, string file, int objects, double seconds);

    [LoggerMessage(5004, LogLevel.Information, "what was tried is confirmed, and stays until the next start: {Objects}")]
    public static partial void Confirmed(this ILogger log, string objects);

    [LoggerMessage(5005, LogLevel.Information, "what was tried is taken back: {Objects}")]
    public static partial void TakenBack(this ILogger log, string objects);

    [LoggerMessage(5006, LogLevel.Warning, "nobody has confirmed what was tried, and it is taken back: {Objects}")]
    public static partial void TimeIsUp(this ILogger log, string objects);

    [LoggerMessage(5009, LogLevel.Warning, "bgpd ends before anybody has confirmed what was tried, and it is taken back: {Objects}")]
    public static partial void EndedUnconfirmed(this ILogger log, string objects);

    [LoggerMessage(5008, LogLevel.Warning,
        "{File}: what the process before had tried of it is taken back, as this release does not read it: {Problem}")]
    public static partial void NotTakenOver(this ILogger log, string file, string problem);

    [LoggerMessage(5007, LogLevel.Information,
        "{Object}: its source has spoken of it, and counts again; what was confirmed of it does no longer")]
    public static partial void LetGo(this ILogger log, string @object);
}
