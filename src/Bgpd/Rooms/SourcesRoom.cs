using Calico.Bgp.Net;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Bgpd.Rooms;

/// <summary>The resources: read once in full before anybody is told anything.</summary>
internal sealed class SourcesRoom(Start start, Loops loops, TimeProvider time, ILogger<Resourcing> log) : Room
{
    /// <summary>Null: no sources, bgpd.yaml says all.</summary>
    public Resourcing? Resources { get; private set; }

    public override async Task StartAsync(CancellationToken cancellationToken) =>
        Resources = await Resourcing.StartAsync(start.Config, loops, time, log, cancellationToken);

    protected override ValueTask LeaveAsync() => Resources?.DisposeAsync() ?? default;
}
