using System.Collections.Concurrent;
using Calico.Bgp.Net;
using Calico.Bgp.Resources;
using Calico.Bgp.Rib;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Speaker;

/// <summary>What a peer knows of some prefixes, and what it says of its default routes.</summary>
/// <param name="Object">What asks for it; null: bgpd.yaml does.</param>
/// <param name="Announced">What it is sent of the prefixes: what lies in one of them, or holds one.</param>
/// <param name="DefaultCommunities">Of the default routes that it announces.</param>
public sealed record PeerReach(
    string Name, ResourceId? Object, bool Established, ListOf<Prefix> Announced, ListOf<Community> DefaultCommunities);

/// <summary>The best route of a prefix is another, or leads elsewhere.</summary>
/// <param name="Peers">Whom it leads to; none: it is not a peer's, or not a peer's alone. Null: there is none any more.</param>
public readonly record struct WayChange(Prefix Prefix, ListOf<string>? Peers);

/// <summary>
/// For whoever decides by where packets go: which peers the best routes lead to, told one by one, and what each peer knows. A peer's
/// announcements are asked for only when its counters have moved. One reader's; the bell is rung when there is something to look at.
/// </summary>
public sealed class RoutingWatch(SpeakerView speaker, Bell bell) : IBestFollower
{
    private const int Capacity = 16;

    /// <summary>What the kernel makes of an IPv6 route without a metric (IP6_RT_PRIO_USER); an IPv4 one has 0.</summary>
    private const uint KernelsMetric = 1024;

    private readonly ConcurrentQueue<BestChange[]> arrived = [];
    private readonly Dictionary<string, (string Marks, PeerReach Reach)> known = [];
    private ListOf<Prefix> asked;

    /// <summary>All best routes come first.</summary>
    public void Begin()
    {
        speaker.Moved += bell.Ring;
        speaker.Follow(this);
    }

    public void End()
    {
        speaker.Moved -= bell.Ring;
        speaker.Unfollow(this);
        arrived.Clear();
        known.Clear();
    }

    bool IBestFollower.HasRoom => arrived.Count < Capacity;

    void IBestFollower.Apply(ReadOnlySpan<BestChange> changes)
    {
        arrived.Enqueue(changes.ToArray());
        bell.Ring();
    }

    /// <summary>What has come since it was last asked.</summary>
    public IEnumerable<WayChange> Arrived()
    {
        var names = speaker.PeerNames;
        while (arrived.TryDequeue(out var changes))
        {
            foreach (var change in changes) yield return new(change.Prefix, PeersOf(change, names));
            if (arrived.Count == Capacity - 1) speaker.GoOn();
        }
    }

    /// <summary>With several ways out each must be a peer's, or somebody else has a share.</summary>
    private static ListOf<string>? PeersOf(BestChange change, IReadOnlyDictionary<ushort, string> names) =>
        change.Sources.IsEmpty ? null : change.Sources.All(names.ContainsKey) ? [.. change.Sources.Select(source => names[source])] : [];

    /// <summary>Every peer, whether or not there is a session.</summary>
    public async Task<List<PeerReach>> PeersAsync(ListOf<Prefix> prefixes, CancellationToken stop)
    {
        if (prefixes != asked) known.Clear();
        asked = prefixes;
        var all = new List<PeerReach>();
        foreach (var peer in speaker.Protocols.Where(protocol => protocol.Session != null))
        {
            var marks = MarksOf(peer);
            if (!known.TryGetValue(peer.Name, out var before) || before.Marks != marks)
                known[peer.Name] = before = (marks, await ReachAsync(peer, stop).ConfigureAwait(false));
            all.Add(before.Reach);
        }
        return all;
    }

    /// <summary>Anything that may have moved what the peer announces, or is told, moves one of these.</summary>
    private string MarksOf(ProtocolStatus peer) => string.Join(' ', (object?[])
    [
        speaker.IsUp(peer.Name), peer.Session!.EstablishedTransitions, peer.Origin.Object,
        .. peer.Channels.Select(channel => (channel.Routes.Imported, channel.Routes.Exported, channel.Counts)),
    ]);

    private async Task<PeerReach> ReachAsync(ProtocolStatus peer, CancellationToken stop)
    {
        if (!speaker.IsUp(peer.Name)) return new(peer.Name, peer.Origin.Object, false, [], []);
        return new(
            peer.Name, peer.Origin.Object, true, [.. await AnnouncedAsync(peer.Name, stop).ConfigureAwait(false)],
            [.. await DefaultCommunitiesAsync(peer.Name, stop).ConfigureAwait(false)]);
    }

    private async Task<SortedSet<Prefix>> AnnouncedAsync(string peer, CancellationToken stop)
    {
        var announced = new SortedSet<Prefix>();
        foreach (var prefix in asked)
            foreach (var scope in (PrefixScope[])[PrefixScope.In, PrefixScope.For])
                await foreach (var some in speaker.Routes(new(RouteSelection.Export, null, prefix, scope, null, peer), stop)
                    .ConfigureAwait(false))
                    announced.UnionWith(some.Select(route => route.Prefix));
        return announced;
    }

    private async Task<List<Community>> DefaultCommunitiesAsync(string peer, CancellationToken stop)
    {
        var communities = new List<Community>();
        foreach (var prefix in (Prefix[])[Prefix.DefaultIPv4, Prefix.DefaultIPv6])
            await foreach (var some in speaker.Routes(new(RouteSelection.All, Prefix: prefix, Protocol: peer), stop).ConfigureAwait(false))
                foreach (var route in some)
                    if (!route.Attributes.IsEmpty) communities.AddRange(new AttributeView(route.Attributes.Span).Communities);
        return communities;
    }

    /// <summary>Of our routes in the kernel.</summary>
    public uint MetricOf(IpFamily family) =>
        speaker.KernelMetric is var said && said == 0 && family == IpFamily.IPv6 ? KernelsMetric : said;
}
