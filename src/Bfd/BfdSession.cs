using Calico.Bgp.Net;

namespace Calico.Bgp.Bfd;

/// <summary>
/// One session in asynchronous mode: RFC 5880 section 6.8's variables and what follows from a packet, from time, and from another
/// configuration. It neither sends nor waits: whoever has the sockets asks when it is <see cref="Due"/>, hands in what came and when the
/// kernel had it, and sends what <see cref="Packet"/> says. Times are nanoseconds of one monotonic clock.
///
/// The C bit is not set: when this program ends, its BFD ends with it (RFC 5882 section 4.3). Demand mode is never ours; a neighbour's is
/// obeyed. Echo is not wanted.
/// </summary>
internal sealed class BfdSession
{
    public const long Never = long.MaxValue;

    private const long Microsecond = 1000;

    /// <summary>RFC 5880 section 6.8.1: bfd.RemoteMinRxInterval before anything was heard.</summary>
    private const uint UnheardMinRx = 1;

    private readonly Random random;
    private BfdTimes times;
    private long lastSent;
    /// <summary>The interval by which <see cref="NextSend"/> was chosen; 0: none is wanted.</summary>
    private uint scheduled;
    /// <summary>Of what we tell, what counts on our side already: what becomes rarer waits until its poll ends (section 6.8.3).</summary>
    private uint sendInForce, receiveInForce;
    private uint remoteDesiredMinTx, remoteRequiredMinRx = UnheardMinRx;
    private byte remoteMultiplier;
    private bool remoteDemands, polls, pollIsOut;
    /// <summary>Somebody else judges the neighbour.</summary>
    private bool isLent;
    private BfdDiagnostic says;
    private ListOf<byte> remark;

    public BfdSession(uint discriminator, BfdTimes times, Random random, long now)
    {
        (MyDiscriminator, this.times, this.random) = (discriminator, times, random);
        TakeEffect();
        NextSend = now;
    }

    /// <summary>
    /// Another process's, as it was: the neighbour notices nothing. It has the whole detection time from now on, and confirms our times,
    /// which may be others.
    /// </summary>
    public BfdSession(HandedBfd from, BfdTimes times, Random random, long now)
    {
        (MyDiscriminator, this.times, this.random) = (from.LocalDiscriminator, times, random);
        (State, Diagnostic, RemoteState, RemoteDiagnostic) = (from.State, from.Diagnostic, from.RemoteState, from.RemoteDiagnostic);
        (RemoteDiscriminator, remoteMultiplier) = (from.RemoteDiscriminator, from.RemoteMultiplier);
        RemoteRemark = [.. Convert.FromHexString(from.RemoteRemark)];
        (remoteDesiredMinTx, remoteRequiredMinRx) = (from.RemoteDesiredMinTx, from.RemoteRequiredMinRx);
        (remoteDemands, RemoteIsIndependent) = (from.RemoteDemands, from.RemoteIsIndependent);
        (sendInForce, receiveInForce) = (from.SendInForce, from.ReceiveInForce);
        if (State == BfdState.Up) BeginPoll();
        else TakeEffect();
        NextSend = now;
        if (RemoteDiscriminator != 0) DetectAt = now + DetectionTime * Microsecond;
    }

    public uint MyDiscriminator { get; }
    public BfdState State { get; private set; } = BfdState.Down;
    public BfdDiagnostic Diagnostic { get; private set; }
    public BfdState RemoteState { get; private set; } = BfdState.Down;
    public BfdDiagnostic RemoteDiagnostic { get; private set; }
    public ListOf<byte> RemoteRemark { get; private set; }
    public uint RemoteDiscriminator { get; private set; }
    /// <summary>The neighbour's BFD lives on when its control plane ends.</summary>
    public bool RemoteIsIndependent { get; private set; }
    public long NextSend { get; private set; }
    /// <summary>The next packet says something new, and is due at once.</summary>
    public bool IsUrgent { get; private set; } = true;
    public long DetectAt { get; private set; } = Never;
    public long Due => Math.Min(NextSend, DetectAt);

