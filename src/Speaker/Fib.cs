using System.Buffers;
using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Threading.Channels;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Rib;
using Calico.Bgp.Rib.Filters;

namespace Calico.Bgp.Speaker;

/// <summary>
/// Best routes on their way from the shards to the kernel. A short queue between: when the kernel is slower, the shards remember
/// which prefixes to look at again, and announcements to peers go on meanwhile.
/// </summary>
internal sealed class Fib : IFibSink, IAsyncDisposable
{
    private const int Capacity = 8, MostTargets = 1 << 16;
    private const string TunnelName = "tunl0";
    private readonly IKernel kernel;
    private readonly Channel<FibNews> queue = Channel.CreateUnbounded<FibNews>(new() { SingleReader = true });
    private readonly Dictionary<FibTarget, RouteTarget> targets = [];
    private readonly Loop loop;
    private readonly Bell look;
    /// <summary>Routes whose way out hangs on interfaces by name: own ones, and those through the tunnel.</summary>
    private readonly Dictionary<Prefix, (FibTarget Wanted, RouteTarget? Target)> byName = [];
    private readonly uint table;
    private int waiting;
    private volatile bool isClosed;
    private ImmutableDictionary<Prefix, OwnRouteConfig> own = ImmutableDictionary<Prefix, OwnRouteConfig>.Empty;

    public Fib(IKernel kernel, KernelConfig config, Loops loops)
    {
        (this.kernel, table) = (kernel, config.Table);
        Export = FilterOf(config, ConnectedNetworks.Of(kernel.Current));
        look = new(() => queue.Writer.TryWrite(FibNews.Look.Again));
        // Wishes may be lost with it; begun anew, every best route is wished for.
        loop = loops.Start("fib", OnDefect.EndProcess, loop => loop.TakeAllAsync(queue.Reader, news => HandleAsync(loop, news)));
    }

    /// <summary>Called when there is room again after there was none.</summary>
    public Action? RoomAgain { get; set; }

    IFilter IFibSink.Export => Export;
    public KernelFilter Export { get; private set; }

    public ushort CountedAs(IpFamily family) => SpeakerLoop.KernelSource(family);

    public bool HasRoom => Volatile.Read(ref waiting) < Capacity;

    public void Configure(KernelConfig newer, ImmutableDictionary<Prefix, OwnRouteConfig> routes)
    {
        Export = FilterOf(newer, Export.Connected);
        queue.Writer.TryWrite(new FibNews.Own(routes));
    }

    /// <summary>
    /// Interfaces have changed: own routes that lead elsewhere now are written again. The shards see no difference in them.
    /// </summary>
    public void LookAgain() => look.Ring();

    /// <summary>Which networks are connected may have changed.</summary>
    /// <returns>Whether the filter has; the shards are to look at every route again.</returns>
    public bool Follow(KernelSnapshot snapshot)
    {
        var connected = ConnectedNetworks.Of(snapshot);
        if (ConnectedNetworks.Same(connected, Export.Connected)) return false;
        Export = Export with { Connected = connected };
        return true;
    }

    /// <summary>From now on nothing changes in the kernel: what the end of the sessions does to the tables is not for it.</summary>
    public void Close() => isClosed = true;

    private KernelFilter FilterOf(KernelConfig config, FrozenDictionary<Prefix, uint> connected) =>
        new(config.Export ?? AcceptAll.Instance, config.Metric, table, connected);

    private ValueTask HandleAsync(Loop loop, FibNews news)
    {
        switch (news)
        {
            case FibNews.Moved moved: return WriteAsync(loop, moved.Changes, moved.Count);
            case FibNews.Own(var routes):
                own = routes;
                return WishOwnAsync();
            case FibNews.Look:
                look.Hear();
                return WishOwnAsync();
            case FibNews.AskWhyNot(var prefix, var answer):
                answer.SetResult(WhyNot(prefix));
                return default;
            case FibNews.Pass(var reached):
                reached.SetResult();
                return default;
            default: throw new ArgumentException($"nobody takes {news}", nameof(news));
        }
    }

    private ValueTask WishOwnAsync()
    {
        var moved = new List<RouteWish>();
        foreach (var (prefix, (wanted, before)) in byName.ToArray())
        {
            var target = NamedTarget(prefix, wanted);
            if (Equals(target, before)) continue;
            byName[prefix] = (wanted, target);
            moved.Add(new(prefix, target));
        }
        return moved.Count == 0 || isClosed ? default : kernel.WishAsync(moved.ToArray());
    }

