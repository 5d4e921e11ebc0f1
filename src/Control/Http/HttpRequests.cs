// What Kestrel calls for each request. Here ends whatever a handler let escape: a client that left is nothing to tell; anything else
// is our own mistake, logged once and answered with 500 where the answer has not begun.

using Calico.Bgp.Answers;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Control.Http;

internal sealed class HttpRequests(Func<HttpContext, Task> answer, ILogger log) : IHttpApplication<HttpContext>
{
    public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

    public void DisposeContext(HttpContext context, Exception? exception) { }

    public async Task ProcessRequestAsync(HttpContext context)
    {
        context.Response.Headers.Server = Release.Server;
        var visit = Visit.Of(context);
        visit.Entrance.Begin(visit);
        try
        {
            await answer(context).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            context.Abort();
        }
        catch (Exception mistake) when (mistake is not OutOfMemoryException)
        {
            HttpLog.Failed(log, context.Request.Method, context.Request.Path, mistake);
            if (context.Response.HasStarted) context.Abort();
            else await Answer.ErrorAsync(context, AnswerCode.Defect, "the daemon failed to answer; its log says why").ConfigureAwait(false);
        }
        finally
        {
            visit.Entrance.End(visit);
        }
    }
}

internal static partial class HttpLog
{
    [LoggerMessage(9100, LogLevel.Error, "http {Method} {Path} failed")]
    public static partial void Failed(ILogger log, string method, string? path, Exception mistake);

    [LoggerMessage(9101, LogLevel.Warning,
        "http: {Path} is refused: {Most} of its kind are being answered ({Unsaid} refused since the last such line)")]
    public static partial void Refused(ILogger log, string? path, int most, int unsaid);

    [LoggerMessage(9102, LogLevel.Warning,
        "http: {Most} connections are open, and those that are silent go for new ones ({Unsaid} went since the last such line)")]
    public static partial void Full(ILogger log, int most, int unsaid);
}
