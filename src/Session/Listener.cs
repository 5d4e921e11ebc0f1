using Calico.Bgp.Net;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Session;

/// <summary>Accepts connections on every listening address and hands each to the session that it belongs to.</summary>
public sealed class Listener(ILogger<Listener> log) : IAsyncDisposable
{
    /// <summary>Opens the sockets. </summary>
    /// <exception cref="System.Net.Sockets.SocketException">An address cannot be bound; the message names address and port.</exception>
    public void Start(IReadOnlyList<Address> addresses, int port) => throw new NotImplementedException(log.ToString());

    /// <summary>From now on connections from this session's peer are its own; sets its MD5 key on the listening sockets.</summary>
    public void Add(PeerSession session) => throw new NotImplementedException();
    public void Remove(PeerSession session) => throw new NotImplementedException();

    public ValueTask DisposeAsync() => throw new NotImplementedException();
}
