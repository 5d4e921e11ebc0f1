using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Calico.Bgp.Kernel.Conntrack;
using Calico.Bgp.Kernel.Nftables;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Dataplane.Services;

/// <summary>Connections of one translation that one backend has.</summary>
/// <param name="Port">Null: of all ports.</param>
/// <param name="ServerPort">Null where <paramref name="Port"/> is.</param>
internal readonly record struct BackendFlows(Address Front, byte Protocol, ushort? Port, Address Server, ushort? ServerPort)
{
    /// <summary>Those of them that go to where they were sent.</summary>
    public BackendFlows Direct => this with { Server = Front, ServerPort = Port };

    public bool IsDirect => this == Direct;

    /// <summary>Of a protocol without handshakes, so that any packet may be the first of a connection.</summary>
    public bool IsWithoutHandshake => (IpProtocol)Protocol is not (IpProtocol.Tcp or IpProtocol.Sctp);
}

/// <summary>
/// Connections whose backend has gone, and those that go by a translation since they are older than it. The kernel takes a backend once, so
/// that they would speak to nobody until they time out, and a client of UDP that keeps its port for ever; ended, the next packet gets a
/// backend that is there. Those of all others live on.
/// <para>
/// The kernel looks through its whole table of connections, whatever of it is asked for: milliseconds where it is empty. So this is the
/// work of a loop of its own, and no change waits for it.
/// </para>
/// </summary>
internal sealed class EndingSessions(ConnectionTable connections, Loops loops, TimeProvider clock, ILogger log) : IAsyncDisposable
{
    /// <summary>What is in force when a run begins.</summary>
    /// <param name="WasOwned">Likewise as whether there is a translation, of those that an earlier run had and this one has not.</param>
    /// <param name="Due">When whatever else an earlier run has left is ended.</param>
    private sealed record Beginning(
        ImmutableArray<BackendFlows>[] Flows, Func<Address, byte, ushort?, bool> WasOwned, long Due);

    /// <summary>All connections are looked through each time: what goes meanwhile goes together.</summary>
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(100);

    /// <summary>What is not in force yet, of whoever writes it alone.</summary>
    private readonly Dictionary<BackendFlows, long> going = [];

    private readonly Lock guard = new();
    private readonly Bell bell = new();
    private readonly CancellationTokenSource stopping = new();

    // All of these under the guard.

    /// <summary>Until when they live.</summary>
    private readonly Dictionary<BackendFlows, long> gone = [];
    private Func<Address, byte, ushort?, bool> hasOwn = (_, _, _) => false;

    /// <summary>Of which all others are strangers; null: nobody asks.</summary>
    private Beginning? known;

    /// <summary>Those that have come since then; null: nobody asks.</summary>
    private HashSet<BackendFlows>? come;

    private Loop? loop;

    /// <summary>Some are to be ended as soon as what is written is in force.</summary>
    public bool AreGoing => going.Count > 0;

    public void Go(BackendFlows flows, TimeSpan after) => going[flows] = In(after);

    private long In(TimeSpan after) => clock.GetTimestamp() + (long)(after.TotalSeconds * clock.TimestampFrequency);

    /// <summary>The backend is there again.</summary>
    public void Stay(ImmutableArray<BackendFlows> some)
    {
        if (AreGoing)
            foreach (var flows in some) going.Remove(flows);
        lock (guard)
        {
            come?.UnionWith(some);
            if (gone.Count == 0) return;
            foreach (var flows in some) gone.Remove(flows);
            if (gone.Count == 0) gone.Clear();
        }
    }

    /// <summary>What has been said is in force. Never waits.</summary>
    /// <param name="owners">Whether there is a translation for a very port, or (null) one for all; as of now, whenever it is asked.</param>
    public void InForce(Func<Func<Address, byte, ushort?, bool>> owners)
    {
        lock (guard)
        {
            if (!AreGoing && gone.Count == 0) return;
            foreach (var (flows, due) in going) gone[flows] = due;
            going.Clear();
            if (gone.Keys.Any(flows => flows.Port == null)) hasOwn = owners();
        }
        Ring();
    }

    /// <summary>
    /// What was in force before this run nobody knows any more: connections to these addresses whose backend is none of theirs are its, and
    /// those to addresses that it had and this one has not.
    /// </summary>
    /// <param name="owns">As for <see cref="InForce"/>.</param>
    /// <param name="wasOwned">Likewise, of what the earlier run had alone.</param>
    public void EndStrangers(ImmutableArray<BackendFlows>[] some, Func<Address, byte, ushort?, bool> owns,
        Func<Address, byte, ushort?, bool> wasOwned, TimeSpan after)
    {
        lock (guard) (known, come, hasOwn) = (new(some, wasOwned, In(after)), [], owns);
        Ring();
    }

