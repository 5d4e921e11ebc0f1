using System.Collections.Immutable;
using System.Net.Sockets;
using System.Reflection;
using System.Runtime.InteropServices;
using Calico.Bgp.Configuration;
using Calico.Bgp.Control.Bird;
using Calico.Bgp.Control.Http;
using Calico.Bgp.Kernel;
using Calico.Bgp.Speaker;
using Calico.Bgp.Speaker.Plan;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Bgpd;

/// <summary>
/// The daemon: starts the rooms in order (kernel, speaker, control), takes new configurations while it runs, and ends them in the
/// reverse order. Routes stay in the kernel when it ends.
/// </summary>
internal sealed class Daemon : IDaemon, IDisposable
{
    private const string BirdDialectVersion = "2.0.12";
    private readonly TaskCompletionSource ending = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim oneAtATime = new(1);
    private readonly SpeakerLoop speaker;
    /// <summary>Null: no sources, bgpd.yaml says all.</summary>
    private readonly Resourcing? resources;
    private readonly Translating translating;
    private readonly ILogger<Daemon> log;
    private readonly TimeProvider time;
    /// <summary>What a reload cannot change (log, control) is as it was here.</summary>
    private readonly DaemonConfig started;
    private Taken current;
    private Taken? before;
    private ITimer? undoing;

    /// <summary>A configuration in use, and the file that it is from.</summary>
    private sealed record Taken(string File, DaemonConfig Config);

    private Daemon(
        string file, DaemonConfig config, SpeakerLoop speaker, Translating translating, Resourcing? resources, TimeProvider time,
        ILogger<Daemon> log)
    {
        (started, current, this.time, this.log) = (config, new(file, config), time, log);
        (this.speaker, this.translating, this.resources) = (speaker, translating, resources);
    }

    public string ConfigFile => current.File;
    public PlanFollower? Planned => resources?.Plan;

    private static string Version =>
        typeof(Daemon).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    /// <summary>Runs until a signal or <c>birdc down</c> ends it.</summary>
    public static async Task<int> RunAsync(string path, CancellationToken stop)
    {
        var result = DaemonConfig.Load(path, HostFacts.Read());
        Checking.Tell(result);
        if (result.Config is not { } config) return 2;
        using var echo = new BirdLogEcho();
        using var logs = Logging.For(config.Log, echo);
        var log = logs.CreateLogger<Daemon>();
        try
        {
            await RunAsync(path, config, logs, echo, stop);
            return 0;
        }
        catch (Exception refused) when (refused is SocketException or IOException or UnauthorizedAccessException or InvalidOperationException)
        {
            log.CannotRun(refused.Message);
            return 1;
        }
    }

