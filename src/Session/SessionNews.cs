using System.Net.Sockets;
using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Messages;

namespace Calico.Bgp.Session;

/// <summary>What a session's loop takes, in the order in which it happened.</summary>
internal abstract record SessionNews
{
    public sealed record Begin(bool ByOperator) : SessionNews;
    /// <summary>Down, until the operator enables it.</summary>
    public sealed record Disable(Notification Why) : SessionNews;
    /// <summary>Down and at once up again.</summary>
    public sealed record Restart(Notification Why) : SessionNews;
    /// <summary>Down for good.</summary>
    public sealed record Halt(Stop How) : SessionNews;
    /// <summary>The owner found something wrong.</summary>
    public sealed record Break(Notification Why) : SessionNews;
    /// <summary>The way is gone by which the session of this agreement runs (another has a way of its own); null: none was up.</summary>
    public sealed record LoseWay(LostWay What, Negotiated? Of) : SessionNews;
    public sealed record FindWay : SessionNews;
    /// <summary>The peer has opened a connection.</summary>
    public sealed record Called(Socket Connection) : SessionNews;
    /// <summary>We have opened one; without a socket: could not, in these words.</summary>
    public sealed record Dialled(Attempt Attempt, CancellationTokenSource Which, Socket? Socket, string Words) : SessionNews;
    /// <summary>A connection's reader speaks. It waits for the answer to what was a question.</summary>
    public sealed record Heard(Connection Connection, SessionEvent On) : SessionNews;
    public sealed record Expired(Attempt Attempt, Timers Timer) : SessionNews;
    /// <summary>The session is to be as it is now until that is over. The answer: its connection; null: none is established.</summary>
    public sealed record StandStill(TaskCompletionSource<Connection?> Answer, Task Over) : SessionNews;
    /// <summary>Another process is to have it; it has not where that is over. The answer is null where it cannot be had now.</summary>
    public sealed record Give(Connection Connection, TaskCompletionSource<HandedMoment?> Answer, Task Over) : SessionNews;
    /// <summary>It was taken over, and is ours from now on.</summary>
    public sealed record GoOn(TimeSpan Silence) : SessionNews;
    /// <summary>Answered in its turn: all before has been dealt with.</summary>
    public sealed record Settle(TaskCompletionSource Reached) : SessionNews;
}
