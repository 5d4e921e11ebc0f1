using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Threading.Channels;
using Calico.Bgp.Bfd;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Rib;
using Calico.Bgp.Rib.Filters;
using Calico.Bgp.Session;
using Calico.Bgp.Speaker.Handover;
using Calico.Bgp.Wire;
using Calico.Bgp.Wire.Messages;
using Microsoft.Extensions.Logging;

namespace Calico.Bgp.Speaker;

/// <summary>
/// Joins sessions, RIB and kernel: which peers there are, which routes are ours, and what follows from news of either side.
/// All of that goes through one loop; routes do not, and sessions tell the RIB of themselves (<see cref="PeerDoor"/>).
/// </summary>
public sealed partial class SpeakerLoop : IRibListener, IAsyncDisposable
{
    /// <summary>Indexes of peers and producers begin here; below are the sources that are always there.</summary>
    private const ushort FirstNamed = 16;

    /// <summary>Indexes of sessions that are gone rest until so many others are.</summary>
    private const int FreedRest = 64;

    /// <summary>Own routes wait where the RIB's inbox is full.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly IKernel kernel;
    private readonly Loops loops;
    private readonly TimeProvider time;
    private readonly BeatTimeProvider sessionTime;
    private readonly ILoggerFactory logs;
    private readonly ILogger<SpeakerLoop> log;
    private readonly Channel<SpeakerNews> inbox = Channel.CreateUnbounded<SpeakerNews>(new() { SingleReader = true });
    private readonly ConcurrentDictionary<string, Peer> peers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, ushort> indexes = new(StringComparer.Ordinal);
    private readonly Queue<ushort> freed = [];
    private readonly RouteProducers producers = new();

    /// <summary>Producers who have said nothing yet.</summary>
    private readonly HashSet<string> awaited = new(StringComparer.Ordinal);
    private readonly DynamicPeers dynamics;
    private readonly LinkNeighbours links;
    private readonly Fib? fib;
    private readonly CancellationTokenSource stopping = new();
    private Listener listener;
    /// <summary>News of shards that wait in the inbox, each once: a peer could send them faster than they are taken.</summary>
    private readonly ConcurrentDictionary<SpeakerNews, byte> told = new();
    private readonly Latest<KernelSnapshot> kernelNews;
    private readonly Bell bfdNews;
    private Loop? loop, settling;
    private KernelSnapshot latest;

    /// <param name="bfd">Who watches neighbours; null: nobody does.</param>
    public SpeakerLoop(
        SpeakerConfig config, IKernel kernel, Loops loops, TimeProvider time, ILoggerFactory logs, IBfd? bfd = null)
    {
        Bfd = new(bfd, time);
        (Config, this.kernel, this.loops, this.time, this.logs) = (config, kernel, loops, time, logs);
        sessionTime = new(time);
        log = logs.CreateLogger<SpeakerLoop>();
        dynamics = new(time, log, news => Post(news));
        leases = new(time, () => Post(SpeakerNews.LeasesEnd.Now));
        links = new(loops, time, log, link => OpenRouterSocket(link), news => Post(news));
        listener = NewListener(config);
        latest = kernel.Current;
        kernelNews = new(latest, () => Post(SpeakerNews.KernelMoved.Now));
        bfdNews = new(() => Post(SpeakerNews.BfdMoved.Now));
        if (bfd != null) bfd.Changed += bfdNews.Ring;
        fib = config.Kernel.InstallRoutes ? new Fib(kernel, config.Kernel, loops) : null;
        Rib = new(config.Shards, config.Decision, NextHopsBy(latest), fib, this, loops, logs.CreateLogger<Rib.Rib>());
        if (fib != null) fib.RoomAgain = Rib.Wake;
        Started = Reconfigured = time.GetUtcNow();
        Sources = OwnRouteSources(Rib, Started);
    }

    internal Rib.Rib Rib { get; }
    internal SpeakerConfig Config
    {
        get;
        private set
        {
            if (field == null || value.Routes != field.Routes) SetOwnRoutes(Bfd.Judge(value.Routes));
            field = value;
        }
    }

    /// <summary>
    /// Those of the configuration with what BFD says of their gateways, made once: each change of the kernel and each reader asks for them.
    /// </summary>
    internal ImmutableDictionary<Prefix, OwnRouteConfig> OwnRoutes { get; private set; } =
        ImmutableDictionary<Prefix, OwnRouteConfig>.Empty;

    /// <summary>The same, in their order.</summary>
    internal ImmutableArray<OwnRouteConfig> OwnRouteList { get; private set; } = [];