    private static async Task RunAsync(string path, DaemonConfig config, ILoggerFactory logs, BirdLogEcho echo, CancellationToken stop)
    {
        var time = TimeProvider.System;
        var options = config.Speaker.Kernel;
        await using var kernel = new KernelLoop(
            new() { Protocol = options.Protocol, Table = options.Table, InstallRoutes = options.InstallRoutes }, time, logs.CreateLogger<KernelLoop>());
        await kernel.StartAsync(stop);
        await using var resources = await Resourcing.StartAsync(config, time, logs.CreateLogger<Resourcing>(), stop);
        await using var speaker = new SpeakerLoop(resources?.Plan?.Joined ?? config.Speaker, kernel, time, logs);
        // Programs that speak BIRD's protocol take the first digit of the version for the dialect.
        var (view, birdView) = (new SpeakerView(speaker, Version), new SpeakerView(speaker, $"{BirdDialectVersion}-bgpd-{Version}"));
        await using var translating = new Translating(resources, kernel, view, time, logs);
        using var daemon = new Daemon(path, config, speaker, translating, resources, time, logs.CreateLogger<Daemon>());
        await using var birds = new Sockets(
            [.. BirdPaths(config.Control)],
            socket => new(socket, birdView, daemon, time, logs.CreateLogger<BirdSocket>()) { LogEcho = echo });
        await using var http = new HttpControl([.. config.Control.Http.Select(endpoint => endpoint.ToString())], view, daemon, time, logs)
        {
            Dataplane = translating,
        };
        using var signals = daemon.TakeSignals();
        await daemon.StartAsync(birds, http, stop);
        await daemon.ending.Task.WaitAsync(stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        daemon.log.Ending();
    }

    private async Task StartAsync(Sockets birds, HttpControl http, CancellationToken stop)
    {
        // Whoever asks for another configuration meanwhile waits until this one runs.
        await oneAtATime.WaitAsync(stop);
        birds.Start();
        await http.StartAsync(stop);
        await translating.TakeAsync(current.Config);
        await speaker.StartAsync();
        if (resources != null) await resources.FollowAsync(speaker);
        var config = resources?.Plan?.Joined ?? current.Config.Speaker;
        log.Running(Version, ConfigFile, config.RouterId, config.As, config.Peers.Length);
        oneAtATime.Release();
    }

    private static IEnumerable<string> BirdPaths(ControlConfig control) =>
        control.BirdSockets.Where(socket => socket.Dialect == BirdDialect.Bird2).Select(socket => socket.Path).Prepend(control.Socket).OfType<string>();

    /// <summary>The birdc sockets, begun and ended together.</summary>
    private sealed class Sockets(ImmutableArray<string> paths, Func<string, BirdSocket> make) : IAsyncDisposable
    {
        private readonly List<BirdSocket> sockets = [];

        public void Start()
        {
            foreach (var path in paths)
            {
                sockets.Add(make(path));
                try
                {
                    sockets[^1].Start();
                }
                catch (Exception refused) when (refused is SocketException or IOException or UnauthorizedAccessException)
                {
                    throw new IOException($"the socket {path} (control.socket) cannot be made: {WordsOf(refused)}", refused);
                }
            }
        }

        // .NET has no name for what a full file system answers to bind.
        private static string WordsOf(Exception refused) => refused is SocketException { SocketErrorCode: SocketError.SocketError }
            ? $"{refused.Message}; is the file system full?" : refused.Message;

        public async ValueTask DisposeAsync()
        {
            foreach (var socket in sockets) await socket.DisposeAsync();
        }
    }

    private sealed class Registrations(params ImmutableArray<PosixSignalRegistration> registrations) : IDisposable
    {
        public void Dispose()
        {
            foreach (var registration in registrations) registration.Dispose();
        }
    }

    private Registrations TakeSignals()
    {
        Signals.HeedHangUp();
        return new(
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, End), PosixSignalRegistration.Create(PosixSignal.SIGINT, End),
            PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
            {
                signal.Cancel = true;
                _ = AsideAsync(() => ConfigureAsync(null, soft: false, undoAfter: null));
            }));
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

    private void End(PosixSignalContext signal)
    {
        signal.Cancel = true;
        ending.TrySetResult();
    }

    public async Task<ConfigureResult> ConfigureAsync(string? file, bool soft, TimeSpan? undoAfter)
    {
        await oneAtATime.WaitAsync();
        try
        {
            var path = file ?? ConfigFile;
            var result = DaemonConfig.Load(path, HostFacts.Read());
            if (result.Config is not { } newer)
            {
                log.Refused(path, string.Join("; ", result.Errors));
                return new(string.Join('\n', result.Errors), []);
            }
            if (AbsentSource(newer) is { } absent)
            {
                log.Refused(path, absent);
                return new(absent, []);
            }
            var changes = await TakeAsync(newer);
            (before, current) = (current, new(path, newer));
            Confirm();
            if (undoAfter is { } after) undoing = UndoAfter(after, current);
            log.Taken(path, InOneLine(changes));
            return new(null, changes);
        }
        finally
        {
            oneAtATime.Release();
        }
    }

    private static string InOneLine(ImmutableArray<string> changes) => changes.IsEmpty ? "nothing changed" : string.Join("; ", changes);

