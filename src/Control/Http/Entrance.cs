// Who is in, by one kind of way: the Unix sockets, or the ports. Strangers on a port do not use up what the operator's socket has.
//
// A connection costs a descriptor, and what is asked on it may cost much. Those that are being answered are never more than the places for
// answers (Places) together, which are fewer than the connections that may be open. So of a full house some have not asked yet, or may ask
// again; the one that has been silent longest goes when another comes in. A probe finds a connection and a place whatever the others do.

using Calico.Bgp.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Control.Http;

/// <summary>A connection, and whether it is being answered.</summary>
internal sealed class Visit(ConnectionContext connection, Entrance entrance, long since)
{
    private static readonly object Key = new();

    public Entrance Entrance => entrance;

    /// <summary>When it last fell silent. Belongs to the entrance.</summary>
    public long SilentSince { get; set; } = since;
    /// <summary>Belongs to the entrance.</summary>
    public bool IsAnswered { get; set; }

    public void Enter() => connection.Items[Key] = this;

    public void Close(string why) => connection.Abort(new ConnectionAbortedException(why));

    public static Visit Of(HttpContext http) =>
        http.Features.Get<IConnectionItemsFeature>()?.Items[Key] as Visit
            ?? throw new InvalidOperationException("expected a connection that has come in by an entrance, got another");
}

/// <param name="isTrusted">The socket's mode has let them in, so their orders are taken, and they may take their time.</param>
internal sealed class Entrance(bool isTrusted, TimeProvider time, ILogger log)
{
    /// <summary>More than <see cref="Places.All"/>.</summary>
    public const int MostConnections = 128;

    /// <summary>Those that are on their way out count as well: whoever floods us does not get ahead of our closing.</summary>
    private const int MostDescriptors = 2 * MostConnections;

    private static readonly TimeSpan LineInterval = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new();
    private readonly HashSet<Visit> visits = [];
    private readonly LineLimit lines = new(LineInterval, time);
    private int descriptors;

    public bool IsTrusted => isTrusted;
    public Places Places { get; } = new(isTrusted, time, log);

    /// <summary>A connection's life.</summary>
    public async Task ReceiveAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        if (Interlocked.Increment(ref descriptors) <= MostDescriptors)
        {
            var visit = new Visit(connection, this, time.GetTimestamp());
            visit.Enter();
            MakeRoomFor(visit)?.Close("it was silent, and another came in");
            try
            {
                await next(connection).ConfigureAwait(false);
            }
            finally
            {
                lock (gate) visits.Remove(visit);
            }
        }
        Interlocked.Decrement(ref descriptors);
    }

    /// <returns>Who has to go for it.</returns>
    private Visit? MakeRoomFor(Visit newcomer)
    {
        lock (gate)
        {
            var silent = visits.Count < MostConnections ? null : visits.Where(visit => !visit.IsAnswered).MinBy(visit => visit.SilentSince);
            if (silent != null)
            {
                visits.Remove(silent);
                if (lines.Say(out var unsaid)) HttpLog.Full(log, MostConnections, unsaid);
            }
            visits.Add(newcomer);
            return silent;
        }
    }

    public void Begin(Visit visit)
    {
        lock (gate) visit.IsAnswered = true;
    }

    public void End(Visit visit)
    {
        lock (gate) (visit.IsAnswered, visit.SilentSince) = (false, time.GetTimestamp());
    }
}

/// <summary>Connections that came in by the Unix socket: the file's mode has let them in, so their orders are taken.</summary>
internal static class Trust
{
    public static bool IsGiven(HttpContext http) => Visit.Of(http).Entrance.IsTrusted;
}
