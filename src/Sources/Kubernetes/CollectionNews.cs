using System.Collections.Immutable;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Sources.Kubernetes;

/// <summary>What the source's loop is told.</summary>
internal abstract record SourceNews;

/// <summary>What of a collection is new.</summary>
internal sealed record CollectionSaid(Collection Of, ImmutableArray<OriginContent> Contents) : SourceNews;

/// <summary>All that there was of it until now was said: its list has ended, or its watch has said so.</summary>
internal sealed record CollectionCurrent(Collection Of, DateTimeOffset At) : SourceNews;

/// <summary>How a collection is doing.</summary>
/// <param name="IsListed">It was named in full once, or is known not to be there.</param>
/// <param name="Problem">Why it is not followed now; null: it is.</param>
/// <param name="MayPass">That lasts too short a time to be named as this collection's own trouble: the source is not in sync, and no
/// more is said.</param>
internal sealed record CollectionState(Collection Of, bool IsListed, string? Problem, bool MayPass = false) : SourceNews
{
    /// <summary>The problem, once it is its own.</summary>
    public string? Trouble => MayPass ? null : Problem;
}

/// <summary>The server is away, or back (<see cref="ApiServer.Away"/>).</summary>
internal sealed record ServerMoved : SourceNews;

/// <summary>A follower has met what nobody foresaw.</summary>
internal sealed record FollowerFailed(Exception Cause) : SourceNews;
