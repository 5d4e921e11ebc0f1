using Calico.Bgp.Control.Status;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Sources.Kubernetes;
using Calico.Bgp.Speaker;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Bgpd;

/// <summary>
/// Writes this node's state into the CalicoNodeStatus objects that ask for it, each in its own period, and nothing where nothing has
/// changed. Where there is no API server among the sources, nobody is asked: those of a folder or of etcd stay as they are.
/// </summary>
internal sealed class NodeStatuses(
    ResourceFeed feed, KubernetesSettings cluster, string node, ISpeaker speaker, TimeProvider time, ILogger<NodeStatuses> log)
{
    private static readonly TimeSpan UsualPeriod = TimeSpan.FromSeconds(10);

    /// <param name="Written">Null: nothing yet.</param>
    private sealed record Asked(CalicoNodeStatus By, DateTimeOffset Due, byte[]? Written, string? Problem);

    private readonly Dictionary<string, Asked> asked = new(StringComparer.Ordinal);

    public async Task RunAsync(Loop loop, CancellationToken stop)
    {
        using var writer = new StatusWriter(cluster, time);
        var news = feed.ReadAsync(stop).AsTask();
        while (true)
        {
            loop.Rest();
            using var waiting = CancellationTokenSource.CreateLinkedTokenSource(stop);
            await Task.WhenAny(news, Task.Delay(Wait(), time, waiting.Token)).ConfigureAwait(false);
            await waiting.CancelAsync().ConfigureAwait(false);
            loop.Beat();
            if (news.IsCompleted)
            {
                Note((await news.ConfigureAwait(false)).After);
                news = feed.ReadAsync(stop).AsTask();
            }
            foreach (var one in asked.Values.Where(one => one.Due <= time.GetUtcNow()).ToArray())
            {
                var reporting = ReportAsync(one, writer, stop);
                await loop.WaitForAsync(reporting).ConfigureAwait(false);
                asked[one.By.Name] = await reporting.ConfigureAwait(false);
            }
        }
    }

    private TimeSpan Wait()
    {
        if (asked.Count == 0) return Timeout.InfiniteTimeSpan;
        var wait = asked.Values.Min(one => one.Due) - time.GetUtcNow();
        return wait > TimeSpan.Zero ? wait : TimeSpan.Zero;
    }

    /// <summary>A period of zero is an order not to.</summary>
    private void Note(ResourceSnapshot resources)
    {
        var orders = resources.Of(Kinds.CalicoNodeStatus).Where(order => order.Node == node && order.UpdatePeriod != TimeSpan.Zero)
            .ToDictionary(order => order.Name, StringComparer.Ordinal);
        foreach (var gone in asked.Keys.Except(orders.Keys).ToArray()) asked.Remove(gone);
        foreach (var (name, order) in orders)
            if (!asked.TryGetValue(name, out var before) || before.By != order) asked[name] = new(order, time.GetUtcNow(), null, null);
    }

    private async Task<Asked> ReportAsync(Asked one, StatusWriter writer, CancellationToken stop)
    {
        var (now, next) = (time.GetUtcNow(), time.GetUtcNow() + (one.By.UpdatePeriod ?? UsualPeriod));
        var report = await NodeStatusReport.MakeAsync(one.By.Classes, speaker, stop).ConfigureAwait(false);
        var said = report.Patch(DateTimeOffset.UnixEpoch);
        if (one.Written?.SequenceEqual(said) == true) return one with { Due = next };
        var problem = await writer.WriteAsync(one.By.Name, report.Patch(now), stop).ConfigureAwait(false);
        if (problem != null && problem != one.Problem) log.StatusNotWritten(one.By.Name, problem);
        return one with { Due = next, Written = problem == null ? said : one.Written, Problem = problem };
    }
}
