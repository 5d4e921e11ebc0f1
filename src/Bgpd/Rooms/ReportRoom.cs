using Calico.Bgp.Configuration;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Bgpd.Rooms;

/// <summary>What this node reports of itself into the cluster, where there is one among the sources that it was started with.</summary>
internal sealed class ReportRoom(
    Start start, SourcesRoom sources, SpeakerRoom speaker, Loops loops, TimeProvider time, ILoggerFactory logs) : Room
{
    private readonly CancellationTokenSource ending = new();
    private ResourceFeed? feed;
    private Task reporting = Task.CompletedTask;

    public override Task StartedAsync(CancellationToken cancellationToken)
    {
        var cluster = start.Config.Sources.OfType<KubernetesSource>().FirstOrDefault();
        if (cluster == null || sources.Resources is not { } resources) return Task.CompletedTask;
        feed = resources.Subscribe(Concern.Report);
        var statuses = new NodeStatuses(
            feed, cluster.Settings, start.Config.Speaker.HostName, speaker.View, time, logs.CreateLogger<NodeStatuses>());
        reporting = loops.Start(
            "node status", OnDefect.EndProcess, loop => statuses.RunAsync(loop, ending.Token), stop: ending.Token).Ended;
        return Task.CompletedTask;
    }

    protected override async ValueTask LeaveAsync()
    {
        await ending.CancelAsync();
        await reporting;
        feed?.Dispose();
        ending.Dispose();
    }
}
