using System.Collections.Concurrent;
using Calico.Bgp.Dataplane;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Rib;
using Calico.Bgp.Speaker;
using Calico.Bgp.Wire.Attributes;

namespace Calico.Bgp.Bgpd;

/// <summary>
/// Puts what the speaker knows into the words that the dataplane decides upstream NAT by. It is told when sessions or routes have moved,
/// and whose each best route is; it asks for a peer's announcements only when that peer's counters have moved. While nothing moves, or
/// nobody translates upstream, it does nothing. The longer a look takes, the longer it rests, so that a storm of routes is not made worse.
/// </summary>
internal sealed class UpstreamObserver(
    SpeakerView speaker, IKernel kernel, DataplaneLoop dataplane, Func<uint> metric, TimeProvider time)
    : IBestFollower
{
    private const int RestFactor = 10, Capacity = 16;
    private const string FromResource = "BGPPeer/";

    private readonly Bell bell = new();
    private readonly ConcurrentQueue<BestChange[]> arrived = [];
    private readonly Dictionary<string, (string Marks, PeerFact Fact)> known = [];
    private RoutesInUse routes = new();
    private RoutingFacts facts = RoutingFacts.None;
    private RoutingQuestion answered = RoutingQuestion.None;

    public async Task RunAsync(Loop loop, CancellationToken stop)
    {
        dataplane.Asking += bell.Ring;
        bell.Ring();
        try
        {
            while (true)
            {
                loop.Rest();
                await bell.HeardAsync(stop).ConfigureAwait(false);
                loop.Beat();
                var began = time.GetTimestamp();
                await LookAsync(dataplane.Question, stop).ConfigureAwait(false);
                loop.Rest();
                await Task.Delay(time.GetElapsedTime(began) * RestFactor, time, stop).ConfigureAwait(false);
            }
        }
        finally
        {
            dataplane.Asking -= bell.Ring;
            if (answered.IsAsked) Unfollow();
        }
    }

    private async Task LookAsync(RoutingQuestion question, CancellationToken stop)
    {
        if (question.IsAsked != answered.IsAsked) TurnTo(question.IsAsked);
        if (question != answered) known.Clear();
        answered = question;
        if (!question.IsAsked) return;
        var isMoved = TakeArrived();
        var peers = new ListOf<PeerFact>([.. await PeersAsync(question.Pools, stop).ConfigureAwait(false)]);
        if (!isMoved && peers == facts.Peers) return;
        facts = new(peers, isMoved ? routes.Facts(MetricOf) : facts.Routes);
        await dataplane.TellAsync(facts).ConfigureAwait(false);
    }

    private void TurnTo(bool isAsked)
    {
        if (!isAsked)
        {
            Unfollow();
            return;
        }
        speaker.Moved += bell.Ring;
        speaker.Follow(this);
    }

    private void Unfollow()
    {
        speaker.Moved -= bell.Ring;
        speaker.Unfollow(this);
        arrived.Clear();
        (routes, facts) = (new(), RoutingFacts.None);
    }

    bool IBestFollower.HasRoom => arrived.Count < Capacity;

    void IBestFollower.Apply(ReadOnlySpan<BestChange> changes)
    {
        arrived.Enqueue(changes.ToArray());
        bell.Ring();
    }

    /// <returns>Whether any packet may go another way now.</returns>
    private bool TakeArrived()
    {
        var isMoved = false;
        var names = speaker.PeerNames;
        HashSet<Prefix> others = [.. kernel.Current.Routes.Keys.Select(route => route.Prefix)];
        while (arrived.TryDequeue(out var changes))
        {
            foreach (var change in changes) isMoved |= routes.Update(change.Prefix, PeersOf(change, names), others);
            if (arrived.Count == Capacity - 1) speaker.GoOn();
        }
        return isMoved;
    }

    /// <summary>With several ways out each must be a peer's, or somebody else has a share.</summary>
    private static ListOf<string>? PeersOf(BestChange change, IReadOnlyDictionary<ushort, string> names) =>
        change.Sources.IsEmpty ? null : change.Sources.All(names.ContainsKey) ? [.. change.Sources.Select(source => names[source])] : [];

    private async Task<List<PeerFact>> PeersAsync(ListOf<Prefix> pools, CancellationToken stop)
    {
        var all = new List<PeerFact>();
        foreach (var peer in speaker.Protocols.Where(protocol => protocol.Session != null))
        {
            var marks = MarksOf(peer);
            if (!known.TryGetValue(peer.Name, out var before) || before.Marks != marks)
                known[peer.Name] = before = (marks, await FactAsync(peer, pools, stop).ConfigureAwait(false));
            all.Add(before.Fact);
        }
        return all;
    }

    /// <summary>Anything that may have moved what the peer announces, or is told, moves one of these.</summary>
    private string MarksOf(ProtocolStatus peer) => string.Join(' ', (object?[])
    [
        speaker.IsUp(peer.Name), peer.Session!.EstablishedTransitions, peer.Description,
        .. peer.Channels.Select(channel => (channel.Imported, channel.Exported, channel.Counts)),
    ]);

    private async Task<PeerFact> FactAsync(ProtocolStatus peer, ListOf<Prefix> pools, CancellationToken stop)
    {
        var isFromResource = peer.Description?.StartsWith(FromResource, StringComparison.Ordinal) == true;
        var resource = isFromResource ? peer.Description![FromResource.Length..] : null;
        if (!speaker.IsUp(peer.Name)) return new(peer.Name, resource, false, [], []);
        return new(
            peer.Name, resource, true, [.. await AnnouncedAsync(peer.Name, pools, stop).ConfigureAwait(false)],
            [.. await DefaultCommunitiesAsync(peer.Name, stop).ConfigureAwait(false)]);
    }

    /// <summary>What the peer is sent that lies in a pool, or holds one.</summary>
    private async Task<SortedSet<Prefix>> AnnouncedAsync(string peer, ListOf<Prefix> pools, CancellationToken stop)
    {
        var announced = new SortedSet<Prefix>();
        foreach (var pool in pools)
            foreach (var scope in (PrefixScope[])[PrefixScope.In, PrefixScope.For])
                await foreach (var some in speaker.Routes(new(RouteSelection.Export, null, pool, scope, null, peer), stop)
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

    private uint MetricOf(IpFamily family) => metric() is var said && said == 0 && family == IpFamily.IPv6 ? 1024 : said;
}
