using Calico.Bgp.Net;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Bgpd.Rooms;

/// <summary>The resources: read once in full before anybody is told anything.</summary>
internal sealed class SourcesRoom(Start start, Loops loops, TimeProvider time, ILoggerFactory logs) : Room
{
    /// <summary>Null: no sources, bgpd.yaml says all.</summary>
    public Resourcing? Resources { get; private set; }

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        Resources = Resourcing.Make(start.Config, loops, time, logs);
        if (Resources != null) await Resources.BeginAsync(start.Config, cancellationToken);
    }

    protected override ValueTask LeaveAsync() => Resources?.DisposeAsync() ?? default;
}
