// A daemon that runs until it is told otherwise. Its output goes to a file in its folder and is shown when a test fails.
using System.Diagnostics;

namespace Calico.Bgp.Conformance.Machine;

internal sealed class Background : IAsyncDisposable
{
    private readonly Process process;
    private readonly string log;
    private readonly Task copying;
    private bool disposed;

    private Background(Process process, string log)
    {
        this.process = process;
        this.log = log;
        copying = Task.WhenAll(CopyAsync(process.StandardOutput), CopyAsync(process.StandardError));
    }

    public int Pid => process.Id;
    public bool Alive => !process.HasExited;
    public int ExitCode => process.ExitCode;

    /// <summary><c>ip netns exec</c> becomes the program, so its process id is the daemon's.</summary>
    public static Background Start(Netns space, string log, IReadOnlyDictionary<string, string>? environment, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo("ip", ["netns", "exec", space.Name, program, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        return new(Process.Start(start)!, log);
    }

    /// <summary>A signal by its name: TERM, KILL, STOP, CONT, HUP.</summary>
    public Task SignalAsync(string name) => Shell.RunAsync("kill", "-" + name, Pid.ToString());

    public async Task KillAsync()
    {
        await SignalAsync("KILL");
        await process.WaitForExitAsync();
    }

    public Task EndedAsync() => process.WaitForExitAsync();

    private async Task CopyAsync(StreamReader from)
    {
        while (await from.ReadLineAsync() is { } line)
            lock (process)
                File.AppendAllText(log, line + "\n");
    }

    public async ValueTask DisposeAsync()
    {
        if (disposed) return;
        disposed = true;
        if (Alive) await SignalAsync("CONT");
        if (Alive) await SignalAsync("TERM");
        if (await Task.WhenAny(process.WaitForExitAsync(), Task.Delay(TimeSpan.FromSeconds(5))) is { } && Alive) await KillAsync();
        await Task.WhenAny(copying, Task.Delay(TimeSpan.FromSeconds(1)));
        process.Dispose();
    }
}
