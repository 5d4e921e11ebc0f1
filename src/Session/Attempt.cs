using System.Net.Sockets;

namespace Calico.Bgp.Session;

/// <summary>
/// One connection on its way through the state machine: the machine's state, its timers, and the socket or the attempt to open one.
/// A session has one, and a second one while two connections wait for <see cref="Collision"/>'s verdict.
/// </summary>
internal sealed class Attempt : IDisposable
{
    private CancellationTokenSource? dialling;

    public Attempt(SessionState state, TimeProvider time, Action<Attempt, Timers> expired)
    {
        State = state;
        Timers = new(time, timer => expired(this, timer));
    }

    public SessionState State { get; set; }
    public SessionTimers Timers { get; }
    public Connection? Connection { get; set; }

    /// <summary>Neither connected nor trying to be.</summary>
    public bool IsFree => Connection == null && dialling == null;

    public Contender Contender => new(Connection?.Ours ?? true, State.Phase);

    /// <summary>Opens a connection; <paramref name="done"/> hears of it, even of one that comes too late.</summary>
    public void Dial(SessionSettings settings, Action<CancellationTokenSource, Socket?, string> done)
    {
        dialling = new();
        _ = DialAsync(settings, dialling, done);
    }

    private static async Task DialAsync(
        SessionSettings settings, CancellationTokenSource dialling, Action<CancellationTokenSource, Socket?, string> done)
    {
        Socket? socket = null;
        try
        {
            socket = TcpOptions.Dialling(settings);
            await socket.ConnectAsync(TcpOptions.EndPoint(settings.PeerAddress, settings.Interface, settings.PeerPort), dialling.Token);
            done(dialling, socket, "");
        }
        catch (Exception failure) when (failure is SocketException or OperationCanceledException)
        {
            socket?.Dispose();
            done(dialling, null, failure.Message);
        }
    }

    /// <summary>True where this is the outcome of the attempt under way, which ends with it.</summary>
    public bool EndDial(CancellationTokenSource which)
    {
        if (dialling != which) return false;
        StopDialling();
        return true;
    }

    public void StopDialling()
    {
        dialling?.Cancel();
        dialling?.Dispose();
        dialling = null;
    }

    public void Dispose()
    {
        StopDialling();
        Timers.Dispose();
    }
}
