using System.Net.Sockets;
using Calico.Bgp.Configuration;
using Calico.Bgp.Control.Bird;
using Calico.Bgp.Control.Http;
using Calico.Bgp.Net;
using Calico.Bgp.Speaker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Bgpd.Rooms;

/// <summary>birdc's sockets and HTTP, begun and ended together.</summary>
internal sealed class ControlRoom(
    Start start, DoorstepRoom doorstep, SpeakerRoom speaker, DataplaneRoom dataplane, IServiceProvider services,
    BirdLogEcho echo, Loops loops, TimeProvider time,
    ILoggerFactory logs) : Room
{
    private readonly List<BirdSocket> sockets = [];

    /// <summary>Null: not made yet.</summary>
    public HttpControl? Http { get; private set; }

    public override Task StartAsync(CancellationToken cancellationToken) =>
        start.From == null ? OpenAsync(cancellationToken) : Task.CompletedTask;

    /// <summary>Until the process before has ended its sockets are there.</summary>
    public override Task StartedAsync(CancellationToken cancellationToken) =>
        start.From == null ? Task.CompletedTask : OpenAsync(cancellationToken);

    private async Task OpenAsync(CancellationToken cancellationToken)
    {
        // The daemon itself knows this room's neighbours, and is made after them.
        var daemon = services.GetRequiredService<IDaemon>();
        var control = start.Config.Control;
        foreach (var path in BirdPaths(control)) Open(path, daemon);
        Http = new([.. control.Http.Select(endpoint => endpoint.ToString())], speaker.View, daemon, loops, time, logs)
        {
            Dataplane = dataplane.Translating,
            Saved = dataplane.Saved,
            Hosts = control.Hosts,
        };
        await doorstep.StopAsync(cancellationToken);
        await Http.StartAsync(cancellationToken);
    }

    private static IEnumerable<string> BirdPaths(ControlConfig control) =>
        control.BirdSockets.Where(socket => socket.Dialect == BirdDialect.Bird2).Select(socket => socket.Path)
            .Prepend(control.Socket).OfType<string>();

    private void Open(string path, IDaemon daemon)
    {
        var socket = new BirdSocket(path, speaker.BirdView, daemon, loops, time, logs.CreateLogger<BirdSocket>()) { LogEcho = echo };
        sockets.Add(socket);
        try
        {
            socket.Start();
        }
        catch (Exception refused) when (refused is SocketException or IOException or UnauthorizedAccessException)
        {
            throw new IOException($"the socket {path} (control.socket) cannot be made: {WordsOf(refused)}", refused);
        }
    }

    // .NET has no name for what a full file system answers to bind.
    private static string WordsOf(Exception refused) => refused is SocketException { SocketErrorCode: SocketError.SocketError }
        ? $"{refused.Message}; is the file system full?" : Failures.WordsOf(refused);

    protected override async ValueTask LeaveAsync()
    {
        if (Http != null) await Http.DisposeAsync();
        foreach (var socket in sockets) await socket.DisposeAsync();
    }
}
