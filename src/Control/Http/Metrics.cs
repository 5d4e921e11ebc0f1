// /metrics. The first part has bird_exporter's names and labels, so that dashboards and alerts written for BIRD go on working;
// the second is ours, calico_bgp_; the third the process's, as every Prometheus client names it.

using Calico.Bgp.Dataplane;
using Calico.Bgp.Net;
using Calico.Bgp.Speaker;
using Microsoft.AspNetCore.Http;

namespace Calico.Bgp.Control.Http;

internal sealed class Metrics(ISpeaker speaker, IDaemon daemon, Loops loops, TimeProvider time)
{
    public async Task WriteAsync(HttpContext http, IDataplane? dataplane)
    {
        Answer.Begin(http, PrometheusText.ContentType);
        var text = new PrometheusText(http.Response.BodyWriter);
        var protocols = speaker.Protocols;
        var router = speaker.Router;
        BirdMetrics.WriteDaemon(text, router);
        foreach (var metric in BirdMetrics.OfChannels)
        {
            BirdMetrics.Write(text, metric, protocols, time.GetUtcNow());
            await http.Response.BodyWriter.FlushAsync(http.RequestAborted).ConfigureAwait(false);
        }
        BirdMetrics.WriteStates(text, protocols);
        OwnMetrics.WriteRouter(text, router, speaker.Ready, speaker.KernelStatus, speaker.Memory);
        OwnMetrics.WriteConfiguration(text, daemon, router.Started);
        OwnMetrics.WriteLoops(text, [.. loops.Status]);
        OwnMetrics.WriteSessions(text, protocols);
        OwnMetrics.WriteRoutes(text, protocols);
        BfdMetrics.Write(text, speaker);
        if (dataplane != null)
        {
            OwnMetrics.WriteNat(text, dataplane.View);
            EgressMetrics.Write(text, dataplane.Egress);
            await PolicyMetrics.WriteAsync(text, dataplane, http.RequestAborted).ConfigureAwait(false);
        }
        ProcessMetrics.Write(text);
        await http.Response.BodyWriter.FlushAsync(http.RequestAborted).ConfigureAwait(false);
    }
}
