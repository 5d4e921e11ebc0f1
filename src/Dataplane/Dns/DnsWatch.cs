using System.Collections.Immutable;

namespace Calico.Bgp.Dataplane.Dns;

/// <summary>What came of a response.</summary>
public enum DnsResult : byte
{
    /// <summary>It waited until what it opens was open.</summary>
    Opened,
    /// <summary>What it leads to was open as long already.</summary>
    Open,
    /// <summary>It waited, and went on without: the deadline had come, or the kernel had refused.</summary>
    Unprogrammed,
    /// <summary>It leads nowhere, or no rule goes by its name.</summary>
    Nothing,
    /// <summary>Nobody had asked that: nothing of it is believed.</summary>
    Unasked,
    /// <summary>It is no DNS, or broken: nothing of it is believed.</summary>
    Damaged,
}

/// <summary>What is open by a response.</summary>
/// <param name="By">The list of names by which, as a rule has it.</param>
public readonly record struct DnsOpened(string Address, string By, long Seconds);

/// <summary>A response that was heard.</summary>
/// <param name="Endpoint">The interface; empty: this host's own. Where it has a name, that.</param>
public sealed record DnsLookup(string Endpoint, string Name, ushort Type, string Server, DnsResult Result)
{
    /// <summary>Counts what is told: where one is missing, more came than could be kept.</summary>
    public long Number { get; init; }
    public DateTimeOffset At { get; init; }
    /// <summary>To which the name leads, by this response or others.</summary>
    public ImmutableArray<string> Addresses { get; init; } = [];
    public ImmutableArray<DnsOpened> Opened { get; init; } = [];
    /// <summary>How long it waited.</summary>
    public TimeSpan Held { get; init; }
}

/// <param name="Last">The number to ask on from.</param>
public sealed record DnsHeard(long Last, ImmutableArray<DnsLookup> Lookups)
{
    public static readonly DnsHeard Nothing = new(0, []);
}

/// <summary>The last responses, kept while somebody asks for them again and again: else none costs anything. Thread-safe.</summary>
internal sealed class DnsWatch(TimeProvider clock)
{
    public const int Most = 2000;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly Lock turn = new();
    private readonly Queue<DnsLookup> kept = new();
    private long last, askedAt;
    private volatile bool isWatched;

    /// <summary>Somebody has asked lately.</summary>
    public bool IsWatched
    {
        get
        {
            if (!isWatched) return false;
            if (clock.GetElapsedTime(Volatile.Read(ref askedAt)) < Patience) return true;
            lock (turn)
            {
                if (clock.GetElapsedTime(askedAt) < Patience) return true;
                isWatched = false;
                kept.Clear();
            }
            return false;
        }
    }

    public void Add(DnsLookup lookup)
    {
        lock (turn)
        {
            if (kept.Count == Most) kept.Dequeue();
            kept.Enqueue(lookup with { Number = ++last, At = clock.GetUtcNow() });
        }
    }

    /// <param name="after">The number of what was told last; null: he begins, and hears what comes from now on.</param>
    public DnsHeard Since(long? after)
    {
        lock (turn)
        {
            Volatile.Write(ref askedAt, clock.GetTimestamp());
            isWatched = true;
            return new(last, after is { } before ? [.. kept.Where(one => one.Number > before)] : []);
        }
    }
}
