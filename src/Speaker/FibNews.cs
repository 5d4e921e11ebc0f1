using System.Collections.Immutable;
using Calico.Bgp.Net;
using Calico.Bgp.Rib;

namespace Calico.Bgp.Speaker;

/// <summary>What the FIB's loop takes, in the order of arrival.</summary>
internal abstract record FibNews
{
    /// <summary>Best routes that have moved; the array is rented.</summary>
    public sealed record Moved(FibChange[] Changes, int Count) : FibNews;
    /// <summary>bgpd.yaml's own routes.</summary>
    public sealed record Own(ImmutableDictionary<Prefix, OwnRouteConfig> Routes) : FibNews;
    /// <summary>Interfaces have changed. Of these one waits, however often they do.</summary>
    public sealed record Look : FibNews
    {
        public static readonly Look Again = new();
    }
    /// <summary>Why a best route is not wished for; null: it is, or is none.</summary>
    public sealed record AskWhyNot(Prefix Prefix, TaskCompletionSource<string?> Answer) : FibNews;
    /// <summary>Answered when all that came before has been handed to the kernel's loop.</summary>
    public sealed record Pass(TaskCompletionSource Reached) : FibNews;
}
