using System.Collections.Immutable;
using Calico.Bgp.Resources;
using Mvccpb;

namespace Calico.Bgp.Sources.Etcd;

/// <summary>
/// What has been told of etcd's keys, and from where on each range is to be watched. A list tells the difference to what was known, so that
/// it does not matter how the two came apart; a change that is older than what is known (a watch that begins again tells the last revision
/// once more) tells nothing.
/// </summary>
/// <param name="ranges">How many ranges of keys are watched, each in an order of its own.</param>
internal sealed class EtcdMirror(int source, int ranges)
{
    private readonly Dictionary<string, long> known = new(StringComparer.Ordinal);
    private readonly long[] next = new long[ranges];

    /// <summary>Everything has been listed once.</summary>
    public bool IsFilled { get; private set; }

    /// <summary>The first revision of a range that was not told yet.</summary>
    public long Next(int range) => next[range];

    /// <summary>No server of the same history is at an earlier revision than this for long.</summary>
    public long Newest => next.Max() - 1;

    /// <summary>What was changed last of all that is there, and at which revision: no other history has the same. Null: nothing is
    /// there.</summary>
    public (string Key, long Revision)? Sign => known.Count == 0 ? null : (known.MaxBy(one => one.Value).Key, known.Values.Max());

    /// <summary>All keys of all ranges at one revision.</summary>
    /// <exception cref="EtcdException">There are none, and there were some: a datastore that was emptied loses its keys one after the
    /// other, so this is another one, or one that has lost its disk.</exception>
    public ImmutableArray<OriginContent> List(IReadOnlyCollection<KeyValue> all, long revision)
    {
        if (all.Count == 0 && known.Count > 0)
            throw new EtcdException($"expected Calico's keys, got an empty datastore: the {known.Count} that were there stay in force");
        var contents = ImmutableArray.CreateBuilder<OriginContent>();
        var gone = known.Keys.ToHashSet(StringComparer.Ordinal);
        foreach (var pair in all)
        {
            var key = pair.Key.ToStringUtf8();
            gone.Remove(key);
            if (known.GetValueOrDefault(key) != pair.ModRevision) contents.Add(Put(key, pair));
        }
        foreach (var key in gone) contents.Add(Remove(key));
        Array.Fill(next, revision + 1);
        IsFilled = true;
        return contents.DrainToImmutable();
    }

    /// <summary>Changes of a range, in their order.</summary>
    /// <param name="isWhole">False: further changes of the same revision follow.</param>
    public ImmutableArray<OriginContent> Apply(int range, IReadOnlyList<Event> events, bool isWhole)
    {
        var contents = ImmutableArray.CreateBuilder<OriginContent>();
        foreach (var change in events)
        {
            var key = change.Kv.Key.ToStringUtf8();
            if (known.GetValueOrDefault(key) >= change.Kv.ModRevision) continue;
            if (change.Type == Event.Types.EventType.Put) contents.Add(Put(key, change.Kv));
            else if (known.ContainsKey(key)) contents.Add(Remove(key));
        }
        if (isWhole && events.Count > 0) next[range] = events[^1].Kv.ModRevision + 1;
        return contents.DrainToImmutable();
    }

    private OriginContent Put(string key, KeyValue pair)
    {
        known[key] = pair.ModRevision;
        return EtcdLayout.Read(source, key, pair.Value.Span);
    }

    private OriginContent Remove(string key)
    {
        known.Remove(key);
        return OriginContent.Gone(new(source, key));
    }
}
