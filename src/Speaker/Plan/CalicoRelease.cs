using Calico.Bgp.Net;
using Calico.Bgp.Resources;

namespace Calico.Bgp.Speaker.Plan;

/// <summary>
/// The releases of Calico whose behaviour on the wire and in the kernel differs, as <c>compat</c> in bgpd.yaml chooses. What differs is
/// asked for here by name, and nowhere by number.
/// </summary>
public sealed record CalicoRelease
{
    public static readonly CalicoRelease V331 = new()
    {
        Name = "3.31",
        DefaultClusterRoutes = ClusterRoutes.Enabled,
        ReadsEndpoints = true,
    };

    /// <summary>LOCAL_PREF and metric are one thing; BGPConfiguration says who programs pool routes.</summary>
    public static readonly CalicoRelease V332 = V331 with { Name = "3.32", CouplesMetric = true, ReadsClusterRoutes = true };

    /// <summary>Felix owns IPIP by default; WireGuard's routes too; reflectors pass external ranges on.</summary>
    public static readonly CalicoRelease V333 = V332 with
    {
        Name = "3.33",
        DefaultClusterRoutes = ClusterRoutes.EnabledNoEncapOnly,
        LeavesWireguardToFelix = true,
        ReadsEndpoints = false,
        ReflectsExternalIPs = true,
    };

    public static readonly CalicoRelease Newest = V333;

    private CalicoRelease() { }

    public required string Name { get; init; }
    /// <summary>LOCAL_PREF = 2147483647 - metric on the way out, and back on the way into the kernel.</summary>
    public bool CouplesMetric { get; private init; }
    public bool ReadsClusterRoutes { get; private init; }
    public ClusterRoutes DefaultClusterRoutes { get; private init; }
    public bool LeavesWireguardToFelix { get; private init; }
    public bool ReflectsExternalIPs { get; private init; }
    /// <summary>A service's Endpoints count, as well as its EndpointSlices.</summary>
    public bool ReadsEndpoints { get; private init; }

    public static readonly ListOf<CalicoRelease> All = [V331, V332, V333];

    public static CalicoRelease? Named(string name) => All.FirstOrDefault(release => release.Name == name);

    public override string ToString() => Name;
}
