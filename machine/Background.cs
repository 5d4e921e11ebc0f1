using System.Diagnostics;

namespace Calico.Bgp.Machine;

/// <summary>A daemon that runs until it is told otherwise, and is met by its process id alone. What it says goes to a file.</summary>
public sealed class Background : IAsyncDisposable
{
    private static readonly TimeSpan PartingTime = TimeSpan.FromSeconds(6);
    /// <summary>For an end that is waited for: a daemon that does not come to it fails its test, and does not hold up all others.</summary>
    private static readonly TimeSpan MostPatience = TimeSpan.FromSeconds(60);

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

    /// <summary>Its last words.</summary>
    public string Said => SaidIn(log);

    public static string SaidIn(string log) => File.Exists(log) ? string.Join('\n', File.ReadLines(log).TakeLast(25)) : "(it said nothing)";

    /// <param name="space">Where it runs; null is where we are.</param>
    /// <param name="log">Where its words go.</param>
    /// <param name="environment">Besides ours.</param>
    /// <param name="program"></param>
    /// <param name="arguments"></param>
    /// <exception cref="MachineException">The program cannot be started at all.</exception>
    public static Background Start(
        Netns? space, string log, IReadOnlyDictionary<string, string>? environment, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments);
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        return new(Shell.Start(space, start), log);
    }

    /// <summary>A signal by its name: TERM, INT, KILL, STOP, CONT, HUP, USR2.</summary>
    public void Signal(string name)
    {
        // Between its end and Dispose the number is still its own: nobody has waited for it but us.
        if (Alive) Signals.Send(Pid, name);
    }

    public Task KillAsync()
    {
        Signal("KILL");
        return EndedAsync();
    }

    /// <summary>Its last words are in its log by then.</summary>
    /// <exception cref="TimeoutException">It has not.</exception>
    public async Task EndedAsync()
    {
        try
        {
            await process.WaitForExitAsync().WaitAsync(MostPatience);
            await LastWordsAsync();
        }
        catch (TimeoutException)
        {
            throw new TimeoutException(
                $"expected an end within {MostPatience.TotalSeconds:0} s, got none: {process.StartInfo.FileName}, {Pid}");
        }
    }

    private async Task CopyAsync(StreamReader from)
    {
        while (await from.ReadLineAsync() is { } line)
            lock (process)
                File.AppendAllText(log, line + "\n");
    }

    /// <summary>It may part in peace; who takes too long is ended.</summary>
    public async ValueTask DisposeAsync()
    {
        if (disposed) return;
        disposed = true;
        Signal("CONT");
        Signal("TERM");
        if (await Task.WhenAny(EndedAsync(), Task.Delay(PartingTime)) is { } && Alive) await KillAsync();
        await LastWordsAsync();
        process.Dispose();
    }

    /// <summary>A grandchild may hold the pipe open.</summary>
    private async Task LastWordsAsync() => await Task.WhenAny(copying, Task.Delay(TimeSpan.FromSeconds(1)));
}
