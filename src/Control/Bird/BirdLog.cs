using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Control.Bird;

/// <summary>All that the birdc socket can say in the log.</summary>
internal static partial class BirdLog
{
    [LoggerMessage(7001, LogLevel.Debug, "birdc: answering on {Path}")]
    public static partial void Listening(ILogger log, string path);

    [LoggerMessage(7002, LogLevel.Information, "birdc: {Command}")]
    public static partial void Changing(ILogger log, string command);

    [LoggerMessage(7003, LogLevel.Error, "birdc: \"{Command}\" failed; the client was cut off")]
    public static partial void Failed(ILogger log, string command, Exception problem);

    [LoggerMessage(7004, LogLevel.Error, "birdc: {Path} could not accept a client")]
    public static partial void AcceptFailed(ILogger log, string path, Exception problem);
}