    internal IKernel Kernel => kernel;
    internal BfdWatch Bfd { get; }
    /// <summary>Null: nothing is installed.</summary>
    internal Fib? Fib => fib;
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
    /// <summary>Addresses of <c>router.listen</c> that the host does not have now.</summary>
    internal ImmutableArray<Address> ListenWaits { get; private set; } = [];

    /// <summary>Whose first tables were still to come when it was last asked.</summary>
    internal IReadOnlyList<string> Awaited { get; private set; } = [];
    public bool IsShuttingDown => stopping.IsCancellationRequested;

    private static ImmutableArray<OwnRouteSource> OwnRouteSources(Rib.Rib rib, DateTimeOffset now) =>
    [
        new(rib, 1, "static1", RouteOrigin.Static, IpFamily.IPv4, 200) { Since = now },
        new(rib, 2, "static2", RouteOrigin.Static, IpFamily.IPv6, 200) { Since = now },
        new(rib, 3, "direct1", RouteOrigin.Direct, IpFamily.IPv4, 240) { Since = now },
        new(rib, 4, "direct1", RouteOrigin.Direct, IpFamily.IPv6, 240) { Since = now },
        new(rib, KernelSource(IpFamily.IPv4), "kernel1", RouteOrigin.Kernel, IpFamily.IPv4, 10) { Since = now },
        new(rib, KernelSource(IpFamily.IPv6), "kernel2", RouteOrigin.Kernel, IpFamily.IPv6, 10) { Since = now },
    ];

    /// <summary>The index of <c>kernel1</c> or <c>kernel2</c>.</summary>
    internal static ushort KernelSource(IpFamily family) => family == IpFamily.IPv4 ? (ushort)5 : (ushort)6;

    /// <summary>Opens the listening sockets and starts the peers. The kernel's loop has taken its first look already.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">A listening address cannot be bound.</exception>
    /// <param name="from">The process whose sessions are taken over by <see cref="TakeOverAsync(ITestator)"/>; until then nobody is spoken
    /// to.</param>
    public async Task StartAsync(ITestator? from = null)
    {
        isTakingOver = from != null;
        if (from != null) Bfd.Expect(from.State.Bfd);
        listener.Open(Config.Listen, Config.ListenPort, from == null ? null : [.. from.Sockets.Take(from.State.Listeners)]);
        Rib.Start();
        if (isTakingOver) Rib.BeginRestoring();
        // Half a configuration may be in force; begun anew, all of it is.
        loop = loops.Start("speaker", OnDefect.EndProcess, RunAsync, patience: Patience);
        kernel.Changed += kernelNews.Set;
        await AskAsync<string?>(done => new SpeakerNews.Begin(done)).ConfigureAwait(false);
        if (!isTakingOver) Settle();
    }

    private void Settle() => settling = loops.Start("settling", OnDefect.EndProcess, SettleAsync, stop: stopping.Token);

    private async Task RunAsync(Loop loop)
    {
        try
        {
            await loop.TakeAllAsync(inbox.Reader, news => new(HandleAsync(loop, news))).ConfigureAwait(false);
        }
        finally
        {
            inbox.Writer.TryComplete();
        }
    }

    private async Task HandleAsync(Loop loop, SpeakerNews news)
    {
        await PerformAsync(loop, news).ConfigureAwait(false);
        if (MovesNeighbours(news)) await WatchAsync().ConfigureAwait(false);
    }

