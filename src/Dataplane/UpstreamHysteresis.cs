namespace Calico.Bgp.Dataplane;

/// <summary>
/// Patience against flapping. What an offer takes away holds at once, because pods need their way out; what it gives holds when the offer
/// has not moved for a while. So a peer that comes and goes finds this node translating all the time.
/// </summary>
internal sealed class UpstreamHysteresis(TimeProvider clock)
{
    private sealed class Memory
    {
        public required UpstreamOffer Offered;
        public AddressRanges Holds = AddressRanges.None;
        public long Since;
    }

    private readonly Dictionary<string, Memory> pools = [];

    /// <summary>What holds now for each pool; <paramref name="wait"/>: when to ask again, null where nothing is pending.</summary>
    public IReadOnlyDictionary<string, AddressRanges> Update(
        IReadOnlyDictionary<string, UpstreamOffer> offers, TimeSpan stableFor, out TimeSpan? wait)
    {
        foreach (var gone in pools.Keys.Except(offers.Keys).ToArray()) pools.Remove(gone);
        wait = null;
        foreach (var (pool, offer) in offers)
        {
            var left = Update(pool, offer, stableFor);
            if (left is { } time && (wait == null || time < wait)) wait = time;
        }
        return pools.ToDictionary(pool => pool.Key, pool => pool.Value.Holds);
    }

    /// <returns>How long until all that is offered holds; null: it does.</returns>
    private TimeSpan? Update(string pool, UpstreamOffer offer, TimeSpan stableFor)
    {
        if (!pools.TryGetValue(pool, out var memory)) pools[pool] = memory = new() { Offered = offer, Since = clock.GetTimestamp() };
        if (!memory.Offered.Destinations.Equals(offer.Destinations)) memory.Since = clock.GetTimestamp();
        memory.Offered = offer;
        memory.Holds = memory.Holds.Intersect(offer.Destinations);
        if (memory.Holds.Equals(offer.Destinations)) return null;
        var left = stableFor - clock.GetElapsedTime(memory.Since);
        if (left > TimeSpan.Zero) return left;
        memory.Holds = offer.Destinations;
        return null;
    }
}
