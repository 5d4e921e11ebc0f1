using System.Collections.Concurrent;
using System.Net.Sockets;
using Calico.Bgp.Wire;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Calico.Bgp.Session.Tests;

public class ListenerTests
{
    /// <summary>Conformance F05.</summary>
    [Fact]
    public async Task A_stranger_is_hung_up_on_without_a_word()
    {
        await using var us = new Speaker(HandPeer.PassiveSession(), listen: Loopback.A);
        using var stranger = await HandPeer.CallAsync(us.Session.Settings, from: "127.0.0.77");
        Assert.Equal((MessageType)0, (await stranger.ReceiveAsync()).Type);
    }

    [Fact]
    public async Task Many_strangers_make_one_line_a_second()
    {
        var (settings, log, time) = (HandPeer.PassiveSession(), new Lines(), new ManualTimeProvider());
        await using var listener = new Listener(Loopback.Watched(), log, time);
        listener.Open([Loopback.A], settings.ListenPort);
        listener.Start();
        await StrangersAsync(settings, 50);
        time.Advance(TimeSpan.FromSeconds(2));
        await StrangersAsync(settings, 1);
        var lines = log.All.Where(line => line.Contains("no peer of ours"));
        Assert.Equal(["0 more", "49 more"], lines.Select(line => line.Split('(')[1].Split(" since")[0]));
    }

    [Fact]
    public async Task An_address_in_use_is_named_with_what_to_do_about_it()
    {
        var port = HandPeer.PassiveSession().ListenPort;
        await using var first = new Listener(Loopback.Watched(), NullLogger<Listener>.Instance);
        first.Open([Loopback.A], port);
        first.Start();
        await using var second = new Listener(Loopback.Watched(), NullLogger<Listener>.Instance);
        var failure = Assert.Throws<SocketException>(() => second.Open([Loopback.A], port));
        const string Advice = "another BGP daemon runs there: stop it, or change router.listen or router.listenPort";
        Assert.Equal($"cannot listen on 127.0.0.1 port {port}: Address already in use; {Advice}", failure.Message);
    }

    /// <summary>Else a neighbour that dials while we start would be told that nobody knows it, or get in without the key it should sign
    /// with.</summary>
    [Fact]
    public async Task Nobody_connects_before_we_know_our_peers()
    {
        var settings = HandPeer.PassiveSession();
        await using var listener = new Listener(Loopback.Watched(), NullLogger<Listener>.Instance);
        listener.Open([Loopback.A], settings.ListenPort);
        var refused = await Assert.ThrowsAsync<SocketException>(() => HandPeer.CallAsync(settings));
        Assert.Equal(SocketError.ConnectionRefused, refused.SocketErrorCode);
        await using var us = new Speaker(settings);
        listener.Add(us.Session);
        listener.Start();
        using var peer = await HandPeer.CallAsync(settings);
        await peer.EstablishAsync();
        await Loopback.Up(us);
    }

    [Fact]
    public async Task A_session_that_was_removed_is_a_stranger_again()
    {
        var settings = HandPeer.PassiveSession();
        await using var listener = new Listener(Loopback.Watched(), NullLogger<Listener>.Instance);
        listener.Open([Loopback.A], settings.ListenPort);
        listener.Start();
        await using var us = new Speaker(settings);
        listener.Add(us.Session);
        listener.Remove(us.Session);
        using var peer = await HandPeer.CallAsync(settings);
        Assert.Equal((MessageType)0, (await peer.ReceiveAsync()).Type);
    }

    /// <summary>A reload adds the new session before it removes the old one; the key on the socket is the new one's then.</summary>
    [Fact]
    public async Task A_key_survives_the_session_that_it_replaces()
    {
        var (a, b) = Loopback.Neighbours();
        await using var listener = new Listener(Loopback.Watched(), NullLogger<Listener>.Instance);
        listener.Open([Loopback.A], a.ListenPort);
        listener.Start();
        await using var old = new Speaker(a with { Passive = true, Password = "old" });
        await using var us = new Speaker(a with { Passive = true, Password = "new" });
        listener.Add(old.Session);
        listener.Add(us.Session);
        listener.Remove(old.Session);
        await using var peer = new Speaker(b with { Password = "new" });
        await Loopback.Up(us);
    }

    private static async Task StrangersAsync(SessionSettings settings, int count)
    {
        for (var i = 0; i < count; i++)
        {
            using var stranger = await HandPeer.CallAsync(settings);
            await stranger.ReceiveAsync();
        }
    }

    private sealed class Lines : ILogger<Listener>
    {
        public ConcurrentQueue<string> All { get; } = new();
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            All.Enqueue(formatter(state, exception));
    }
}
