using Calico.Bgp.Wire;

namespace Calico.Bgp.Session;

/// <summary>
/// The timers of RFC 4271 section 8 (each value one bit, so that a state can say which of them run), the send hold timer of
/// RFC 9687, and one of our own: <see cref="Stable"/> tells a session that has come to stay from one that flaps.
/// </summary>
[Flags]
internal enum Timers : byte
{
    None = 0,
    ConnectRetry = 1,
    Hold = 2,
    Keepalive = 4,
    DelayOpen = 8,
    IdleHold = 16,
    SendHold = 32,
    Stable = 64,
}

/// <summary>All that the state machine of one connection remembers.</summary>
/// <param name="Running">Timers that run; what a step leaves out of the next state is stopped.</param>
/// <param name="Retries">ConnectRetryCounter: TCP connections that failed one after the other.</param>
/// <param name="Penalty">Sessions that ended by an error one after the other; each doubles the next idle hold (RFC 4271's
/// DampPeerOscillations, whose formula the RFC leaves open).</param>
/// <param name="Agreed">From OpenConfirm on.</param>
internal sealed record SessionState(Phase Phase, Timers Running, int Retries, int Penalty, Negotiated? Agreed)
{
    /// <summary>Stopped: nothing but a start by the operator leads on.</summary>
    public static readonly SessionState Stopped = new(Phase.Idle, Timers.None, 0, 0, null);

    /// <summary>Where the machine of a further connection begins: TCP is all that is missing.</summary>
    public static readonly SessionState Listening = Stopped with { Phase = Phase.Active };

    public bool Runs(Timers timer) => (Running & timer) != 0;

    /// <summary>The peer is connected, and it may be told why that ends.</summary>
    public bool OpenWasSent => Phase is Phase.OpenSent or Phase.OpenConfirm or Phase.Established;
}
