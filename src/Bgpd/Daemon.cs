using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.InteropServices;
using Calico.Bgp.Answers;
using Calico.Bgp.Bgpd.Rooms;
using Calico.Bgp.Bgpd.Upgrade;
using Calico.Bgp.Configuration;
using Calico.Bgp.Kernel;
using Calico.Bgp.Resources;
using Calico.Bgp.Sources;
using Calico.Bgp.Speaker;
using Calico.Bgp.Speaker.Plan;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Systemd;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Bgpd;

/// <summary>
/// The daemon as those who give it orders see it: it takes new configurations while it runs, gives the one before back, and ends. The last
/// of the rooms to begin: who asks for another configuration before that waits.
/// </summary>
internal sealed class Daemon(
    Start start, SpeakerRoom speaking, SourcesRoom sources, DataplaneRoom dataplane, IHostApplicationLifetime life,
    Upgrading upgrading, ISystemdNotifier notifier, TimeProvider time, ILogger<Daemon> log) : Room, IDaemon
{
    private readonly SemaphoreSlim oneAtATime = new(0);
    private PosixSignalRegistration? hangUp, upgrade;
    private Taken current = new(start.File, start.Config);
    private Taken? before;
    private ITimer? undoing;

    /// <summary>A configuration in use, and the file that it is from.</summary>
    private sealed record Taken(string File, DaemonConfig Config);

    /// <summary>What a reload cannot change (log, control) is as it was then.</summary>
    private DaemonConfig Started => start.Config;
    private SpeakerLoop Speaker => speaking.Loop;
    private Resourcing? Resources => sources.Resources;

    public string ConfigFile => current.File;
    public ReloadStatus? LastReload { get; private set; }
    public DateTimeOffset? LastTaken { get; private set; }
    public IReadOnlyList<SourceStatus> Sources => Resources?.Sources ?? [];
    public PlanFollower? Planned => Resources?.Plan;
    public ITrials? Trials => Resources?.Trials;
    public ResourcePlace? PlaceOf(ResourceId resource) => Resources?.PlaceOf(resource);

    public override Task StartingAsync(CancellationToken cancellationToken)
    {
        life.ApplicationStopping.Register(log.Ending);
        Signals.HeedHangUp();
        hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
        {
            signal.Cancel = true;
            _ = AsideAsync(() => ConfigureAsync(null, undoAfter: null));
        });
        upgrade = PosixSignalRegistration.Create(Upgrading.Signal, signal =>
        {
            signal.Cancel = true;
            _ = AsideAsync(async () =>
            {
                if ((await UpgradeAsync(null, UpgradeResult.DefaultTime)).Problem == null) GiveWay(Task.CompletedTask);
            });
        });
        return Task.CompletedTask;
    }

    public override Task StartedAsync(CancellationToken cancellationToken)
    {
        var config = Planned?.Joined ?? current.Config.Speaker;
        log.Running(Release.Version, ConfigFile, config.RouterId, config.As, config.Peers.Length + config.Links.Length);
        oneAtATime.Release();
        return Task.CompletedTask;
    }

    protected override ValueTask LeaveAsync()
    {
        hangUp?.Dispose();
        upgrade?.Dispose();
        undoing?.Dispose();
        return default;
    }

    /// <summary>Nobody waits for it, so nobody else would hear of what went wrong.</summary>
    private async Task AsideAsync(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (Exception mistake)
        {
            log.ConfigureFailed(mistake);
        }
    }

    public async Task<ConfigureResult> ConfigureAsync(string? file, TimeSpan? undoAfter)
    {
        await oneAtATime.WaitAsync();
        Reloading();
        var path = file ?? ConfigFile;
        try
        {
            if (!TryRead(path, out var newer, out var problems)) return Refused(path, problems);
            var changes = await ApplyAsync(newer);
            (before, current) = (current, new(path, newer));
            Confirm();
            if (undoAfter is { } after) undoing = UndoAfter(after, current);
            log.Taken(path, InOneLine(changes));
            return TakenFrom(path, changes);
        }
        catch
        {
            BrokenOff(path);
            throw;
        }
        finally
        {
            notifier.Notify(ServiceState.Ready);
            oneAtATime.Release();
        }
    }

    /// <summary>False: it cannot be taken, nor could it be at a start.</summary>
    private bool TryRead(string path, [NotNullWhen(true)] out DaemonConfig? config, out ImmutableArray<ConfigureProblem> problems)
    {
        // Whoever opens a FIFO waits until somebody writes into it, and everybody who orders a reload after him.
        var result = FileLook.At(path) is { IsRegular: false } other
            ? ConfigResult.Failed(path, $"expected a regular file, got {other.KindInWords}") : DaemonConfig.Load(path, HostFacts.Read());
        config = result.Config;
        problems = [.. result.Errors.Select(error => new ConfigureProblem(error.Where, error.Text))];
        if (config == null || AbsentSource(config) is not { } absent) return config != null;
        (config, problems) = (null, [new(path, absent)]);
        return false;
    }

    private ConfigureResult TakenFrom(string path, ImmutableArray<string> changes)
    {
        LastTaken = time.GetUtcNow();
        LastReload = new(LastTaken.Value, path, null);
        return ConfigureResult.Taken(changes);
    }

    private ConfigureResult Refused(string path, ImmutableArray<ConfigureProblem> problems)
    {
        log.Refused(path, string.Join("; ", problems));
        LastReload = new(time.GetUtcNow(), path, problems[0]);
        return ConfigureResult.Refused(problems);
    }

    /// <summary>Whoever asked hears of the mistake itself.</summary>
    private void BrokenOff(string path) =>
        LastReload = new(time.GetUtcNow(), path, new(path, "broken off by a mistake in bgpd, of which the log says more"));

    /// <summary>sd_notify(3); the time is for Type=notify-reload.</summary>
    private void Reloading()
    {
        if (!notifier.IsEnabled) return;
        var microseconds = (long)time.GetElapsedTime(0).TotalMicroseconds;
        notifier.Notify(new ServiceState(string.Create(CultureInfo.InvariantCulture, $"RELOADING=1\nMONOTONIC_USEC={microseconds}")));
    }

    private static string InOneLine(ImmutableArray<string> changes) => changes.IsEmpty ? "nothing changed" : string.Join("; ", changes);

    /// <summary>A source that is not there says that there is nothing, and everything would be withdrawn: rather nothing changes.</summary>
    private string? AbsentSource(DaemonConfig newer)
    {
        if (Resources == null || Resources.Of.SequenceEqual(newer.Sources)) return null;
        return Hosting.AbsentFolder(newer.Sources);
    }

    private async Task<ImmutableArray<string>> ApplyAsync(DaemonConfig newer)
    {
        var others = OtherChanges(newer).ToArray();
        // Whoever comes with the sources hears of them once they have been read, and of nothing before.
        if (Resources != null && !newer.Sources.IsEmpty && !Resources.IsOf(newer)) await Resources.ReplaceAsync(newer);
        if (await dataplane.Translating.ApplyAsync(newer) is { } problem) others = [.. others, problem];
        var changes = Resources?.Plan is { } plan
            ? await plan.ApplyAsync(newer.Speaker, newer.Plan) : await Speaker.ConfigureAsync(newer.Speaker);
        return [.. changes, .. others];
    }

    public async Task<ConfigureResult> CheckAsync(string? file)
    {
        if (!TryRead(file ?? ConfigFile, out var newer, out var problems)) return ConfigureResult.Refused(problems);
        var changes = Resources?.Plan is { } plan
            ? await plan.CheckAsync(newer.Speaker, newer.Plan) : Speaker.ChangesTo(newer.Speaker);
        return ConfigureResult.Taken(changes.AddRange(OtherChanges(newer)));
    }

    /// <summary>What changes beside the speaker's part, or will at the next start. Held against what is in force.</summary>
    private IEnumerable<string> OtherChanges(DaemonConfig newer) =>
        SectionChanges.Between(Started, current.Config, Resources?.Of ?? [], newer);

    public bool Confirm()
    {
        if (Interlocked.Exchange(ref undoing, null) is not { } timer) return false;
        timer.Dispose();
        return true;
    }

    private ITimer UndoAfter(TimeSpan wait, Taken what) =>
        time.CreateTimer(_ => _ = AsideAsync(() => UndoAsync(what)), null, wait, Timeout.InfiniteTimeSpan);

    public Task<ConfigureResult?> UndoAsync() => UndoAsync(null);

    /// <param name="what">Only while this is in force and unconfirmed: time may have run out while another configuration was taken.</param>
    private async Task<ConfigureResult?> UndoAsync(Taken? what)
    {
        await oneAtATime.WaitAsync();
        Reloading();
        try
        {
            if (what != null && !ReferenceEquals(what, current)) return null;
            if (!Confirm() && what != null) return null;
            if (before is not { } older) return null;
            if (AbsentSource(older.Config) is { } absent) return Refused(older.File, [new(older.File, absent)]);
            var changes = await ApplyAsync(older.Config);
            (current, before) = (older, current);
            log.Undone(InOneLine(changes));
            return TakenFrom(older.File, changes);
        }
        catch
        {
            BrokenOff(before?.File ?? ConfigFile);
            throw;
        }
        finally
        {
            notifier.Notify(ServiceState.Ready);
            oneAtATime.Release();
        }
    }

    public Task<UpgradeResult> UpgradeAsync(string? binary, TimeSpan within) =>
        upgrading.RunAsync(binary, () => (ConfigFile, IsConfirmed: undoing == null), within, oneAtATime);

    public void GiveWay(Task answered) => _ = AsideAsync(() => upgrading.LeaveAsync(answered));

    public void Shutdown(bool forRestart)
    {
        if (forRestart) Speaker.LeaveForRestart();
        life.StopApplication();
    }
}
