using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Calico.Bgp.Net;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Session;

/// <summary>
/// Accepts connections on every listening address and hands each to the session that it belongs to. Whoever is no peer is hung up
/// on without a word, at the cost of one accept.
/// </summary>
public sealed class Listener(Loops loops, ILogger<Listener> log, TimeProvider? clock = null) : IAsyncDisposable
{
    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(1), Breath = TimeSpan.FromMilliseconds(100);

    private readonly TimeProvider time = clock ?? TimeProvider.System;
    private readonly Lock gate = new();
    private readonly List<Socket> sockets = [];
    private readonly List<Loop> accepting = [];
    private CancellationTokenSource ending = new();
    private bool isDisposed;
    private ImmutableArray<PeerSession> sessions = [];
    private ImmutableArray<PeerTemplate> templates = [];
    private readonly LineLimit strangers = new(LineInterval, clock ?? TimeProvider.System);

    /// <summary>Takes over connections of neighbours that a template is for, and no session yet. Called by several loops; must not
    /// block.</summary>
    public Action<Address, Socket>? Newcomer { get; init; }

    /// <summary>Those that the host does not have now: nobody can connect to them until it has.</summary>
    public static ImmutableArray<Address> Missing(IEnumerable<Address> addresses) =>
        [.. addresses.Where(address => !address.IsUnspecified && !TcpOptions.IsLocal(address))];

    /// <summary>
    /// Takes the addresses, those too that the host has not got yet. Nobody can connect before <see cref="Start"/>: by then the sockets
    /// have our peers' MD5 keys.
    /// </summary>
    /// <exception cref="SocketException">An address cannot be bound; the message names address and port.</exception>
    /// <param name="handed">Sockets of the process before, which still has them; those of other addresses are let go.</param>
    public void Open(IReadOnlyList<Address> addresses, int port, IReadOnlyList<Socket>? handed = null)
    {
        foreach (var address in addresses)
        {
            var its = handed?.FirstOrDefault(socket => Address.From(((IPEndPoint)socket.LocalEndPoint!).Address) == address
                && ((IPEndPoint)socket.LocalEndPoint!).Port == port);
            sockets.Add(its ?? Open(address, port));
        }
        foreach (var other in (handed ?? []).Except(sockets)) other.Dispose();
        foreach (var session in sessions) SetOptions(session, session.Settings.Password);
        foreach (var template in templates) SetOptions(template, template.Key);
    }

    /// <exception cref="SocketException">Another daemon was quicker.</exception>
    public void Start()
    {
        foreach (var socket in sockets) socket.Listen(1024);
        Accept();
    }

    private void Accept()
    {
        // Deaf, passive peers would never come; the process is started again whole.
        foreach (var socket in sockets)
            accepting.Add(loops.Start(
                "listener", OnDefect.EndProcess, loop => AcceptAllAsync(loop, socket), of: socket.LocalEndPoint?.ToString(),
                stop: ending.Token));
    }

    /// <summary>Who calls from now on waits in the kernel, for us or for the process that takes the sockets over.</summary>
    /// <returns>The sockets.</returns>
    public async Task<IReadOnlyList<Socket>> StandStillAsync()
    {
        await ending.CancelAsync();
        await Task.WhenAll(accepting.Select(loop => loop.Ended));
        return sockets;
    }

    /// <summary>Nobody has taken them over.</summary>
    public void GoOn()
    {
        if (isDisposed) return;
        ending.Dispose();
        ending = new();
        accepting.Clear();
        Accept();
    }

    /// <summary>From now on connections from this session's peer are its own; sets its MD5 key on the listening sockets.</summary>
    public void Add(PeerSession session)
    {
        lock (gate) sessions = sessions.Add(session);
        SetOptions(session, session.Settings.Password);
    }

    public void Remove(PeerSession session)
    {
        lock (gate) sessions = sessions.Remove(session);
        var successor = sessions.FirstOrDefault(other => other.Settings.PeerAddress == session.Settings.PeerAddress);
        if (session.Settings.Password != null && successor?.Settings.Password == null) SetOptions(session, "");
        else SetOptions(session, successor?.Settings.Password);
    }

    /// <summary>From now on these are the ranges whose neighbours may call; sets their MD5 keys on the listening sockets.</summary>
    public void Set(ImmutableArray<PeerTemplate> newer)
    {
        var older = templates;
        lock (gate) templates = newer;
        foreach (var gone in older.Where(template => template.Key != null && KeyOf(newer, template.Range) == null))
            SetOptions(gone, "");
        foreach (var template in newer) SetOptions(template, template.Key);
        // Who demanded the fewest hops may be gone.
        foreach (var gone in older.Except(newer)) SetOptions(gone, null);
    }