    public void Apply(ReadOnlySpan<FibChange> changes)
    {
        if (isClosed) return;
        Interlocked.Increment(ref waiting);
        // Rented, as the wishes below: of new ones a table's worth would lie in the large-object heap.
        var taken = ArrayPool<FibChange>.Shared.Rent(changes.Length);
        changes.CopyTo(taken);
        queue.Writer.TryWrite(new FibNews.Moved(taken, changes.Length));
    }

    /// <summary>Why a best route is not wished for, in people's words; null: it is, or is none.</summary>
    public async Task<string?> WhyNotAsync(Prefix prefix)
    {
        var answer = new TaskCompletionSource<string?>(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!queue.Writer.TryWrite(new FibNews.AskWhyNot(prefix, answer))) return null;
        await Task.WhenAny(answer.Task, loop.Ended).ConfigureAwait(false);
        return answer.Task.IsCompleted ? await answer.Task.ConfigureAwait(false) : null;
    }

    private string? WhyNot(Prefix prefix)
    {
        if (!byName.TryGetValue(prefix, out var at) || at.Target != null) return null;
        if (at.Wanted.Tunnel) return Why.Of(TunnelNow(out _), null, TunnelName);
        return own.TryGetValue(prefix, out var route)
            ? ConfiguredRoute.Of(route, "", kernel.Current).Problem : "it is announced, and never goes to the kernel";
    }

    /// <summary>Completes when all that was taken before has been handed to the kernel's loop.</summary>
    public Task PassedAsync()
    {
        var passed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return queue.Writer.TryWrite(new FibNews.Pass(passed)) ? Task.WhenAny(passed.Task, loop.Ended) : Task.CompletedTask;
    }

    private async ValueTask WriteAsync(Loop loop, FibChange[] changes, int count)
    {
        var wishes = ArrayPool<RouteWish>.Shared.Rent(count);
        for (var i = 0; i < count; i++) wishes[i] = Wish(changes[i]);
        ArrayPool<FibChange>.Shared.Return(changes, clearArray: true);
        var wishing = kernel.WishAsync(wishes.AsMemory(0, count));
        if (!wishing.IsCompletedSuccessfully) await loop.WaitForAsync(wishing.AsTask()).ConfigureAwait(false);
        ArrayPool<RouteWish>.Shared.Return(wishes, clearArray: true);
        if (Interlocked.Decrement(ref waiting) == Capacity - 1) RoomAgain?.Invoke();
    }

    private RouteWish Wish(FibChange change)
    {
        byName.Remove(change.Prefix);
        return new(change.Prefix, change.Target == null ? null : TargetOf(change.Prefix, change.Target));
    }

    private RouteTarget? TargetOf(Prefix prefix, FibTarget target)
    {
        if (target.Origin == RouteOrigin.Static || target.Tunnel)
        {
            var leads = NamedTarget(prefix, target);
            byName[prefix] = (target, leads);
            return leads;
        }
        if (target.Vias.IsEmpty) return null;
        if (targets.TryGetValue(target, out var known)) return known;
        if (targets.Count >= MostTargets) targets.Clear();
        return targets[target] = new(
            RouteType.Unicast, [.. target.Vias.Select(via => new RouteHop(via.Gateway, via.Interface, via.Weight, via.OnLink))],
            target.Hints.Metric, TableOf(target.Hints));
    }

    private RouteTarget? NamedTarget(Prefix prefix, FibTarget wanted) =>
        wanted.Tunnel ? TunnelTarget(wanted) : OwnTarget(prefix, wanted.Hints);

    // ip route replace PREFIX via NEXTHOP dev tunl0 onlink
    private RouteTarget? TunnelTarget(FibTarget wanted) =>
        TunnelNow(out var tunnel) != OwnHopRule.Usable ? null : new(
            RouteType.Unicast, [.. wanted.Vias.Select(via => new RouteHop(via.Gateway, tunnel, via.Weight, OnLink: true))],
            wanted.Hints.Metric, TableOf(wanted.Hints));

    private OwnHopRule TunnelNow(out int index)
    {
        var tunnel = kernel.Current.Links.Values.FirstOrDefault(link => link.Name == TunnelName);
        index = tunnel?.Index ?? 0;
        return tunnel == null ? OwnHopRule.NoInterface : tunnel.IsUp ? OwnHopRule.Usable : OwnHopRule.InterfaceDown;
    }

    private RouteTarget? OwnTarget(Prefix prefix, KernelHints hints) =>
        own.TryGetValue(prefix, out var route) && OwnHops.Resolve(route, kernel.Current) is { } hops
            ? new(route.Type, hops, hints.Metric, TableOf(hints)) : null;

    private uint TableOf(KernelHints hints) => hints.Table != 0 ? hints.Table : table;

    public async ValueTask DisposeAsync()
    {
        queue.Writer.TryComplete();
        await loop.Ended.ConfigureAwait(false);
    }
}
