using Calico.Bgp.Control.Http;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Bgpd.Rooms;

/// <summary>
/// HTTP for as long as the sources have not been read: an API server may be away for hours, and a probe that nobody answers would have the
/// daemon killed for it. <see cref="ControlRoom"/> takes its place.
/// </summary>
internal sealed class DoorstepRoom(
    Start start, ClosingRoom closing, SourcesRoom sources, Loops loops, TimeProvider time, ILoggerFactory logs) : Room
{
    private HttpDoorstep? http;

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        // The process that is taken over from answers.
        if (start.Config.Sources.IsEmpty || start.From != null) return;
        var control = start.Config.Control;
        http = new(
            [.. control.Http.Select(endpoint => endpoint.ToString())], start.Config.Speaker.HostName, control.Hosts, WaitsFor, loops, time,
            logs);
        await http.StartAsync(cancellationToken);
    }

    private string WaitsFor()
    {
        var unread = (sources.Resources?.Sources ?? []).Where(source => !source.State.HasListed).Select(
            source => $"{source.Kind} {source.Name} ({source.State.LastError?.Text ?? "it is being read"})");
        return string.Join(", ", unread) is not { Length: > 0 } names ? "the other rooms"
            : $"the sources: {names}{(closing.IsClosed ? "; until they are read workloads are closed" : "")}";
    }

    protected override ValueTask LeaveAsync() => http?.DisposeAsync() ?? default;
}