    /// <summary>A source that is not there says that there is nothing, and everything would be withdrawn: rather nothing changes.</summary>
    private string? AbsentSource(DaemonConfig newer)
    {
        if (resources == null || resources.Of.SequenceEqual(newer.Sources)) return null;
        var absent = newer.Sources.OfType<FileSource>().FirstOrDefault(source => !Path.Exists(source.Folder));
        return absent == null ? null : $"sources: {absent.Folder} is not there";
    }

    private async Task<ImmutableArray<string>> TakeAsync(DaemonConfig newer)
    {
        var others = OtherChanges(newer).ToArray();
        if (await translating.TakeAsync(newer) is { } problem) others = [.. others, problem];
        if (resources != null && !newer.Sources.IsEmpty && !resources.Of.SequenceEqual(newer.Sources)) await resources.ReplaceAsync(newer);
        var changes = resources?.Plan is { } plan
            ? await plan.TakeAsync(newer.Speaker, newer.Plan) : await speaker.ConfigureAsync(newer.Speaker);
        return [.. changes, .. others];
    }

    public async Task<ConfigureResult> CheckAsync(string? file)
    {
        var result = DaemonConfig.Load(file ?? ConfigFile, HostFacts.Read());
        if (result.Config is not { } newer) return new(string.Join('\n', result.Errors), []);
        if (AbsentSource(newer) is { } absent) return new(absent, []);
        var changes = resources?.Plan is { } plan
            ? await plan.CheckAsync(newer.Speaker, newer.Plan) : speaker.ChangesTo(newer.Speaker);
        return new(null, changes.AddRange(OtherChanges(newer)));
    }

    /// <summary>What changes beside the speaker's part, or will at the next start. Held against what is in force.</summary>
    private IEnumerable<string> OtherChanges(DaemonConfig newer)
    {
        var (sockets, control) = (started.Control, newer.Control);
        if (started.Log != newer.Log) yield return "log: takes effect at the next start";
        if ((resources == null) != newer.Sources.IsEmpty) yield return "sources: takes effect at the next start";
        else if (resources?.Of.SequenceEqual(newer.Sources) == false)
            yield return "sources: others take their place once they have been read";
        var nat = current.Config.Nat;
        if (nat != newer.Nat) yield return newer.Nat == null ? "nat: removed" : nat == null ? "nat: added" : "nat: changed";
        var sameSockets = sockets.Socket == control.Socket && sockets.Http.SequenceEqual(control.Http)
            && sockets.BirdSockets.SequenceEqual(control.BirdSockets);
        if (!sameSockets) yield return "control: takes effect at the next start";
    }

    public bool Confirm()
    {
        if (Interlocked.Exchange(ref undoing, null) is not { } timer) return false;
        timer.Dispose();
        return true;
    }

    private ITimer UndoAfter(TimeSpan time, Taken what) =>
        this.time.CreateTimer(_ => _ = AsideAsync(() => UndoAsync(what)), null, time, Timeout.InfiniteTimeSpan);

    public Task<ConfigureResult?> UndoAsync() => UndoAsync(null);

    /// <param name="what">Only while this is in force and unconfirmed: time may have run out while another configuration was taken.</param>
    private async Task<ConfigureResult?> UndoAsync(Taken? what)
    {
        await oneAtATime.WaitAsync();
        try
        {
            if (what != null && !ReferenceEquals(what, current)) return null;
            if (!Confirm() && what != null) return null;
            if (before is not { } older) return null;
            if (AbsentSource(older.Config) is { } absent)
            {
                log.Refused(older.File, absent);
                return new(absent, []);
            }
            var changes = await TakeAsync(older.Config);
            (current, before) = (older, current);
            log.Undone(InOneLine(changes));
            return new(null, changes);
        }
        finally
        {
            oneAtATime.Release();
        }
    }

    public void Shutdown() => ending.TrySetResult();

    public void Dispose()
    {
        undoing?.Dispose();
        oneAtATime.Dispose();
    }
}
