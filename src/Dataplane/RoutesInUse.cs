using Calico.Bgp.Net;

namespace Calico.Bgp.Dataplane;

/// <summary>
/// Which peers each route in use leads to, told one by one; and of each change whether packets go to others than before. A route that leads
/// where the one around it leads moves nothing, so that the comings and goings of a full table behind one switch concern nobody.
/// </summary>
public sealed class RoutesInUse
{
    private readonly Dictionary<Prefix, ListOf<string>> routes = [];
    private readonly Dictionary<(IpFamily, int Length), int> lengths = [];

    public int Count => routes.Count;

    /// <param name="peers">Null: there is no route any more.</param>
    /// <param name="others">Prefixes that somebody else has routes for in the kernel: what stands behind one of them is not known
    /// here.</param>
    /// <returns>Whether any packet may go another way now.</returns>
    public bool Update(Prefix prefix, ListOf<string>? peers, IReadOnlySet<Prefix> others)
    {
        var known = routes.TryGetValue(prefix, out var present);
        if (known ? present == peers : peers == null) return false;
        var before = Way(prefix, others);
        Put(prefix, peers, known);
        var after = Way(prefix, others);
        return before == null || after == null || before != after;
    }

    private void Put(Prefix prefix, ListOf<string>? peers, bool known)
    {
        var length = (prefix.Family, prefix.Length);
        if (peers is { } some) routes[prefix] = some;
        else routes.Remove(prefix);
        lengths[length] = lengths.GetValueOrDefault(length) + (peers == null ? -1 : known ? 0 : 1);
    }

    /// <summary>By the longest match; null: nobody here can tell.</summary>
    private ListOf<string>? Way(Prefix of, IReadOnlySet<Prefix> others)
    {
        for (var length = (int)of.Length; length >= 0; length--)
        {
            var prefix = new Prefix(of.Address, length);
            if (others.Contains(prefix)) return null;
            if (lengths.GetValueOrDefault((of.Family, length)) > 0 && routes.TryGetValue(prefix, out var peers)) return peers;
        }
        return null;
    }

    /// <param name="metric">Of our routes in the kernel, by family.</param>
    public ListOf<RouteFact> Facts(Func<IpFamily, uint> metric) =>
        [.. routes.OrderBy(route => route.Key).Select(route => new RouteFact(route.Key, route.Value, metric(route.Key.Family)))];
}