    /// <summary>What we tell: section 6.8.3's second for a session that is not up.</summary>
    private uint DesiredMinTx => Micro(State == BfdState.Up ? times.Send : Longer(times.Send, times.Idle));
    private uint RequiredMinRx => Micro(times.Receive);

    /// <summary>Section 6.8.2, before jitter; microseconds.</summary>
    public uint SendInterval => Math.Max(sendInForce, remoteRequiredMinRx);

    /// <summary>Section 6.8.4; microseconds. 0: nothing was heard.</summary>
    public long DetectionTime => (long)remoteMultiplier * Math.Max(receiveInForce, remoteDesiredMinTx);

    /// <summary>Section 6.8.6 from where the session is known.</summary>
    /// <param name="arrived">When the kernel had it: it may have waited for us.</param>
    /// <param name="answer">It asks for an answer at once, with the F bit.</param>
    public Discard Receive(in ControlPacket packet, long arrived, long now, out bool answer)
    {
        (RemoteDiscriminator, RemoteState, RemoteDiagnostic) = (packet.MyDiscriminator, packet.State, packet.Diagnostic);
        (remoteDesiredMinTx, remoteRequiredMinRx, remoteMultiplier) = (packet.DesiredMinTx, packet.RequiredMinRx, packet.Multiplier);
        (remoteDemands, RemoteIsIndependent) = (packet.Has(ControlFlags.Demand), packet.Has(ControlFlags.ControlPlaneIndependent));
        if (packet.Has(ControlFlags.Final) && pollIsOut) EndPoll();
        answer = false;
        if (State == BfdState.AdminDown) return Discard.Stopped;
        var (next, why) = BfdFsm.Hear(State, packet.State);
        if (next != State) Enter(next, why, now);
        answer = packet.Has(ControlFlags.Poll);
        DetectAt = isLent ? Never : arrived + DetectionTime * Microsecond;
        Reschedule();
        return Discard.None;
    }

    /// <summary>What came behind a packet of the session's.</summary>
    public void HearRemark(ReadOnlySpan<byte> octets)
    {
        if (!octets.SequenceEqual(RemoteRemark.Items)) RemoteRemark = [.. octets];
    }

    /// <summary>The neighbour has been silent for the detection time.</summary>
    public void Expire(long now)
    {
        // Section 6.8.1: what it calls itself is forgotten, whatever the state.
        (RemoteDiscriminator, remoteRequiredMinRx, remoteDemands, DetectAt) = (0, UnheardMinRx, false, Never);
        (RemoteState, RemoteRemark) = (BfdState.Down, []);
        var (next, why) = BfdFsm.Expire(State);
        if (next != State) Enter(next, why, now);
        Reschedule();
    }

    /// <summary>Other times; the neighbour is asked to confirm them where the session is up (section 6.8.3).</summary>
    public void Change(BfdTimes newer)
    {
        times = newer;
        if (State == BfdState.Up) BeginPoll();
        else TakeEffect();
        Reschedule();
    }

    /// <summary>Section 6.8.17: what lies beyond us is lost, or is there again; or what this node knew of connections is. The session
    /// stays up, and the neighbour hears it at once.</summary>
    /// <param name="of">None: nothing is wrong.</param>
    /// <param name="behind">What is said behind the packet.</param>
    public void Say(BfdDiagnostic of, ListOf<byte> behind, long now)
    {
        if (says == of && remark == behind) return;
        (says, remark) = (of, behind);
        if (State == BfdState.Up) (IsUrgent, NextSend) = (true, now);
    }

    /// <summary>It says what it said, and answers, and takes no silence for a loss: whoever has it now hears the neighbour.</summary>
    public void Lend() => (isLent, DetectAt) = (true, Never);

    /// <summary>Nobody else has it.</summary>
    public void TakeBack(long now)
    {
        isLent = false;
        if (RemoteDiscriminator != 0) DetectAt = now + DetectionTime * Microsecond;
    }

