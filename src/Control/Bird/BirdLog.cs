using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Control.Bird;

/// <summary>All that the birdc socket can say in the log. Event ids 9000 to 9099.</summary>
internal static partial class BirdLog
{
    [LoggerMessage(9001, LogLevel.Debug, "birdc: answering on {Path}")]
    public static partial void Listening(ILogger log, string path);

    [LoggerMessage(9002, LogLevel.Information, "birdc: {Command}")]
    public static partial void Changing(ILogger log, string command);

    [LoggerMessage(9003, LogLevel.Error, "birdc: \"{Command}\" failed; the client was cut off")]
    public static partial void Failed(ILogger log, string command, Exception problem);

    [LoggerMessage(9005, LogLevel.Warning,
        "birdc: {Path} has {Count} clients, and refuses more until one goes ({Unsaid} refused since the last such line)")]
    public static partial void TooManyClients(ILogger log, string path, int count, int unsaid);

    [LoggerMessage(9004, LogLevel.Error, "birdc: {Path} could not accept a client")]
    public static partial void AcceptFailed(ILogger log, string path, Exception problem);
}
