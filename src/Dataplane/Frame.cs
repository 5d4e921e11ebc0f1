using System.Collections.Immutable;
using Calico.Bgp.Dataplane.Policies;
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

    /// <summary>
    /// What is routed through the host meets a chain for each endpoint on its way, so that an accept in one says nothing for the next. All
    /// stand around the filter of others (0), whose verdicts hold beside ours.
    /// </summary>
    public static readonly NftChain ForwardHostIn = Filter("forward-host-in", NftHookPoint.Forward, -2, "from a host endpoint, through");
    public static readonly NftChain ForwardFrom = Filter("forward-from", NftHookPoint.Forward, 0, "from a workload");
    public static readonly NftChain ForwardTo = Filter("forward-to", NftHookPoint.Forward, 1, "to a workload");
    public static readonly NftChain ForwardHostOut = Filter("forward-host-out", NftHookPoint.Forward, 2, "through, to a host endpoint");
    public static readonly NftChain ForwardLoop = Filter("forward-loop", NftHookPoint.Forward, 3, "services' addresses that lead nowhere");

    public static readonly NftChain Input = Filter("input", NftHookPoint.Input, 0, "to this host");
    public static readonly NftChain InputHost = Filter("input-host", NftHookPoint.Input, 1, "from a workload to this host");
    public static readonly NftChain Output = Filter("output", NftHookPoint.Output, 0, "from this host");

    /// <summary>Behind the translation of destinations, in front of that of sources.</summary>
    public static readonly NftChain ManglePostrouting =
        Filter("postrouting-mangle", NftHookPoint.Postrouting, Mangle, "from this host, to where a service leads");

    /// <summary>The features' names.</summary>
    public static readonly ImmutableArray<string> Order = [Nat.FeatureName, Enforcement.FeatureName];

    private const int Raw = -300, Mangle = -150;

    private static NftChain Filter(string name, NftHookPoint at, int priority, string comment) =>
        new(name, new("filter", at, priority), []) { Comment = comment };
}