    private async Task PerformAsync(Loop loop, SpeakerNews news)
    {
        switch (news)
        {
            case SpeakerNews.Begin(var done):
                await BeginAsync(done).ConfigureAwait(false);
                break;
            case SpeakerNews.HandOver order:
                await HandOverAsync(loop, order).ConfigureAwait(false);
                break;
            case SpeakerNews.TakeOver(var from, var done):
                await TakeOverAsync(loop, from, done).ConfigureAwait(false);
                break;
            case SpeakerNews.Configure(var newer, var done):
                done.SetResult(await ApplyAsync(loop, newer).ConfigureAwait(false));
                break;
            case SpeakerNews.Produce produce:
                await ProduceAsync(produce).ConfigureAwait(false);
                produce.Done.SetResult(null);
                break;
            case SpeakerNews.SetEnabled(var source, var enabled):
                (source.Enabled, source.Since) = (enabled, time.GetUtcNow());
                await source.SetAsync(WantedOf(source, latest)).ConfigureAwait(false);
                break;
            case SpeakerNews.KernelMoved:
                await LookAtKernelAsync(kernelNews.Take()).ConfigureAwait(false);
                break;
            case SpeakerNews.BfdMoved:
                await HearOfNeighboursAsync().ConfigureAwait(false);
                break;
            case SpeakerNews.Order order:
                if (!peers.TryGetValue(order.Peer, out var ordered)) break;
                Perform(ordered, order);
                if (ordered.Link is { } its && order.What == PeerOrder.Enable)
                    await MeetAsync(loop, its.Interface, isEnabled: true).ConfigureAwait(false);
                break;
            case SpeakerNews.Called call:
                if (call.Neighbour.IsLinkLocal) await WelcomeOnLinkAsync(loop, call).ConfigureAwait(false);
                else Welcome(call);
                break;
            case SpeakerNews.Announce(var lease, var done):
                done.SetResult(await AnnounceNowAsync(lease).ConfigureAwait(false));
                break;
            case SpeakerNews.Withdraw(var producer, var prefix, var done):
                done.SetResult(await WithdrawNowAsync(producer, prefix).ConfigureAwait(false));
                break;
            case SpeakerNews.LeasesEnd:
                await ExpireAsync().ConfigureAwait(false);
                break;
            case SpeakerNews.BeginDrain drain:
                drain.Done.SetResult(Begin(drain));
                break;
            case SpeakerNews.EndDrain undrain:
                undrain.Done.SetResult(End(undrain));
                break;
            case SpeakerNews.DrainGoesOn(var name, var drain):
                GoOn(name, drain);
                break;
            case SpeakerNews.RouterHeard(var device):
                await MeetAsync(loop, device).ConfigureAwait(false);
                break;
            case SpeakerNews.PatienceEnded(var waited):
                await ForgetAsync(loop, waited).ConfigureAwait(false);
                break;
            case SpeakerNews.Established up:
                Establish(up);
                break;
            case SpeakerNews.Down down:
                Lose(down);
                LookAtDeferral();
                Moved?.Invoke();
                break;
            case SpeakerNews.RetentionDue(var left):
                LookAtRetention(left);
                break;
            case SpeakerNews.EndOfRib end:
                told.TryRemove(end, out _);
                Complete(end);
                break;
            case SpeakerNews.OverLimit over:
                told.TryRemove(over, out _);
                Break(over);
                break;
            case SpeakerNews.AskAwaited(var answer):
                LookAtDeferral();
                answer.SetResult([.. Peers.Where(peer => !IsAbsent(peer) && !peer.HasSettled(time.GetUtcNow())).Select(peer => peer.Name)]);
                break;
        }
    }

    private async Task BeginAsync(TaskCompletionSource<string?> done)
    {
        if (isTakingOver) BeginTakingOver();
        else BeginDeferral();
        fib?.Configure(Config.Kernel, OwnRoutes);
        // What has changed since this was made, and before anybody listened, was told to nobody.
        kernelNews.Take();
        await LookAtKernelAsync(kernel.Current).ConfigureAwait(false);
        LookAtListening(latest);
        if (isTakingOver)
        {
            done.SetResult(null);
            return;
        }
        if (Config.IsDrained) LookAtCordon(isCordoned: true);
        StartPeers();
        try
        {
            listener.Start();
            done.SetResult(null);
        }
        catch (System.Net.Sockets.SocketException quicker)
        {
            done.SetException(quicker);
        }
    }

    /// <summary>Those that are not there yet.</summary>
    private void StartPeers()
    {
        foreach (var peer in Config.Peers)
            if (!peers.ContainsKey(peer.Session.Name)) StartPeer(peer);
        foreach (var link in Config.Links)
            if (!peers.ContainsKey(link.Each.Session.Name)) StartPeer(link.Nobody, link: link);
    }

    private void Post(SpeakerNews news) => inbox.Writer.TryWrite(news);

    private void PostOnce(SpeakerNews news)
    {
        if (told.TryAdd(news, 0)) Post(news);
    }

    /// <summary>Done by the loop, in its turn.</summary>
    private async Task<T> AskAsync<T>(Func<TaskCompletionSource<T>, SpeakerNews> question)
    {
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var isAsked = inbox.Writer.TryWrite(question(done));
        if (isAsked && loop is { } running) await Task.WhenAny(done.Task, running.Ended).ConfigureAwait(false);
        // What is asked before the loop has started is done then.
        if (isAsked && (done.Task.IsCompleted || loop == null)) return await done.Task.ConfigureAwait(false);
        throw new InvalidOperationException("the speaker is ending");
    }

