using System.Runtime.InteropServices;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Systemd;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Bgpd;

/// <summary>systemd's lifetime (READY=1 when every room runs, STOPPING=1, SIGTERM), which knows no SIGINT.</summary>
internal sealed class NotifyingLifetime(
    IHostEnvironment environment, IHostApplicationLifetime life, ISystemdNotifier notifier, ILoggerFactory logs)
    : IHostLifetime, IDisposable
{
    private readonly SystemdLifetime systemd = new(environment, life, notifier, logs);
    private PosixSignalRegistration? interrupt;

    public Task WaitForStartAsync(CancellationToken stop)
    {
        interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal =>
        {
            signal.Cancel = true;
            life.StopApplication();
        });
        return systemd.WaitForStartAsync(stop);
    }

    public Task StopAsync(CancellationToken stop) => systemd.StopAsync(stop);

    public void Dispose()
    {
        interrupt?.Dispose();
        systemd.Dispose();
    }
}
