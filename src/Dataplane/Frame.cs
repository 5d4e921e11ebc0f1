using System.Collections.Immutable;
using Calico.Bgp.Dataplane.Extending;
using Calico.Bgp.Dataplane.Policies;
using Calico.Bgp.Dataplane.Services;
using Calico.Bgp.Kernel.Nftables;

namespace Calico.Bgp.Dataplane;

/// <summary>Where packets meet the features: the base chains that they share, and the order in which their rules stand in each.</summary>
internal static class Frame
{
    private const int BehindKubeProxy = 100 + 10; // srcnat + 10

    /// <summary>
    /// It stands behind kube-proxy's (srcnat), because the first chain that sets a connection's source wins: if ours were first,
    /// kube-proxy's mark would stay on the packet, be copied to what encapsulates it, and have that masqueraded, too.
    /// </summary>
    public static readonly NftChain Postrouting =
        new("postrouting", new("nat", NftHookPoint.Postrouting, BehindKubeProxy), []) { Comment = "the way out of the pools" };

    /// <summary>In front of connection tracking (-200).</summary>
    public static readonly NftChain RawPrerouting = Filter("prerouting-raw", NftHookPoint.Prerouting, Raw,
        "who may send; untracked policies");
    public static readonly NftChain RawOutput = Filter("output-raw", NftHookPoint.Output, Raw, "untracked policies");

    /// <summary>In front of kube-proxy's translation of destinations (-100).</summary>
    public static readonly NftChain ManglePrerouting =
        Filter("prerouting-mangle", NftHookPoint.Prerouting, Mangle, "policies before services' addresses are translated");

    /// <summary>Between connection tracking and the translation of destinations.</summary>
    public static readonly NftChain MangleOutput =
        Filter("output-mangle", NftHookPoint.Output, Mangle, "services' timeouts, of this host's own");

    /// <summary>
    /// In front of kube-proxy's translation of destinations, which passes over what has been translated. The two stand where NAT has its
    /// hooks, and this says no more than which comes first.
    /// </summary>
    public static readonly NftChain Services =
        new(FirstTable.ServicesChain, new("nat", NftHookPoint.Prerouting, Destination - 5), []) { Comment = "services" };
    public static readonly NftChain ServicesOutput =
        new("output-nat", new("nat", NftHookPoint.Output, Destination - 5), []) { Comment = "services, of this host's own" };

    /// <summary>Behind the translation of destinations.</summary>
    public static readonly NftChain Translated =
        Filter("prerouting-translated", NftHookPoint.Prerouting, Destination + 10,
            "what services have not translated; who leaves by which gateway");
    public static readonly NftChain TranslatedOutput =
        Filter("output-translated", NftHookPoint.Output, Destination + 10, "what services have not translated, of this host's own");

    /// <summary>
    /// What is routed through the host meets a chain for each endpoint on its way, so that an accept in one says nothing for the next. All
    /// stand around the filter of others (0), whose verdicts hold beside ours.
    /// </summary>
    public static readonly NftChain ForwardHostIn = Filter("forward-host-in", NftHookPoint.Forward, -2, "from a host endpoint, through");
    public static readonly NftChain ForwardFrom = Filter("forward-from", NftHookPoint.Forward, 0, "from a workload");
    public static readonly NftChain ForwardTo = Filter("forward-to", NftHookPoint.Forward, 1, "to a workload");
    public static readonly NftChain ForwardHostOut = Filter("forward-host-out", NftHookPoint.Forward, 2, "through, to a host endpoint");
    public static readonly NftChain ForwardLoop = Filter("forward-loop", NftHookPoint.Forward, 3, "services' addresses that lead nowhere");

    /// <summary>In front of whoever judges packets, as an answer that waits is still to be judged.</summary>
    public static readonly NftChain ForwardNames = Filter("forward-names", NftHookPoint.Forward, Names, "what is asked of the DNS");
    public static readonly NftChain InputNames = Filter("input-names", NftHookPoint.Input, Names, "what is asked of the DNS here");
    public static readonly NftChain OutputNames = Filter("output-names", NftHookPoint.Output, Names, "what this host asks of the DNS");

    public static readonly NftChain Input = Filter("input", NftHookPoint.Input, 0, "to this host");
    public static readonly NftChain InputHost = Filter("input-host", NftHookPoint.Input, 1, "from a workload to this host");
    public static readonly NftChain Output = Filter("output", NftHookPoint.Output, 0, "from this host");

    /// <summary>What IPVS sends on to a workload leaves as if this host had made it, with somebody else's source.</summary>
    public static readonly NftChain OutputTo = Filter("output-to", NftHookPoint.Output, 1, "by IPVS to a workload");

    /// <summary>Behind the translation of destinations, in front of that of sources.</summary>
    public static readonly NftChain ManglePostrouting =
        Filter("postrouting-mangle", NftHookPoint.Postrouting, Mangle, "from this host, to where a service leads");

    /// <summary>Behind the translation of sources: what would leave as somebody else.</summary>
    public static readonly NftChain LatePostrouting =
        Filter("postrouting-late", NftHookPoint.Postrouting, BehindKubeProxy + 10, "what would leave the cluster as somebody else");

    /// <summary>
    /// The features' names. What is built in beside comes first; what a translation says of sources stands before what gateways say, and
    /// that before what pools say.
    /// </summary>
    public static readonly ImmutableArray<string> Order =
        [NatExtensions.FeatureName, ServiceNat.FeatureName, Egress.Egress.FeatureName, Nat.FeatureName, Enforcement.FeatureName];

    private const int Raw = -300, Mangle = -150, Destination = -100, Names = -5;

    private static NftChain Filter(string name, NftHookPoint at, int priority, string comment) =>
        new(name, new("filter", at, priority), []) { Comment = comment };
}
