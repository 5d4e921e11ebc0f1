using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Threading.Channels;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Rib;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Session;
using Calico.Bgp.Speaker.Plan;
using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Messages;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Speaker;

/// <summary>
/// Joins sessions, RIB and kernel: which peers there are, which routes are ours, and what follows from news of either side.
/// Changes of configuration and news of the kernel go through one loop; sessions speak to the RIB directly.
/// </summary>
public sealed class SpeakerLoop : ISessionOwner, IRibListener, IAsyncDisposable
{
    /// <summary>Peers' indexes begin here; below are the sources that are not BGP.</summary>
    private const ushort FirstPeer = 16;

    private readonly IKernel kernel;
    private readonly Loops loops;
    private readonly TimeProvider time;
    private readonly BeatTimeProvider sessionTime;
    private readonly ILoggerFactory logs;
    private readonly ILogger<SpeakerLoop> log;
    private readonly Channel<Func<Task>> inbox = Channel.CreateUnbounded<Func<Task>>(new() { SingleReader = true });
    private readonly ConcurrentDictionary<string, Peer> peers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ushort> indexes = new(StringComparer.Ordinal);
    private readonly Fib? fib;
    private readonly CancellationTokenSource stopping = new();
    private Listener listener;
    private Task loop = Task.CompletedTask;
    private Task settling = Task.CompletedTask;
    private KernelSnapshot latest;
    private int kernelNewsPending;

    public SpeakerLoop(SpeakerConfig config, IKernel kernel, Loops loops, TimeProvider time, ILoggerFactory logs)
    {
        (Config, this.kernel, this.loops, this.time, this.logs) = (config, kernel, loops, time, logs);
        sessionTime = new(time);
        log = logs.CreateLogger<SpeakerLoop>();
        listener = new(loops, logs.CreateLogger<Listener>());
        latest = kernel.Current;
        fib = config.Kernel.InstallRoutes ? new Fib(kernel, config.Kernel) : null;
        Rib = new(config.Shards, config.Decision, NextHopsBy(latest), fib, this, logs.CreateLogger<Rib.Rib>());
        if (fib != null) fib.RoomAgain = Rib.Wake;
        Started = Reconfigured = time.GetUtcNow();
        Sources = OwnRouteSources(Rib, Started);
    }

    internal Rib.Rib Rib { get; }
    internal SpeakerConfig Config { get; private set; }
    internal IKernel Kernel => kernel;
    /// <summary>What the kernel's filter is; null: nothing is installed.</summary>
    internal IPolicy? KernelExport => fib?.Export;
    internal TimeProvider Time => time;
    internal DateTimeOffset Started { get; }
    internal DateTimeOffset Reconfigured { get; private set; }
    internal ImmutableArray<OwnRouteSource> Sources { get; private set; }
    internal IEnumerable<Peer> Peers => peers.Values.OrderBy(peer => peer.Index);
    internal Peer? PeerNamed(string name) => peers.GetValueOrDefault(name);

    /// <summary>Sessions or routes may have moved. Called on others' threads; must not block.</summary>
    internal event Action? Moved;

    /// <summary>All enabled peers' first tables have come, or <see cref="KernelConfig.SweepAfter"/> has passed.</summary>
    public bool HasSettled { get; private set; }
    public bool IsShuttingDown => stopping.IsCancellationRequested;

    private static ImmutableArray<OwnRouteSource> OwnRouteSources(Rib.Rib rib, DateTimeOffset now) =>
    [
        new(rib, 1, "static1", RouteOrigin.Static, IpFamily.IPv4, 200) { Since = now },
        new(rib, 2, "static2", RouteOrigin.Static, IpFamily.IPv6, 200) { Since = now },
        new(rib, 3, "direct1", RouteOrigin.Direct, IpFamily.IPv4, 240) { Since = now },
        new(rib, 4, "direct1", RouteOrigin.Direct, IpFamily.IPv6, 240) { Since = now },
        new(rib, 5, "kernel1", RouteOrigin.Kernel, IpFamily.IPv4, 10) { Since = now },
        new(rib, 6, "kernel2", RouteOrigin.Kernel, IpFamily.IPv6, 10) { Since = now },
    ];

    private static ImmutableArray<OwnRouteSource> ServiceSources(Rib.Rib rib, DateTimeOffset now) =>
    [
        new(rib, 7, "services1", RouteOrigin.Static, IpFamily.IPv4, 200) { Since = now, MovesItself = true },
        new(rib, 8, "services2", RouteOrigin.Static, IpFamily.IPv6, 200) { Since = now, MovesItself = true },
    ];

