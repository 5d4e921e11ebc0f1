using System.Collections.Immutable;
using Calico.Bgp.Kernel;
using Calico.Bgp.Net;
using Calico.Bgp.Rib.Filters;

namespace Calico.Bgp.Speaker;

/// <content>What each source of own routes announces.</content>
public sealed partial class SpeakerLoop
{
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
        var wanted = OwnRouteList.Where(route => route.Prefix.Family == family)
            .Select(route => (route.Prefix, Hops: OwnHops.Resolve(route, snapshot)))
            .Where(route => route.Hops != null)
            .ToImmutableDictionary(route => route.Prefix, route => new OwnPath(route.Hops is [var hop, ..] ? hop.Interface : 0));
        var announced = Config.Announced.Where(prefix => prefix.Family == family && !wanted.ContainsKey(prefix));
        return wanted.AddRange(announced.Select(prefix => KeyValuePair.Create(prefix, default(OwnPath))));
    }

    /// <summary>Whoever has routes announced that move by themselves, by a name that nobody else has.</summary>
    public RouteProducer Producer(string name) => new(this, name);

    /// <summary>
    /// Its first list is waited for: a restart of ours is not over for peers that keep our routes (RFC 4724) before it has come, and what
    /// the process before has announced of it goes over in an upgrade. Before <see cref="StartAsync"/>.
    /// </summary>
    public void Await(RouteProducer producer) => awaited.Add(producer.Name);

    internal Task ProduceAsync(RouteProducer producer, ImmutableArray<RouteMove> moves, bool all) =>
        AskAsync<string?>(done => new SpeakerNews.Produce(producer.Name, moves, all, done));

    private async Task ProduceAsync(SpeakerNews.Produce news)
    {
        foreach (var source in producers.SourcesOf(news.Producer, Moving))
            await RouteProducers.ApplyAsync(source, news.Moves, news.All).ConfigureAwait(false);
        if (awaited.Remove(news.Producer)) LookAtDeferral();
    }

    private OwnRouteSource Moving(string name, IpFamily family, uint preference)
    {
        var source = new OwnRouteSource(Rib, IndexOf($"source {name}"), name, RouteOrigin.Static, family, preference, isAsSaid: true)
        {
            Since = time.GetUtcNow(),
            MovesItself = true,
        };
        Sources = Sources.Add(source);
        return source;
    }
}