    private async Task LookAtKernelAsync(KernelSnapshot snapshot)
    {
        var isMoved = !ReferenceEquals(latest.Routes, snapshot.Routes);
        if (latest.Addresses != snapshot.Addresses) LookAtListening(snapshot);
        latest = snapshot;
        if (isMoved && fib?.Follow(snapshot) == true) Rib.FibFilterChanged();
        Rib.NextHopsChanged(NextHopsBy(snapshot));
        foreach (var source in Sources)
            if (!source.MovesItself) await source.SetAsync(WantedOf(source, snapshot)).ConfigureAwait(false);
        fib?.LookAgain();
        foreach (var peer in peers.Values)
        {
            peer.LookAtWay(snapshot);
            LookAgain(peer, snapshot);
        }
        await links.FollowAsync(Config.Links, snapshot).ConfigureAwait(false);
    }

    private KernelNextHops NextHopsBy(KernelSnapshot snapshot) => new(snapshot, OwnRoutes, Config.Kernel.Table);

    /// <summary>
    /// Addresses that a peer is given as next hops may come after its session. One that goes takes the session along, or comes back.
    /// </summary>
    private void LookAgain(Peer peer, KernelSnapshot snapshot)
    {
        if (peer.Up is not { HasLostWay: false } up) return;
        var now = ForRib(peer, up, snapshot);
        if (now == up.Told || Lost(up.Told.SelfIPv4, now.SelfIPv4) || Lost(up.Told.SelfIPv6, now.SelfIPv6)) return;
        Rib.PeerChanged(up.Told = now);
    }

    /// <summary>
    /// An address of IPv6 is there before the kernel has made sure that nobody else has it (RFC 4862 section 5.4), and when it has, nobody
    /// is told; so the snapshot counts as well.
    /// </summary>
    private void LookAtListening(KernelSnapshot snapshot)
    {
        var named = Config.Listen.Where(address => snapshot.Addresses.All(one => one.Address != address));
        var (before, now) = (ListenWaits, Listener.Missing(named));
        ListenWaits = now;
        foreach (var address in now.Except(before)) log.ListenWaits(address);
        foreach (var address in before.Except(now).Intersect(Config.Listen)) log.ListenOpened(address);
    }

    private static bool Lost(Address before, Address now) => now.IsUnspecified && !before.IsUnspecified;

    private RibPeer ForRib(Peer peer, PeerLife up, KernelSnapshot snapshot)
    {
        var now = peer.Config.ForRib(peer.Session.Settings, up.Negotiated, Config.Decision, snapshot) with { Life = up.Told.Life };
        return peer.Drain is { } drain ? drain.Of(now) : now;
    }

    /// <summary>The RIB was told by the configuration of that moment: what was changed since is told now.</summary>
    private void Establish(SpeakerNews.Established news)
    {
        if (!peers.TryGetValue(news.Peer, out var peer)) return;
        var (up, isTaken) = (news.Life, peer.Up == news.Life);
        peer.Up = up;
        // One that was taken over is not back: it was there, and what is kept beside it as well.
        if (!isTaken) Keep(peer, peer.Retention.Back(up.Negotiated, time.GetUtcNow(), Config.Deferral));
        LookAtDeferral();
        peer.LookAtWay(kernel.Current);
        if (!up.HasLostWay && ForRib(peer, up, kernel.Current) is var now && now != up.Told) Rib.PeerChanged(up.Told = now);
        Moved?.Invoke();
    }

    private void Perform(Peer peer, SpeakerNews.Order order)
    {
        // Whoever gives the order is told so (Control); birdc's users see it in the message.
        if (peer.Drain is { } drain)
        {
            if (drain.Stage == DrainStage.Down && order.What != PeerOrder.Disable) return;
            if (order.What != PeerOrder.Restart) drain.StaysDown = order.What == PeerOrder.Disable;
        }
        peer.Message = order.Text;
        peer.OverLimit = null;
        if (order.What == PeerOrder.Enable) dynamics.Watch(peer);
        if (order.What == PeerOrder.Disable) GiveUp(peer);
        switch (order.What)
        {
            case PeerOrder.Enable: peer.Session.Enable(); break;
            case PeerOrder.Disable: peer.Session.Disable(order.Text); break;
            case PeerOrder.Restart: peer.Session.Restart(order.Text); break;
        }
    }

    private void Break(SpeakerNews.OverLimit over)
    {
        var peer = PeerOf(over.Peer);
        // The limit may have been raised while this was on its way; the RIB tells of the new one by itself.
        if (peer?.Up == null || !(peer.Config.PrefixLimit <= over.Limit)) return;
        (peer.Up, peer.OverLimit) = (null, (over.Family, over.Limit));
        log.PrefixLimitExceeded(peer.Name, over.Limit, over.Family);
        peer.Session.Break(PrefixLimitReached(over.Family, over.Limit));
        peer.Session.Disable();
    }

