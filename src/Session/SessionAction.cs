using Calico.Bgp.Wire.Messages;

namespace Calico.Bgp.Session;

/// <summary>What the state machine asks its session to do, in this order.</summary>
internal abstract record SessionAction;

/// <summary>Open a TCP connection; the answer is <see cref="Connected"/> or <see cref="ConnectionFailed"/>.</summary>
internal sealed record Dial : SessionAction;

internal sealed record SendOpen : SessionAction;
internal sealed record SendKeepalive : SessionAction;

/// <summary>Let go of the connection, or of the attempt to open it. <paramref name="Last"/>: what the peer is told before.</summary>
internal sealed record Close(Notification? Last) : SessionAction;

/// <summary>(Re)start a timer; the longest of them are shortened at random by who performs this (RFC 4271 section 10).</summary>
internal sealed record Arm(Timers Timer, TimeSpan For) : SessionAction;

/// <summary>The session is established: routes may flow.</summary>
internal sealed record Up : SessionAction;

/// <summary>Tell owner, log and <c>show protocols</c> why the session ended or did not come up.</summary>
internal sealed record Report(FaultKind Kind, Notification? Notification, string Text, string? Detail = null) : SessionAction;

internal readonly record struct Transition(SessionState Next, IReadOnlyList<SessionAction> Actions);
