using System.Collections.Immutable;

namespace Calico.Bgp.Resources;

/// <summary>
/// How a source is doing, as it says itself with each <see cref="SourceUpdate"/>. Everything that reads over a network loses its server at
/// times: what it said stays in force, and this tells how old that may be by now.
/// </summary>
public sealed record SourceState
{
    /// <summary>Nothing was read yet.</summary>
    public static readonly SourceState Unread = new();

    /// <summary>It has named all that it has, once at least.</summary>
    public bool HasListed { get; init; }
    /// <summary>Since then it is told of every change; null: not yet, or not now.</summary>
    public DateTimeOffset? InSyncSince { get; private init; }
    /// <summary>When it last knew that there was nothing newer than what it has said: it looked, or its server told. Null: never.</summary>
    public DateTimeOffset? CurrentAt { get; private init; }
    /// <summary>The last thing that went wrong, which may be over; null: nothing has.</summary>
    public SourceError? LastError { get; private init; }

    /// <summary>What is different there and not believed yet; null: nothing is.</summary>
    public WithheldNews? Withheld { get; init; }

    /// <summary>All that there was at this moment has been said.</summary>
    public SourceState Current(DateTimeOffset at) =>
        this with { HasListed = true, InSyncSince = InSyncSince ?? at, CurrentAt = at };

    /// <summary>From now on it cannot be read, or not be followed.</summary>
    public SourceState Lost(DateTimeOffset at, string reason) => this with { InSyncSince = null, LastError = new(at, reason) };
}

/// <summary>Files that say less than before, are gone, or cannot be read as they are, until they have stood like that for long enough: what
/// they said stays in force.</summary>
/// <param name="Until">When the last of them is believed.</param>
public sealed record WithheldNews(int Files, DateTimeOffset Until);

public sealed record SourceError(DateTimeOffset At, string Text);

/// <summary>A source as those see it who look in.</summary>
/// <param name="Kind">Its key in bgpd.yaml.</param>
/// <param name="Objects">How many objects it defines, by kind; those that another source defines too, and that are refused, among
/// them.</param>
public sealed record SourceStatus(string Kind, string Name, SourceState State, ImmutableSortedDictionary<string, int> Objects)
{
    /// <summary>How old what it said may be; null: it has said nothing.</summary>
    public TimeSpan? Lag(DateTimeOffset now) => now - State.CurrentAt;
}
