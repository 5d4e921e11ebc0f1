using System.Collections.Immutable;
using System.Net.Sockets;
using Calico.Bgp.Net;
using Calico.Bgp.Speaker.Handover;
using Calico.Bgp.Wire;

namespace Calico.Bgp.Speaker;

/// <summary>What the operator may have a peer do.</summary>
internal enum PeerOrder { Enable, Disable, Restart }

/// <summary>What the speaker's loop takes, in the order of arrival.</summary>
internal abstract record SpeakerNews
{
    /// <summary>Everything is made: the peers begin.</summary>
    public sealed record Begin(TaskCompletionSource<string?> Done) : SpeakerNews;
    /// <summary>Another process is to have the sessions. The answer: why it has not; null: it has, and this one ends.</summary>
    public sealed record HandOver(IHeir To, TimeSpan Within, TaskCompletionSource<string?> Done) : SpeakerNews;
    /// <summary>The sessions of another process come.</summary>
    public sealed record TakeOver(ITestator From, TaskCompletionSource<string?> Done) : SpeakerNews;
    /// <summary>Another configuration. The answer is what could not be done; null: all was.</summary>
    public sealed record Configure(SpeakerConfig Newer, TaskCompletionSource<string?> Done) : SpeakerNews;
    /// <summary>A producer's routes begin and cease to be announced; <paramref name="All"/>: it has no others.</summary>
    public sealed record Produce(string Producer, ImmutableArray<RouteMove> Moves, bool All, TaskCompletionSource<string?> Done)
        : SpeakerNews;
    /// <summary>A program's route. The answer: what bars it; null: nothing does.</summary>
    public sealed record Announce(RouteLease Lease, TaskCompletionSource<string?> Done) : SpeakerNews;
    /// <summary>The answer: it was there.</summary>
    public sealed record Withdraw(string Producer, Prefix Prefix, TaskCompletionSource<string?> Done) : SpeakerNews;
    /// <summary>Leases have run out. Of these one waits at most, for there is one timer.</summary>
    public sealed record LeasesEnd : SpeakerNews
    {
        public static readonly LeasesEnd Now = new();
    }
    public sealed record SetEnabled(OwnRouteSource Source, bool Enabled) : SpeakerNews;
    public sealed record Order(string Peer, PeerOrder What, string? Text) : SpeakerNews;
    /// <summary>Sessions are to end without a loss (RFC 8326). The answer: which.</summary>
    public sealed record BeginDrain(string? Peer, TimeSpan Wait, string? Reason, TaskCompletionSource<ImmutableArray<string>> Done)
        : SpeakerNews;
    public sealed record EndDrain(string? Peer, TaskCompletionSource<ImmutableArray<string>> Done) : SpeakerNews;
    /// <summary>A drain's time has come.</summary>
    public sealed record DrainGoesOn(string Peer, Drain Drain) : SpeakerNews;
    /// <summary>The kernel's links, addresses or routes have changed. Of these one waits, however often they do.</summary>
    public sealed record KernelMoved : SpeakerNews
    {
        public static readonly KernelMoved Now = new();
    }
    /// <summary>Neighbours were lost or found by BFD. Of these one waits.</summary>
    public sealed record BfdMoved : SpeakerNews
    {
        public static readonly BfdMoved Now = new();
    }
    /// <summary>A session is established; the RIB was told so.</summary>
    public sealed record Established(string Peer, PeerLife Life) : SpeakerNews;
    /// <summary>It has ended; the RIB was told so, and which families' routes stay.</summary>
    public sealed record Down(string Peer, PeerLife Life, FamilySet Kept) : SpeakerNews;
    /// <summary>The time of what a lost session left may be up.</summary>
    public sealed record RetentionDue(Peer Peer) : SpeakerNews;
    /// <summary>A shard has met the end of a peer's table. Of these one a peer and family waits.</summary>
    public sealed record EndOfRib(ushort Peer, IpFamily Family) : SpeakerNews;
    /// <summary>A peer has sent more than it may. Of these one a peer and family waits.</summary>
    public sealed record OverLimit(ushort Peer, IpFamily Family, int Limit) : SpeakerNews;
    /// <summary>Whose first tables are still to come?</summary>
    public sealed record AskAwaited(TaskCompletionSource<ImmutableArray<string>> Answer) : SpeakerNews;
    /// <summary>A neighbour of a range has called, and no session is for it. Of these a bounded number waits.</summary>
    public sealed record Called(Address Neighbour, Socket Connection) : SpeakerNews;
    /// <summary>A router was heard on a link whose neighbour is looked for. Of these one a link waits.</summary>
    public sealed record RouterHeard(string Interface) : SpeakerNews;
    /// <summary>A session of a range may have been down for long.</summary>
    public sealed record PatienceEnded(Peer Peer) : SpeakerNews;
}
