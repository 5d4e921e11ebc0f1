// Sits between two daemons that believe to be neighbours: in one namespace it has the one's address, in the other the other's, and
// carries whole messages across. It counts what passes, and can slip in a message that neither daemon sent.
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Calico.Bgp.Conformance.Wire;

/// <summary>One side's end of the tap: the namespace that this daemon is joined to, and the two addresses as this daemon knows
/// them.</summary>
internal sealed record TapEnd(Netns Space, string Daemon, string Neighbour);

internal sealed class Wiretap : IAsyncDisposable
{
    private readonly ConcurrentQueue<(bool FromFirst, byte[] Message)> passed = new();
    private readonly List<Socket> listeners = [];
    private readonly List<Task> tasks = [];
    private readonly CancellationTokenSource stop = new();
    private volatile Socket? toFirst;
    private volatile Socket? toSecond;

    /// <summary>Whole messages in the order they passed; true: the first daemon sent it.</summary>
    public IReadOnlyCollection<(bool FromFirst, byte[] Message)> Passed => passed;

    public int Count(bool fromFirst, byte type) => passed.Count(one => one.FromFirst == fromFirst && one.Message[18] == type);

    /// <summary>A line for each message: who sent it, its octets after the marker.</summary>
    public override string ToString() =>
        string.Join('\n', passed.Select(one => $"{(one.FromFirst ? "→" : "←")} {Convert.ToHexStringLower(one.Message.AsSpan(16))}"));

    public Wiretap(TapEnd first, TapEnd second)
    {
        Listen(first, second, fromFirst: true);
        Listen(second, first, fromFirst: false);
    }

    /// <summary>A message that the second daemon never sent reaches the first one.</summary>
    public Task<bool> InjectIntoFirstAsync(byte[] message) =>
        toFirst is { } socket ? Framing.SendAsync(socket, message) : Task.FromResult(false);

    private void Listen(TapEnd near, TapEnd far, bool fromFirst)
    {
        var address = IPAddress.Parse(near.Neighbour);
        var listener = near.Space.Socket(address.AddressFamily);
        listener.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        listener.Bind(new IPEndPoint(address, 179));
        listener.Listen(4);
        listeners.Add(listener);
        tasks.Add(Task.Run(async () =>
        {
            while (await AcceptAsync(listener) is { } accepted) lock (tasks) tasks.Add(CarryAsync(accepted, far, fromFirst));
        }));
    }

    private async Task<Socket?> AcceptAsync(Socket listener)
    {
        try { return await listener.AcceptAsync(stop.Token); }
        catch (Exception end) when (end is SocketException or ObjectDisposedException or OperationCanceledException) { return null; }
    }

    private async Task CarryAsync(Socket near, TapEnd farEnd, bool nearIsFirst)
    {
        using var far = farEnd.Space.Socket(near.AddressFamily);
        try
        {
            far.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            far.Bind(new IPEndPoint(IPAddress.Parse(farEnd.Neighbour), 0));
            await far.ConnectAsync(new IPEndPoint(IPAddress.Parse(farEnd.Daemon), 179), stop.Token);
            (toFirst, toSecond) = nearIsFirst ? (near, far) : (far, near);
            var (there, back) = (PumpAsync(near, far, nearIsFirst), PumpAsync(far, near, !nearIsFirst));
            await Task.WhenAny(there, back);
            // What the other side still says is read, so that closing does not reset the connection over its head.
            await Task.WhenAny(Task.WhenAll(there, back), Task.Delay(TimeSpan.FromSeconds(1)));
        }
        catch (Exception refused) when (refused is SocketException or OperationCanceledException)
        {
            // The far daemon does not listen: the near one sees its connection close.
        }
        near.Dispose();
    }

    private async Task PumpAsync(Socket from, Socket to, bool fromFirst)
    {
        while (await Framing.ReadMessageAsync(from, stop.Token) is { } message)
        {
            passed.Enqueue((fromFirst, message));
            if (!await Framing.SendAsync(to, message)) return;
        }
        to.Shutdown(SocketShutdown.Send);
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        foreach (var listener in listeners) listener.Dispose();
        toFirst?.Dispose();
        toSecond?.Dispose();
        await Task.WhenAny(Task.WhenAll(tasks.ToArray()), Task.Delay(TimeSpan.FromSeconds(2)));
        stop.Dispose();
    }
}
