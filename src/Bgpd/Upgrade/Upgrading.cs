using System.Globalization;
using System.Runtime.InteropServices;
using Calico.Bgp.Bgpd.Rooms;
using Calico.Bgp.Net;
using Calico.Bgp.Speaker;
using Calico.Bgp.Speaker.Handover;
using Microsoft.Extensions.Hosting.Systemd;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Bgpd.Upgrade;

/// <summary>
/// <c>bgpctl upgrade</c> and SIGUSR2: another process, of another release it may be, takes the sessions over. src/README.md tells the
/// order.
/// </summary>
internal sealed class Upgrading(
    SpeakerRoom speaking, SourcesRoom sources, DataplaneRoom translating, ISystemdNotifier notifier, IEnumerable<ILoggerProvider> outputs,
    TimeProvider time, ILogger<Upgrading> log)
{
    /// <summary>SIGUSR2 (signal(7)); .NET has no name for it, and takes the system's numbers.</summary>
    public const PosixSignal Signal = (PosixSignal)12;
    private static readonly TimeSpan AnswersTime = TimeSpan.FromSeconds(3);

    private int isUnderWay;

    /// <param name="binary">Null: the file that this process was started from, which may be another by now.</param>
    /// <param name="alone">Nothing is configured meanwhile; and after a success nothing any more.</param>
    /// <returns>What came of it; after a success this process does nothing any more, and is to leave (<see cref="LeaveAsync"/>).</returns>
    public async Task<UpgradeResult> RunAsync(
        string? binary, Func<(string File, bool IsConfirmed)> config, TimeSpan within, SemaphoreSlim alone)
    {
        var program = Path.GetFullPath(binary ?? Environment.ProcessPath!);
        if (Interlocked.Exchange(ref isUnderWay, 1) != 0)
        {
            // Who asks by a signal hears no answer.
            const string why = "an upgrade is under way already";
            log.NotUpgraded(program, why);
            return UpgradeResult.Refused(why);
        }
        await alone.WaitAsync();
        log.Upgrading(program, within.Words());
        UpgradeResult? result = null;
        try
        {
            result = await TryAsync(program, config(), within);
        }
        finally
        {
            // Whatever went wrong, the next upgrade and the next reload have their turn.
            if (result is not { Problem: null })
            {
                sources.Resources?.KeepTrials();
                translating.Translating.KeepCommandLine();
                Volatile.Write(ref isUnderWay, 0);
                alone.Release();
            }
        }
        if (result.Problem is { } problem) log.NotUpgraded(program, problem);
        else log.Upgraded(result.Process, result.Release, result.Took.Words());
        return result;
    }

    /// <summary>
    /// Whoever has started this process, and takes its end for the service's, ends the new one too. A container's first process takes all
    /// others along (pid_namespaces(7)), and what it was upgraded to is gone when the container is begun again; so no minder stands there.
    /// </summary>
    /// <returns>Why there can be no upgrade; null: there can.</returns>
    private string? Bar()
    {
        if (Environment.ProcessId == 1)
            return "this daemon is the container's first process, which ends with it: replace the container instead";
        // Whom systemd has started by itself (systemd.exec(5)).
        var service = Environment.GetEnvironmentVariable("SYSTEMD_EXEC_PID");
        return service == Environment.ProcessId.ToString(CultureInfo.InvariantCulture) && !notifier.IsEnabled
            ? "systemd cannot be told whose life is the service's from now on, and would end the new process: give the unit Type=notify"
            : null;
    }

    private async Task<UpgradeResult> TryAsync(string program, (string File, bool IsConfirmed) config, TimeSpan within)
    {
        if (Bar() is { } barred) return UpgradeResult.Refused(barred);
        if (!config.IsConfirmed)
            return UpgradeResult.Refused("the configuration is not confirmed, and the new process would not take it back: confirm it");
        var began = time.GetTimestamp();
        try
        {
            var heir = Heir.Start(
                program, config.File, new(translating.Translating.HandCommandLineAsync, () => sources.Resources?.HandTrials() ?? []));
            if (await TakesOverAsync(heir, within, began) is { } problem)
            {
                heir.End();
                heir.Dispose();
                return UpgradeResult.Refused(problem);
            }
            // Our end of the socket closes with this process, which tells the other one that it is alone.
            // sd_notify(3): whose life is the service's from now on.
            if (notifier.IsEnabled)
                notifier.Notify(new ServiceState(string.Create(CultureInfo.InvariantCulture, $"MAINPID={heir.Id}\nREADY=1")));
            return new(null) { Sessions = heir.Sessions, Process = heir.Id, Release = heir.Release, Took = time.GetElapsedTime(began) };
        }
        catch (HandoverException refused)
        {
            return UpgradeResult.Refused(refused.Message);
        }
    }

    /// <returns>Why it has not.</returns>
    private async Task<string?> TakesOverAsync(Heir heir, TimeSpan within, long began)
    {
        try
        {
            using var timeout = new CancellationTokenSource(within, time);
            await heir.ReadyAsync(timeout.Token);
            return await speaking.Loop.HandOverAsync(heir, within - time.GetElapsedTime(began));
        }
        catch (OperationCanceledException)
        {
            return $"the new process had not begun within {within.Words()}";
        }
        catch (HandoverException refused)
        {
            return refused.Message;
        }
    }

    /// <summary>
    /// At once: what is open here is the other process's, so nothing is closed that a peer could hear of. Whoever asked has been
    /// answered, or
    /// has had time for it.
    /// </summary>
    /// <param name="answered">Completes when whoever asked has the answer.</param>
    public async Task LeaveAsync(Task answered)
    {
        await answered.WaitAsync(AnswersTime, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var output in outputs) output.Dispose();
        Environment.Exit(0);
    }
}
