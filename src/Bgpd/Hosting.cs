using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using Calico.Bgp.Bgpd.Rooms;
using Calico.Bgp.Bgpd.Upgrade;
using Calico.Bgp.Configuration;
using Calico.Bgp.Control.Bird;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Speaker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Systemd;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Bgpd;

/// <summary>
/// bgpd as a generic host: the rooms are hosted services, started in the order in which they stand here and ended in the reverse; SIGTERM
/// and SIGINT are the host's. Its defaults (settings files, environment, reflection over them) are left out: bgpd.yaml says all.
/// </summary>
internal static class Hosting
{
    /// <summary>For the rooms; docs/running.md promises 5 seconds of SIGTERM.</summary>
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan LastMoment = TimeSpan.FromSeconds(4.5);

    /// <summary>Runs until a signal or <c>birdc down</c> ends it.</summary>
    public static async Task<int> RunAsync(string path, CancellationToken stop)
    {
        Descriptors.RaiseLimit();
        var result = DaemonConfig.Load(path, HostFacts.Read());
        Checking.Tell(result);
        if (result.Config is not { } config) return 2;
        var host = Build(new(path, config) { From = Testator.Find() });
        using var lastMoment = EndsInTime(host);
        try
        {
            var log = host.Services.GetRequiredService<ILogger<Daemon>>();
            // A volume that is late at boot: begun without it the daemon would take another router id, and sweep what the node's routes
            // were.
            if (AbsentFolder(config.Sources) is not { } absent) return await RunAsync(host, log, stop);
            log.CannotRun(absent);
            return 1;
        }
        finally
        {
            host.Dispose();
        }
    }

    /// <summary>A source that is not there says that there is nothing, which nobody has said. Null: all are.</summary>
    public static string? AbsentFolder(IEnumerable<SourceConfig> sources) =>
        sources.OfType<FileSource>().FirstOrDefault(source => !Path.Exists(source.Folder)) is { } absent
            ? $"sources: {absent.Folder} is not there" : null;

