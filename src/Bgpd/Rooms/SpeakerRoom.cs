using Calico.Bgp.Answers;
using Calico.Bgp.Net;
using Calico.Bgp.Speaker;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Bgpd.Rooms;

/// <summary>The sessions and the tables. It speaks to nobody before all rooms are there; the resources move it from then on.</summary>
internal sealed class SpeakerRoom(
    Start start, KernelRoom kernel, BfdRoom bfd, SourcesRoom sources, Loops loops, TimeProvider time, ILoggerFactory logs,
    ILogger<SpeakerRoom> log) : Room
{
    /// <summary>Programs that speak BIRD's protocol take the first digit of the version for the dialect.</summary>
    private const string BirdDialectVersion = "2.0.12";

    private SpeakerLoop? loop;

    public SpeakerLoop Loop => loop ?? throw new InvalidOperationException("the speaker has not been made yet");
    public SpeakerView View => new(Loop, Release.Version);
    public SpeakerView BirdView => new(Loop, $"{BirdDialectVersion}-bgpd-{Release.Version}");

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        loop = new(sources.Resources?.Plan?.Joined ?? start.Config.Speaker, kernel.Loop, loops, time, logs, bfd.Share());
        return Task.CompletedTask;
    }

    public override async Task StartedAsync(CancellationToken cancellationToken)
    {
        var from = start.From;
        if (from != null) await from.AskAsync(cancellationToken);
        await Loop.StartAsync(from);
        if (sources.Resources is { } resources)
        {
            if (from != null) await resources.TakeOverAsync(from.State.Trials);
            await resources.FollowAsync(Loop);
        }
        if (from == null) return;
        await Loop.TakeOverAsync(from);
        log.TakenOver(from.State.Release, from.State.Peers.Count(peer => peer.Life != null), from.State.Peers.Length);
        await from.EndedAsync(cancellationToken);
        await kernel.BeginWritingAsync(cancellationToken);
    }

    protected override ValueTask LeaveAsync() => loop?.DisposeAsync() ?? default;
}
