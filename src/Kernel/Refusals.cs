using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace Calico.Bgp.Kernel;

internal readonly record struct Refusal(int Errno, string Words, DateTimeOffset Since, int Attempts);

/// <summary>
/// What the kernel would not take, in its own words, and when to ask again: after 1, 2, 4, … at most 60 seconds, and as soon as links,
/// addresses or foreign routes change, because a gateway may have become reachable.
/// </summary>
internal sealed class Refusals<TKey>(TimeProvider clock) where TKey : notnull
{
    private struct Entry
    {
        public int Errno;
        public string Words;
        public DateTimeOffset Since;
        public int Attempts;
        public TimeSpan NextAt;
        public bool Due;
    }

    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(60);
    private readonly Dictionary<TKey, Entry> entries = [];
    private readonly long start = clock.GetTimestamp();
    private string lastWords = "";
    private TimeSpan? earliest;

    public int Count => entries.Count;

    /// <summary>Set by each change, for whoever shows them.</summary>
    public bool Changed { get; set; }

    /// <summary>How long until some entry is to be tried again; null: nothing waits.</summary>
    public TimeSpan? Wait => earliest is not { } at ? null : at > Now ? at - Now : TimeSpan.Zero;

    private TimeSpan Now => clock.GetElapsedTime(start);

    /// <returns>How many attempts have failed.</returns>
    public int Add(TKey row, int errno, string words)
    {
        // Thousands are refused in the same words; they share one string.
        if (words == lastWords) words = lastWords;
        lastWords = words;
        ref var entry = ref CollectionsMarshal.GetValueRefOrAddDefault(entries, row, out var known);
        if (!known) entry.Since = clock.GetUtcNow();
        (entry.Errno, entry.Words, entry.Due) = (errno, words, false);
        entry.Attempts++;
        var wait = TimeSpan.FromSeconds(Math.Min(LongestWait.TotalSeconds, 1 << Math.Min(entry.Attempts - 1, 6)));
        entry.NextAt = Now + wait;
        if (earliest is not { } at || entry.NextAt < at) earliest = entry.NextAt;
        Changed = true;
        return entry.Attempts;
    }

    /// <summary>Whether the row has to wait before the next attempt.</summary>
    public bool Blocks(TKey row) => entries.TryGetValue(row, out var entry) && !entry.Due;

    public string? Words(TKey row) => entries.TryGetValue(row, out var entry) ? entry.Words : null;

    public void Remove(TKey row) => Changed |= entries.Remove(row);

    /// <summary>Releases those whose time has come, or everything where the surroundings have changed.</summary>
    public void Release(bool everything, Action<TKey> retry)
    {
        var now = Now;
        earliest = null;
        foreach (var row in entries.Keys)
        {
            ref var entry = ref CollectionsMarshal.GetValueRefOrNullRef(entries, row);
            if (everything || entry.NextAt <= now)
            {
                entry.Due = true;
                retry(row);
            }
            else if (earliest is not { } at || entry.NextAt < at) earliest = entry.NextAt;
        }
    }

    /// <summary>It is to be tried again at once: what stood in its way may have changed.</summary>
    public void Hasten(TKey row)
    {
        ref var entry = ref CollectionsMarshal.GetValueRefOrNullRef(entries, row);
        if (!System.Runtime.CompilerServices.Unsafe.IsNullRef(ref entry)) entry.Due = true;
    }

    /// <summary>The first <paramref name="limit"/> of them.</summary>
    public ImmutableArray<(TKey Key, Refusal Refusal)> List(int limit) =>
        [.. entries.Take(limit).Select(
            pair => (pair.Key, new Refusal(pair.Value.Errno, pair.Value.Words, pair.Value.Since, pair.Value.Attempts)))];
}