    /// <summary>For whoever goes on with it: of <paramref name="watched"/>, what is the session's own.</summary>
    public HandedBfd Hand(BfdKey watched, int port, DateTimeOffset since, int ups, int losses, BfdLoss? lastLoss) => new()
    {
        Peer = watched.Peer.ToString(),
        Interface = watched.Interface,
        Multihop = watched.Multihop,
        State = State,
        Diagnostic = Diagnostic,
        RemoteState = RemoteState,
        RemoteDiagnostic = RemoteDiagnostic,
        RemoteRemark = Convert.ToHexStringLower(RemoteRemark.Items),
        LocalDiscriminator = MyDiscriminator,
        RemoteDiscriminator = RemoteDiscriminator,
        RemoteDesiredMinTx = remoteDesiredMinTx,
        RemoteRequiredMinRx = remoteRequiredMinRx,
        RemoteMultiplier = remoteMultiplier,
        RemoteDemands = remoteDemands,
        RemoteIsIndependent = RemoteIsIndependent,
        SendInForce = sendInForce,
        ReceiveInForce = receiveInForce,
        Multiplier = times.Multiplier,
        Port = port,
        Since = since,
        Ups = ups,
        Losses = losses,
        LastLoss = lastLoss,
    };

    /// <summary>Section 6.8.16: down because somebody here wants it so.</summary>
    public void Stop(long now) => Enter(BfdState.AdminDown, BfdDiagnostic.AdministrativelyDown, now);

    public ControlPacket Packet(bool final) => new(
        says != BfdDiagnostic.None && State == BfdState.Up ? says : Diagnostic, State,
        final ? ControlFlags.Final : polls ? ControlFlags.Poll : ControlFlags.None, (byte)times.Multiplier,
        MyDiscriminator, RemoteDiscriminator, DesiredMinTx, RequiredMinRx);

    /// <summary>What is sent behind it.</summary>
    public ReadOnlySpan<byte> Remark => State == BfdState.Up ? remark.Items : [];

    /// <summary>What was due has been sent; an answer with the F bit is nobody's turn.</summary>
    public void Sent(long now)
    {
        (lastSent, pollIsOut, IsUrgent) = (now, polls, false);
        Schedule();
    }

    private void Enter(BfdState next, BfdDiagnostic why, long now)
    {
        (State, Diagnostic) = (next, why);
        (polls, pollIsOut) = (false, false);
        if (next == BfdState.Up) BeginPoll();
        else TakeEffect();
        // Section 6.8.7: a packet that says something else than the last one does not wait for its turn.
        (IsUrgent, NextSend) = (true, now);
    }

    private void BeginPoll()
    {
        (polls, pollIsOut) = (true, false);
        // What becomes more often counts at once; what becomes less often, when the neighbour has heard of it.
        sendInForce = Math.Min(sendInForce, DesiredMinTx);
        receiveInForce = Math.Max(receiveInForce, RequiredMinRx);
    }

    private void EndPoll()
    {
        (polls, pollIsOut) = (false, false);
        TakeEffect();
    }

    private void TakeEffect() => (sendInForce, receiveInForce) = (DesiredMinTx, RequiredMinRx);

    /// <summary>Section 6.8.7: who wants none gets none, and who is in demand mode none but a poll.</summary>
    private uint Wanted =>
        remoteRequiredMinRx == 0 || (remoteDemands && State == BfdState.Up && RemoteState == BfdState.Up && !polls) ? 0 : SendInterval;

    /// <summary>Another interval counts from the last packet on (section 6.8.3).</summary>
    private void Reschedule()
    {
        if (!IsUrgent && Wanted != scheduled) Schedule();
    }

    private void Schedule()
    {
        scheduled = Wanted;
        NextSend = scheduled == 0 ? Never : lastSent + (long)(scheduled * Microsecond * Jitter());
    }

    /// <summary>Section 6.8.7: a quarter less at most; with a multiplier of one, a tenth less at least.</summary>
    private double Jitter() => 0.75 + random.NextDouble() * (times.Multiplier == 1 ? 0.15 : 0.25);

    private static uint Micro(TimeSpan time) => (uint)time.TotalMicroseconds;

    private static TimeSpan Longer(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
