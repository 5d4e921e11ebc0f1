using System.Net.Sockets;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Session;

/// <summary>One neighbour's session: asks the FSM, performs its actions, owns the connections that live and die under it.</summary>
public sealed class PeerSession(SessionSettings settings, ISessionOwner owner, TimeProvider time, ILogger<PeerSession> log) : IAsyncDisposable
{
    public SessionSettings Settings { get; } = settings;

    /// <summary>Begins the session's loop (automatic start, or administratively down where the settings say so).</summary>
    public void Start() => throw new NotImplementedException($"{owner}{time}{log}");

    /// <summary>Administrative shutdown (RFC 4486 subcode 2, text as RFC 9003); the loop goes on and <see cref="Enable"/> starts again.</summary>
    public void Disable(string? text = null) => throw new NotImplementedException();
    public void Enable() => throw new NotImplementedException();

    /// <summary>Administrative reset: down and at once up again.</summary>
    public void Restart(string? text = null) => throw new NotImplementedException();

    /// <summary>Asks the peer for its routes again (RFC 2918); false where the peer does not know how.</summary>
    public bool RequestRefresh(IpFamily family) => throw new NotImplementedException();

    /// <summary>A connection that the peer opened; taken over.</summary>
    public void Accept(Socket connection) => throw new NotImplementedException();

    public SessionSnapshot Snapshot => throw new NotImplementedException();

    /// <summary>Ends the session for good: Cease with the given subcode, connections closed, loop ended.</summary>
    public ValueTask StopAsync(Wire.CeaseSubcode subcode, string? text = null) => throw new NotImplementedException();

    public ValueTask DisposeAsync() => StopAsync(Wire.CeaseSubcode.PeerDeconfigured);
}