    private void Complete(SpeakerNews.EndOfRib end)
    {
        if (PeerOf(end.Peer) is not { Up: { } up } peer) return;
        up.Complete |= end.Family.Bit();
        Keep(peer, peer.Retention.Complete(end.Family));
        LookAtDeferral();
    }

    private Peer? PeerOf(ushort index) => peers.Values.FirstOrDefault(peer => peer.Index == index);

    void IRibListener.CameToRest() => Moved?.Invoke();
    void IRibListener.EndOfRib(ushort peer, IpFamily family) => PostOnce(new SpeakerNews.EndOfRib(peer, family));
    void IRibListener.PrefixLimitExceeded(ushort peer, IpFamily family, int limit) =>
        PostOnce(new SpeakerNews.OverLimit(peer, family, limit));

    /// <summary>RFC 4486 section 4: the data are the family and the limit.</summary>
    private static Notification PrefixLimitReached(IpFamily family, int limit)
    {
        var data = new WireWriter(stackalloc byte[7]);
        data.U16(Family.Of(family).Afi);
        data.U8(Family.Of(family).Safi);
        data.U32((uint)limit);
        return new(ErrorCode.Cease, (byte)CeaseSubcode.MaximumNumberOfPrefixesReached, data.Written.ToArray());
    }

    /// <summary>
    /// Waits for the peers' first tables, then has the kernel forget what an earlier run left and nobody announces any more.
    /// </summary>
    private async Task SettleAsync(Loop loop)
    {
        var deadline = Started + Config.Kernel.SweepAfter;
        // It waits, for time and for others, from beginning to end. Where the daemon ends before its sessions settled, what an earlier run
        // left stays.
        loop.Rest();
        while (time.GetUtcNow() < deadline || deferred != FamilySet.None)
        {
            Awaited = await AskAsync<ImmutableArray<string>>(answer => new SpeakerNews.AskAwaited(answer)).ConfigureAwait(false);
            if (Awaited.Count == 0 && ListenWaits.IsEmpty && deferred == FamilySet.None) break;
            await Task.Delay(TimeSpan.FromSeconds(1), time, stopping.Token).ConfigureAwait(false);
        }
        HasSettled = true;
        // Who calls from a range is not known before he has called.
        if (!Config.Ranges.IsEmpty && deadline - time.GetUtcNow() is var left && left > TimeSpan.Zero)
            await Task.Delay(left, time, stopping.Token).ConfigureAwait(false);
        // The last routes are still on their way from the shards to the kernel's queue.
        do await Task.Delay(TimeSpan.FromSeconds(2), time, stopping.Token).ConfigureAwait(false);
        while (Rib.IsFibBehind && time.GetUtcNow() < deadline + Config.Deferral);
        if (fib != null) await fib.PassedAsync().ConfigureAwait(false);
        await kernel.SweepAsync(stopping.Token).ConfigureAwait(false);
    }

    internal void SetEnabled(OwnRouteSource source, bool enabled) => Post(new SpeakerNews.SetEnabled(source, enabled));

    internal void Order(string peer, PeerOrder what, string? text) => Post(new SpeakerNews.Order(peer, what, text));

    public async ValueTask DisposeAsync()
    {
        // All that is here is the other process's now, and stays as it is until this one ends.
        if (IsShuttingDown || hasHandedOver) return;
        await stopping.CancelAsync().ConfigureAwait(false);
        if (await HasHandedOverAsync().ConfigureAwait(false)) return;
        fib?.Close();
        kernel.Changed -= kernelNews.Set;
        if (settling != null) await settling.Ended.ConfigureAwait(false);
        await listener.DisposeAsync().ConfigureAwait(false);
        await Task.WhenAll(peers.Values.Select(peer => LeaveAsync(peer).AsTask())).ConfigureAwait(false);
        foreach (var peer in peers.Values) peer.RetentionEnds?.Dispose();
        inbox.Writer.TryComplete();
        if (loop != null) await loop.Ended.ConfigureAwait(false);
        await links.DisposeAsync().ConfigureAwait(false);
        foreach (var drain in drains.Values) drain.Dispose();
        leases.Dispose();
        Rib.Dispose();
        if (fib != null) await fib.DisposeAsync().ConfigureAwait(false);
        stopping.Dispose();
    }
}