    private static async Task<int> RunAsync(IHost host, ILogger<Daemon> log, CancellationToken stop)
    {
        var life = host.Services.GetRequiredService<IHostApplicationLifetime>();
        try
        {
            await host.StartAsync(stop);
            await host.WaitForShutdownAsync(stop);
            return 0;
        }
        catch (Exception refused) when (host.Services.GetRequiredService<Start>().From is { } from && !IsEnding(life, refused))
        {
            // Nothing here is ours to close: the process before goes on with it.
            log.CannotRun(Failures.WordsOf(refused));
            await from.RefuseAsync(Failures.WordsOf(refused)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            foreach (var output in host.Services.GetServices<ILoggerProvider>()) output.Dispose();
            Environment.Exit(1);
            return 1;
        }
        catch (Exception refused) when (IsRefusal(refused))
        {
            log.CannotRun(Failures.WordsOf(refused));
            await host.StopAsync(CancellationToken.None);
            return 1;
        }
        catch (OperationCanceledException) when (life.ApplicationStopping.IsCancellationRequested)
        {
            // Asked to end before it had begun, or not everything ended in time.
            await host.StopAsync(CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return 0;
        }
    }

    /// <summary>
    /// A room may be held by what nobody can interrupt: a question to a file system that does not answer (NFS, FUSE). It is not waited for.
    /// </summary>
    private static ITimer EndsInTime(IHost host)
    {
        var log = host.Services.GetRequiredService<ILogger<Daemon>>();
        var outputs = host.Services.GetServices<ILoggerProvider>();
        var timer = host.Services.GetRequiredService<TimeProvider>().CreateTimer(
            _ =>
            {
                log.NotAllEnded();
                foreach (var output in outputs) output.Dispose();
                Environment.Exit(0);
            },
            null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        var stopping = host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        stopping.Register(() => timer.Change(LastMoment, Timeout.InfiniteTimeSpan));
        return timer;
    }

    private static bool IsEnding(IHostApplicationLifetime life, Exception end) =>
        end is OperationCanceledException && life.ApplicationStopping.IsCancellationRequested;

    /// <summary>What it needs could not be had (a socket, a port, netlink).</summary>
    private static bool IsRefusal(Exception start) =>
        start is Win32Exception or IOException or UnauthorizedAccessException or InvalidOperationException;

    /// <summary>A defect in a loop that owns something (sysexits.h, EX_SOFTWARE).</summary>
    public const int Defect = 70;

    /// <summary>Names the loop that is to meet a defect, for those who want to see what becomes of it.</summary>
    private const string Drill = "BGPD_DEFECT";

    /// <summary>
    /// At once, and nobody is told: what a room owns may be half changed, and its farewell would be made of that. Peers see the connection
    /// end, and routes and rules are the next run's to adopt. Only the log is let out to its end.
    /// </summary>
    /// <param name="outputs">
    /// What lets out the lines that wait in it when it is disposed: the factory, where it made its providers; where the host has made them
    /// (a factory leaves those alone), the providers.
    /// </param>
    public static Loops Watched(TimeProvider time, ILoggerFactory logs, params IEnumerable<IDisposable> outputs)
    {
        var loops = new Loops(time, logs.CreateLogger<Loops>(), (_, _) =>
        {
            foreach (var output in outputs) output.Dispose();
            Environment.Exit(Defect);
        });
        if (Environment.GetEnvironmentVariable(Drill) is { Length: > 0 } loop) loops.Provoke(loop);
        return loops;
    }

    private static IHost Build(Start start)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new() { ContentRootPath = AppContext.BaseDirectory });
        var echo = new BirdLogEcho();
        Logging.Configure(builder.Logging, start.Config.Log, TimeProvider.System, echo);
        builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = Farewell);
        builder.Services.AddSingleton(start).AddSingleton(TimeProvider.System).AddSingleton(echo);
        builder.Services.AddSingleton(services =>
            Watched(
                services.GetRequiredService<TimeProvider>(), services.GetRequiredService<ILoggerFactory>(),
                services.GetServices<ILoggerProvider>()));
        AddLifetime(builder.Services);
        AddRoom<KernelRoom>(builder.Services);
        AddRoom<ClosingRoom>(builder.Services);
        AddRoom<BfdRoom>(builder.Services);
        AddRoom<DoorstepRoom>(builder.Services);
        AddRoom<SourcesRoom>(builder.Services);
        AddRoom<SpeakerRoom>(builder.Services);
        AddRoom<ReportRoom>(builder.Services);
        AddRoom<DataplaneRoom>(builder.Services);
        builder.Services.AddSingleton<IDaemon>(services => services.GetRequiredService<Daemon>());
        AddRoom<ControlRoom>(builder.Services);
        AddRoom<Watchdog>(builder.Services);
        builder.Services.AddSingleton<Upgrading>();
        AddRoom<Daemon>(builder.Services);
        return builder.Build();
    }

    /// <summary>
    /// Whoever waits for a notification (systemd with Type=notify, podman, the tests) names a socket for it. AddSystemd would look whether
    /// systemd is our parent instead, and would put its own format in the place of the log's.
    /// </summary>
    private static void AddLifetime(IServiceCollection services)
    {
        services.Configure<ConsoleLifetimeOptions>(options => options.SuppressStatusMessages = true);
        var notifier = new SystemdNotifier();
        services.AddSingleton<ISystemdNotifier>(notifier);
        if (notifier.IsEnabled) services.AddSingleton<IHostLifetime, NotifyingLifetime>();
    }

    private static void AddRoom<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] T>(
        IServiceCollection services) where T : Room
    {
        services.AddSingleton<T>();
        services.AddHostedService(found => found.GetRequiredService<T>());
    }
}

/// <summary>What the daemon was started with.</summary>
internal sealed record Start(string File, DaemonConfig Config)
{
    /// <summary>The process whose sessions this one takes over; null: it begins by itself.</summary>
    public Testator? From { get; init; }
}
