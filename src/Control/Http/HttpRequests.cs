// What Kestrel calls for each request. Here ends whatever a handler let escape: a client that left is nothing to tell; anything else
// is our own mistake, logged once and answered with 500 where the answer has not begun.

using Calico.Bgp.Answers;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Control.Http;

internal sealed class HttpRequests(HttpRoutes routes, ILogger log) : IHttpApplication<HttpContext>
{
    public HttpContext CreateContext(IFeatureCollection contextFeatures) => new DefaultHttpContext(contextFeatures);

    public void DisposeContext(HttpContext context, Exception? exception) { }

    public async Task ProcessRequestAsync(HttpContext context)
    {
        context.Response.Headers.Server = Release.Server;
        try
        {
            await routes.AnswerAsync(context).ConfigureAwait(false);
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
    }
}

internal static partial class HttpLog
{
    [LoggerMessage(9100, LogLevel.Error, "http {Method} {Path} failed")]
    public static partial void Failed(ILogger log, string method, string? path, Exception mistake);
}
