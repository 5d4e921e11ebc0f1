using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Calico.Bgp.Bfd;

/// <summary>
/// Watches neighbours by BFD: RFC 5880 in asynchronous mode over RFC 5881 (one hop) and RFC 5883 (several). One thread owns the sessions
/// and their sockets, and waits in ppoll(2) for datagrams and for the next thing that is due. Neither garbage collection nor a full table
/// may make a false loss of it (docs/notes/bfd.md has the figures):
/// - it goes before all other threads of the machine where it may (SCHED_FIFO), and waits for none of them;
/// - for a packet it allocates nothing, takes no lock, and calls nobody else's code;
/// - a collection stops it as it stops every managed thread. So a neighbour is judged by when the kernel had its packets, not by when they
///   were read, and only after everything has been read that had come by then.
/// It begins with the first neighbour that is to be watched, in the network namespace of whoever wants it.
/// </summary>
public sealed class BfdLoop(Loops loops, TimeProvider time, ILogger<BfdLoop> log) : IBfd, IAsyncDisposable
{
    /// <summary>Of one socket, before what is due has its turn.</summary>
    private const int DatagramsARound = 1024;

    /// <summary>Who is no longer watched is told so until he must have heard it (RFC 5880 section 6.8.16).</summary>
    private const int Farewells = 3;

    private const long Second = 1_000_000_000;

