using System.Collections.Concurrent;
using System.Collections.Immutable;
using Calico.Bgp.Net;

namespace Calico.Bgp.Speaker;

/// <summary>
/// The leases of all producers: whether one more is granted, and which have run out. Where no quotas are configured, anybody on the Unix
/// socket is a producer; else those named are. The speaker's loop's.
/// </summary>
internal sealed class RouteLeases : IDisposable
{
    private const int MostProducers = 32;

    private readonly TimeProvider time;
    private readonly ITimer timer;
    /// <summary>Until when; null: without an end.</summary>
    private readonly ConcurrentDictionary<(string Producer, Prefix Prefix), long?> leases = [];
    private readonly Dictionary<string, int> counts = new(StringComparer.Ordinal);
    /// <summary>An entry for each renewal too: what the lease says counts.</summary>
    private readonly PriorityQueue<(string Producer, Prefix Prefix), long> ends = new();

    /// <param name="expired">Called on others' threads; must not block.</param>
    public RouteLeases(TimeProvider time, Action expired)
    {
        this.time = time;
        timer = time.CreateTimer(_ => expired(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>What bars the lease; null: it is granted, or renewed.</summary>
    public string? Grant(RouteLease lease, ImmutableArray<ProducerQuota> quotas)
    {
        var quota = quotas.FirstOrDefault(quota => quota.Name == lease.Producer);
        if (quota == null && !quotas.IsEmpty)
            return $"expected one of control.producers ({string.Join(", ", quotas.Select(quota => quota.Name))}), got {lease.Producer}";
        if (quota is { Prefixes.Count: > 0 } && !quota.Prefixes.Any(prefix => prefix.Contains(lease.Prefix)))
            return $"expected a prefix inside of {string.Join(", ", quota.Prefixes)} ({lease.Producer}'s prefixes), got {lease.Prefix}";
        var key = (lease.Producer, lease.Prefix);
        var count = counts.GetValueOrDefault(lease.Producer);
        if (!leases.ContainsKey(key))
        {
            if (count == 0 && counts.Count >= MostProducers) return $"there are {MostProducers} producers already";
            var limit = quota?.Limit ?? ProducerQuota.DefaultLimit;
            if (count >= limit) return $"{lease.Producer} announces {count} routes, and may have {limit}";
            counts[lease.Producer] = count + 1;
        }
        var end = lease.Ttl is { } ttl ? time.GetTimestamp() + (long)(ttl.TotalSeconds * time.TimestampFrequency) : (long?)null;
        leases[key] = end;
        if (end is not { } at) return null;
        ends.Enqueue(key, at);
        if (ends.Count > 2 * leases.Count + MostProducers) Tidy();
        Arm();
        return null;
    }

    /// <summary>False: there is none.</summary>
    public bool End(string producer, Prefix prefix)
    {
        if (!leases.TryRemove((producer, prefix), out _)) return false;
        if (--counts[producer] == 0) counts.Remove(producer);
        return true;
    }

    /// <summary>Of a route that this producer does not announce: who does.</summary>
    public string WhoInstead(string producer, Prefix prefix)
    {
        string[] others = [.. counts.Keys.Where(other => leases.ContainsKey((other, prefix))).Order(StringComparer.Ordinal)];
        var instead = others.Length == 0 ? "nor does another producer" : $"but {string.Join(" and ", others)} (--producer) does";
        return $"expected a route that {producer} announces, got {prefix}, which it does not, {instead}";
    }

    /// <summary>Until it runs out; null: it has no end, or there is none. From any thread.</summary>
    public TimeSpan? LeftOf(string producer, Prefix prefix)
    {
        if (!leases.TryGetValue((producer, prefix), out var end) || end is not { } at) return null;
        return time.GetElapsedTime(time.GetTimestamp(), at) is var left && left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    /// <summary>They have run out, and are no more.</summary>
    public ImmutableArray<(string Producer, Prefix Prefix)> Expired()
    {
        var (now, gone) = (time.GetTimestamp(), ImmutableArray.CreateBuilder<(string, Prefix)>());
        while (ends.TryPeek(out var key, out var at) && at <= now)
        {
            ends.Dequeue();
            if (leases.TryGetValue(key, out var end) && end <= now && End(key.Producer, key.Prefix)) gone.Add(key);
        }
        Arm();
        return gone.ToImmutable();
    }

    private void Tidy()
    {
        ends.Clear();
        foreach (var (key, end) in leases)
            if (end is { } at) ends.Enqueue(key, at);
    }

    private void Arm()
    {
        if (!ends.TryPeek(out _, out var at)) return;
        var left = time.GetElapsedTime(time.GetTimestamp(), at);
        timer.Change(left > TimeSpan.Zero ? left : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
    }

    public void Dispose() => timer.Dispose();
}
