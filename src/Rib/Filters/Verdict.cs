namespace Calico.Bgp.Rib.Filters;

/// <summary>By which rule a route was let through or kept back: a filter's, or one that BGP itself imposes.</summary>
public enum RouteRule : byte
{
    /// <summary>The operator's filter decided; <see cref="Verdict.Label"/> names its rule.</summary>
    Filter,

    // The way in.
    /// <summary>RFC 9774 section 3: there is an AS_SET in the path.</summary>
    AsSet,
    /// <summary>RFC 4271 section 9.1.2: our own AS stands in the path, more often than is allowed.</summary>
    OwnAs,
    /// <summary>RFC 4456 section 8: the route is our own, come back through a reflector.</summary>
    OwnOriginator,
    /// <summary>RFC 4456 section 8: our cluster stands in the CLUSTER_LIST.</summary>
    OwnCluster,
    /// <summary>RFC 9494 section 4.3: it has been stale for long, and says that it is not to be used then.</summary>
    NoLongStale,
    /// <summary>RFC 9234 section 5: it is for customers only, and a customer (or another peer than the one it was meant for) says
    /// it.</summary>
    RouteLeak,

    // The way out.
    /// <summary>RFC 1997: the community says so.</summary>
    NoAdvertise,
    NoExport,
    NoExportSubconfed,
    /// <summary>RFC 9494 section 4.3: it has been stale for long, and the peer does not know what that is.</summary>
    LongStale,
    /// <summary>RFC 4271 section 9.2, RFC 4456 section 6: learned inside, and neither end is a reflector's client.</summary>
    NotReflected,
    /// <summary>RFC 9234 section 5: it is for customers only, and the peer is none.</summary>
    OnlyToCustomer,
    /// <summary>It came from there.</summary>
    SplitHorizon,
    /// <summary>RFC 4271 section 5.1.3: we have no address there that could be the next hop.</summary>
    NoNextHop,
    /// <summary>RFC 4760 section 3, RFC 8950: the session does not carry next hops of that family for these prefixes.</summary>
    NextHopFamily,
    /// <summary>RFC 4271 section 9.2: the attributes are too long for a message.</summary>
    DoesNotFit,

    // The way to the kernel.
    /// <summary>A connected network, or another's route: it stands in the kernel already.</summary>
    KernelsOwn,
    /// <summary>Nothing is installed at all.</summary>
    NotInstalled,
}

/// <summary>What a door or filter says of a route, and by which rule. 16 octets, none of them made for it.</summary>
/// <param name="Label">Of <see cref="RouteRule.Filter"/>: which of the filter's rules.</param>
public readonly record struct Verdict(FilterVerdict What, RouteRule Rule, string? Label)
{
    public bool IsAccepted => What != FilterVerdict.Reject;

    public static Verdict Of(in FilterResult result) => new(result.Verdict, RouteRule.Filter, result.Rule);
    public static Verdict Against(RouteRule rule) => new(FilterVerdict.Reject, rule, null);
}
