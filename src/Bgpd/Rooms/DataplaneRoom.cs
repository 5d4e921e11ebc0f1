using Calico.Bgp.Control.Http;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Bgpd.Rooms;

/// <summary>What becomes of packets. The table of nftables stays when it ends.</summary>
internal sealed class DataplaneRoom(
    Start start, KernelRoom kernel, ClosingRoom closing, BfdRoom bfd, SourcesRoom sources, SpeakerRoom speaker, Loops loops,
    TimeProvider time, ILoggerFactory logs, ILogger<DataplaneRoom> log) : Room
{
    private static readonly TimeSpan TakesBackWithin = TimeSpan.FromSeconds(2);

    private Translating? translating;

    /// <summary>Translations that outlive the daemon.</summary>
    public SavedTranslations Saved { get; } = new(SavedTranslations.DefaultPath, logs.CreateLogger<SavedTranslations>());

    public Translating Translating => translating ?? throw new InvalidOperationException("the dataplane has not been made yet");

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        var announced = speaker.Loop.Producer("egress");
        if (start.Config.Egress is { Enabled: true }) speaker.Loop.Await(announced);
        var gateways = new Gateways(announced, bfd.Share(), new(kernel.Loop, kernel.Loop), GoesOn: start.From != null);
        translating = new(
            Saved, closing.Workloads, sources.Resources, kernel.Loop, kernel.Holding, speaker.View, gateways, loops, time, logs);
        return Task.CompletedTask;
    }

    public override async Task StartedAsync(CancellationToken cancellationToken)
    {
        // The speaker has taken over by then.
        if (start.From?.State.CommandLine is { } said) Translating.TakeOver(said);
        await closing.EndAsync();
        await Translating.ApplyAsync(start.Config);
    }

    /// <summary>
    /// What is tried is taken back while somebody is there to do it: its rules would stay until the next start, whenever that is.
    /// </summary>
    public override async Task StoppingAsync(CancellationToken cancellationToken)
    {
        if (translating == null || sources.Resources is not { } resources) return;
        using var patience = new CancellationTokenSource(TakesBackWithin, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            if (await resources.EndTrialAsync().WaitAsync(either.Token)) await translating.SettledAsync(either.Token);
        }
        catch (OperationCanceledException)
        {
            log.TrialStays();
        }
    }

    protected override ValueTask LeaveAsync() => translating?.DisposeAsync() ?? default;
}
