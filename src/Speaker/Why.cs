using Calico.Bgp.Net;
using Calico.Bgp.Rib;
using Calico.Bgp.Rib.Filters;

namespace Calico.Bgp.Speaker;

/// <summary>The rules by which others decided, in people's words. Nothing is decided here.</summary>
internal static class Why
{
    public static string Of(Verdict verdict) => verdict.Rule == RouteRule.Filter ? verdict.Label ?? "accept" : Of(verdict.Rule);

    public static string Of(RouteRule rule) => rule switch
    {
        RouteRule.AsSet => "there is an AS_SET in the path (RFC 9774; decision.rejectAsSets)",
        RouteRule.OwnAs => "our own AS is in the path (RFC 4271 9.1.2)",
        RouteRule.OwnOriginator => "we are its originator (RFC 4456)",
        RouteRule.OwnCluster => "our cluster is in its cluster list (RFC 4456)",
        RouteRule.RouteLeak => "it is for customers only, and came from none of their providers: a route leak (RFC 9234)",
        RouteRule.OnlyToCustomer => "it is for customers only, and the peer is none (RFC 9234)",
        RouteRule.NoAdvertise => "its community no-advertise (RFC 1997)",
        RouteRule.NoExport => "its community no-export, and the peer is external (RFC 1997)",
        RouteRule.NoExportSubconfed => "its community no-export-subconfed, and the peer is external (RFC 1997)",
        RouteRule.LongStale => "it is long stale, and the peer does not know what that is (RFC 9494)",
        RouteRule.NoLongStale => "it is long stale, and its community no-llgr forbids that (RFC 9494)",
        RouteRule.NotReflected => "learned inside, and not for inside but through a reflector (RFC 4456)",
        RouteRule.SplitHorizon => "it is the one who sent it",
        RouteRule.NoNextHop => "there is no address that could be its next hop",
        RouteRule.NextHopFamily => "its next hop is of a family that the session does not carry (RFC 8950)",
        RouteRule.DoesNotFit => "its attributes are too long for a message",
        RouteRule.KernelsOwn => "it is the kernel's own",
        RouteRule.NotInstalled => "kernel.installRoutes is off",
        _ => "a filter",
    };

    public static string Unreachable(NextHopRule rule) => $"next hop is not reachable: {Of(rule)}";

    public static string Of(NextHopRule rule) => rule switch
    {
        NextHopRule.Connected => "on a link",
        NextHopRule.Route => "a route leads there",
        NextHopRule.OwnAddress => "it is an address of our own",
        NextHopRule.Blackhole => "a blackhole bars it",
        NextHopRule.Unreachable => "an unreachable route bars it",
        NextHopRule.Prohibit => "a prohibit route bars it",
        NextHopRule.LinkDown => "the link that leads there is down or has no carrier",
        NextHopRule.NotOnLink => "it is on no link of ours, and the peer is one hop away",
        NextHopRule.NoLink => "it is link-local, and its link is not known or down",
        NextHopRule.NotUnicast => "it is no unicast address",
        NextHopRule.Circle => "it leads through itself",
        NextHopRule.Tunnel => "it leads into the IPIP tunnel",
        NextHopRule.TooFar => "it lies behind too many routes of ours",
        _ => "no route leads there",
    };

    public static string Of(OwnHopRule rule, Address? gateway, string? link) => rule switch
    {
        OwnHopRule.NoInterface => $"there is no interface {link}",
        OwnHopRule.InterfaceDown => $"interface {link} is down",
        OwnHopRule.NoAddress => $"no link has an address of {gateway}'s family",
        OwnHopRule.NotOnLink => $"{gateway} is on {(link == null ? "no link of ours" : $"no network of {link}")}",
        OwnHopRule.Unheard => $"BFD does not hear {gateway}",
        _ => "usable",
    };

    /// <summary>A path that carries its share of the packets is no worse; only the tie had to be broken.</summary>
    public static string Beside(Reason reason) => $"used beside the best, which has the tie by {Step(reason)}";

    /// <summary>Null: there is nothing to say.</summary>
    public static string? Of(Sharing sharing) => sharing switch
    {
        Sharing.OtherNeighbour => "not used together with the best: another neighbouring AS (multipath relax is off)",
        Sharing.OverLimit => "not used together with the best: over the multipath limit",
        _ => null,
    };

    public static string Of(Reason reason, bool best) => reason switch
    {
        Reason.OnlyRoute => "the only route",
        Reason.Rejected => "rejected on import",
        _ => $"{(best ? "better" : "worse")} {Step(reason)}",
    };

    private static string Step(Reason reason) => reason switch
    {
        Reason.Preference => "protocol preference",
        Reason.NextHopCircle => "next hop (the other's lies behind this very prefix)",
        Reason.LongLivedStale => "freshness (LLGR stale)",
        Reason.LocalPref => "local preference",
        Reason.AsPathLength => "AS path length",
        Reason.Origin => "origin",
        Reason.Med => "MED",
        Reason.ExternalOverInternal => "kind of session (external over internal)",
        Reason.IgpMetric => "metric to the next hop",
        Reason.Older => "age (the older stays)",
        Reason.RouterId => "router id (the lower wins)",
        Reason.ClusterListLength => "cluster list length",
        Reason.PeerAddress => "neighbor address (the lower wins)",
        _ => "path id",
    };
}
