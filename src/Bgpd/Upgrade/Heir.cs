using System.Collections.Immutable;
using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Calico.Bgp.Kernel;
using Calico.Bgp.Resources;
using Calico.Bgp.Speaker.Handover;

namespace Calico.Bgp.Bgpd.Upgrade;

/// <summary>What a process says of itself first.</summary>
internal sealed record Greeting(int Version, string Release);

/// <summary>What is asked for when all else is offered, of rooms that do not stand still for the hand-over.</summary>
/// <param name="CommandLine">What it has said of translations.</param>
/// <param name="Trials">What is tried over the sources.</param>
internal sealed record LastWords(Func<Task<string?>> CommandLine, Func<ImmutableArray<HandedTrial>> Trials);

/// <summary>The process that is to take over: started by us, and ended by us where it does not.</summary>
internal sealed class Heir : IHeir, IDisposable
{
    private const string Name = "the new process";

    private readonly Process process;
    private readonly HandoverSocket socket;
    private readonly LastWords last;

    private Heir(Process process, HandoverSocket socket, LastWords last) =>
        (this.process, this.socket, this.last) = (process, socket, last);

    public int Id => process.Id;

    /// <summary>Of the release that it says it is.</summary>
    public string Release { get; private set; } = "";
    /// <summary>That it was given.</summary>
    public int Sessions { get; private set; }

    /// <exception cref="HandoverException">There is no such program, or it cannot be run.</exception>
    public static Heir Start(string binary, string configFile, LastWords last)
    {
        DescriptorSocket? ours = null;
        try
        {
            (ours, var theirs) = DescriptorSocket.Pair();
            using var given = theirs;
            var how = new ProcessStartInfo(binary) { UseShellExecute = false };
            how.ArgumentList.Add("--config");
            how.ArgumentList.Add(configFile);
            how.Environment[HandoverSocket.Variable] = ((int)theirs.DangerousGetHandle()).ToString(CultureInfo.InvariantCulture);
            // Its own process is the one that systemd watches, once we have said so.
            how.Environment.Remove("WATCHDOG_PID");
            return new(Process.Start(how) ?? throw new HandoverException($"{binary} was not started"), new(ours), last);
        }
        catch (Win32Exception refused)
        {
            ours?.Dispose();
            var why = refused.NativeErrorCode == 0 ? "it is no program" : Marshal.GetPInvokeErrorMessage(refused.NativeErrorCode);
            throw new HandoverException($"{binary} cannot be run: {why}", refused);
        }
    }

    /// <summary>Completes when it runs, and wants nothing more but our state.</summary>
    /// <exception cref="HandoverException">It has ended, or cannot take over from this release.</exception>
    public async Task ReadyAsync(CancellationToken stop)
    {
        byte[] said;
        try
        {
            said = await socket.ExpectAsync(Said.Hello, Name, stop);
        }
        catch (HandoverException) when (process.WaitForExit(TimeSpan.FromSeconds(1)))
        {
            throw new HandoverException($"{Name} has ended with exit code {process.ExitCode} before it took over; the log may say why");
        }
        var greeting = Read(said);
        Release = greeting.Release;
        if (greeting.Version != HandedState.CurrentVersion)
            throw new HandoverException(
                $"{Name} ({greeting.Release}) takes over by version {greeting.Version}, this one ({Answers.Release.Version}) hands over by "
                + $"{HandedState.CurrentVersion}: restart it instead");
    }

    private static Greeting Read(byte[] said)
    {
        try
        {
            return JsonSerializer.Deserialize(said, GreetingJson.Default.Greeting)!;
        }
        catch (JsonException)
        {
            throw new HandoverException($"expected a greeting of {Name}, got \"{Encoding.UTF8.GetString(said)}\"");
        }
    }

    public Stream Memory(string name)
    {
        try
        {
            return DescriptorSocket.Memory(name);
        }
        catch (Win32Exception refused)
        {
            throw new HandoverException($"there is no memory for the tables: {refused.Message}", refused);
        }
    }

    public async Task OfferAsync(HandedState state, IReadOnlyList<Stream> images, IReadOnlyList<Socket> sockets, CancellationToken stop)
    {
        var said = state with
        {
            Release = Answers.Release.Version,
            Images = images.Count,
            Sockets = sockets.Count,
            CommandLine = await last.CommandLine(),
            Trials = last.Trials(),
        };
        await socket.SendAsync(Said.Offer, said, HandoverJson.Default.HandedState, stop);
        await socket.Descriptors.SendAsync(
            [.. images.Cast<FileStream>().Select(image => image.SafeFileHandle), .. sockets.Select(one => one.SafeHandle)], stop);
        await socket.ExpectAsync(Said.Restored, Name, stop);
    }

    public async Task GiveAsync(HandedMoments moments, CancellationToken stop)
    {
        await socket.SendAsync(Said.Moments, moments, HandoverJson.Default.HandedMoments, stop);
        await socket.ExpectAsync(Said.Taken, Name, stop);
        Sessions = moments.SilentSeconds.Length;
        // From here on it goes on by itself; that we have ended tells it as much.
        await socket.SendAsync(Said.Go, default, CancellationToken.None);
    }

    /// <summary>Before anybody here speaks to peers again: it must not be there any more.</summary>
    public void End()
    {
        if (!process.HasExited) process.Kill();
        process.WaitForExit();
    }

    public void Dispose()
    {
        socket.Dispose();
        process.Dispose();
    }
}