    /// <summary>Opens the listening sockets and starts the peers. The kernel's loop has taken its first look already.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">A listening address cannot be bound.</exception>
    public async Task StartAsync()
    {
        listener.Open(Config.Listen, Config.ListenPort);
        Rib.Start();
        loop = Task.Run(RunAsync);
        kernel.Changed += KernelChanged;
        await PostAsync(async () =>
        {
            fib?.Configure(Config.Kernel, RoutesByPrefix(Config));
            await LookAtKernelAsync().ConfigureAwait(false);
            foreach (var peer in Config.Peers) StartPeer(peer);
            listener.Start();
        }).ConfigureAwait(false);
        settling = Task.Run(SettleAsync);
    }

    private async Task RunAsync()
    {
        await foreach (var work in inbox.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            try
            {
                await work().ConfigureAwait(false);
            }
            catch (Exception mistake)
            {
                log.LoopFailed(mistake);
            }
        }
    }

    /// <summary>Does the work on the loop; its exceptions are the caller's.</summary>
    private Task PostAsync(Func<Task> work)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var taken = inbox.Writer.TryWrite(async () =>
        {
            try
            {
                await work().ConfigureAwait(false);
                done.SetResult();
            }
            catch (Exception error)
            {
                done.SetException(error);
            }
        });
        if (!taken) done.SetException(new InvalidOperationException("the speaker is ending"));
        return done.Task;
    }

    private void KernelChanged(KernelSnapshot snapshot)
    {
        latest = snapshot;
        if (Interlocked.Exchange(ref kernelNewsPending, 1) == 0) inbox.Writer.TryWrite(LookAtKernelAsync);
    }

    private async Task LookAtKernelAsync()
    {
        Interlocked.Exchange(ref kernelNewsPending, 0);
        var snapshot = latest;
        Rib.NextHopsChanged(NextHopsBy(snapshot));
        foreach (var source in Sources)
            if (!source.MovesItself) await source.SetAsync(WantedOf(source, snapshot)).ConfigureAwait(false);
        fib?.LookAgain();
        foreach (var peer in peers.Values) LookAgain(peer, snapshot);
    }

    private KernelNextHops NextHopsBy(KernelSnapshot snapshot) => new(snapshot, RoutesByPrefix(Config), Config.Kernel.Table);

    /// <summary>Addresses that a peer is given as next hops may come after its session. One that goes takes the session along, or comes back.</summary>
    private void LookAgain(Peer peer, KernelSnapshot snapshot)
    {
        if (peer.Up is not { } up) return;
        var now = peer.ForRib(up.Negotiated, snapshot);
        if (now == up.Told || Lost(up.Told.SelfIPv4, now.SelfIPv4) || Lost(up.Told.SelfIPv6, now.SelfIPv6)) return;
        Rib.PeerChanged(up.Told = now);
    }

    private static bool Lost(Address before, Address now) => now.IsUnspecified && !before.IsUnspecified;

    private ImmutableDictionary<Prefix, OwnPath> WantedOf(OwnRouteSource source, KernelSnapshot snapshot) => source.Origin switch
    {
        _ when source.MovesItself => source.Wanted,
        RouteOrigin.Static => StaticRoutes(source.Family, snapshot),
        _ when !Config.Kernel.Learn => ImmutableDictionary<Prefix, OwnPath>.Empty,
        RouteOrigin.Direct => LearnedRoutes.Direct(snapshot, source.Family, Config.Kernel.IgnoredInterfaces),
        _ => LearnedRoutes.Foreign(snapshot, source.Family),
    };

    private ImmutableDictionary<Prefix, OwnPath> StaticRoutes(IpFamily family, KernelSnapshot snapshot)
    {
        var wanted = Config.Routes.Where(route => route.Prefix.Family == family)
            .Select(route => (route.Prefix, Hops: OwnHops.Resolve(route, snapshot)))
            .Where(route => route.Hops != null)
            .ToImmutableDictionary(route => route.Prefix, route => new OwnPath(route.Hops is [var hop, ..] ? hop.Interface : 0));
        var announced = Config.Announced.Where(prefix => prefix.Family == family && !wanted.ContainsKey(prefix));
        return wanted.AddRange(announced.Select(prefix => KeyValuePair.Create(prefix, default(OwnPath))));
    }

    /// <summary>Addresses of services begin and cease to be announced; nothing else is looked at.</summary>
    public Task MoveServicesAsync(ImmutableArray<ServiceMove> moves, bool weigh) => moves.IsEmpty ? Task.CompletedTask : PostAsync(async () =>
    {
        if (!Sources.Any(source => source.MovesItself)) Sources = [.. Sources, .. ServiceSources(Rib, time.GetUtcNow())];
        foreach (var source in Sources.Where(source => source.MovesItself))
            await source.MoveAsync(
                from move in moves
                where move.Prefix.Family == source.Family
                select (move.Prefix, move.Announced ? new OwnPath(0, Weight: weigh ? move.Weight : 0) : (OwnPath?)null)).ConfigureAwait(false);
    });

    private static ImmutableDictionary<Prefix, OwnRouteConfig> RoutesByPrefix(SpeakerConfig config) =>
        config.Routes.ToImmutableDictionary(route => route.Prefix);

    private void StartPeer(PeerConfig config)
    {
        var settings = Indexed(config.Session);
        var peer = new Peer(config, new PeerSession(settings, this, loops, sessionTime, logs.CreateLogger<PeerSession>()));
        peers[settings.Name] = peer;
        listener.Add(peer.Session);
        peer.Session.Start();
    }

    private SessionSettings Indexed(SessionSettings settings)
    {
        if (!indexes.TryGetValue(settings.Name, out var index)) indexes[settings.Name] = index = (ushort)(FirstPeer + indexes.Count);
        return settings with { Index = index };
    }

    private async Task StopPeerAsync(Peer peer, CeaseSubcode subcode)
    {
        listener.Remove(peer.Session);
        await peer.Session.StopAsync(subcode).ConfigureAwait(false);
        peers.TryRemove(new(peer.Name, peer));
    }

    /// <summary>Takes another configuration: what compares equal is left alone, and only sessions whose own settings changed are reset.</summary>
    /// <returns>One line for each thing that changed.</returns>
    public async Task<ImmutableArray<string>> ConfigureAsync(SpeakerConfig newer)
    {
        var changes = ChangesTo(newer);
        string? refused = null;
        await PostAsync(async () => refused = await ApplyAsync(newer).ConfigureAwait(false)).ConfigureAwait(false);
        return refused == null ? changes : changes.Add(refused);
    }

    /// <summary>What <see cref="ConfigureAsync"/> would change of what is in force.</summary>
    public ImmutableArray<string> ChangesTo(SpeakerConfig newer) => ConfigChanges.Between(Config, newer);

    /// <returns>What could not be done; null: all was.</returns>
    private async Task<string?> ApplyAsync(SpeakerConfig newer)
    {
        var older = Config;
        var (kept, kernelNow) = (older.Kernel, newer.Kernel);
        Config = newer with
        {
            Shards = older.Shards,
            Kernel = kernelNow with
            {
                InstallRoutes = kept.InstallRoutes,
                Protocol = kept.Protocol,
                Table = kept.Table,
                SweepAfter = kept.SweepAfter,
            },
        };
        Reconfigured = time.GetUtcNow();
        if (older.Decision != newer.Decision) Rib.SettingsChanged(newer.Decision);
        if (!older.Routes.SequenceEqual(newer.Routes)) Rib.NextHopsChanged(NextHopsBy(latest));
        fib?.Configure(Config.Kernel, RoutesByPrefix(newer));
        if (!Equals(older.Kernel.Export, newer.Kernel.Export) || older.Kernel.Metric != newer.Kernel.Metric) Rib.FibFilterChanged();
        var learnsOtherwise = kept.Learn != kernelNow.Learn || kept.IgnoredInterfaces != kernelNow.IgnoredInterfaces;
        foreach (var source in Sources)
            if (!source.MovesItself && (learnsOtherwise || source.Origin == RouteOrigin.Static))
                await source.SetAsync(WantedOf(source, latest)).ConfigureAwait(false);

        var wanted = newer.Peers.ToDictionary(peer => peer.Session.Name, StringComparer.Ordinal);
        var stops = new List<Task>();
        foreach (var peer in Peers.ToArray())
        {
            if (!wanted.TryGetValue(peer.Name, out var config)) stops.Add(StopPeerAsync(peer, CeaseSubcode.PeerDeconfigured));
            else if (peer.Config == config) continue;
            else if (Indexed(config.Session) != peer.Session.Settings) stops.Add(StopPeerAsync(peer, CeaseSubcode.OtherConfigurationChange));
            else Update(peer, config);
        }
        await Task.WhenAll(stops).ConfigureAwait(false);
        var listensOtherwise = !older.Listen.SequenceEqual(newer.Listen) || older.ListenPort != newer.ListenPort;
        var refused = listensOtherwise ? await ListenAgainAsync(older, newer).ConfigureAwait(false) : null;
        foreach (var config in newer.Peers)
            if (!peers.ContainsKey(config.Session.Name)) StartPeer(config);
        return refused == null ? null : $"router.listen: stays as it was, for the new sockets are refused: {refused}";
    }

    /// <returns>Why the sockets stay as they were; null: they are the new ones.</returns>
    private async Task<string?> ListenAgainAsync(SpeakerConfig older, SpeakerConfig newer)
    {
        string? reason = null;
        await listener.DisposeAsync().ConfigureAwait(false);
        listener = new(loops, logs.CreateLogger<Listener>());
        try
        {
            listener.Open(newer.Listen, newer.ListenPort);
        }
        catch (System.Net.Sockets.SocketException refused)
        {
            log.ListenRefused(reason = refused.Message);
            Config = Config with { Listen = older.Listen, ListenPort = older.ListenPort };
            await listener.DisposeAsync().ConfigureAwait(false);
            listener = new(loops, logs.CreateLogger<Listener>());
            listener.Open(older.Listen, older.ListenPort);
        }
        foreach (var peer in peers.Values) listener.Add(peer.Session);
        listener.Start();
        return reason;
    }

    private void Update(Peer peer, PeerConfig config)
    {
        peer.Config = config;
        if (peer.Up is { } up) Rib.PeerChanged(up.Told = peer.ForRib(up.Negotiated, kernel.Current));
    }

    IRouteSink ISessionOwner.Established(PeerSession session, Negotiated negotiated, IOutlet outlet)
    {
        var peer = peers[session.Settings.Name];
        var sink = new RouteSink(Rib, Rib.InletFor(session.Settings.Index), new PeerOutlet(outlet));
        var told = peer.ForRib(negotiated, kernel.Current);
        Rib.PeerUp(told, sink.Outlet);
        peer.Up = new(negotiated, sink, told);
        Moved?.Invoke();
        return sink;
    }

    void ISessionOwner.Down(PeerSession session, IRouteSink sink, SessionFault fault)
    {
        if (peers.TryGetValue(session.Settings.Name, out var peer)) peer.Up = null;
        Moved?.Invoke();
        // When the daemon ends, packets go on as they did: nobody is told to forget what this neighbour had said.
        if (IsShuttingDown) return;
        Rib.PeerDown(session.Settings.Index, ((RouteSink)sink).Outlet);
    }

    void IRibListener.CameToRest() => Moved?.Invoke();

    void IRibListener.EndOfRib(ushort index, IpFamily family)
    {
        foreach (var peer in peers.Values)
            if (peer.Index == index && peer.Up is { } up) up.Complete |= family.Bit();
    }

    void IRibListener.PrefixLimitExceeded(ushort index, IpFamily family, int limit)
    {
        var peer = peers.Values.FirstOrDefault(peer => peer.Index == index);
        if (peer?.Up == null) return;
        peer.Up = null;
        log.PrefixLimitExceeded(peer.Name, limit, family);
        peer.Session.Break(PrefixLimitReached(family, limit));
        peer.Session.Disable();
    }

    /// <summary>RFC 4486 section 4: the data are the family and the limit.</summary>
    private static Notification PrefixLimitReached(IpFamily family, int limit)
    {
        var data = new WireWriter(stackalloc byte[7]);
        data.U16(Family.Of(family).Afi);
        data.U8(Family.Of(family).Safi);
        data.U32((uint)limit);
        return new(ErrorCode.Cease, (byte)CeaseSubcode.MaximumNumberOfPrefixesReached, data.Written.ToArray());
    }

    /// <summary>Waits for the peers' first tables, then has the kernel forget what an earlier run left and nobody announces any more.</summary>
    private async Task SettleAsync()
    {
        var deadline = Started + Config.Kernel.SweepAfter;
        try
        {
            while (time.GetUtcNow() < deadline && !peers.Values.All(peer => peer.HasSettled(time.GetUtcNow())))
                await Task.Delay(TimeSpan.FromSeconds(1), time, stopping.Token).ConfigureAwait(false);
            HasSettled = true;
            // The last routes are still on their way from the shards to the kernel's queue.
            await Task.Delay(TimeSpan.FromSeconds(2), time, stopping.Token).ConfigureAwait(false);
            if (fib != null) await fib.PassedAsync().ConfigureAwait(false);
            await kernel.SweepAsync(stopping.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The daemon ends before its sessions settled: what an earlier run left stays.
        }
    }

    internal void SetEnabled(OwnRouteSource source, bool enabled) => inbox.Writer.TryWrite(async () =>
    {
        (source.Enabled, source.Since) = (enabled, time.GetUtcNow());
        await source.SetAsync(WantedOf(source, latest)).ConfigureAwait(false);
    });

    public async ValueTask DisposeAsync()
    {
        if (IsShuttingDown) return;
        await stopping.CancelAsync().ConfigureAwait(false);
        fib?.Close();
        kernel.Changed -= KernelChanged;
        await settling.ConfigureAwait(false);
        await listener.DisposeAsync().ConfigureAwait(false);
        await Task.WhenAll(peers.Values.Select(peer => peer.Session.StopAsync(CeaseSubcode.AdministrativeShutdown).AsTask())).ConfigureAwait(false);
        inbox.Writer.TryComplete();
        await loop.ConfigureAwait(false);
        Rib.Dispose();
        if (fib != null) await fib.DisposeAsync().ConfigureAwait(false);
        stopping.Dispose();
    }
}