    private static string? KeyOf(ImmutableArray<PeerTemplate> templates, Prefix range) =>
        templates.FirstOrDefault(template => template.Range == range)?.Key;

    public async ValueTask DisposeAsync()
    {
        if (isDisposed) return;
        isDisposed = true;
        await ending.CancelAsync();
        await Task.WhenAll(accepting.Select(loop => loop.Ended));
        foreach (var socket in sockets) socket.Dispose();
        ending.Dispose();
    }

    private Socket Open(Address address, int port)
    {
        try
        {
            var socket = TcpOptions.Listening(address, port);
            log.Listening(address, port);
            return socket;
        }
        catch (SocketException failure)
        {
            var advice = Advice(failure.SocketErrorCode);
            throw new SocketException((int)failure.SocketErrorCode, $"cannot listen on {address} port {port}: {failure.Message}; {advice}");
        }
    }

    private static string Advice(SocketError error) => error switch
    {
        SocketError.AddressAlreadyInUse => "another BGP daemon runs there: stop it, or change router.listen or router.listenPort",
        SocketError.AccessDenied => "ports below 1024 take root or CAP_NET_BIND_SERVICE: or change router.listenPort",
        _ => "check router.listen and router.listenPort",
    };

    private async Task AcceptAllAsync(Loop loop, Socket socket)
    {
        while (!ending.IsCancellationRequested)
        {
            try
            {
                loop.Rest();
                var connection = await socket.AcceptAsync(ending.Token);
                loop.Beat();
                Match(connection);
            }
            catch (SocketException failure)
            {
                // Out of file descriptors, mostly: connections wait in the kernel meanwhile.
                log.AcceptFailed(failure.Message);
                await Task.Delay(Breath, time, ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private void Match(Socket connection)
    {
        var from = connection.RemoteEndPoint as IPEndPoint;
        var owner = from == null ? null : sessions.FirstOrDefault(session => IsPeer(session.Settings, from));
        if (owner != null) owner.Accept(connection);
        else if (from != null && Newcomer != null && IsAwaited(from)) Newcomer(Address.From(from.Address), connection);
        else Refuse(connection);
    }

    private bool IsAwaited(IPEndPoint from)
    {
        var scope = from.AddressFamily == AddressFamily.InterNetworkV6 ? from.Address.ScopeId : 0;
        return PeerTemplate.For(templates, Address.From(from.Address), scope) != null;
    }

    private static bool IsPeer(SessionSettings settings, IPEndPoint from) =>
        settings.PeerAddress == Address.From(from.Address)
        && (!settings.PeerAddress.IsLinkLocal || TcpOptions.ScopeOf(settings.Interface) == from.Address.ScopeId);

    private void Refuse(Socket connection)
    {
        var from = connection.RemoteEndPoint is IPEndPoint end ? Address.From(end.Address) : default;
        connection.Dispose();
        SessionMeters.Stranger();
        lock (gate)
        {
            if (strangers.Say(out var unsaid)) log.Stranger(from, unsaid);
        }
    }

    private void SetOptions(PeerSession session, string? key)
    {
        var address = session.Settings.PeerAddress;
        SetOptions(session.Settings.Name, new(address, address.Family.Bits()), address.IsUnspecified ? null : key);
    }

    private void SetOptions(PeerTemplate template, string? key) => SetOptions(template.Settings.Name, template.Range, key);

    private void SetOptions(string name, Prefix peers, string? key)
    {
        var family = peers.Address.IsIPv4 ? AddressFamily.InterNetwork : AddressFamily.InterNetworkV6;
        // A connection inherits this, so that nothing from farther away is taken even before we know whose it is. All peers
        // share the socket: the most distant one decides, and each connection's own demand follows when it is accepted.
        var sharers = sessions.Where(other => other.Settings.PeerAddress.Family == peers.Family).Select(other => other.Settings)
            .Concat(templates.Where(other => other.Range.Family == peers.Family).Select(other => other.Settings));
        var least = sharers.Select(TcpOptions.LeastHops).DefaultIfEmpty().Min();
        try
        {
            foreach (var socket in sockets.Where(socket => socket.AddressFamily == family))
            {
                TcpOptions.RequireHops(socket, least);
                if (key != null) TcpOptions.SetKey(socket, peers, key);
            }
        }
        catch (SocketException refused)
        {
            log.ListenerOptionsRefused(name, refused.Message);
        }
    }
}