    private void Ring()
    {
        loop ??= loops.Start("ending sessions", OnDefect.StartAgain, RunAsync, stop: stopping.Token);
        bell.Ring();
    }

    private async Task RunAsync(Loop turns)
    {
        while (true)
        {
            turns.Rest();
            var left = Left();
            if (left == null) await bell.HeardAsync(stopping.Token).ConfigureAwait(false);
            else if (left > TimeSpan.Zero) await bell.HeardAsync(left.Value, clock, stopping.Token).ConfigureAwait(false);
            turns.Beat();
            if (Left() != TimeSpan.Zero) continue;
            Pass();
            turns.Rest();
            await Task.Delay(Between, clock, stopping.Token).ConfigureAwait(false);
        }
    }

    /// <summary>Until the first is due; null: none is.</summary>
    private TimeSpan? Left()
    {
        lock (guard)
        {
            if (known == null && gone.Count == 0) return null;
            var first = Math.Min(known?.Due ?? long.MaxValue, gone.Count == 0 ? long.MaxValue : gone.Values.Min());
            var left = clock.GetElapsedTime(clock.GetTimestamp(), first);
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }

    private void Pass()
    {
        var now = clock.GetTimestamp();
        BackendFlows[] due;
        Beginning? asked;
        lock (guard)
        {
            due = [.. gone.Where(one => one.Value <= now).Select(one => one.Key)];
            asked = known?.Due <= now ? known : null;
        }
        if (asked != null)
        {
            // Where there is no connection to any of them, nobody need know whose they are.
            var ours = new Lazy<HashSet<BackendFlows>>(() => asked.Flows.SelectMany(some => some).ToHashSet());
            foreach (var family in (IpFamily[])[IpFamily.IPv4, IpFamily.IPv6])
                Cut(family, isDirect: false, one => IsStranger(one, ours, asked.WasOwned));
        }
        foreach (var (family, isDirect) in due.Select(flows => (flows.Front.Family, flows.IsDirect)).Distinct())
            Cut(family, isDirect, one => IsGone(one, now));
        lock (guard)
        {
            if (asked != null && known == asked) (known, come) = (null, null);
            foreach (var flows in due)
                if (gone.TryGetValue(flows, out var until) && until <= now) gone.Remove(flows);
            if (gone.Count == 0) gone.Clear(); // or it would be as long to look through as it once was
        }
    }

    /// <summary>As of now: meanwhile the backend may have come back, and its connections are its own again.</summary>
    private bool IsGone(Connection one, long now)
    {
        lock (guard)
            return IsOver(new(one.Destination, one.Protocol, one.DestinationPort, one.Server, one.ServerPort))
                || (IsOver(new(one.Destination, one.Protocol, null, one.Server, null))
                    && !(one.DestinationPort is { } port && hasOwn(one.Destination, one.Protocol, port)));

        bool IsOver(BackendFlows flows) => gone.TryGetValue(flows, out var until) && until <= now;
    }

    private bool IsStranger(
        Connection one, Lazy<HashSet<BackendFlows>> ours, Func<Address, byte, ushort?, bool> wasOwned)
    {
        var (front, protocol, port) = (one.Destination, one.Protocol, one.DestinationPort);
        BackendFlows ofAll = new(front, protocol, null, one.Server, null), ofPort = ofAll with { Port = port, ServerPort = one.ServerPort };
        lock (guard)
        {
            if (come?.Contains(ofAll) == true || come?.Contains(ofPort) == true) return false;
            if (port != null && hasOwn(front, protocol, port)) return !ours.Value.Contains(ofPort);
            if (hasOwn(front, protocol, null)) return !ours.Value.Contains(ofAll);
            return (port != null && wasOwned(front, protocol, port)) || wasOwned(front, protocol, null);
        }
    }

    private void Cut(IpFamily family, bool isDirect, Predicate<Connection> which)
    {
        var (cut, errno) = isDirect ? connections.CutDirect(family, which) : connections.CutRedirected(family, which);
        if (cut > 0 && isDirect) DataplaneLog.SessionsBegunAnew(log, cut);
        else if (cut > 0) DataplaneLog.SessionsEnded(log, cut);
        if (errno != 0) DataplaneLog.SessionsStay(log, Marshal.GetPInvokeErrorMessage(errno));
    }

    /// <summary>What is due by now is ended first: services may have gone for good, and nobody knows their connections then.</summary>
    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync().ConfigureAwait(false);
        if (loop != null) await loop.Ended.ConfigureAwait(false);
        if (Left() == TimeSpan.Zero) Pass();
        stopping.Dispose();
    }
}
