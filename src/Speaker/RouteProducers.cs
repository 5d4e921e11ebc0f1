using System.Collections.Immutable;
using Calico.Bgp.Net;

namespace Calico.Bgp.Speaker;

/// <summary>A prefix begins or ceases to be announced.</summary>
/// <param name="Weight">Announced as bandwidth; 0: nothing is said.</param>
public readonly record struct RouteMove(Prefix Prefix, bool Announced, int Weight = 0)
{
    /// <summary>Of several nodes that announce it whoever has the least is meant; null: nothing is said.</summary>
    public uint? Med { get; init; }

    internal OwnPath? Path => !Announced ? null : new OwnPath(0, Weight: Weight)
    {
        Said = Med == null ? null : new SaidAttributes { Med = Med },
    };
}

/// <summary>
/// Somebody's routes that come and go by themselves, whatever the configuration and the kernel say: addresses of services, for one. Of a
/// prefix that two producers have announced, each has a route of its own, and it is announced until the last one takes it back.
/// </summary>
public sealed class RouteProducer
{
    private readonly SpeakerLoop speaker;

    internal RouteProducer(SpeakerLoop speaker, string name) => (this.speaker, Name) = (speaker, name);

    public string Name { get; }

    /// <summary>Some begin and some cease; nothing else is looked at.</summary>
    public Task MoveAsync(ImmutableArray<RouteMove> moves) =>
        moves.IsEmpty ? Task.CompletedTask : speaker.ProduceAsync(this, moves, all: false);

    /// <summary>All that it has announced: what else it had goes, and nobody else's.</summary>
    public Task SetAsync(ImmutableArray<RouteMove> all) => speaker.ProduceAsync(this, all, all: true);
}

/// <summary>Producers by their names, each with a source in the table for either family; made when it has something to say. The speaker's
/// loop's.</summary>
internal sealed class RouteProducers
{
    private const uint Preference = 200;

    private readonly Dictionary<string, ImmutableArray<OwnRouteSource>> byName = new(StringComparer.Ordinal);

    /// <param name="make">A source of that name and family in the table.</param>
    public ImmutableArray<OwnRouteSource> SourcesOf(string producer, Func<string, IpFamily, uint, OwnRouteSource> make)
    {
        if (byName.TryGetValue(producer, out var known)) return known;
        return byName[producer] = [make($"{producer}1", IpFamily.IPv4, Preference), make($"{producer}2", IpFamily.IPv6, Preference)];
    }

    public static async ValueTask ApplyAsync(OwnRouteSource source, IEnumerable<RouteMove> moves, bool all)
    {
        var ours = moves.Where(move => move.Prefix.Family == source.Family);
        if (all)
        {
            var wanted = ours.Where(move => move.Announced).ToImmutableDictionary(move => move.Prefix, move => move.Path!.Value);
            await source.SetWantedAsync(wanted).ConfigureAwait(false);
        }
        else await source.MoveAsync(ours.Select(move => (move.Prefix, move.Path))).ConfigureAwait(false);
    }
}
