using System.Collections.Concurrent;
using System.Net.Sockets;
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

    private static readonly TimeSpan AcceptPause = TimeSpan.FromMilliseconds(200);

    private readonly string path;
    private readonly ISpeaker speaker;
    private readonly IDaemon daemon;
    private readonly TimeProvider time;
    private readonly ILogger log;
    private readonly UndoTimer undo = new();
    private readonly CancellationTokenSource ending = new();
    private readonly ConcurrentDictionary<Task, byte> clients = new();
    private Socket? listener;
    private Task? accepting;

    public BirdSocket(string path, ISpeaker speaker, IDaemon daemon, TimeProvider time, ILogger<BirdSocket> log) =>
        (this.path, this.speaker, this.daemon, this.time, this.log) = (path, speaker, daemon, time, log);

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
        accepting = AcceptAsync(listener);
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

    private async Task AcceptAsync(Socket on)
    {
        while (!ending.IsCancellationRequested)
        {
            try
            {
                Track(ServeAsync(await on.AcceptAsync(ending.Token).ConfigureAwait(false)));
            }
            catch (Exception ended) when (ended is OperationCanceledException or ObjectDisposedException)
            {
                return;
            }
            catch (SocketException problem)
            {
                // Out of descriptors, most likely: those that are served go on, and free some.
                BirdLog.AcceptFailed(log, path, problem);
                await Task.Delay(AcceptPause, time).ConfigureAwait(false);
            }
        }
    }

    private void Track(Task client)
    {
        clients[client] = 0;
        _ = client.ContinueWith(done => clients.TryRemove(done, out _), TaskScheduler.Default);
    }

    private async Task ServeAsync(Socket socket)
    {
        await Task.Yield();
        await using var client = new BirdClient(socket, speaker, daemon, time, undo, log);
        LogEcho?.Add(client.Listener);
        try
        {
            await client.RunAsync(ending.Token).ConfigureAwait(false);
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
        if (accepting != null) await accepting.ConfigureAwait(false);
        await Task.WhenAll(clients.Keys).ConfigureAwait(false);
        ending.Dispose();
    }
}