    private readonly Dictionary<BfdKey, Watched> byKey = [];
    private readonly Dictionary<uint, Watched> byDiscriminator = [];
    private readonly BfdReceivers receivers = new();
    private readonly DueQueue queue = new();
    private readonly Random random = new();
    private readonly byte[] datagram = new byte[BfdReceiver.LongestDatagram], packet = new byte[BfdReceiver.LongestDatagram];
    private readonly int bell = Libc.Check(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd");
    private volatile BfdTarget[]? wanted;
    private volatile BfdSessionStatus[] current = [];
    private volatile bool isStopping, isSilent;
    private Loop? loop;
    private bool isDirty, isBehind;
    /// <summary>The sessions are another process's yet.</summary>
    private bool isExpecting;
    /// <summary>Another process's sessions, which the next <see cref="Apply"/> goes on with.</summary>
    private volatile HandedBfd[]? adopted;
    /// <summary>Those of them that nobody has wanted yet. They go on for a while: an owner may come to it later than the others.</summary>
    private readonly HashSet<BfdKey> unclaimed = [];
    private long unclaimedUntil = BfdSession.Never;
    private volatile Handing? handing;
    private long strays, heardUpTo, listenAgain = BfdSession.Never;

    public ImmutableArray<BfdSessionStatus> Current => ImmutableCollectionsMarshal.AsImmutableArray(current);
    public BfdLateness Lateness { get; } = new();
    public long Strays => Volatile.Read(ref strays);

    public event Action? Changed;

    /// <summary>How long sessions of another process's go on that nobody wants here yet.</summary>
    internal TimeSpan ForOwners { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>What is asked of the thread, for another process's sake.</summary>
    /// <param name="Lends">From now on it lends the sessions, or has them back; null: it goes on as it does.</param>
    private sealed record Handing(bool? Lends)
    {
        public TaskCompletionSource<ImmutableArray<HandedBfd>> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    public void Want(ImmutableArray<BfdTarget> all)
    {
        wanted = [.. all];
        if (!isExpecting) Begin(all.Length);
    }

    private void Begin(int wants)
    {
        // Deaf and dumb it would have neighbours believe that we are gone; begun anew, it knows none of them.
        if (loop == null && wants > 0) loop = loops.StartThread("bfd", OnDefect.EndProcess, Run);
        Ring();
    }

    public Task<ImmutableArray<HandedBfd>> HandAsync(bool lends)
    {
        if (loop == null) return Task.FromResult(ImmutableArray<HandedBfd>.Empty);
        return Ask(new(lends ? true : null));
    }

    public void TakeBack() => _ = Ask(new(Lends: false));

    private Task<ImmutableArray<HandedBfd>> Ask(Handing order)
    {
        handing = order;
        Ring();
        return order.Answer.Task;
    }

    public async Task FallSilentAsync()
    {
        isSilent = isStopping = true;
        Ring();
        if (loop != null) await loop.Ended.ConfigureAwait(false);
    }

    public void Expect(ImmutableArray<HandedBfd> handed)
    {
        isExpecting = true;
        var shown = handed.Select(one => Goes(one, new(one.Key(), BfdTimes.Default)));
        current = [.. shown.Select(one => one.Status(null)).OrderBy(one => one.Key.Peer)];
    }

    public void Adopt(ImmutableArray<HandedBfd> handed)
    {
        adopted = [.. handed];
        isExpecting = false;
        Begin(handed.Length + (wanted?.Length ?? 0));
    }

    private unsafe void Ring()
    {
        var one = 1UL;
        _ = write(bell, &one, sizeof(ulong));
    }

    private void Run(Loop turns)
    {
        log.Running(Libc.Hurry());
        heardUpTo = Now();
        while (!isStopping)
        {
            turns.Beat();
            if (Interlocked.Exchange(ref handing, null) is { } order) Perform(order);
            if (Interlocked.Exchange(ref adopted, null) is { } handed) Apply(Interlocked.Exchange(ref wanted, null) ?? Wanted, handed);
            else if (Interlocked.Exchange(ref wanted, null) is { } all) Apply(all, []);
            if (Now() >= unclaimedUntil) Abandon();
            if (Now() >= listenAgain) Listen();
            heardUpTo = Hear();
            Act();
            Publish();
            turns.Rest();
            Wait();
        }
        Leave();
    }

    /// <summary>Nanoseconds of the clock that is never put (CLOCK_MONOTONIC).</summary>
    private long Now() => time.GetTimestamp() * (Second / time.TimestampFrequency);

    /// <summary>The wall clock, of which the kernel's stamps are.</summary>
    private long WallNow() => 100 * (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks;

    private BfdTarget[] Wanted =>
        [.. byKey.Values.Select(one => one.Target).Where(target => !unclaimed.Contains(target.Key))];

    private void Apply(BfdTarget[] all, HandedBfd[] handed)
    {
        var next = all.ToDictionary(target => target.Key);
        foreach (var from in handed) Enter(Goes(from, next.GetValueOrDefault(from.Key()) ?? AsItWas(from)));
        if (handed.Length > 0)
        {
            unclaimed.UnionWith(handed.Select(from => from.Key()));
            unclaimedUntil = Now() + (100 * ForOwners.Ticks);
        }
        unclaimed.ExceptWith(next.Keys);
        foreach (var one in byKey.Values.Where(one => !unclaimed.Contains(one.Target.Key)).ToArray())
            if (!next.TryGetValue(one.Target.Key, out var target) || target.Local != one.Target.Local) Dismiss(one);
        foreach (var target in all)
        {
            if (!byKey.TryGetValue(target.Key, out var known)) Watch(target);
            else if (known.Target != target)
            {
                var isTimed = known.Target.Times != target.Times;
                known.Target = target;
                if (isTimed) known.Session.Change(target.Times);
                known.Session.Say(target.Says, target.Remark, Now());
                queue.Move(known);
            }
        }
        Listen(isShared: handed.Length > 0);
        isDirty = true;
    }

    /// <summary>As the neighbour knows it.</summary>
    private static BfdTarget AsItWas(HandedBfd from) => new(from.Key(), new(
        TimeSpan.FromMicroseconds(from.SendInForce), TimeSpan.FromMicroseconds(from.ReceiveInForce),
        from.Multiplier is > 0 and <= BfdTimes.MostMissed ? from.Multiplier : BfdTimes.Default.Multiplier));

    /// <summary>Nobody has come for them.</summary>
    private void Abandon()
    {
        foreach (var key in unclaimed) Dismiss(byKey[key]);
        unclaimed.Clear();
        (unclaimedUntil, isDirty) = (BfdSession.Never, true);
    }

    private void Watch(BfdTarget target)
    {
        // Whoever was to hear of the end of the session before this one would take it for this one's.
        foreach (var former in byDiscriminator.Values.Where(one => one.IsLeaving && one.Target.Key == target.Key).ToArray()) Forget(former);
        uint discriminator;
        do discriminator = (uint)random.NextInt64(1, 1L + uint.MaxValue);
        while (byDiscriminator.ContainsKey(discriminator));
        var session = new BfdSession(discriminator, target.Times, random, Now());
        Enter(new(target, session, new(target, random), time.GetUtcNow()));
    }

    private Watched Goes(HandedBfd from, BfdTarget target) =>
        new(from, target, new(from, target.Times, random, Now()), new(target, random, from.Port));

    private void Enter(Watched one)
    {
        one.Session.Say(one.Target.Says, one.Target.Remark, Now());
        byKey[one.Target.Key] = byDiscriminator[one.Session.MyDiscriminator] = one;
        queue.Add(one);
    }

    private void Perform(Handing order)
    {
        if (order.Lends is { } lends)
        {
            foreach (var receiver in receivers.All) receiver.Share(lends);
            foreach (var one in byKey.Values)
            {
                one.Sender.Share(lends);
                if (lends) one.Session.Lend();
                else one.Session.TakeBack(Now());
                queue.Move(one);
            }
        }
        order.Answer.SetResult([.. byKey.Values.Select(one => one.Hand())]);
    }

    private void Dismiss(Watched one)
    {
        byKey.Remove(one.Target.Key);
        if (one.Session.RemoteDiscriminator == 0)
        {
            Forget(one);
            return;
        }
        one.Farewells = Farewells;
        one.Session.Stop(Now());
        queue.Move(one);
    }

    private void Forget(Watched one)
    {
        byDiscriminator.Remove(one.Session.MyDiscriminator);
        queue.Remove(one);
        one.Dispose();
    }

    private void Listen(bool isShared = false)
    {
        if (receivers.Open([.. byKey.Keys.Select(key => (key.Peer.Family, key.Multihop))], isShared) is { } words) log.CannotListen(words);
        listenAgain = receivers.AnyRefused ? Now() + Second : BfdSession.Never;
        isDirty = true;
    }

    /// <summary>Up to which moment everything that came has been heard.</summary>
    private long Hear()
    {
        var began = Now();
        var wall = WallNow() - began;
        var heard = began;
        isBehind = false;
        foreach (var receiver in receivers.All) heard = Math.Min(heard, Hear(receiver, wall, began));
        return heard;
    }

    private long Hear(BfdReceiver receiver, long wall, long began)
    {
        var last = heardUpTo;
        for (var i = 0; i < DatagramsARound; i++)
        {
            if (!receiver.TryReceive(datagram, out var arrival)) return began;
            // Between when all had been heard and now, whatever became of the wall clock meanwhile.
            last = arrival.Stamp == 0 ? began : Math.Clamp(arrival.Stamp - wall, heardUpTo, Now());
            Hear(receiver, arrival, last);
        }
        isBehind = true;
        return last;
    }

    private void Hear(BfdReceiver receiver, in Arrival arrival, long at)
    {
        var verdict = !receiver.Hears.Multihop && arrival.HopLimit != 255 ? Discard.HopLimit : Discard.None;
        var heard = default(ControlPacket);
        if (verdict == Discard.None) verdict = ControlPacket.Read(datagram.AsSpan(0, arrival.Length), out heard);
        var from = new BfdKey(arrival.Source, receiver.Hears.Multihop ? 0 : arrival.Interface, receiver.Hears.Multihop);
        var whose = verdict == Discard.None && heard.YourDiscriminator != 0
            ? byDiscriminator.GetValueOrDefault(heard.YourDiscriminator) : byKey.GetValueOrDefault(from);
        if (whose == null || whose.Target.Key != from) Volatile.Write(ref strays, strays + 1);
        else if (verdict != Discard.None) whose.Counters.CountDiscarded();
        else Hear(whose, heard, ControlPacket.Behind(datagram.AsSpan(0, arrival.Length)), at);
    }

    private void Hear(Watched one, in ControlPacket heard, ReadOnlySpan<byte> remark, long at)
    {
        var before = one.Session.State;
        one.Session.HearRemark(remark);
        if (one.Session.Receive(heard, at, Now(), out var answer) == Discard.None) one.Counters.CountReceived();
        else one.Counters.CountDiscarded();
        if (answer) Send(one, final: true);
        Settle(one, before);
    }

    private void Act()
    {
        while (queue.First is { } one)
        {
            var (before, now) = (one.Session.State, Now());
            if (one.Session.DetectAt <= heardUpTo) one.Session.Expire(now);
            else if (one.Session.NextSend <= now)
            {
                if (!one.Session.IsUrgent) Lateness.Add((now - one.Session.NextSend) / 1000);
                if (one.Session.State == BfdState.Down) one.Sender.Renew();
                Send(one, final: false);
                one.Session.Sent(now);
                if (one.IsLeaving && --one.Farewells == 0)
                {
                    Forget(one);
                    continue;
                }
            }
            else return;
            Settle(one, before);
        }
    }

    private void Send(Watched to, bool final)
    {
        to.Session.Packet(final).Write(packet);
        var remark = to.Session.Remark;
        remark.CopyTo(packet.AsSpan(ControlPacket.Octets));
        to.Sender.Send(packet.AsSpan(0, ControlPacket.Octets + remark.Length));
        to.Counters.CountSent();
    }

    private void Settle(Watched one, BfdState before)
    {
        queue.Move(one);
        if (one.IsLeaving) return;
        var state = one.Session.State;
        if (state != before)
        {
            if (one.Enter(before, time.GetUtcNow()) is { } lost) log.Lost(one.Target.Key.Peer, lost.Words);
            else if (state == BfdState.Up) log.Up(one.Target.Key.Peer);
            else log.Changed(one.Target.Key.Peer, state);
        }
        isDirty |= one.Differs(receivers.ProblemOf(one.Target.Key));
    }

    private void Publish()
    {
        if (!isDirty) return;
        isDirty = false;
        current = [.. byKey.Values.Select(one => one.Status(receivers.ProblemOf(one.Target.Key))).OrderBy(one => one.Key.Peer)];
        Changed?.Invoke();
    }

    private unsafe void Wait()
    {
        var descriptors = stackalloc pollfd[1 + receivers.All.Count];
        descriptors[0] = new() { fd = bell, events = POLLIN };
        for (var i = 0; i < receivers.All.Count; i++) descriptors[1 + i] = new() { fd = receivers.All[i].Descriptor, events = POLLIN };
        var due = Math.Min(queue.First?.Session.Due ?? BfdSession.Never, Math.Min(listenAgain, unclaimedUntil));
        var left = isBehind ? 0 : Math.Max(due - Now(), 0);
        var patience = new timespec { tv_sec = left / Second, tv_nsec = (int)(left % Second) };
        _ = ppoll(descriptors, (uint)(1 + receivers.All.Count), due == BfdSession.Never ? null : &patience, null);
        if (descriptors[0].revents == 0) return;
        ulong rung;
        _ = read(bell, &rung, sizeof(ulong));
    }

    /// <summary>The daemon ends: nobody has failed (RFC 5880 section 6.8.16), and there is no time for more than to say so.</summary>
    private void Leave()
    {
        foreach (var one in byDiscriminator.Values)
        {
            if (!isSilent)
            {
                one.Session.Stop(Now());
                for (var i = 0; i < Farewells && one.Session.RemoteDiscriminator != 0; i++) Send(one, final: false);
            }
            one.Dispose();
        }
        receivers.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        isStopping = true;
        Ring();
        if (loop != null) await loop.Ended.ConfigureAwait(false);
        _ = close(bell);
    }
}
