using System.Collections.Concurrent;
using System.Net.Sockets;
using Calico.Bgp.Net;
using Calico.Bgp.Speaker;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Control.Bird;

/// <summary>
/// The Unix socket that <c>birdc</c> and everything that speaks its protocol (birdwatcher, bird_exporter, calicoctl) connect to.
/// It speaks BIRD 2.0's dialect: code, sign, text (see <see cref="Reply"/>), one task a client.
/// </summary>
public sealed class BirdSocket : IAsyncDisposable
{
    /// <summary>As BIRD's: the owner and the group may use it.</summary>
    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    /// <summary>Whoever may use the socket may hold this many connections, and no more of the daemon's descriptors.</summary>
    private const int MostClients = 64;

    private static readonly TimeSpan AcceptPause = TimeSpan.FromMilliseconds(200), LineInterval = TimeSpan.FromMinutes(1);
    private static readonly byte[] Full =
        System.Text.Encoding.ASCII.GetBytes($"{(int)ReplyCode.RuntimeError} {MostClients} clients are connected: one must go first\n");

    private readonly string path;
    private readonly ISpeaker speaker;
    private readonly IDaemon daemon;
    private readonly Loops loops;
    private readonly TimeProvider time;
    private readonly ILogger log;
    private readonly UndoTimer undo = new();
    private readonly CancellationTokenSource ending = new();
    private readonly ConcurrentDictionary<Loop, byte> clients = new();
    private readonly LineLimit refusals;
    private Socket? listener;
    private Loop? accepting;

    public BirdSocket(string path, ISpeaker speaker, IDaemon daemon, Loops loops, TimeProvider time, ILogger<BirdSocket> log)
    {
        (this.path, this.speaker, this.daemon, this.loops, this.time, this.log) = (path, speaker, daemon, loops, time, log);
        refusals = new(LineInterval, time);
    }

    /// <summary>Where <c>echo</c> gets log lines from; null: there are none to see.</summary>
    public BirdLogEcho? LogEcho { get; init; }

    /// <summary>Binds the socket, in place of one that a dead daemon left, and begins to answer.</summary>
    /// <exception cref="InvalidOperationException">A live daemon answers there, or the path is something else's.</exception>
    public void Start()
    {
        if (Path.GetDirectoryName(path) is { Length: > 0 } folder) Directory.CreateDirectory(folder);
        RemoveStale();
        listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        if (OperatingSystem.IsLinux()) File.SetUnixFileMode(path, Mode);
        listener.Listen();
        accepting = loops.Start("birdc socket", OnDefect.EndProcess, loop => AcceptAsync(loop, listener), of: path, stop: ending.Token);
        BirdLog.Listening(log, path);
    }

    private void RemoveStale()
    {
        var file = new FileInfo(path);
        if (!file.Exists) return;
        if (file.Length > 0) throw new InvalidOperationException($"{path}: expected a socket or nothing, found a file");
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException refused) when (refused.SocketErrorCode == SocketError.ConnectionRefused)
        {
            file.Delete();
            return;
        }
        throw new InvalidOperationException($"{path}: another daemon answers on this socket");
    }

    private async Task AcceptAsync(Loop loop, Socket on)
    {
        while (!ending.IsCancellationRequested)
        {
            try
            {
                loop.Rest();
                var client = await on.AcceptAsync(ending.Token).ConfigureAwait(false);
                loop.Beat();
                if (clients.Count >= MostClients) Refuse(client);
                else Track(loops.Start("birdc client", OnDefect.EndLoop, turns => ServeAsync(turns, client), stop: ending.Token));
            }
            catch (Exception gone) when (ending.IsCancellationRequested && gone is ObjectDisposedException or SocketException)
            {
                // Which of them says that the socket has gone is a matter of the moment.
                return;
            }
            catch (SocketException problem)
            {
                // Out of descriptors, most likely: those that are served go on, and free some.
                BirdLog.AcceptFailed(log, path, problem);
                await Task.Delay(AcceptPause, time, ending.Token).ConfigureAwait(false);
            }
        }
    }

    private void Refuse(Socket client)
    {
        if (refusals.Say(out var unsaid)) BirdLog.TooManyClients(log, path, MostClients, unsaid);
        using (client)
        {
            // A socket's buffer has room for its first line, and who has hung up misses nothing.
            client.Send(Full, SocketFlags.None, out _);
        }
    }

    private void Track(Loop client)
    {
        clients[client] = 0;
        _ = client.Ended.ContinueWith(_ => clients.TryRemove(client, out byte _), TaskScheduler.Default);
    }

    private async Task ServeAsync(Loop loop, Socket socket)
    {
        await using var client = new BirdClient(socket, speaker, daemon, time, undo, log);
        LogEcho?.Add(client.Listener);
        try
        {
            await client.RunAsync(loop, ending.Token).ConfigureAwait(false);
        }
        finally
        {
            LogEcho?.Remove(client.Listener);
        }
    }

    /// <summary>Removes the socket's file and closes all clients.</summary>
    public async ValueTask DisposeAsync()
    {
        if (listener != null) File.Delete(path);
        await ending.CancelAsync().ConfigureAwait(false);
        listener?.Dispose();
        if (accepting != null) await accepting.Ended.ConfigureAwait(false);
        await Task.WhenAll(clients.Keys.Select(client => client.Ended)).ConfigureAwait(false);
        ending.Dispose();
    }
}
