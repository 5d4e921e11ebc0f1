using System.Globalization;
using Calico.Bgp.Net;
using Microsoft.Extensions.Hosting.Systemd;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Bgpd.Rooms;

/// <summary>
/// systemd's watchdog (sd_watchdog_enabled(3)): twice within the time that it gives us, and only while <c>/live</c> would say 200, it is
/// told that we are there. A daemon whose loops hang is killed and started anew; its routes stay in the kernel meanwhile.
/// </summary>
internal sealed class Watchdog(ISystemdNotifier notifier, ControlRoom control, Loops loops, TimeProvider time, ILogger<Daemon> log) : Room
{
    private static readonly ServiceState Alive = new("WATCHDOG=1");

    private readonly CancellationTokenSource ending = new();
    private Loop? watching;

    public override Task StartedAsync(CancellationToken cancellationToken)
    {
        if (notifier.IsEnabled && Patience() is { } patience)
            watching = loops.Start("watchdog", OnDefect.EndProcess, loop => WatchAsync(loop, patience / 2), stop: ending.Token);
        return Task.CompletedTask;
    }

    /// <summary>Null: nobody watches us. The variables may be another process's, who handed them on.</summary>
    private static TimeSpan? Patience()
    {
        var pid = Environment.GetEnvironmentVariable("WATCHDOG_PID");
        if (pid is { Length: > 0 } && pid != Environment.ProcessId.ToString(CultureInfo.InvariantCulture)) return null;
        var said = Environment.GetEnvironmentVariable("WATCHDOG_USEC");
        return long.TryParse(said, NumberStyles.None, CultureInfo.InvariantCulture, out var microseconds) && microseconds > 0
            ? TimeSpan.FromMicroseconds(microseconds) : null;
    }

    private async Task WatchAsync(Loop loop, TimeSpan pause)
    {
        while (true)
        {
            // It waits, for time and for answers.
            loop.Rest();
            await Task.Delay(pause, time, ending.Token);
            loop.Beat();
            loop.Rest();
            if (await control.Http!.NotLiveBecauseAsync(ending.Token) is { } reason) log.NotAlive(reason);
            else notifier.Notify(Alive);
        }
    }

    protected override async ValueTask LeaveAsync()
    {
        await ending.CancelAsync();
        if (watching != null) await watching.Ended;
        ending.Dispose();
    }
}
