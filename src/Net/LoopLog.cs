using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Net;

/// <summary>All that a loop's defect is told in. Event ids 100 to 199.</summary>
internal static partial class LoopLog
{
    [LoggerMessage(100, LogLevel.Critical, "the process ends, its routes and rules stay: a mistake in this program, in the loop {Loop}")]
    public static partial void ProcessEnds(ILogger log, string loop, Exception defect);

    [LoggerMessage(101, LogLevel.Error, "the loop {Loop} begins again: a mistake in this program")]
    public static partial void StartsAgain(ILogger log, string loop, Exception defect);

    [LoggerMessage(102, LogLevel.Error, "the loop {Loop} has ended, and nothing with it: a mistake in this program")]
    public static partial void Ends(ILogger log, string loop, Exception defect);
}
