using System.Collections.Immutable;
using Calico.Bgp.Bfd;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Speaker.Handover;

namespace Calico.Bgp.Speaker;

/// <summary>
/// Which neighbours BFD watches, and what peers and own routes hear of it (RFC 5882): a loss ends the BGP session, and when the neighbour
/// is heard again it is called at once; an own route has its gateway while it is heard. A session that was never up holds no peer back, for
/// the neighbour may have no BFD; nor does one that an administrator put down, here or there. The speaker's loop alone changes it.
/// </summary>
internal sealed class BfdWatch(IBfd? bfd, TimeProvider time)
{
    private ImmutableArray<BfdTarget> wanted = [];

    /// <summary>When the first neighbour was to be watched; null: none is.</summary>
    public DateTimeOffset? Since { get; private set; }

    public ImmutableArray<BfdSessionStatus> Sessions => bfd?.Current ?? [];
    public BfdLateness? Lateness => bfd?.Lateness;
    public long Strays => bfd?.Strays ?? 0;

    /// <summary>By what BFD knows the gateways of own routes, each with the place of its hop.</summary>
    private readonly Dictionary<(Prefix Route, int Hop), BfdKey> gateways = [];

    /// <summary>Peers, own routes, their settings or links may have changed.</summary>
    public void Look(IEnumerable<Peer> peers, ImmutableArray<OwnRouteConfig> routes, KernelSnapshot kernel)
    {
        if (bfd == null) return;
        // One session for each neighbour, however many want it (RFC 5882 section 2).
        var all = new OrderedDictionary<BfdKey, BfdTarget>();
        foreach (var peer in peers)
        {
            var target = peer.Session.Settings.Shutdown ? null : peer.Config.Bfd?.TargetOf(peer.Session.Settings, kernel);
            peer.Watch(target, target == null ? null : Of(target.Key)?.LastLoss);
            if (target != null) Add(all, target);
        }
        gateways.Clear();
        foreach (var route in routes)
            if (route.Bfd is { } times) Add(all, route, times, kernel);
        if (wanted.AsSpan().SequenceEqual(all.Values.ToArray())) return;
        Since = all.Count == 0 ? null : Since ?? time.GetUtcNow();
        bfd.Want(wanted = [.. all.Values]);
    }

    private static void Add(OrderedDictionary<BfdKey, BfdTarget> all, BfdTarget target)
    {
        if (!all.TryAdd(target.Key, target)) all[target.Key] = all[target.Key].With(target);
    }

    private void Add(OrderedDictionary<BfdKey, BfdTarget> all, OwnRouteConfig route, BfdTimes times, KernelSnapshot kernel)
    {
        for (var at = 0; at < route.Hops.Length; at++)
        {
            if (OwnHops.Judge(route, at, kernel, out var hop) != OwnHopRule.Usable || hop.Gateway is not { } gateway) continue;
            var key = gateways[(route.Prefix, at)] = new(gateway, hop.Interface, Multihop: false);
            Add(all, new(key, times));
        }
    }

    /// <summary>The routes of the configuration, each with the gateways that BFD does not hear now.</summary>
    public ImmutableArray<OwnRouteConfig> Judge(ImmutableArray<OwnRouteConfig> routes)
    {
        if (bfd == null || !routes.Any(route => route.Bfd != null)) return routes;
        var heard = Sessions.Where(one => one.State == BfdState.Up).Select(one => one.Key).ToHashSet();
        return [.. routes.Select(route => route.Bfd == null ? route : route with { Unheard = Unheard(route, heard) })];
    }

    private ListOf<int> Unheard(OwnRouteConfig route, HashSet<BfdKey> heard) =>
    [
        .. Enumerable.Range(0, route.Hops.Length)
            .Where(at => route.Hops[at].Gateway != null
                && !(gateways.TryGetValue((route.Prefix, at), out var key) && heard.Contains(key))),
    ];

    /// <summary>Sessions have changed.</summary>
    /// <returns>Peers of which nothing is to be kept any longer.</returns>
    public IReadOnlyList<Peer> Tell(IEnumerable<Peer> peers)
    {
        var byKey = Sessions.ToDictionary(one => one.Key);
        return [.. peers.Where(peer => peer.Watched is { } target && byKey.TryGetValue(target.Key, out var session)
            && peer.LookAtBfd(session))];
    }

    public BfdSessionStatus? Of(Peer peer) => peer.Watched is { } target ? Of(target.Key) : null;

    private BfdSessionStatus? Of(BfdKey key) => Sessions.FirstOrDefault(one => one.Key == key);

    /// <summary>For a process that is to go on for this one: what there is now.</summary>
    public Task<ImmutableArray<HandedBfd>> SayAsync() => bfd?.HandAsync(lends: false) ?? Nobody;

    /// <summary>The same at the last moment; from then on no silence is a loss.</summary>
    public Task<ImmutableArray<HandedBfd>> LendAsync() => bfd?.HandAsync(lends: true) ?? Nobody;

    private static Task<ImmutableArray<HandedBfd>> Nobody => Task.FromResult(ImmutableArray<HandedBfd>.Empty);

    /// <summary>It does not go on for us.</summary>
    public void TakeBack() => bfd?.TakeBack();

    /// <summary>It does.</summary>
    public Task FallSilentAsync() => bfd?.FallSilentAsync() ?? Task.CompletedTask;

    /// <summary>What the process said for which we are to go on.</summary>
    /// <exception cref="HandoverException">It makes no sense.</exception>
    public void Expect(ImmutableArray<HandedBfd> handed)
    {
        Check(handed);
        bfd?.Expect(handed);
    }

    /// <exception cref="HandoverException">It makes no sense.</exception>
    public static void Check(ImmutableArray<HandedBfd> handed)
    {
        if (handed.FirstOrDefault(one => !one.IsSensible) is { } wrong)
            throw new HandoverException($"expected a neighbour of BFD with its address and a port, got {wrong.Peer} and {wrong.Port}");
    }

    /// <summary>We go on for it.</summary>
    public void Adopt(ImmutableArray<HandedBfd> handed) => bfd?.Adopt(handed);

    public static ImmutableArray<BfdNeighbour> Views(SpeakerLoop speaker)
    {
        var links = speaker.Kernel.Current.Links;
        var names = speaker.Peers.Select(peer => (peer.Watched?.Key, peer.Name)).ToLookup(peer => peer.Key, peer => peer.Name);
        return [.. speaker.Bfd.Sessions.Select(one => new BfdNeighbour(
            one, one.Key.Interface == 0 ? null : links.GetValueOrDefault(one.Key.Interface)?.Name ?? $"if{one.Key.Interface}",
            [.. names[one.Key]]))];
    }
}
