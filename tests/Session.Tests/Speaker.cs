using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Calico.Bgp.Net;
using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Messages;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Calico.Bgp.Session.Tests;

/// <summary>A listener with one session, and an owner that remembers what it was told.</summary>
internal sealed class Speaker : ISessionOwner, IRouteSink, IAsyncDisposable
{
    private readonly Listener listener;

    public Speaker(SessionSettings settings, TimeProvider? time = null, Address? listen = null)
    {
        Loops = new(TimeProvider.System, LoopLog, (loop, defect) => Environment.FailFast($"the loop {loop.Name} has met a defect", defect));
        listener = new(Loops, NullLogger<Listener>.Instance);
        Session = new(settings, this, Loops, time ?? TimeProvider.System, Log);
        listener.Add(Session);
        if (listen is { } address) listener.Open([address], settings.ListenPort);
        listener.Start();
        Session.Start();
    }

    /// <summary>From now on the listening socket is shared with a peer that nobody has begun to call.</summary>
    public void Expect(SessionSettings other) => listener.Add(new(other, this, Loops, TimeProvider.System, Log));

    public Loops Loops { get; }
    public Lines<Loops> LoopLog { get; } = new();
    public PeerSession Session { get; }
    public Lines<PeerSession> Log { get; } = new();
    public ConcurrentQueue<string> Told { get; } = new();
    public IOutlet? Outlet { get; private set; }
    public int Updates;
    /// <summary>The owner's next mistake, made once: in which call.</summary>
    public string? Mistake { get; set; }
    public TaskCompletionSource? Full { get; set; }
    /// <summary>What has become of the link of whatever session is up.</summary>
    public LostWay? Lost { get; set; }

    public SessionSnapshot Now => Session.Snapshot;

    public IRouteSink Established(PeerSession session, Negotiated negotiated, IOutlet outlet)
    {
        Err("up");
        Outlet = outlet;
        Told.Enqueue("up");
        return this;
    }

    public RestartState Restart { get; set; }

    public LostWay? WayLost(PeerSession session) => Lost;

    public void Down(PeerSession session, IRouteSink sink, SessionFault fault)
    {
        Told.Enqueue($"down: {fault.Kind} {fault.Text}");
        Err("down");
    }

    private void Err(string at)
    {
        if (Mistake != at) return;
        Mistake = null;
        throw new InvalidOperationException($"the owner's mistake at {at}");
    }

    public void Receive(ref DecodedUpdate update) => Updates++;
    public void TakeRefresh(IpFamily family, byte subtype) => Told.Enqueue($"refresh {family.Word()} {subtype}");
    public ValueTask FlushAsync() => Full is { } full ? new(full.Task) : default;

    public async ValueTask DisposeAsync()
    {
        Full?.TrySetResult();
        await Session.DisposeAsync();
        await listener.DisposeAsync();
    }

    internal sealed class Lines<T> : ILogger<T>
    {
        public ConcurrentQueue<string> All { get; } = new();
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            All.Enqueue($"{logLevel} {formatter(state, exception)} {exception}");
    }
}

/// <summary>127.0.0.1 (AS 65001) and 127.0.0.2 (AS 65002) with ports of their own.</summary>
internal static class Loopback
{
    /// <summary>A defect that a test does not expect ends its run.</summary>
    public static Loops Watched() => new(
        TimeProvider.System, NullLogger<Loops>.Instance,
        (loop, defect) => Environment.FailFast($"the loop {loop.Name} has met a defect", defect));

    public static readonly Address A = Address.Parse("127.0.0.1"), B = Address.Parse("127.0.0.2");

    public static (SessionSettings A, SessionSettings B) Neighbours()
    {
        var (portA, portB) = (Ports.Next("127.0.0.1"), Ports.Next("127.0.0.2"));
        var a = Some.Settings with { Name = "b", PeerAddress = B, SourceAddress = A, ListenPort = portA, PeerPort = portB };
        return (a, Some.PeersSettings with { Name = "a", PeerAddress = A, SourceAddress = B, ListenPort = portB, PeerPort = portA });
    }

    public static Task Up(Speaker speaker) =>
        Until.TrueAsync($"the session of {speaker.Now.Settings.Name} is up", () => speaker.Now.Phase == Phase.Established);
}

/// <summary>A neighbour spoken by hand: AS 65002 at 127.0.0.2, calling a passive session of ours.</summary>
internal sealed class HandPeer : IDisposable
{
    private readonly Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public static async Task<HandPeer> CallAsync(SessionSettings ours, string from = "127.0.0.2")
    {
        var peer = new HandPeer();
        peer.socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
        await peer.socket.ConnectAsync(new IPEndPoint(IPAddress.Parse("127.0.0.1"), ours.ListenPort));
        return peer;
    }

    public static SessionSettings PassiveSession() => Loopback.Neighbours().A with { Passive = true };

    public ValueTask<int> SendAsync(ReadOnlyMemory<byte> octets) => socket.SendAsync(octets, SocketFlags.None);

    public async Task EstablishAsync(OpenMessage? open = null)
    {
        Assert.Equal(MessageType.Open, (await ReceiveAsync()).Type);
        await SendAsync(OpenCodec.Encode(open ?? Some.Open));
        Assert.Equal(MessageType.Keepalive, (await ReceiveAsync()).Type);
        await SendAsync(Keepalive.Octets);
    }

    /// <summary>
    /// The next message; type 0 when the other side hung up, or reset the connection because something of ours reached it after it
    /// had hung up.
    /// </summary>
    public async Task<(MessageType Type, byte[] Body)> ReceiveAsync()
    {
        byte[] header;
        try
        {
            header = await ExactlyAsync(MessageHeader.Octets);
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.ConnectionReset)
        {
            return (0, []);
        }
        if (header.Length == 0) return (0, []);
        return ((MessageType)header[18], await ExactlyAsync((header[16] << 8 | header[17]) - MessageHeader.Octets));
    }

    public async Task<Notification> NotificationAsync()
    {
        while (true)
        {
            var (type, body) = await ReceiveAsync();
            Assert.NotEqual((MessageType)0, type);
            if (type == MessageType.Notification) return NotificationCodec.Decode(body);
        }
    }

    public void Hang(bool reset = false)
    {
        if (reset) socket.LingerState = new(true, 0);
        socket.Dispose();
    }

    public void Dispose() => socket.Dispose();

    private async Task<byte[]> ExactlyAsync(int count)
    {
        var octets = new byte[count];
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        for (var at = 0; at < count;)
        {
            var got = await socket.ReceiveAsync(octets.AsMemory(at), patience.Token);
            if (got == 0) return [];
            at += got;
        }
        return octets;
    }
}
