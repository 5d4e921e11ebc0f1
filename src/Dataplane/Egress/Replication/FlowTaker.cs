using System.Collections.Immutable;
using System.ComponentModel;
using System.Net;
using System.Net.Sockets;
using Calico.Bgp.Kernel.Conntrack;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Dataplane.Egress.Replication;

/// <summary>
/// Takes another node's flows: asks it, at one of its addresses after the other, until it answers, and writes what it tells into the
/// kernel. Whatever is damaged, or another language, ends the connection; what is not its own to say is passed over. The log has both.
/// </summary>
internal sealed class FlowTaker : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1), Silence = TimeSpan.FromSeconds(5),
        BeforeAnotherTry = TimeSpan.FromMilliseconds(500), AfterDamage = TimeSpan.FromSeconds(10);

    private readonly ReplicationPlan plan;
    private readonly ReplicationPeer peer;
    private readonly FlowCopies copies;
    private readonly TimeProvider clock;
    private readonly ILogger log;
    private readonly EgressCounting counts;
    private readonly Action turned;
    private readonly CancellationTokenSource ending = new();
    private readonly Bell again = new();
    private readonly byte[] octets = new byte[1 << 17];
    private readonly Loop loop;
    private volatile EgressTakenView view;
    private CancellationTokenSource? connected;
    private volatile HashSet<FlowKey>? listed;
    private ListOf<Address> held = [];
    private bool isRefusalSaid, isOthersSaid;
    private volatile bool isOld;
    private string? said;
    private int at;

    /// <param name="turned">Called when all of its flows are here, or are not any more.</param>
    public FlowTaker(
        ReplicationPlan plan, ReplicationPeer peer, FlowCopies copies, Loops loops, TimeProvider clock, ILogger log,
        EgressCounting counts, Action turned)
    {
        (this.plan, this.peer, this.copies, this.clock, this.log, this.counts, this.turned) =
            (plan, peer, copies, clock, log, counts, turned);
        view = new([], false, clock.GetUtcNow(), 0, 0, "it has not been asked yet");
        loop = loops.Start("flow taker", OnDefect.StartAgain, RunAsync, of: peer.Node, stop: ending.Token);
    }

    public EgressTakenView View => view;

    /// <summary>All flows are being told.</summary>
    public bool IsListening => listed != null;

    /// <summary>What it is about; another is another taker.</summary>
    public bool IsFor(ReplicationPlan other, ReplicationPeer to) =>
        (plan.Port, plan.Own, peer.Hosts, peer.Shared) == (other.Port, other.Own, to.Hosts, to.Shared);

    /// <summary>What is here by now may not be all: the flows are asked for anew.</summary>
    public void Begin()
    {
        isOld = true;
        Turn(isWhole: false, "its flows are asked for anew");
        var open = Volatile.Read(ref connected);
        try
        {
            open?.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The connection has ended by itself.
        }
        again.Ring();
    }

    private void Turn(bool isWhole, string? problem)
    {
        var before = view;
        view = before with { IsWhole = isWhole, Problem = problem, Since = before.IsWhole == isWhole ? before.Since : clock.GetUtcNow() };
        if (before.IsWhole != isWhole) turned();
    }

    private async Task RunAsync(Loop turns)
    {
        while (!ending.IsCancellationRequested)
        {
            var wait = await ConnectAsync(turns).ConfigureAwait(false);
            turns.Rest();
            await again.HeardAsync(wait, clock, ending.Token).ConfigureAwait(false);
            turns.Beat();
        }
    }

    /// <returns>When it is asked again.</returns>
    private async Task<TimeSpan> ConnectAsync(Loop turns)
    {
        var host = peer.Hosts.Items[at++ % peer.Hosts.Count];
        if (plan.Own.Cast<Address?>().FirstOrDefault(one => one!.Value.Family == host.Family) is not { } own)
        {
            if (peer.Hosts.All(one => plan.Own.All(its => its.Family != one.Family)))
                Turn(isWhole: false, "it has no address of a family that this node has");
            return BeforeAnotherTry;
        }
        using var socket = new Socket(host.ToIPAddress().AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        using var connection = CancellationTokenSource.CreateLinkedTokenSource(ending.Token);
        Volatile.Write(ref connected, connection);
        try
        {
            socket.Bind(new IPEndPoint(own.ToIPAddress(), 0));
            await WithinAsync(Patience, stop => socket.ConnectAsync(new IPEndPoint(host.ToIPAddress(), plan.Port), stop), connection.Token)
                .ConfigureAwait(false);
            var damage = await HearAsync(turns, socket, connection.Token).ConfigureAwait(false);
            Turn(isWhole: false, damage ?? $"{host} has ended the connection");
            if (damage != null) Say(damage);
            return damage == null ? BeforeAnotherTry : AfterDamage;
        }
        catch (SocketException refused)
        {
            Turn(isWhole: false, $"{host}: {refused.Message}");
        }
        catch (OperationCanceledException) when (!ending.IsCancellationRequested)
        {
            if (!connection.IsCancellationRequested) Turn(isWhole: false, $"{host} says nothing");
        }
        finally
        {
            Volatile.Write(ref connected, null);
        }
        return BeforeAnotherTry;
    }

    private void Say(string damage)
    {
        if (said == damage) return;
        said = damage;
        DataplaneLog.FlowsDamaged(log, peer.Node, damage);
    }

    private async ValueTask WithinAsync(TimeSpan patience, Func<CancellationToken, ValueTask> what, CancellationToken stop)
    {
        using var end = new CancellationTokenSource(patience, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(end.Token, stop);
        await what(either.Token).ConfigureAwait(false);
    }

    /// <returns>Why nothing more can be heard; null: it has hung up.</returns>
    private async Task<string?> HearAsync(Loop turns, Socket socket, CancellationToken stop)
    {
        (listed, held, isRefusalSaid, isOthersSaid, isOld) = (null, [], false, false, false);
        var (length, isGreeted) = (0, false);
        while (true)
        {
            turns.Rest();
            var count = 0;
            await WithinAsync(Silence, async token =>
                count = await socket.ReceiveAsync(octets.AsMemory(length), token).ConfigureAwait(false), stop).ConfigureAwait(false);
            turns.Beat();
            if (count == 0) return null;
            length += count;
            var read = 0;
            while (true)
            {
                var frame = FlowFrames.Read(octets.AsSpan(read, length - read), out var its, out var damage);
                if (damage != null) return damage;
                if (frame == null) break;
                read += its;
                if (!isGreeted && frame is not FlowFrame.Hello { Version: FlowFrames.Version })
                    return frame is FlowFrame.Hello(var version)
                        ? $"expected version {FlowFrames.Version} of what nodes say of flows, got {version}"
                        : "expected a greeting, got something else";
                isGreeted = true;
                Take(frame);
            }
            octets.AsSpan(read, length - read).CopyTo(octets);
            length -= read;
        }
    }

    private void Take(FlowFrame frame)
    {
        switch (frame)
        {
            case FlowFrame.Held(var addresses):
                held = [.. addresses.Where(peer.Shared.Contains)];
                view = view with { Held = held };
                break;
            case FlowFrame.Begin: listed = []; break;
            case FlowFrame.Flows(var flows): Put([.. Theirs(flows, one => one.Key)]); break;
            case FlowFrame.Gone(var keys):
                ImmutableArray<FlowKey> ended = [.. Theirs(keys, key => key)];
                copies.Remove(ended);
                counts.FlowsTaken(ended.Length);
                view = view with { Told = view.Told + keys.Length };
                break;
            case FlowFrame.Whole when listed is { } all:
                Refused(copies.Sweep(held, all));
                view = view with { Listed = all.Count, Told = 0, ListedAt = clock.GetUtcNow() };
                listed = null;
                if (!isOld) Turn(isWhole: true, null);
                break;
        }
    }

    private void Put(ImmutableArray<Flow> flows)
    {
        if (listed is { } all) all.UnionWith(flows.Select(one => one.Key));
        else view = view with { Told = view.Told + flows.Length };
        var (refused, errno) = copies.Put(flows, held);
        counts.FlowsTaken(flows.Length);
        counts.FlowsRefused(refused);
        Refused(errno);
    }

    /// <summary>Those that it may speak of.</summary>
    private IEnumerable<T> Theirs<T>(IEnumerable<T> all, Func<T, FlowKey> keyOf)
    {
        foreach (var one in all)
            if (copies.IsTheirs(peer, keyOf(one))) yield return one;
            else if (!isOthersSaid)
            {
                isOthersSaid = true;
                var key = keyOf(one);
                DataplaneLog.FlowsOfOthers(log, peer.Node, key.Leaving, key.Source, key.Destination);
            }
    }

    private void Refused(int errno)
    {
        if (errno == 0 || isRefusalSaid) return;
        isRefusalSaid = true;
        DataplaneLog.FlowsRefused(log, peer.Node, new Win32Exception(errno).Message);
    }

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync().ConfigureAwait(false);
        await loop.Ended.ConfigureAwait(false);
        ending.Dispose();
    }
}
