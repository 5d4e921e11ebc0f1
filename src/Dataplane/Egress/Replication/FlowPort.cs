using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Calico.Bgp.Kernel.Conntrack;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Dataplane.Egress.Replication;

/// <summary>
/// One of this node's addresses, at which nodes that share a gateway with it ask for its flows; nobody else is listened to, and nobody is
/// read. What the kernel tells of flows is given to all who ask.
/// </summary>
internal sealed class FlowPort : IAsyncDisposable
{
    /// <summary>A node that begins again may be here twice for a while.</summary>
    private const int MostOfOne = 3;

    /// <summary>Of so many who are turned away there is a line in the log.</summary>
    private const int MostStrangers = 64;

    private static readonly TimeSpan AcceptPause = TimeSpan.FromMilliseconds(200);

    private readonly Socket listener;
    private readonly Loops loops;
    private readonly TimeProvider clock;
    private readonly ILogger log;
    private readonly EgressCounting counts;
    private readonly ConnectionTable table;
    private readonly Func<ReplicationPlan?> current;
    private readonly CancellationTokenSource ending = new();
    private readonly ConcurrentDictionary<Loop, (string Node, FlowOutbox Outbox, FlowGiver Giver)> receivers = new();
    private readonly Loop accepting;
    private readonly HashSet<Address> strangers = [];

    /// <exception cref="SocketException">The port is not to be had.</exception>
    public FlowPort(
        Address own, ushort port, ConnectionTable table, Func<ReplicationPlan?> current, Loops loops, TimeProvider clock, ILogger log,
        EgressCounting counts)
    {
        (Number, this.table, this.current, this.loops, this.clock, this.log, this.counts) =
            (port, table, current, loops, clock, log, counts);
        listener = new(own.ToIPAddress().AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            listener.Bind(new IPEndPoint(own.ToIPAddress(), port));
            listener.Listen();
        }
        catch (SocketException)
        {
            listener.Dispose();
            throw;
        }
        accepting = loops.Start("flow port", OnDefect.EndProcess, AcceptAsync, of: $"{own}", stop: ending.Token);
    }

    public ushort Number { get; }

    public IEnumerable<FlowOutbox> Outboxes => receivers.Values.Select(one => one.Outbox);

    /// <summary>Null: that node does not ask here.</summary>
    public EgressGivenView? Given(string node) => receivers.Values.Where(one => one.Node == node).Select(one => one.Giver.View)
        .OrderBy(one => one.Since).LastOrDefault();

    private async Task AcceptAsync(Loop loop)
    {
        while (!ending.IsCancellationRequested)
            try
            {
                loop.Rest();
                var socket = await listener.AcceptAsync(ending.Token).ConfigureAwait(false);
                loop.Beat();
                Take(socket);
            }
            catch (Exception gone) when (ending.IsCancellationRequested && gone is ObjectDisposedException or SocketException)
            {
                return;
            }
            catch (SocketException)
            {
                // Out of descriptors, most likely: whoever asks does so again.
                await Task.Delay(AcceptPause, clock, ending.Token).ConfigureAwait(false);
            }
    }

    private void Take(Socket socket)
    {
        var from = socket.RemoteEndPoint is IPEndPoint at ? Address.From(at.Address) : default;
        if (current()?.PeerAt(from) is not { } peer || receivers.Values.Count(one => one.Node == peer.Node) >= MostOfOne)
        {
            socket.Dispose();
            if (strangers.Count < MostStrangers && strangers.Add(from)) DataplaneLog.FlowsAskedByStranger(log, from);
            return;
        }
        socket.NoDelay = true;
        var outbox = new FlowOutbox();
        var giver = new FlowGiver(socket, outbox, table, current, clock, counts);
        var receiver = loops.Start(
            "flow giver", OnDefect.EndLoop, turns => GiveAsync(turns, giver, socket), of: peer.Node, stop: ending.Token);
        receivers[receiver] = (peer.Node, outbox, giver);
        _ = receiver.Ended.ContinueWith(_ => receivers.TryRemove(receiver, out var _), TaskScheduler.Default);
    }

    private async Task GiveAsync(Loop turns, FlowGiver giver, Socket socket)
    {
        using var _ = socket;
        try
        {
            await giver.RunAsync(turns, ending.Token).ConfigureAwait(false);
        }
        catch (Exception gone) when (gone is SocketException or OperationCanceledException)
        {
            // It has hung up, or takes nothing.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync().ConfigureAwait(false);
        listener.Dispose();
        await accepting.Ended.ConfigureAwait(false);
        await Task.WhenAll(receivers.Keys.Select(one => one.Ended)).ConfigureAwait(false);
        ending.Dispose();
    }
}
