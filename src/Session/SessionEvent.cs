using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Messages;

namespace Calico.Bgp.Session;

/// <summary>What can happen to a connection, in the order of RFC 4271 section 8.1; the numbers are the RFC's.</summary>
internal abstract record SessionEvent;

/// <summary>Events 1 and 3 to 7; whether we dial is a setting. <paramref name="ByOperator"/>: past penalties are forgiven.</summary>
internal sealed record Start(bool ByOperator) : SessionEvent;

/// <summary>
/// Event 2: down until the operator says otherwise. <paramref name="Notification"/> null: the peer is told nothing, so that it keeps what
/// it knows of us (RFC 4724).
/// </summary>
internal sealed record Stop(Notification? Notification) : SessionEvent;

/// <summary>Event 8: down because something of ours asks for it, and up again after the idle hold.</summary>
internal sealed record Break(Notification Notification) : SessionEvent;

/// <summary>Our own: the link to the peer, or our address on it, is gone, or BFD no longer hears the peer.</summary>
internal sealed record WayLost(LostWay What) : SessionEvent;

/// <summary>Our own: it is there again.</summary>
internal sealed record WayBack : SessionEvent;

/// <summary>Events 9 to 13, and RFC 9687's 29.</summary>
internal sealed record Expired(Timers Timer) : SessionEvent;

/// <summary>Event 16: the connection that we opened is there.</summary>
internal sealed record Connected : SessionEvent;

/// <summary>Event 17: the peer opened a connection.</summary>
internal sealed record Accepted : SessionEvent;

/// <summary>Event 18. <paramref name="Words"/>: the socket's.</summary>
internal sealed record ConnectionFailed(string Words) : SessionEvent;

/// <summary>Events 19 and 20: an OPEN on which <see cref="Negotiation"/> agreed.</summary>
internal sealed record OpenReceived(Negotiated Agreed) : SessionEvent;

/// <summary>Events 21, 22 and 28: a message that the peer must be told about.</summary>
/// <param name="Detail">What was expected and what came.</param>
internal sealed record Malformed(Notification Notification, string? Detail = null) : SessionEvent;

/// <summary>Event 23: <see cref="Collision"/> chose the other connection.</summary>
internal sealed record CollisionLost : SessionEvent;

/// <summary>Events 24 and 25.</summary>
internal sealed record NotificationReceived(Notification Notification) : SessionEvent;

/// <summary>Event 26.</summary>
internal sealed record KeepaliveReceived : SessionEvent;

/// <summary>Event 27.</summary>
internal sealed record UpdateReceived : SessionEvent;

/// <summary>RFC 2918; the RFC's table has no row for it, so it stands where UPDATE stands.</summary>
internal sealed record RefreshReceived : SessionEvent;
