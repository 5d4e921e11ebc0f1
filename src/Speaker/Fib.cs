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
    private const int Capacity = 8;
    private readonly IKernel kernel;
    private readonly Channel<Func<ValueTask>> queue = Channel.CreateUnbounded<Func<ValueTask>>(new() { SingleReader = true });
    private readonly Dictionary<FibTarget, RouteTarget> targets = [];
    private readonly Task loop;
    private int waiting;
    private readonly HashSet<Prefix> installedOwn = [];
    private KernelConfig config;
    private ImmutableDictionary<Prefix, OwnRouteConfig> own = ImmutableDictionary<Prefix, OwnRouteConfig>.Empty;

    public Fib(IKernel kernel, KernelConfig config)
    {
        (this.kernel, this.config, Export) = (kernel, config, config.Export ?? AcceptAll.Instance);
        loop = Task.Run(RunAsync);
    }

    /// <summary>Called when there is room again after there was none.</summary>
    public Action? RoomAgain { get; set; }

    public IPolicy Export { get; private set; }

    public bool HasRoom => Volatile.Read(ref waiting) < Capacity;

    /// <summary>Own routes that lead elsewhere now are written again; the shards see no difference in them.</summary>
    public void Configure(KernelConfig newer, ImmutableDictionary<Prefix, OwnRouteConfig> routes)
    {
        Export = newer.Export ?? AcceptAll.Instance;
        queue.Writer.TryWrite(() =>
        {
            (config, own) = (newer, routes);
            targets.Clear();
            return kernel.WishAsync(Array.ConvertAll([.. installedOwn], prefix => new RouteWish(prefix, OwnTarget(prefix, default))));
        });
    }

    public void Take(ReadOnlySpan<FibChange> changes)
    {
        Interlocked.Increment(ref waiting);
        var taken = changes.ToArray();
        queue.Writer.TryWrite(() => WriteAsync(taken));
    }

    /// <summary>Completes when all that was taken before has been handed to the kernel's loop.</summary>
    public Task PassedAsync()
    {
        var passed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var queued = queue.Writer.TryWrite(() =>
        {
            passed.SetResult();
            return default;
        });
        return queued ? passed.Task : Task.CompletedTask;
    }

    private async Task RunAsync()
    {
        await foreach (var work in queue.Reader.ReadAllAsync().ConfigureAwait(false)) await work().ConfigureAwait(false);
    }

    private async ValueTask WriteAsync(FibChange[] changes)
    {
        await kernel.WishAsync(Array.ConvertAll(changes, Wish)).ConfigureAwait(false);
        if (Interlocked.Decrement(ref waiting) == Capacity - 1) RoomAgain?.Invoke();
    }

    private RouteWish Wish(FibChange change)
    {
        installedOwn.Remove(change.Prefix);
        return new(change.Prefix, change.Target == null ? null : TargetOf(change.Prefix, change.Target));
    }

    private RouteTarget? TargetOf(Prefix prefix, FibTarget target)
    {
        if (target.Origin == RouteOrigin.Static)
        {
            installedOwn.Add(prefix);
            return OwnTarget(prefix, target.Hints);
        }
        if (target.Vias.IsEmpty) return null;
        if (targets.TryGetValue(target, out var known)) return known;
        return targets[target] = new(
            RouteType.Unicast, [.. target.Vias.Select(via => new RouteHop(via.Gateway, via.Interface, via.Weight, via.OnLink))],
            MetricOf(target.Hints), TableOf(target.Hints));
    }

    private RouteTarget? OwnTarget(Prefix prefix, KernelHints hints) =>
        own.TryGetValue(prefix, out var route) && OwnHops.Resolve(route, kernel.Current) is { } hops
            ? new(route.Type, hops, MetricOf(hints), TableOf(hints)) : null;

    private uint MetricOf(KernelHints hints) => hints.Metric != 0 ? hints.Metric : config.Metric;
    private uint TableOf(KernelHints hints) => hints.Table != 0 ? hints.Table : config.Table;

    public async ValueTask DisposeAsync()
    {
        queue.Writer.TryComplete();
        await loop.ConfigureAwait(false);
    }
}
